"""Made-up answers of back ends, where no test file says what an operation returns.

A value is a node, as a test would write it, so that it is read and typed by the same reader. Every value is
the same each time: an author who runs a flow twice sees the same screens twice.
"""

from __future__ import annotations

from engine.flow import Operation
from engine.reading.diagnostic import Place
from engine.reading.tree import Entry, Node, Sequence, Table, Text
from engine.types import Choice, ListOf, Record, Scalar, Type

PLACE = Place("made up", 1, 1)
ELEMENTS = 2
"""Elements of a made-up list."""

_VALUES = {
    Scalar.TEXT: "text",
    Scalar.INT: "7",
    Scalar.BOOL: "no",
    Scalar.MONEY: "100",
    Scalar.DATE: "2026-12-01",
    Scalar.TIME: "18:00",
    Scalar.MOMENT: "2026-11-24 18:00",
    Scalar.PHONE: "79160000001",
    Scalar.QUEUE: "support",
}


def sample_answer(operation: Operation) -> Node:
    """Return something that an operation may answer."""
    return Table((), PLACE, flow=True) if operation.returns is None else _node(Type(operation.returns))


def _node(type_: Type) -> Node:
    match type_.shape:
        case Choice(values=values):
            return _text(values[0])
        case ListOf(element=element):
            return Sequence((_node(element),) * ELEMENTS, PLACE, flow=True)
        case Record(fields=fields):
            return Table(tuple(Entry(_text(name), _node(inner)) for name, inner in fields), PLACE, flow=True)
        case scalar:
            return _text(_VALUES.get(scalar, "text"))


def _text(value: str) -> Text:
    return Text(value, PLACE)
