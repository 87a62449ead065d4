"""The form of flow files and their tests: quotes where other YAML tools misread, fields in a fixed order.

Only ranges of the text are changed, so comments and layout stay. What a file means is never changed: a
change after which the file reads otherwise is not made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from engine.reading import header
from engine.reading.diagnostic import Place, Report
from engine.reading.fields import BLOCK, SPOKEN, STRING, TEMPLATE, Field
from engine.reading.kinds import CHANNEL_WORDS
from engine.reading.report import source_lines
from engine.reading.tree import Node, Sequence, Table, Text, plain_value
from engine.reading.workshop import ID
from engine.reading.yaml_text import read_tree
from engine.steps import VERBS
from engine.steps.menu_line import split_key
from engine.testing.word import WORDS
from gateway.authoring.entry_order import reordered

MOST_ROUNDS = 500
"""Tables of one file that are put in order in one go."""

TEST_ENDING = ".test.yaml"

_NUMBER = r"[-+]?(0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?|\.[0-9_]+)"
_CLOCK = r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"
_DAY = r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?"
_WORD = r"y|yes|n|no|on|off|true|false|null|~|=|<<|[-+]?\.inf|\.nan"
_MISREAD = re.compile(rf"(?:{_NUMBER}|{_CLOCK}|{_DAY}|(?i:{_WORD}))\Z", re.ASCII)
_SIGNS = frozenset("{*&!@`%")
_TESTED = ("dial", "see", "hear", "sms", "no sms", "say")
_NUMBERS = ("to", "from")


_ORDERS = {
    "title": ("title", "topic", "call", "ussd", "sms", "event", "outbound"),
    "ask": ("ask", "type", "digits", "check", "hint", "secret", "save", "default"),
}
"""Where the usual order is another than that of the field table, by the first field of the table; the other
fields follow in the table's order."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that is put right."""

    place: Place
    message: str


@dataclass(frozen=True, slots=True)
class Formed:
    """A file in its form, and what was changed for it."""

    text: str
    changes: tuple[Change, ...]


def formed(text: str, file: str) -> Formed:
    """Return a file in its form; a file that cannot be read is returned as it is."""
    bare = text.removeprefix("\ufeff")
    changed, changes = _quoted(bare, file)
    if not file.endswith(TEST_ENDING):
        changed, ordered = _ordered(changed, file)
        changes += ordered
    return Formed(text[: len(text) - len(bare)] + changed, tuple(changes))


# Quotes


def _quoted(text: str, file: str) -> tuple[str, list[Change]]:
    report = Report()
    tree = read_tree(text, file, report)
    found = {node.place: (node, why) for node, why in _to_quote(tree, file)} if tree is not None else {}
    pieces = re.split(r"(\r\n|\n|\r)", text)
    changes: list[Change] = []
    for place in sorted(found, key=lambda place: (place.line, -place.column)):
        node, why = found[place]
        at, first, last = (place.line - 1) * 2, place.column - 1, (place.end_column or 0) - 1
        line = pieces[at]
        if line[first:last] != node.value:
            continue
        pieces[at] = f"{line[:first]}{_in_quotes(node.value)}{line[last:]}"
        changes.append(Change(place, why))
    if not changes:
        return text, []
    changed = "".join(pieces)
    after = Report()
    again = read_tree(changed, file, after)
    if again is None or (tree is not None and plain_value(again) != plain_value(tree)):
        return text, []
    return changed, sorted(changes, key=lambda change: (change.place.line, change.place.column))


def _in_quotes(text: str) -> str:
    if '"' in text or "\\" in text:
        return "'" + text.replace("'", "''") + "'"
    return f'"{text}"'


def _to_quote(tree: Node, file: str) -> Iterator[tuple[Text, str]]:
    """Yield the plain texts that need quotes, with the reason."""
    for node in _scalars(tree):
        if node.value[:1] in _SIGNS:
            yield node, f'text starts with "{node.value[:1]}": quotes round it'
    for node in _tested(tree) if file.endswith(TEST_ENDING) else _textual(tree):
        if _plain(node) and _MISREAD.match(node.value):
            yield node, f'quote "{node.value}": other YAML tools read it as something else'


def _plain(node: Text) -> bool:
    return not node.quoted and not node.block and node.place.end_column is not None and node.cut is None


def _scalars(node: Node) -> Iterator[Text]:
    match node:
        case Text() if _plain(node):
            yield node
        case Sequence(items=items):
            for item in items:
                yield from _scalars(item)
        case Table(entries=entries):
            for entry in entries:
                yield from _scalars(entry.value)


def _tested(tree: Node) -> Iterator[Text]:
    """Yield what test steps show, send and dial."""
    if isinstance(tree, Sequence):
        for item in tree:
            yield from _tested(item)
    elif isinstance(tree, Table) and tree.entries:
        first = tree.entries[0].key.value
        if first in WORDS:
            for entry in tree:
                named = entry.key.value in (_TESTED if entry.key.value == first else _NUMBERS)
                if named and isinstance(entry.value, Text):
                    yield entry.value
        else:
            for entry in tree:
                yield from _tested(entry.value)


def _textual(tree: Node) -> Iterator[Text]:
    """Yield what the fields of a flow take for a text: codes, numbers, what is said."""
    for table, fields in _tables(tree):
        kinds = {field.name: field.kind for field in fields}
        for entry in table:
            kind = kinds.get(entry.key.value)
            if kind in (SPOKEN, TEMPLATE, STRING):
                yield from _texts(entry.value)
            elif fields is header.FIELDS and entry.key.value in ("ussd", "sms", "call", "languages"):
                yield from _triggers(entry.value)


def _texts(node: Node) -> Iterator[Text]:
    if isinstance(node, Text):
        yield node
    elif isinstance(node, Table):
        yield from (
            entry.value
            for entry in node
            if entry.key.value in CHANNEL_WORDS and isinstance(entry.value, Text)
        )


def _triggers(node: Node) -> Iterator[Text]:
    match node:
        case Text():
            yield node
        case Sequence(items=items):
            for item in items:
                yield from _triggers(item)
        case Table(entries=entries):
            for entry in entries:
                yield from _triggers(entry.value)


# The tables of a flow


def _tables(tree: Node) -> Iterator[tuple[Table, tuple[Field, ...]]]:
    """Yield the header and every step with the fields it may have, the outer ones first."""
    for entry in tree if isinstance(tree, Table) else ():
        if entry.key.value != header.HEADER:
            yield from _steps(entry.value)
        elif isinstance(entry.value, Table):
            yield entry.value, header.FIELDS
            for inner in entry.value:
                if inner.key.value in ("operator", "hangup"):
                    yield from _steps(inner.value)
                elif inner.key.value == "errors" and isinstance(inner.value, Table):
                    for block in inner.value:
                        yield from _steps(block.value)


def _steps(node: Node) -> Iterator[tuple[Table, tuple[Field, ...]]]:
    if isinstance(node, Sequence):
        for item in node:
            yield from _steps(item)
        return
    if not isinstance(node, Table):
        return
    verbs = [entry.key.value for entry in node if entry.key.value in VERBS]
    if len(verbs) != 1:
        return
    kind = VERBS[verbs[0]]
    fields = (*kind.FIELDS, ID)
    yield node, fields
    by_name = {field.name: field for field in fields}
    for entry in node:
        field = by_name.get(entry.key.value)
        if field is None or field.kind is BLOCK:
            yield from _steps(entry.value)
        elif isinstance(entry.value, Table) and _holds_blocks(verbs[0], field):
            for block in entry.value:
                yield from _steps(block.value)


def _holds_blocks(verb: str, field: Field) -> bool:
    free = (("when", "when"), ("switch", "cases"), ("split", "split"))
    return (verb, field.name) in free or field.kind.schema.get("additionalProperties") == BLOCK.schema


# Order


def _ordered(text: str, file: str) -> tuple[str, list[Change]]:
    changes: list[Change] = []
    refused: set[tuple[int, int]] = set()
    for _ in range(MOST_ROUNDS):
        report = Report()
        tree = read_tree(text, file, report)
        if tree is None:
            break
        step = _next_order(text, tree, refused)
        if step is None:
            break
        table, order, changed = step
        after = Report()
        again = read_tree(changed, file, after)
        if again is None or after.has_errors > report.has_errors or plain_value(again) != plain_value(tree):
            refused.add((table.place.line, table.place.column))
            continue
        text = changed
        changes.append(Change(table.entries[0].key.place, f"fields in the order {', '.join(order)}"))
    return text, changes


def _next_order(
    text: str, tree: Node, refused: set[tuple[int, int]]
) -> tuple[Table, tuple[str, ...], str] | None:
    """Return the next table whose fields stand in another order, with the text after the change."""
    lines = source_lines(text)
    for table, fields in _tables(tree):
        if table.flow or (table.place.line, table.place.column) in refused:
            continue
        ranks = _ranks(fields)
        keys = [entry.key.value for entry in table]
        if any(key not in ranks and not split_key(key)[0] for key in keys):
            continue
        wanted = sorted(range(len(keys)), key=lambda number: ranks.get(keys[number], ranks.get("", 0.0)))
        if wanted == list(range(len(keys))):
            continue
        changed = reordered(text, lines, table, wanted)
        if changed is None:
            refused.add((table.place.line, table.place.column))
            continue
        return table, tuple(keys[number] for number in wanted), changed
    return None


def _ranks(fields: tuple[Field, ...]) -> dict[str, float]:
    """Return the place of each field; "" is that of menu lines: behind the question and its list."""
    names = [field.name for field in fields]
    first = _ORDERS.get(names[0], ())
    order = (*first, *(name for name in names if name not in first))
    ranks = {name: float(number) for number, name in enumerate(order)}
    ranks[""] = ranks.get("item", 0.0) + 0.5
    return ranks
