"""Kinds of field values: what may be written in a field, how it is read, and its JSON Schema.

A kind is a value, so that a field table is data: the same table gives messages, reference documentation
and the schema for editors. The scalars themselves are in `engine.reading.scalars`; tables of fields are in
`engine.reading.fields`. A kind does not know the verb it serves, nor what names exist.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.reading import scalars
from engine.reading.cut import report_cut
from engine.reading.diagnostic import Report
from engine.reading.suggestion import did_you_mean
from engine.reading.tree import Empty, Node, Sequence, Table, Text, describe
from engine.reading.types_text import read_type
from engine.reading.written import report_empty, wrong

Schema = Mapping[str, object]
Reader = Callable[[Node, Report, str], Any]

_TEXTUAL: Schema = {"type": ["string", "number"]}  # editors read bare digits as numbers (flow-language 6.4)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of value.

    `label` says in a sentence what is written ("a duration: 10s, 5m"). `read` returns the value, or None
    after reporting. `may_be_empty` lets `Empty` reach the reader; otherwise the field reports it.
    """

    label: str
    read: Reader
    schema: Schema = field(default_factory=dict)
    may_be_empty: bool = False


@dataclass(frozen=True, slots=True)
class FieldValue:
    """A value with where it came from. `node` and `key` are None where the default stands."""

    value: Any
    node: Node | None = None
    key: Text | None = None

    @property
    def written(self) -> bool:
        """Whether the field is in the file."""
        return self.node is not None


@dataclass(frozen=True, slots=True)
class Spoken:
    """A text for people: one for all channels (under ""), or one by channel."""

    texts: tuple[tuple[str, Text], ...]

    def for_channel(self, channel: str) -> Text | None:
        """Return the text of a channel (`voice`, `ussd`, `sms`); None: it says nothing there."""
        texts = dict(self.texts)
        general = texts.get("text") if channel in {"ussd", "sms"} else None
        return texts.get(channel) or general or texts.get("")


CHANNEL_WORDS = ("voice", "ussd", "sms", "text")
"""Keys of a text by channel; `text` stands for both `ussd` and `sms`."""


def _read_template(node: Node, report: Report, name: str) -> Text | None:
    match node:
        case Text():
            if node.cut is not None:
                report_cut(report, node.cut)
            return node
        case Empty():
            report_empty(node, report, name, "a text")
        case Table(entries=entries) if len(entries) == 1 and " " in entries[0].key.value:
            report.error(
                "text-cut",
                'the text has ":" inside, which YAML reads as the end of a key: quote the whole text',
                node,
            )
        case _:
            prefix = f"{name}: " if name else ""
            report.error("type", f"{prefix}expected a text, not {describe(node)}", node)
    return None


def _read_spoken(node: Node, report: Report, name: str) -> Spoken | None:
    if not isinstance(node, Table) or not _is_by_channel(node):
        text = _read_template(node, report, name)
        return Spoken((("", text),)) if text is not None else None
    texts = []
    for entry in node:
        word = entry.key.value
        if word not in CHANNEL_WORDS:
            report.error(
                "unknown-field",
                f'"{word}" is not a channel{did_you_mean(word, CHANNEL_WORDS)}',
                entry.key,
                help="a text by channel has the keys voice and text, or voice, ussd and sms",
            )
            continue
        text = _read_template(entry.value, report, word)
        if text is not None:
            texts.append((word, text))
    return Spoken(tuple(texts)) if texts else None


def _is_by_channel(node: Table) -> bool:
    return any(entry.key.value in CHANNEL_WORDS for entry in node)


_QUOTE_IN_QUOTES = "an expression with brackets or quotes at its beginning is put into quotes as a whole"


def report_braces(node: Text, report: Report) -> bool:
    """Report an expression that is written with `{{ }}`; True if it is.

    YAML may have stumbled over the braces before; quotes, which it advises, would not help here.
    """
    start = node.value.find("{{")
    if start < 0:
        return False
    inner = re.sub(r"\{\{-?\s*|\s*-?\}\}", "", node.value).strip()
    remedy = f"write {inner}" if "\n" not in inner and len(inner) <= 60 else None
    report.withdraw("yaml", node.part(start))
    report.error("expr", "an expression is written without {{ }}", node.part(start), help=remedy)
    return True


def _read_expression(node: Node, report: Report, name: str) -> Text | None:
    if isinstance(node, Text):
        if not node.value.strip():
            wrong(node, report, name, "is empty, an expression is expected")
            return None
        if report_braces(node, report):
            return None
        return node
    if isinstance(node, Empty):
        report_empty(node, report, name, "an expression")
        return None
    prefix = f"{name}: " if name else ""
    report.error("type", f"{prefix}expected an expression, not {describe(node)}", node, help=_QUOTE_IN_QUOTES)
    return None


def _read_node(node: Node, report: Report, name: str) -> Node:
    return node


def _read_table(node: Node, report: Report, name: str) -> Table | None:
    if isinstance(node, Table):
        return node
    prefix = f"{name}: " if name else ""
    report.error("type", f"{prefix}expected a table (key: value), not {describe(node)}", node)
    return None


TEMPLATE = Kind("a text, with {{ }} for values", _read_template, _TEXTUAL)
"""T of the language; the value is the Text itself, so that its place is kept. Cut texts are reported."""

SPOKEN = Kind(
    "a text, or a text by channel (voice, text, ussd, sms)",
    _read_spoken,
    {"anyOf": [_TEXTUAL, {"type": "object", "additionalProperties": _TEXTUAL}]},
)
"""T that a subscriber sees or hears; the value is a Spoken."""

EXPRESSION = Kind("an expression, without {{ }}", _read_expression, {"type": ["string", "number", "boolean"]})
"""E of the language; the value is the Text itself."""

BLOCK = Kind(
    "a scene name, a step, a list of steps, or nothing",
    _read_node,
    {"$ref": "#/$defs/block"},
    may_be_empty=True,
)
"""B of the language; the value is the node, the compiler reads it."""

ANY = Kind("any value", _read_node, {}, may_be_empty=True)
"""The value is the node as it is written."""

TABLE = Kind("a table (key: value)", _read_table, {"type": "object"})
"""The value is the Table; for what has keys of its own, as scenes and operations have."""

STRING = Kind("a text without {{ }}", scalars.string, _TEXTUAL)
BOOLEAN = Kind("yes or no", scalars.boolean, {"enum": [True, False, "yes", "no"]})
INTEGER = Kind("a whole number", scalars.integer, {"type": ["integer", "string"]})
MONEY = Kind("an amount: 490 or 89.50", scalars.decimal, {"type": ["number", "string"]})
DURATION = Kind("a duration: 10s, 5m, 2h, 1d", scalars.duration, {"type": "string"})
KEEPING = Kind("a duration, session or forever", scalars.keeping, {"type": "string"})
TERM = Kind("a duration, or 2 workdays", scalars.term, {"type": "string"})
TIME_OF_DAY = Kind("a time of day: 09:00", scalars.time_of_day, {"type": "string"})
HOURS = Kind("hours: 09:00-21:00", scalars.hours_range, {"type": "string"})
DATE = Kind("a date: 2027-02-23", scalars.date, {"type": "string"})
DATE_RANGE = Kind("a date, or dates: 2027-01-01..2027-01-08", scalars.date_range, {"type": "string"})
MOMENT = Kind("a moment: 2026-11-22T23:50+03:00", scalars.moment, {"type": "string"})
WEEKDAYS = Kind("days: Mon-Fri", scalars.weekdays, {"type": "string"})
NAME = Kind("a name", scalars.name, {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"})
NUMBER_RANGE = Kind("a number or a range: 6 or 6-12", scalars.number_range, _TEXTUAL)
RATE = Kind("a rate: 500/s", scalars.rate, {"type": "string"})
SIZE = Kind("a size: 64MiB", scalars.size, {"type": "string"})
ADDRESS = Kind("an address: 127.0.0.1:8080", scalars.address, {"type": "string"})
URL = Kind("a URL", scalars.url, {"type": "string"})
TYPE = Kind("a type: text, month | day, [text], time?", read_type, {})
"""The value is an `engine.types.Type`."""


def _read_hours_or_name(node: Node, report: Report, name: str) -> scalars.Hours | str | None:
    if isinstance(node, Text) and scalars.is_name(node.value):
        return node.value
    return scalars.hours_range(node, report, name)


HOURS_OR_NAME = Kind("hours: 09:00-21:00, or the name of a calendar", _read_hours_or_name, {"type": "string"})
"""The value is Hours, or the calendar's name; whether there is such a calendar is the caller's business."""


def whole_number(low: int | None = None, high: int | None = None) -> Kind:
    """A whole number between limits, both included."""
    limits = f" from {low}" if low is not None else ""
    limits += f" to {high}" if high is not None else ""
    return Kind(
        f"a whole number{limits}",
        lambda node, report, name: scalars.integer(node, report, name, low, high),
        {"type": ["integer", "string"]},
    )


def choice(*words: str) -> Kind:
    """One of a few words."""
    return Kind(
        " or ".join(words),
        lambda node, report, name: scalars.one_of(node, report, name, words),
        {"enum": list(words)},
    )


def env_or(kind: Kind) -> Kind:
    """A kind that may stand in the environment: the value is an EnvReference or the kind's own."""

    def read(node: Node, report: Report, name: str) -> Any:
        return scalars.env_reference(node) or kind.read(node, report, name)

    return Kind(f"{kind.label}, or env.NAME", read, {"anyOf": [kind.schema, {"type": "string"}]})


def word_or(words: tuple[str, ...], kind: Kind) -> Kind:
    """A kind in place of which some fixed words may stand; the value is the word (str) or the kind's own."""

    def read(node: Node, report: Report, name: str) -> Any:
        if isinstance(node, Text) and node.value in words:
            return node.value
        return kind.read(node, report, name)

    return Kind(f"{', '.join(words)} or {kind.label}", read, {"anyOf": [{"enum": list(words)}, kind.schema]})


def list_of(kind: Kind, single: bool = True) -> Kind:
    """A list; with `single` one value may stand without brackets. The value is a tuple of FieldValue."""

    def read(node: Node, report: Report, name: str) -> tuple[FieldValue, ...] | None:
        if isinstance(node, Sequence):
            values = ((item, read_value(item, kind, report, name)) for item in node)
            return tuple(FieldValue(value, item) for item, value in values if value is not None)
        if not single:
            prefix = f"{name}: " if name else ""
            report.error(
                "type", f"{prefix}expected a list, not {describe(node)}", node, help="write [ ] round it"
            )
            return None
        value = kind.read(node, report, name)
        return None if value is None else (FieldValue(value, node),)

    items: Schema = {"type": "array", "items": kind.schema}
    return Kind(f"a list: {kind.label}", read, {"anyOf": [kind.schema, items]} if single else items)


def holds_list(kind: Kind) -> bool:
    """Tell whether several values may stand in a field of this kind."""
    forms = kind.schema.get("anyOf", (kind.schema,))
    assert isinstance(forms, list | tuple)
    return any(form.get("type") == "array" for form in forms)


def map_of(kind: Kind, keys: Reader | None = scalars.name) -> Kind:
    """A table whose keys the author chooses; the value is a dict of FieldValue in the order of the file.

    `keys` checks each key (a scalar reader that returns the key to use); None takes any key as written.
    An entry whose key or value is wrong is reported and left out.
    """

    def read(node: Node, report: Report, name: str) -> dict[str, FieldValue] | None:
        table = _read_table(node, report, name)
        if table is None:
            return None
        values: dict[str, FieldValue] = {}
        for entry in table:
            key = entry.key.value if keys is None else keys(entry.key, report, "")
            value = read_value(entry.value, kind, report, entry.key.value)
            if key is not None and value is not None:
                values[str(key)] = FieldValue(value, entry.value, entry.key)
        return values

    return Kind(f"a table: {kind.label}", read, {"type": "object", "additionalProperties": kind.schema})


def by_shape(text: Kind | None = None, table: Kind | None = None, sequence: Kind | None = None) -> Kind:
    """A field with several forms, told apart by what is written: a text, a table, a list."""
    kinds = [kind for kind in (text, table, sequence) if kind is not None]
    label = ", or ".join(kind.label for kind in kinds)

    def read(node: Node, report: Report, name: str) -> Any:
        kind = {Text: text, Table: table, Sequence: sequence}.get(type(node))
        if kind is not None:
            return kind.read(node, report, name)
        prefix = f"{name}: " if name else ""
        report.error("type", f"{prefix}expected {label}, not {describe(node)}", node)
        return None

    return Kind(label, read, {"anyOf": [kind.schema for kind in kinds]})


def read_value(node: Node, kind: Kind, report: Report, name: str) -> Any:
    """Read one value by its kind; None after a report. An empty value is reported here."""
    if isinstance(node, Empty) and not kind.may_be_empty:
        report_empty(node, report, name, kind.label)
        return None
    return kind.read(node, report, name)
