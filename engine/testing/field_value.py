"""Typed values in steps of tests: arguments of requests and flows, fields of events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo

from engine.flow_set import FlowSet
from engine.reading.diagnostic import Place, Report
from engine.reading.plain import plain
from engine.reading.suggestion import did_you_mean
from engine.reading.tree import Empty, Entry, Node, Table, Text
from engine.testing.local_time import with_offset
from engine.types import Privacy, Record, Scalar, Type
from engine.values import Secret, Value


def argument_value(
    takes: Mapping[str, Type], name: str, node: Node, what: str, zone: tzinfo, report: Report
) -> Value:
    """Read one argument as the operation or flow types it; None after reporting."""
    type_ = takes.get(name)
    if type_ is None:
        report.error(
            "unknown-field",
            f'{what} takes no "{name}"{did_you_mean(name, takes)}',
            node,
            help=f"it takes {', '.join(takes) or 'nothing'}",
        )
        return None
    return plain(with_offset(node, type_, zone), type_, report, name)


def equal(expected: Value, seen: Value) -> bool:
    """Tell whether an argument is the expected one; 490 and 490.00 are the same money."""
    if isinstance(expected, Secret) or isinstance(seen, Secret):
        return _open(expected) == _open(seen)
    if isinstance(expected, bool) or isinstance(seen, bool):
        return expected is seen
    return expected == seen


def _open(value: Value) -> Value:
    return value.reveal() if isinstance(value, Secret) else value


def typed_inputs(
    name: str, node: Node | None, flows: FlowSet, caller: str, report: Report, place: Place
) -> dict[str, Value]:
    """Read the fields of an event. What every event has (phone, language, operation) need not be written."""
    record = flows.events.get(name)
    if record is None:
        report.error("no-event", f'there is no event "{name}"{did_you_mean(name, flows.events)}', place)
        return {}
    if not flows.on_event(name) and not flows.outbound(name):
        report.error("no-event", f"no flow takes the event {name}", place)
        return {}
    table = node if isinstance(node, Table) else Table((), place)
    if node is not None and not isinstance(node, Table | Empty):
        report.error("type", "with: expected a table (field: value)", node)
    written = {entry.key.value for entry in table}
    spare = {
        "phone": caller,
        "lang": flows.project.languages[0],
        "operation": name.removesuffix("_settled"),
    }
    entries = list(table.entries)
    for field, type_ in record.fields:
        if field not in written and field in spare and type_.shape in (Scalar.PHONE, Scalar.TEXT):
            entries.append(Entry(Text(field, place), Text(spare[field], place, quoted=True)))
    type_ = Type(_without_secrets(record))
    value = plain(with_offset(Table(tuple(entries), place), type_, flows.project.zone), type_, report, name)
    return dict(value) if isinstance(value, dict) else {}


def _without_secrets(record: Record) -> Record:
    return Record(tuple((name, t) for name, t in record.fields if t.privacy is not Privacy.SECRET))
