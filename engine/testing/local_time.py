"""Points in time as tests write them: `2026-11-24 10:00` is the project's own time.

A back end has to send the offset (`moment` of a type); a test is read by people who know where they are.
"""

from __future__ import annotations

import re
from datetime import datetime, tzinfo

from engine.reading.tree import Entry, Node, Sequence, Table, Text
from engine.types import ListOf, Record, Scalar, Type

_LOCAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?")


def with_offset(node: Node, type_: Type, zone: tzinfo) -> Node:
    """Return a value of `type_` with the zone's offset behind every moment that has none."""
    match node, type_.shape:
        case Text(value=text, place=place), Scalar.MOMENT if _LOCAL.fullmatch(text):
            return Text(_zoned(text, zone), place, quoted=True)
        case Sequence(items=items, place=place, flow=flow), ListOf(element=element):
            return Sequence(tuple(with_offset(item, element, zone) for item in items), place, flow)
        case Table(entries=entries, place=place, flow=flow), Record() as record:
            return Table(tuple(_entry(entry, record, zone) for entry in entries), place, flow)
    return node


def _entry(entry: Entry, record: Record, zone: tzinfo) -> Entry:
    type_ = record.field(entry.key.value)
    return entry if type_ is None else Entry(entry.key, with_offset(entry.value, type_, zone))


def _zoned(text: str, zone: tzinfo) -> str:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone).isoformat()
    except ValueError:
        return text  # 2026-02-30: told where the value is read
