"""The built-in functions that compute; those that ask the world are in `engine.expressions.question`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

from engine.expressions.operators import is_number, kind
from engine.expressions.spot import Spot
from engine.expressions.text_form import MAX_LIST
from engine.values import Secret, Value

_MOST_MINUTES = 100 * 366 * 24 * 60
_MOST_PLACES = 6


def _term(minutes: int) -> Callable[[tuple[Value, ...], Spot], Value]:
    def term(arguments: tuple[Value, ...], spot: Spot) -> Value:
        number = arguments[0]
        if isinstance(number, bool) or not isinstance(number, int | Decimal):
            raise spot.failure(f"{kind(number)} is no number")
        try:
            total = Decimal(number) * minutes
            if abs(total) <= _MOST_MINUTES:
                return timedelta(milliseconds=int(total * 60_000))
        except ArithmeticError:  # far too large, or not a number
            pass
        raise spot.failure("a term is at most a hundred years")

    return term


def _elements(value: Value, spot: Spot) -> list[Value]:
    """Return the parts of a list or a record of answers, without the empty ones."""
    if isinstance(value, Mapping):
        items = list(value.values())
    elif isinstance(value, Sequence) and not isinstance(value, str):
        items = list(value)
    else:
        raise spot.failure(f"{kind(value)} is no list")
    if not items:
        raise spot.failure("the list has no elements")
    if len(items) > MAX_LIST:
        raise spot.failure(f"a list of more than {MAX_LIST} elements")
    return [item for item in items if item is not None]


def _extreme(least: bool, items: list[Value], spot: Spot) -> Value:
    if any(isinstance(item, bool | Sequence | Mapping | Secret) for item in items):
        raise spot.failure("these values have no order")
    try:
        return min(items) if least else max(items)  # type: ignore[type-var]  # a failure is caught below
    except (TypeError, ArithmeticError):
        raise spot.failure("these values have no common order") from None


def lowest(arguments: tuple[Value, ...], spot: Spot) -> Value:
    """The lowest of a list or of a record of answers; none if all of them are empty."""
    items = _elements(arguments[0], spot)
    return _extreme(True, items, spot) if items else None


def average(arguments: tuple[Value, ...], spot: Spot) -> Value:
    """The mean of a list of numbers or of a record of answers; none if all of them are empty."""
    items = _elements(arguments[0], spot)
    total = Decimal(0)
    for item in items:
        if isinstance(item, bool) or not isinstance(item, int | Decimal):
            raise spot.failure(f"{kind(item)} is no number")
        total += item
    return total / len(items) if items else None


def _outermost(least: bool) -> Callable[[tuple[Value, ...], Spot], Value]:
    def outermost(arguments: tuple[Value, ...], spot: Spot) -> Value:
        if len(arguments) == 1:
            items = _elements(arguments[0], spot)
            return _extreme(least, items, spot) if items else None
        if any(item is None for item in arguments):
            raise spot.failure("an argument is empty")
        return _extreme(least, list(arguments), spot)

    return outermost


def rounded(arguments: tuple[Value, ...], spot: Spot) -> Value:
    """The nearest whole number, or number with so many decimals; halves go away from zero."""
    number = arguments[0]
    places = arguments[1] if len(arguments) > 1 else 0
    if not is_number(number):
        raise spot.failure(f"{kind(number)} is no number")
    if type(places) is not int or not 0 <= places <= _MOST_PLACES:
        raise spot.failure(f"decimals are 0 to {_MOST_PLACES}")
    if isinstance(number, int):
        return number
    assert isinstance(number, Decimal)
    try:
        exact = number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
        return exact if places else int(exact)
    except (ArithmeticError, ValueError):
        raise spot.failure("the number is too large") from None


COMPUTED: dict[str, Callable[[tuple[Value, ...], Spot], Value]] = {
    "hours": _term(60),
    "days": _term(24 * 60),
    "minutes": _term(1),
    "lowest": lowest,
    "average": average,
    "min": _outermost(True),
    "max": _outermost(False),
    "round": rounded,
}
"""Functions of their arguments alone, by name."""
