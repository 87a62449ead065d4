"""Which types go together: what may be compared, added, joined, and the words for it in messages."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from engine.types import (
    ANY,
    BOOL,
    DATE,
    INT,
    MOMENT,
    MONEY,
    SECRET,
    TEXT,
    TIME,
    Choice,
    ListOf,
    Privacy,
    Record,
    Scalar,
    Type,
)
from engine.values import Secret, Value

DURATION = Type(Scalar.DURATION)
_TEXTS = frozenset({Scalar.TEXT, Scalar.PHONE, Scalar.QUEUE})
_NUMBERS = frozenset({Scalar.INT, Scalar.MONEY})
_ORDERED = frozenset({"number", "text", "date", "time", "moment", "duration"})
_ELEMENTS = 50  # of a constant list are looked at; a list of the project's constants is of one kind


def type_of_value(value: Value) -> Type:
    """Return the type of a constant. A Decimal is money: the language has no other broken numbers."""
    for kind, type_ in (
        (bool, BOOL), (int, INT), (str, TEXT), (Decimal, MONEY), (datetime, MOMENT), (date, DATE),
        (time, TIME), (timedelta, DURATION), (Secret, SECRET),
    ):  # fmt: skip
        if isinstance(value, kind):
            return type_
    if isinstance(value, list | tuple):
        element: Type | None = None
        for item in value[:_ELEMENTS]:
            element = type_of_value(item) if element is None else joined(element, type_of_value(item))
        return Type(ListOf(element or ANY))
    if isinstance(value, dict):
        return Type(Record(tuple((str(key), type_of_value(item)) for key, item in value.items())))
    return Type(Scalar.ANY, optional=value is None)


def family(type_: Type) -> str:
    """Return the family of types that may be compared with each other; `any` goes with all."""
    shape = type_.shape
    if isinstance(shape, Choice) or shape in _TEXTS:
        return "text"
    if isinstance(shape, ListOf):
        return "list"
    if isinstance(shape, Record):
        return "record"
    return "number" if shape in _NUMBERS else shape.value


def has_order(type_: Type) -> bool:
    """Tell whether values of the type can be less or more."""
    return family(type_) in _ORDERED


def word(type_: Type) -> str:
    """Return the type in a message."""
    shape = type_.shape
    if isinstance(shape, Scalar):
        return shape.value
    if isinstance(shape, Choice):
        return "text"
    return "a list" if isinstance(shape, ListOf) else "a record"


def joined(left: Type, right: Type) -> Type:
    """Return the type of a value that is of one type or the other."""
    optional = left.optional or right.optional
    privacy = more_private(left.privacy, right.privacy)
    if left.shape == right.shape:
        return Type(left.shape, optional, privacy)
    if _is_none(left):
        return Type(right.shape, True, privacy)
    if _is_none(right):
        return Type(left.shape, True, privacy)
    if isinstance(left.shape, Choice) and isinstance(right.shape, Choice):
        both = dict.fromkeys(left.shape.values + right.shape.values)
        return Type(Choice(tuple(both)), optional, privacy)
    kinds = {family(left), family(right)}
    if kinds == {"number"}:
        return Type(Scalar.MONEY, optional, privacy)
    return Type(Scalar.TEXT if kinds == {"text"} else Scalar.ANY, optional, privacy)


def _is_none(type_: Type) -> bool:
    return type_.shape is Scalar.ANY and type_.optional and type_.privacy is Privacy.PUBLIC


def more_private(*levels: Privacy) -> Privacy:
    """Return the strictest of some levels."""
    return max(levels, key=lambda level: level.value)


def inner_privacy(type_: Type) -> Privacy:
    """Return the strictest level of a type and of everything inside it."""
    shape = type_.shape
    if isinstance(shape, ListOf):
        return more_private(type_.privacy, inner_privacy(shape.element))
    if isinstance(shape, Record):
        return more_private(type_.privacy, *(inner_privacy(inner) for _, inner in shape.fields))
    return type_.privacy


def arithmetic(sign: str, left: Type, right: Type) -> Type | None:
    """Return the type of `left sign right`, or None if that has no meaning."""
    privacy = more_private(left.privacy, right.privacy)
    first, second = family(left), family(right)
    result: Type | None = None
    if "any" in (first, second):
        other = second if first == "any" else first
        result = ANY if other in _ALLOWED[sign] else None
    elif first == second == "number":
        result = MONEY if sign == "/" or Scalar.MONEY in (left.shape, right.shape) else INT
    elif sign in "+-":
        result = _SUMS.get((sign, first, second))
    return None if result is None else replace(result, privacy=privacy)


_ALLOWED = {
    "+": {"any", "number", "text", "date", "moment", "duration"},
    "-": {"any", "number", "date", "moment", "duration"},
    "*": {"any", "number"},
    "/": {"any", "number"},
    "%": {"any", "number"},
}
_SUMS = {
    ("+", "text", "text"): TEXT,
    ("+", "moment", "duration"): MOMENT,
    ("+", "duration", "moment"): MOMENT,
    ("-", "moment", "duration"): MOMENT,
    ("-", "moment", "moment"): DURATION,
    ("+", "date", "duration"): DATE,
    ("+", "duration", "date"): DATE,
    ("-", "date", "duration"): DATE,
    ("-", "date", "date"): DURATION,
    ("+", "duration", "duration"): DURATION,
    ("-", "duration", "duration"): DURATION,
}
VERBS = {"+": "added", "-": "subtracted", "*": "multiplied", "/": "divided", "%": "divided"}
"""What an operator does to two values, in a message."""
