"""Plain values in YAML to values of a type: `fallback:`, `default:`, and constants of the project.

Here `segment: mass` is the text "mass", not a variable (flow-language 3.3, 2). This module does not know
where the values are used.
"""

from __future__ import annotations

from decimal import Decimal

from engine.reading import scalars
from engine.reading.diagnostic import Report
from engine.reading.suggestion import did_you_mean, suggestion
from engine.reading.tree import Empty, Node, Sequence, Table, Text, describe
from engine.types import Choice, ListOf, Privacy, Record, Scalar, Type
from engine.values import Secret, Value


def plain(node: Node, type_: Type, report: Report, name: str) -> Value:
    """Read a value of a type; None after reporting, or where the type may be empty and nothing is written."""
    if isinstance(node, Empty) or (isinstance(node, Text) and node.value == "none" and not node.quoted):
        if not type_.optional:
            report.error("type", f"{name}: a value is missing", node)
        return None
    match type_.shape:
        case Record():
            return _record(node, type_.shape, report, name)
        case ListOf(element=element):
            if not isinstance(node, Sequence):
                report.error("type", f"{name}: expected a list, not {describe(node)}", node)
                return None
            return [plain(item, element, report, name) for item in node]
        case Choice(values=values):
            return scalars.one_of(node, report, name, values)
        case Scalar():
            return _scalar(node, type_, report, name)


def _record(node: Node, record: Record, report: Report, name: str) -> Value:
    if not isinstance(node, Table):
        report.error("type", f"{name}: expected a table (key: value), not {describe(node)}", node)
        return None
    known = [key for key, _ in record.fields]
    value: dict[str, Value] = {}
    meant: set[str | None] = set()
    for entry in node:
        type_ = record.field(entry.key.value)
        if type_ is None:
            report.error(
                "no-field",
                f'{name} has no field "{entry.key.value}"{did_you_mean(entry.key.value, known)}',
                entry.key,
                help=f"the fields are {', '.join(known)}",
            )
            meant.add(suggestion(entry.key.value, known))
            continue
        value[entry.key.value] = plain(entry.value, type_, report, entry.key.value)
    for key, type_ in record.fields:
        if key in value:
            continue
        if not type_.optional and key not in meant:  # a misspelt field is one mistake
            report.error("missing-field", f'{name} needs the field "{key}"', node)
        value[key] = None
    return value


def _scalar(node: Node, type_: Type, report: Report, name: str) -> Value:
    match type_.shape:
        case Scalar.INT:
            return scalars.integer(node, report, name)
        case Scalar.BOOL:
            return scalars.boolean(node, report, name)
        case Scalar.MONEY:
            return scalars.decimal(node, report, name)
        case Scalar.DATE:
            return scalars.date(node, report, name)
        case Scalar.TIME:
            return scalars.time_of_day(node, report, name)
        case Scalar.MOMENT:
            return scalars.moment(node, report, name)
    if not isinstance(node, Text):
        report.error("type", f"{name}: expected a text, not {describe(node)}", node)
        return None
    return Secret(node.value) if type_.privacy is Privacy.SECRET else node.value


def guessed(node: Node, report: Report, name: str) -> Value:
    """Read a value that has no declared type (a constant): quoted is text, else a number, yes/no, or text."""
    match node:
        case Sequence():
            return [guessed(item, report, name) for item in node]
        case Table():
            return {entry.key.value: guessed(entry.value, report, entry.key.value) for entry in node}
        case Empty():
            report.error("type", f"{name}: a value is missing", node)
            return None
        case Text(value=text, quoted=quoted, block=block):
            if quoted or block:
                return text
            if text in ("yes", "true", "no", "false"):
                return text in ("yes", "true")
            body = text.removeprefix("-")
            whole, mark, fraction = body.partition(".")
            if (
                whole.isascii()
                and whole.isdigit()
                and len(whole) <= 15
                and not (len(whole) > 1 and whole[0] == "0")
            ):
                if not mark:
                    return int(text)
                if fraction.isascii() and fraction.isdigit():
                    return Decimal(text)
            return text
