"""`config/backends.yaml`: operations and events of back ends, typed once for all flows.

How they are called is the business of the gateway; the contracts that money needs (`charge`, `once`, `keys`,
`settle`) are checked here. This module does not know flows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine.flow import Operation
from engine.reading.diagnostic import Report
from engine.reading.fields import (
    BOOLEAN,
    DURATION,
    STRING,
    TABLE,
    TYPE,
    Field,
    FieldValue,
    by_shape,
    choice,
    map_of,
    nested,
    read_fields,
    whole_number,
    word_or,
)
from engine.reading.scalars import is_name
from engine.reading.suggestion import did_you_mean
from engine.reading.tree import Node, Table, Text
from engine.reading.types_text import read_record
from engine.types import BOOL, PHONE, TEXT, ListOf, Privacy, Record, Type

FILE = "config/backends.yaml"
"""Where back ends are declared."""

METHODS = ("get", "post", "put", "delete")
"""Methods of operations; only `get` changes nothing."""

PATH_WORDS = ("phone", "lang", "channel", "key")
"""What a path may name beside the arguments."""

BACKEND = (
    Field("url", STRING, doc="the address, or env.NAME"),
    Field("timeout", DURATION, default=3_000, doc="how long an answer is awaited"),
    Field("events", map_of(TABLE), default={}, doc="what the back end may send us"),
)
OPERATION = (
    *(Field(method, STRING, doc="the path; {name} is an argument") for method in METHODS),
    Field("takes", map_of(TYPE), default={}, doc="arguments with their types"),
    Field("returns", TABLE, doc="what is in the answer"),
    Field("errors", map_of(STRING, keys=None), default={}, doc="names of errors by HTTP status"),
    Field("charge", BOOLEAN, default=False, doc="takes money: a key, and the outcome unknown"),
    Field("once", DURATION, doc="how long a repeated request is the same order"),
    Field("keys", word_or(("none",), DURATION), doc="how long the back end remembers a key"),
    Field(
        "settle",
        by_shape(choice("repeat", "people"), nested((Field("ask", STRING, required=True),), "settle")),
        doc="how an unknown outcome is cleared up",
    ),
    Field("settle_within", DURATION, default=600_000, doc="how long that is tried"),
    Field("timeout", DURATION, doc="how long an answer is awaited"),
    Field("retry", whole_number(0, 5), default=0, doc="how often a failed request is sent again"),
    Field("cache", DURATION, doc="how long an answer is kept"),
)


@dataclass(frozen=True, slots=True)
class BackendFile:
    """All operations and events, by `backend.name`."""

    operations: Mapping[str, Operation]
    events: Mapping[str, Record]


def read_backends(tree: Node | None, report: Report) -> BackendFile:
    """Read the file. What is wrong is reported and left out."""
    operations: dict[str, Operation] = {}
    events: dict[str, Record] = {}
    if isinstance(tree, Table):
        for entry in tree:
            name = entry.key.value
            if not is_name(name):
                report.error("type", f'"{name}" is not the name of a back end', entry.key)
            elif isinstance(entry.value, Table):
                _read_backend(name, entry.value, operations, events, report)
            else:
                report.error("type", f"back end {name}: expected a table of operations", entry.value)
    for operation in operations.values():
        _check_settling(operation, operations, report)
    events.update(_settled_events(operations))
    return BackendFile(operations, events)


def _read_backend(
    backend: str,
    table: Table,
    operations: dict[str, Operation],
    events: dict[str, Record],
    report: Report,
) -> None:
    own = {field.name for field in BACKEND}
    values = read_fields(table, BACKEND, report, f"back end {backend}", rest=lambda key: key not in own)
    for entry in table:
        if entry.key.value in own:
            continue
        name = f"{backend}.{entry.key.value}"
        if not is_name(entry.key.value):
            report.error("type", f'"{entry.key.value}" is not the name of an operation', entry.key)
        elif isinstance(entry.value, Table):
            operation = _read_operation(name, backend, entry.key, entry.value, values, report)
            if operation is not None:
                operations[name] = operation
        else:
            near = did_you_mean(entry.key.value, own)
            report.error("unknown-field", f'"{entry.key.value}" is no operation{near}', entry.key)
    for event, field in values["events"].value.items():
        if isinstance(field.value, Table):
            events[f"{backend}.{event}"] = read_record(field.value, report)


def _read_operation(
    name: str, backend: str, key: Text, table: Table, outside: Mapping[str, FieldValue], report: Report
) -> Operation | None:
    fields = read_fields(table, OPERATION, report, name)
    values: dict[str, Any] = {field: value.value for field, value in fields.items()}
    methods = [method for method in METHODS if fields[method].written]
    if len(methods) != 1:
        report.error(
            "missing-field",
            f"{name} needs one of get, post, put, delete",
            key,
            help="get: /subscribers/{phone}",
        )
        return None
    method = methods[0]
    takes = {argument: field.value for argument, field in values["takes"].items()}
    settle, asked = values["settle"], None
    if isinstance(settle, dict):
        asked, settle = settle["ask"].value, "ask"
    operation = Operation(
        name=name,
        backend=backend,
        method=method,
        path=values[method] or "/",
        place=key.place,
        url=outside["url"].value or "",
        takes=takes,
        returns=None if values["returns"] is None else read_record(values["returns"], report),
        errors=_statuses(name, values["errors"], report),
        charge=values["charge"],
        once_ms=values["once"],
        keys_ms=None if values["keys"] in (None, "none") else values["keys"],
        settle=settle,
        settle_operation=asked,
        settle_within_ms=values["settle_within"],
        timeout_ms=values["timeout"] or outside["timeout"].value,
        retry=values["retry"],
        cache_ms=values["cache"],
    )
    _check_path(operation, fields[method], report)
    _check_money(operation, fields, key, report)
    return operation


def _statuses(name: str, fields: Mapping[str, FieldValue], report: Report) -> dict[int, str]:
    found: dict[int, str] = {}
    for status, field in fields.items():
        if not (status.isascii() and status.isdigit() and 400 <= int(status) <= 599):
            report.error(
                "type",
                f'{name}: "{status}" is not an HTTP status of an error (400-599)',
                field.key or field.node or field.value,
            )
        elif not is_name(field.value):
            report.error("type", f'{name}: "{field.value}" is not a name', field.node or field.value)
        elif int(status) >= 500 or int(status) == 408:
            report.error(
                "type",
                f"{name}: status {status} says nothing about what was done and is no error of a flow",
                field.key or field.node or field.value,
                help="it is timeout, or unknown for a charge, by itself",
            )
        else:
            found[int(status)] = field.value
    return found


def _check_path(operation: Operation, field: FieldValue, report: Report) -> None:
    if field.node is None:
        return
    rest = operation.path
    if not rest.startswith("/"):
        report.error("type", f"{operation.name}: a path begins with /", field.node)
    while "{" in rest:
        _, _, rest = rest.partition("{")
        name, closed, rest = rest.partition("}")
        if not closed or (name not in operation.takes and name not in PATH_WORDS):
            report.error(
                "no-field",
                f'{operation.name}: "{{{name}}}" in the path is no argument'
                + did_you_mean(name, (*operation.takes, *PATH_WORDS)),
                field.node,
                help="declare it in takes:",
            )
        elif name in operation.takes and operation.takes[name].privacy is Privacy.SECRET:
            report.error(
                "secret-leak", f"{operation.name}: {name} is secret and may not stand in the path", field.node
            )


def _check_money(operation: Operation, fields: Mapping[str, FieldValue], key: Text, report: Report) -> None:
    name = operation.name
    if operation.charge and operation.safe:
        report.error("charge-unknown", f"{name}: a get cannot take money", fields["charge"].node or key)
    if operation.charge and not fields["keys"].written:
        report.error(
            "missing-field",
            f"{name} takes money: say how long the back end remembers a key",
            key,
            help="keys: 24h, or keys: none",
        )
    if operation.charge and operation.settle is None:
        report.error(
            "missing-field",
            f"{name} takes money: say how an unknown outcome is cleared up",
            key,
            help="settle: repeat, settle: { ask: operation } or settle: people",
        )
    if operation.keys_ms is not None:
        for word, limit in (("once", operation.once_ms), ("settle_within", operation.settle_within_ms)):
            if limit is not None and limit >= operation.keys_ms and operation.irreversible:
                report.error(
                    "type",
                    f"{name}: {word} must be shorter than keys",
                    fields[word].node or fields["keys"].node or key,
                )
    if operation.settle == "repeat" and fields["keys"].value == "none":
        report.error(
            "type", f"{name}: without keys nothing can be repeated safely", fields["settle"].node or key
        )
    if operation.cache_ms is not None and not operation.safe:
        report.error("type", f"{name}: only a get can be cached", fields["cache"].node or key)
    if operation.retry and not operation.safe and not operation.irreversible:
        report.error(
            "type", f"{name}: a repeat may do it twice; retry needs get or once", fields["retry"].node or key
        )


def _check_settling(operation: Operation, operations: Mapping[str, Operation], report: Report) -> None:
    asked = operation.settle_operation
    if asked is None:
        return
    found = operations.get(asked)
    if found is None:
        report.error(
            "no-op", f'there is no operation "{asked}"{did_you_mean(asked, operations)}', operation.place
        )
    elif not found.safe:
        report.error("type", f"{operation.name}: settle asks by a get, but {asked} is none", operation.place)


def _settled_events(operations: Mapping[str, Operation]) -> dict[str, Record]:
    """Return the events `<operation>_settled`: the arguments, and what it returned if it was done."""
    events = {}
    for name, operation in operations.items():
        if not operation.irreversible:
            continue
        fields: dict[str, Type] = {
            "done": BOOL,
            "operation": TEXT,
            "phone": PHONE,
            "lang": TEXT,
            "error": replace(TEXT, optional=True),
        }
        for argument, type_ in operation.takes.items():
            if type_.privacy is not Privacy.SECRET:
                fields.setdefault(argument, type_)
        for field, type_ in operation.returns.fields if operation.returns is not None else ():
            fields.setdefault(field, _optional(type_))
        events[f"{name}_settled"] = Record(tuple(fields.items()))
    return events


def _optional(type_: Type) -> Type:
    return type_ if isinstance(type_.shape, ListOf) else replace(type_, optional=True)
