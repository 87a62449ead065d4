"""Money of the demo billing: roubles as `Decimal` with two places, kopecks in the database.

Requests may carry money as a JSON string or number; answers always carry a string: "490.00".
"""

from __future__ import annotations

from decimal import Decimal

KOPECK = Decimal("0.01")
ZERO = Decimal("0.00")
MOST = Decimal(1_000_000)
"""The largest sum one request may name, roubles."""


def exact(value: Decimal) -> Decimal:
    """Return `value` with two places.

    Raises ValueError for what is no sum of money: not finite, negative, above a million roubles, or
    with a part of a kopeck.
    """
    if not value.is_finite() or not 0 <= value <= MOST:
        raise ValueError("money is a sum from 0 to 1000000 roubles")
    rounded = value.quantize(KOPECK)
    if rounded != value:
        raise ValueError("money has at most two decimal places")
    return abs(rounded)


def percent_off(value: Decimal, discount: int) -> Decimal:
    """Return `value` less `discount` percent (0..100), rounded down to a kopeck."""
    return kopecks_to_money(kopecks(value) * (100 - discount) // 100)


def kopecks(value: Decimal) -> int:
    """Return a two-place sum as whole kopecks."""
    return int(value.scaleb(2))


def kopecks_to_money(amount: int) -> Decimal:
    """Return whole kopecks as roubles with two places."""
    return Decimal(amount).scaleb(-2)
