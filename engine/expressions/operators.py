"""The operators at run time: comparisons, arithmetic, fields and elements, each as a closure.

Values are data only. A comparison with an empty value is false, whichever operator it is. Nothing here knows
static types: what the checks did not see (data of type `any`) fails with an error that shows no value.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from engine.expressions.spot import Run, Spot
from engine.expressions.text_form import MAX_LIST, MAX_NUMBER
from engine.expressions.world import Scope
from engine.values import Secret, Value

MAX_TEXT = 2_000
"""Characters of any text that an expression or a template makes."""

_NUMBERS = frozenset({int, Decimal})
_EXACT = frozenset({str, int, bool})
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge
}  # fmt: skip
_WORDS: dict[type, str] = {
    bool: "bool", int: "int", str: "text", Decimal: "money", Secret: "a secret", datetime: "moment",
    date: "date", timedelta: "duration", type(None): "an empty value",
}  # fmt: skip


def kind(value: Value) -> str:
    """Return the word for the type of a value, for a message."""
    word = _WORDS.get(type(value))
    if word is None:
        word = (
            "a record" if isinstance(value, Mapping) else "a list" if isinstance(value, list) else "a value"
        )
    return word


def _same(left: Value, right: Value) -> bool:
    try:
        if left == right:
            return True
    except ArithmeticError:  # a number that is none ("sNaN" of some back end)
        return False
    if isinstance(left, Secret):
        return isinstance(right, str) and left.reveal() == right
    return isinstance(right, Secret) and isinstance(left, str) and right.reveal() == left


def equal(left: Run, right: Run) -> Run:
    """`==`; a secret may be compared with a text."""

    def run(scope: Scope) -> bool:
        first, second = left(scope), right(scope)
        if first is None or second is None:
            return False
        return _same(first, second)

    return run


def equal_to(left: Run, constant: Value) -> Run:
    """`== constant` for a constant that is not empty."""

    def run(scope: Scope) -> bool:
        value = left(scope)
        return _same(value, constant) if type(value) not in _EXACT else value == constant

    return run


def unequal(left: Run, right: Run) -> Run:
    """`!=`, false when either side is empty."""

    def run(scope: Scope) -> bool:
        first, second = left(scope), right(scope)
        if first is None or second is None:
            return False
        return not _same(first, second)

    return run


def ordered(sign: str, left: Run, right: Run, spot: Spot) -> Run:
    """`<`, `<=`, `>`, `>=`."""
    compare = _ORDER[sign]

    def run(scope: Scope) -> bool:
        first, second = left(scope), right(scope)
        if first is None or second is None:
            return False
        try:
            return compare(first, second)
        except (TypeError, ArithmeticError):
            raise spot.failure(f"{kind(first)} is compared with {kind(second)}") from None

    return run


def contained(left: Run, right: Run, inside: bool, spot: Spot) -> Run:
    """`in` and `not in`: an element of a list, or a part of a text."""

    def run(scope: Scope) -> bool:
        value, container = left(scope), right(scope)
        if value is None or container is None:
            return False
        return _contains(container, value, spot) is inside

    return run


def contained_in(left: Run, texts: frozenset[str], inside: bool, spot: Spot) -> Run:
    """`in` a constant list of texts."""

    def run(scope: Scope) -> bool:
        value = left(scope)
        if type(value) is str:
            return (value in texts) is inside
        if value is None:
            return False
        return _contains(tuple(texts), value, spot) is inside

    return run


def _contains(container: Value, value: Value, spot: Spot) -> bool:
    if isinstance(container, str):
        if not isinstance(value, str):
            raise spot.failure(f"{kind(value)} cannot be in a text")
        return value in container
    if not isinstance(container, Sequence):
        raise spot.failure(f"{kind(container)} is no list")
    if len(container) > MAX_LIST:
        raise spot.failure(f"a list of more than {MAX_LIST} elements")
    return any(_same(value, item) for item in container)


def is_number(value: Value) -> bool:
    """Tell a number; yes and no are none."""
    return type(value) in _NUMBERS


def _sized(value: Value, spot: Spot) -> Value:
    if type(value) is int and not -MAX_NUMBER < value < MAX_NUMBER:
        raise spot.failure("the number is too large")
    return value


def _add(left: Value, right: Value, spot: Spot) -> Value:
    if isinstance(left, str) and isinstance(right, str):
        if len(left) + len(right) > MAX_TEXT:
            raise spot.failure(f"the text is longer than {MAX_TEXT} characters")
        return left + right
    if isinstance(right, timedelta) and isinstance(left, date | timedelta):
        return _shifted(left, right, spot)
    if isinstance(left, timedelta) and isinstance(right, date):
        return _shifted(right, left, spot)
    raise spot.failure(f"{kind(left)} and {kind(right)} cannot be added")


def _subtract(left: Value, right: Value, spot: Spot) -> Value:
    if isinstance(right, timedelta) and isinstance(left, date | timedelta):
        return _shifted(left, -right, spot)
    if isinstance(left, date) and isinstance(right, date) and type(left) is type(right):
        try:
            return left - right
        except TypeError:  # a moment without an offset
            raise spot.failure("these moments cannot be compared") from None
    raise spot.failure(f"{kind(right)} cannot be taken from {kind(left)}")


def _shifted(start: date | timedelta, term: timedelta, spot: Spot) -> Value:
    if type(start) is date and term % timedelta(days=1):
        raise spot.failure("a date moves by whole days; use now for hours")
    return start + term  # an overflow is caught where the operator is compiled


def _refused(verb: str) -> Callable[[Value, Value, Spot], Value]:
    def refuse(left: Value, right: Value, spot: Spot) -> Value:
        raise spot.failure(f"{kind(left)} and {kind(right)} cannot be {verb}")

    return refuse


def _divided(left: Decimal, right: Decimal) -> Decimal:
    return Decimal(left) / right


_NUMERIC: dict[str, Callable[..., Value]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": _divided, "%": operator.mod
}  # fmt: skip
_OTHERWISE: dict[str, Callable[[Value, Value, Spot], Value]] = {
    "+": _add, "-": _subtract, "*": _refused("multiplied"), "/": _refused("divided"), "%": _refused("divided")
}  # fmt: skip


def arithmetic(sign: str, left: Run, right: Run, spot: Spot) -> Run:
    """`+ - * / %` of numbers, `+` of texts, moments and dates with terms. A division gives a Decimal."""
    numeric, otherwise = _NUMERIC[sign], _OTHERWISE[sign]

    def run(scope: Scope) -> Value:
        first, second = left(scope), right(scope)
        try:
            if type(first) in _NUMBERS and type(second) in _NUMBERS:
                return _sized(numeric(first, second), spot)
            return otherwise(first, second, spot)
        except ZeroDivisionError:
            raise spot.failure("division by zero") from None
        except ArithmeticError:
            if sign in "/%" and not second:
                raise spot.failure("division by zero") from None
            raise spot.failure("the number is too large") from None

    return run


def negative(part: Run, spot: Spot) -> Run:
    """`-a` of a number or a term."""

    def run(scope: Scope) -> Value:
        value = part(scope)
        try:
            if type(value) in _NUMBERS or isinstance(value, timedelta):
                return -value  # type: ignore[operator]  # narrowed by the set above
        except ArithmeticError:
            raise spot.failure("the number is too large") from None
        raise spot.failure(f"{kind(value)} has no sign")

    return run


def field(base: Run, name: str, spot: Spot, base_spot: Spot) -> Run:
    """`base.name`: a lookup in data, never a Python attribute."""

    def run(scope: Scope) -> Value:
        record = base(scope)
        if isinstance(record, Mapping):
            try:
                return record[name]
            except KeyError:
                raise spot.failure(f'there is no field "{name}"') from None
        if record is None:
            raise base_spot.failure("it is empty here")
        raise spot.failure(f"{kind(record)} has no fields")

    return run


def element(base: Run, index: Run, spot: Spot) -> Run:
    """`base[index]`: an element of a list, counted from 0, or a field of a record."""

    def run(scope: Scope) -> Value:
        container, place = base(scope), index(scope)
        if isinstance(container, Mapping) and isinstance(place, str):
            if place in container:
                return container[place]
            raise spot.failure("there is no such field")
        if isinstance(container, Sequence) and not isinstance(container, str) and type(place) is int:
            if 0 <= place < len(container):
                return container[place]
            raise spot.failure("the list has no such element")
        raise spot.failure(f"{kind(container)} has no elements by {kind(place)}")

    return run
