"""YAML text to a located tree: the only door for flows, settings, back ends, dialects and texts.

There is no resolver: every scalar stays the text that was written. Anchors, aliases, merges, tags, several
documents, duplicate keys, tabs and nesting beyond `MAX_DEPTH` are refused. The tree is built from parser
events with a stack of our own, so the depth is known before anything recurses: composing 50 000 nested
brackets would crash the C loader, here they end at the 65th.

When is a `#` behind a plain text a comment, and when has it cut the text?
    1. `code: 100 #100#` - one space before the `#`, none after it: a comment is not written so, a dial
       code is. The loader reports `text-cut` in every file.
    2. Any other `#` (`Нажмите # для повтора`, `language: 1    # version`) is a comment to the loader. It
       is kept as `Text.cut`, and the field table reports `text-cut` where the field holds a text for
       people (flow-language 3.3, 6): there even a real comment cannot be told from a cut text.
    3. Behind quotes, brackets and in block texts (`|`, `>`) nothing can be cut.
A value that is missing because the comment begins at once (`ussd: #100#`) is `Empty` with the same rule.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from engine.reading.cut import report_cut
from engine.reading.diagnostic import Place, Report
from engine.reading.hash_key import report_hash_keys
from engine.reading.trap import Situation, Trap, TrapError, masked, unmasked
from engine.reading.tree import Empty, Entry, Node, Sequence, Table, Text
from engine.reading.yaml_source import Source, read_source
from engine.reading.yaml_trap import explain, starting_sign

MAX_DEPTH = 64
"""Levels of nesting in a file; a deep flow has about twelve."""

MAX_TRAPS = 20
"""Syntax faults reported in one go. Each costs another reading of the file."""

MAX_FINDINGS = 200
"""Faults of other sorts after which a file is read no further."""

MAX_EVENTS = 120_000
"""Keys and values of a file, about 0.7 s of reading; a flow has some hundred, its texts some thousand."""

_RETRIED_SIZE = 128 * 1024  # characters; a larger file is read once more only, to be refused fast

_LOADER: Any = getattr(yaml, "CLoader", yaml.Loader)  # without libyaml the same tree, 12 times slower


def read_tree(source: str | bytes, file: str, report: Report) -> Node | None:
    """Read one file into a tree; every finding goes to `report` with line and column.

    Returns None only if no tree can be made; a tree may come back beside errors, with the author's texts
    in it, so that later phases can find more. An empty file is `Empty`. Bytes must be UTF-8.
    """
    checked = read_source(source, file, report)
    if checked is None:
        return None
    text = checked.text
    retries = MAX_TRAPS if len(text) <= _RETRIED_SIZE else 1
    trapped_lines: set[int] = set()
    for attempt in range(retries + 1):
        found = Report()
        builder = _Builder(checked, text, found, masked=attempt > 0)
        try:
            tree = builder.build()
        except TrapError as error:
            trap = error.trap
        except yaml.YAMLError as error:
            trap = explain(error, checked, builder.situation(error, frozenset(trapped_lines)))
        else:
            _keep(found, trapped_lines, report)
            return tree
        if trap.line not in trapped_lines:
            _report_trap(trap, checked, report)
        trapped_lines.add(trap.line)
        patched = masked(text, checked.index(trap.line, 0), trap.mask)
        if patched == text:
            break
        text = patched
    _keep(found, trapped_lines, report)
    return None


def _keep(found: Report, trapped_lines: set[int], report: Report) -> None:
    """Take over what the builder found, but not a second sentence about a line with a trap."""
    for diagnostic in found.diagnostics:
        if diagnostic.place.line - 1 not in trapped_lines:
            report.add(diagnostic)


def _report_trap(trap: Trap, source: Source, report: Report) -> None:
    place = source.place(trap.line, trap.column, trap.end_column)
    report.error(trap.code, trap.message, place, help=trap.help)


@dataclass(slots=True)
class _Frame:
    """An open table or list."""

    is_table: bool
    flow: bool
    start: Any
    items: list[Node] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    known: dict[str, Text] = field(default_factory=dict)
    key: Text | None = None
    key_end: int = 0
    cut_at_comma: set[Place] = field(default_factory=set)


# What may stand between the end of a plain text and a comment, on the same line or at once below.
_BEHIND = re.compile(r"(?P<blank>[ \t]*)(?:#(?P<next>.?)|\r?\n(?P<indent> *)(?P<code>#[0-9*]+#))")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_COLON_BEHIND = re.compile(r"\s*:")


class _Builder:
    """Builds the tree of one text from the events of the parser."""

    def __init__(self, source: Source, text: str, report: Report, masked: bool) -> None:
        self._source = source
        self._file = source.file
        self._text = text
        self._report = report
        self._masked = masked
        self._stack: list[_Frame] = []
        self._root: Node | None = None
        self._documents = 0
        self._anchors: set[str] = set()
        self._quote: tuple[int, int, int] | None = None
        self._closed: deque[tuple[int, int]] = deque(maxlen=8)

    def situation(self, error: yaml.YAMLError, trapped: frozenset[int]) -> Situation:
        """Tell where in the tree the parser stopped."""
        blocks = [frame for frame in self._stack if not frame.flow]
        flows = [frame for frame in self._stack if frame.flow]
        line = getattr(getattr(error, "problem_mark", None), "line", 0)
        # A line with a wrong indentation closes blocks before the parser sees that it fits none of them.
        closed = tuple(column for column, end_line in self._closed if end_line >= line)
        return Situation(
            in_flow=bool(self._stack) and self._stack[-1].flow,
            columns=tuple(frame.start.column for frame in blocks) + closed,
            in_list=bool(blocks) and not blocks[-1].is_table,
            quote=self._quote,
            bracket=(flows[-1].start.line, flows[-1].start.column) if flows else None,
            trapped=trapped,
        )

    def build(self) -> Node:
        """Return the root; raises TrapError, or yaml.YAMLError from the parser."""
        take: dict[type, Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._open,
            yaml.SequenceStartEvent: self._open,
            yaml.MappingEndEvent: self._close,
            yaml.SequenceEndEvent: self._close,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
        }
        events: Iterator[Any] = yaml.parse(self._text, Loader=_LOADER)
        for count, event in enumerate(events):
            handler = take.get(type(event))
            if handler is not None:
                handler(event)
            if self._documents > 1:
                break
            if count > MAX_EVENTS or len(self._report) > MAX_FINDINGS:
                mark = event.start_mark
                sentence = "the file has too many values" if count > MAX_EVENTS else "too many faults"
                raise TrapError(Trap(f"{sentence}; the rest is not read", mark.line, mark.column))
        if self._root is None:
            return Empty(Place(self._file, 1, 1))
        return self._root

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            self._report.error(
                "yaml",
                "a second document begins here",
                self._place(event.start_mark, event.start_mark),
                help="one file holds one document: delete the line ---, or move the rest to another file",
            )

    def _place(self, start: Any, end: Any) -> Place:
        column = start.column + 1
        if end.line != start.line:
            return Place(self._file, start.line + 1, column)
        return Place(self._file, start.line + 1, column, max(end.column + 1, column))

    def _scalar(self, event: Any) -> None:
        start, end = event.start_mark, event.end_mark
        style = event.style
        value = event.value
        if event.anchor is not None or event.tag is not None:
            self._decorated(event)
        if self._masked:
            value = unmasked(value)
        place = self._place(start, end)
        if not style:
            cut = self._cut(start, end, empty=not value)
            if not value:
                self._put(Empty(place, cut), start, end)
                return
            self._put(Text(value, place, False, False, cut), start, end)
            return
        block = style in "|>"
        if style == '"' and (invisible := _CONTROL.search(value)) is not None:
            self._report.error(
                "yaml",
                f"the text holds an invisible character (U+{ord(invisible[0]):04X})",
                place,
                help="take its escape out of the quotes",
            )
        if not block:
            self._quote = (start.line, start.column, end.line)
        self._put(Text(value, place, not block, block), start, end)

    def _decorated(self, event: Any) -> None:
        """Report an anchor or a tag."""
        start = event.start_mark
        sign = self._text[start.index : start.index + 1]
        if event.anchor is not None:
            self._anchors.add(event.anchor)
        if event.tag is not None and sign == "!":
            in_flow = bool(self._stack) and self._stack[-1].flow
            raise TrapError(starting_sign(self._source, start.line, start.column, in_flow))
        word = "an anchor" if sign == "&" else "a tag"
        self._report.error(
            "yaml-alias" if sign == "&" else "yaml-tag",
            f'starts with "{sign}", which YAML reads as {word}: quote the text',
            self._place(start, start),
            help="anchors and tags are not used in these files",
        )

    def _alias(self, event: Any) -> None:
        start = event.start_mark
        if event.anchor not in self._anchors:
            in_flow = bool(self._stack) and self._stack[-1].flow
            raise TrapError(starting_sign(self._source, start.line, start.column, in_flow))
        place = self._place(start, event.end_mark)
        self._report.error(
            "yaml-alias",
            f'"*{event.anchor}" is an alias of YAML; aliases are not used in these files',
            place,
            help="write the value out, or make it a constant of the project; a text is quoted",
        )
        self._put(Empty(place), start, event.end_mark)

    def _cut(self, start: Any, end: Any, empty: bool) -> Place | None:
        match = _BEHIND.match(self._text, end.index)
        if match is None:
            return None
        if match["code"] is not None:
            line = self._source.line(start.line)
            indent = len(match["indent"])
            if indent <= len(line) - len(line.lstrip(" ")) or end.line != start.line:
                return None
            cut = Place(self._file, end.line + 2, indent + 1, indent + 1 + len(match["code"]))
            report_cut(self._report, cut, empty)
            return cut
        column = end.column + len(match["blank"]) + 1
        cut = Place(self._file, end.line + 1, column, column + 1)
        if len(match["blank"]) == 1 and not match["next"].isspace() and match["next"]:
            report_cut(self._report, cut, empty)
        return cut

    def _open(self, event: Any) -> None:
        start = event.start_mark
        flow = bool(event.flow_style)
        is_table = type(event) is yaml.MappingStartEvent
        if flow and self._text.startswith(("{{", "?"), start.index):
            in_flow = bool(self._stack) and self._stack[-1].flow
            raise TrapError(starting_sign(self._source, start.line, start.column, in_flow))
        if event.anchor is not None or event.tag is not None:
            self._decorated(event)
        parent = self._stack[-1] if self._stack else None
        if parent is not None and parent.is_table and parent.key is None:
            raise TrapError(
                Trap(
                    "a key is a plain text, not a list or a table",
                    start.line,
                    start.column,
                    help="if the key is a text that starts with a bracket, put quotes round it",
                )
            )
        if len(self._stack) >= MAX_DEPTH:
            raise TrapError(Trap(f"nested deeper than {MAX_DEPTH} levels", start.line, start.column))
        if is_table and flow and not self._text.startswith("{", start.index):
            self._report.error(
                "yaml",
                "a key stands inside [ ]",
                self._place(start, start),
                help='a text with ": " inside is quoted; a table is written { key: value }',
            )
        self._stack.append(_Frame(is_table, flow, start))

    def _close(self, event: Any) -> None:
        frame = self._stack.pop()
        if not frame.flow:
            self._closed.append((frame.start.column, event.end_mark.line))
        place = self._place(frame.start, event.end_mark if frame.flow else frame.start)
        if not frame.is_table:
            self._put(Sequence(tuple(frame.items), place, frame.flow), frame.start, event.end_mark)
            return
        table = Table(tuple(frame.entries), place, frame.flow)
        if not frame.flow and frame.entries and frame.entries[0].key.value == "menu":
            report_hash_keys(table, self._source, self._report)
        self._put(table, frame.start, event.end_mark)

    def _put(self, node: Node, start: Any, end: Any) -> None:
        if not self._stack:
            if self._root is None:
                self._root = node
            return
        frame = self._stack[-1]
        if not frame.is_table:
            frame.items.append(node)
        elif frame.key is None:
            self._take_key(frame, node, end)
        else:
            key, frame.key = frame.key, None
            self._take_value(frame, key, node)

    def _take_key(self, frame: _Frame, node: Node, end: Any) -> None:
        frame.key_end = end.index
        if isinstance(node, Text):
            frame.key = node
            return
        self._report.error("yaml", "there is no key before this colon", node)
        frame.key = Text("", node.place)

    def _take_value(self, frame: _Frame, key: Text, node: Node) -> None:
        if frame.flow and isinstance(node, Empty) and not _COLON_BEHIND.match(self._text, frame.key_end):
            self._lone_key(frame, key, node)
            return
        if key.value == "<<" and not key.quoted:
            self._report.error(
                "yaml-alias",
                '"<<" is a merge of YAML; merges are not used in these files',
                key,
                help="write the keys out",
            )
            return
        first = frame.known.get(key.value)
        if first is not None:
            self._report.twice(key.value, key, first)
            return
        frame.known[key.value] = key
        frame.entries.append(Entry(key, node))

    def _lone_key(self, frame: _Frame, key: Text, node: Empty) -> None:
        """A key without a colon inside `{ }`: nearly always the rest of a text after a comma."""
        last = frame.entries[-1] if frame.entries else None
        place = key.place
        if last is not None and last.key.place in frame.cut_at_comma:
            return  # one text with many commas is one fault
        if last is None or not isinstance(last.value, Text):
            self._report.error(
                "yaml",
                f'"{key.value}" has no value',
                key,
                help="inside { } write key: value; a text that starts with a brace is quoted",
            )
            if last is None:
                frame.entries.append(Entry(key, node))
            return
        line = self._source.line(place.line - 1)
        comma = line.rfind(",", 0, place.column - 1)
        at = self._source.place(place.line - 1, comma, comma + 1) if comma >= 0 else place
        text = f"{last.value.value}, {key.value}"
        self._report.error(
            "text-cut",
            "the text ends at this comma (inside { }); quote the whole text",
            at,
            help=f'write {last.key.value}: "{text}"' if len(text) <= 80 else None,
        )
        whole = Text(text, last.value.place, quoted=last.value.quoted)
        frame.entries[-1] = Entry(last.key, whole)
        frame.cut_at_comma.add(last.key.place)
