"""Field tables: a verb, a header, a section of a settings file is a list of `Field`, read by one function.

The same table gives the messages, the reference documentation and the JSON Schema for editors
(`fields_schema`). What a kind of value is, is in `engine.reading.kinds`; the names a table author needs
are offered here too. This module does not know any verb.

    FIELDS = (
        Field("digits", NUMBER_RANGE, doc="how many digits are awaited"),
        Field("tries", whole_number(1, 9), default=3, doc="how often the question is asked"),
    )
    values = read_fields(table, FIELDS, report, what="ask")
    values["tries"].value, values["digits"].node
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.reading.diagnostic import Report
from engine.reading.kinds import (
    ADDRESS,
    ANY,
    BLOCK,
    BOOLEAN,
    DATE,
    DATE_RANGE,
    DURATION,
    EXPRESSION,
    HOURS,
    HOURS_OR_NAME,
    INTEGER,
    KEEPING,
    MOMENT,
    MONEY,
    NAME,
    NUMBER_RANGE,
    RATE,
    SIZE,
    SPOKEN,
    STRING,
    TABLE,
    TEMPLATE,
    TERM,
    TIME_OF_DAY,
    TYPE,
    URL,
    WEEKDAYS,
    FieldValue,
    Kind,
    Spoken,
    by_shape,
    choice,
    env_or,
    holds_list,
    list_of,
    map_of,
    read_value,
    whole_number,
    word_or,
)
from engine.reading.suggestion import did_you_mean, suggestion
from engine.reading.tree import Node, Table, describe

__all__ = [
    "ADDRESS", "ANY", "BLOCK", "BOOLEAN", "DATE", "DATE_RANGE", "DURATION", "EXPRESSION", "HOURS",
    "HOURS_OR_NAME", "INTEGER", "KEEPING", "MOMENT", "MONEY", "NAME", "NUMBER_RANGE", "RATE", "SIZE",
    "SPOKEN", "STRING", "TABLE", "TEMPLATE", "TERM", "TIME_OF_DAY", "TYPE", "URL", "WEEKDAYS", "Field",
    "FieldValue", "Kind", "Spoken", "by_shape", "choice", "env_or", "fields_schema", "holds_list", "list_of",
    "map_of", "nested", "read_fields", "read_value", "suggestion", "whole_number", "word_or",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a table. `default` is the typed value where nothing is written; `doc` is one sentence."""

    name: str
    kind: Kind
    required: bool = False
    default: Any = None
    doc: str = ""


def read_fields(
    table: Table,
    fields: Sequence[Field],
    report: Report,
    what: str,
    rest: Callable[[str], bool] | None = None,
) -> dict[str, FieldValue]:
    """Read a table by its fields; every field of `fields` is in the result, by name.

    A field that is not written has its default and no node; one whose value is wrong has its default, its
    node, and an error in the report. Reported: `unknown-field`, `missing-field`, and what the kinds find.
    `what` names the table in messages ("ask", "queue support"). Keys for which `rest` is true belong to
    the caller (menu lines, operations of a back end) and are passed over.
    """
    known = {field.name: field for field in fields}
    values = {field.name: FieldValue(field.default) for field in fields}
    for entry in table:
        key = entry.key.value
        field = known.get(key)
        if field is None:
            if rest is None or not rest(key):
                report.error(
                    "unknown-field",
                    f'"{key}" is not a field of {what}{did_you_mean(key, known)}',
                    entry.key,
                    help=_fields_help(fields),
                )
            continue
        value = read_value(entry.value, field.kind, report, key)
        values[key] = FieldValue(field.default if value is None else value, entry.value, entry.key)
    for field in fields:
        if field.required and not values[field.name].written:
            report.error(
                "missing-field",
                f'{what} needs the field "{field.name}"',
                table,
                help=f"{field.name}: {field.kind.label}",
            )
    return values


def _fields_help(fields: Sequence[Field]) -> str | None:
    return "the fields are " + ", ".join(field.name for field in fields) if fields else None


def nested(fields: Sequence[Field], what: str, rest: Callable[[str], bool] | None = None) -> Kind:
    """A table with fields of its own; the value is what `read_fields` returns."""

    def read(node: Node, report: Report, name: str) -> dict[str, FieldValue] | None:
        if isinstance(node, Table):
            return read_fields(node, fields, report, what, rest)
        prefix = f"{name}: " if name else ""
        report.error(
            "type",
            f"{prefix}expected a table (key: value), not {describe(node)}",
            node,
            help=_fields_help(fields),
        )
        return None

    return Kind(f"a table with {', '.join(field.name for field in fields)}", read, fields_schema(fields))


def fields_schema(fields: Sequence[Field], closed: bool = True) -> dict[str, object]:
    """Return the JSON Schema of a table; `closed` forbids keys that are no fields."""
    schema: dict[str, object] = {
        "type": "object",
        "properties": {
            field.name: {**field.kind.schema, "description": field.doc or field.kind.label}
            for field in fields
        },
    }
    required = [field.name for field in fields if field.required]
    if required:
        schema["required"] = required
    if closed:
        schema["additionalProperties"] = False
    return schema
