"""The located tree: what a YAML file says, as texts with places, before anything is given a type.

Every scalar is the text that was written; `000500`, `no`, `12:30` are never read as anything else. What a
text means is decided by the field it stands in (`engine.reading.fields`). This module does not know YAML
syntax; the loader is `engine.reading.yaml_text`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from engine.reading.diagnostic import Place


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar as it was written.

    `quoted` tells quotes of either kind, `block` a `|` or `>` text. `cut` is the place of a comment that
    begins on the line where a plain text ends: where people are to read the text, it was cut there
    (the rule is in `engine.reading.yaml_text`).
    """

    value: str
    place: Place
    quoted: bool = False
    block: bool = False
    cut: Place | None = None

    def part(self, start: int, end: int | None = None) -> Place:
        """Return the place of `value[start:end]`, exact where the text is on one line as it was written.

        For a text of several lines, and for one with escapes, it is the place of the whole text.
        """
        place = self.place
        quote = 1 if self.quoted else 0
        if place.end_column is None or place.end_column - place.column != len(self.value) + 2 * quote:
            return place
        first = place.column + quote + min(start, len(self.value))
        if end is None:
            return Place(place.file, place.line, first, first + 1)
        return Place(place.file, place.line, first, max(first + 1, place.column + quote + end))


@dataclass(frozen=True, slots=True)
class Empty:
    """Nothing is written after the colon or the dash. `place` is just behind it; `cut` as in Text."""

    place: Place
    cut: Place | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of a table with its value."""

    key: Text
    value: Node


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping in the order of the file; no key is there twice. `flow` tells `{ }` from lines."""

    entries: tuple[Entry, ...]
    place: Place
    flow: bool = False

    def get(self, name: str) -> Node | None:
        """Return the value of a key, or None if the key is not written."""
        for entry in self.entries:
            if entry.key.value == name:
                return entry.value
        return None

    def entry(self, name: str) -> Entry | None:
        """Return the key with its value, or None if the key is not written."""
        for entry in self.entries:
            if entry.key.value == name:
                return entry
        return None

    def replaced(self, name: str, value: Node, place: Place | None = None) -> Table:
        """Return the table with another value for a key; a new key stands last, at `place`."""
        if self.entry(name) is None:
            key = Text(name, self.place if place is None else place)
            return Table((*self.entries, Entry(key, value)), self.place, self.flow)
        entries = tuple(Entry(one.key, value) if one.key.value == name else one for one in self.entries)
        return Table(entries, self.place, self.flow)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list in the order of the file. `flow` tells `[ ]` from lines with dashes."""

    items: tuple[Node, ...]
    place: Place
    flow: bool = False

    def __iter__(self) -> Iterator[Node]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


Node: TypeAlias = Text | Empty | Table | Sequence


def describe(node: Node) -> str:
    """Return what kind of thing a node is, for a message: `a text`, `a list`, `nothing`."""
    match node:
        case Text():
            return "a text"
        case Empty():
            return "nothing"
        case Table():
            return "a table (key: value)"
        case Sequence():
            return "a list"


def plain_value(node: Node) -> str | list[object] | dict[str, object] | None:
    """Return a node as ordinary data: texts, None for nothing, lists, dicts. Places are lost."""
    match node:
        case Text(value=value):
            return value
        case Empty():
            return None
        case Sequence(items=items):
            return [plain_value(item) for item in items]
        case Table(entries=entries):
            return {entry.key.value: plain_value(entry.value) for entry in entries}
