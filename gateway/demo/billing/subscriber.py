"""One subscriber as the demo billing keeps it, and the record kinds of its books.

A subscriber is an immutable value: every change is a new value, so a transaction that fails leaves the
old one standing. Knows nothing of storage, HTTP or time.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

from gateway.demo.billing.catalogue import TARIFFS, Bucket, Tariff
from gateway.demo.billing.money import ZERO, percent_off

FINANCIAL = "financial"
"""The block that lack of money sets and a sufficient payment lifts."""


class Contract(msgspec.Struct, frozen=True):
    """The home-internet contract of a subscriber; login and password open its web cabinet."""

    number: str
    login: str
    password: str

    def __repr__(self) -> str:
        """Show that a contract exists, never what it holds."""
        return "Contract(...)"


class Promise(msgspec.Struct, frozen=True):
    """A promised payment: `sum` was lent and is taken back in the night of `until`."""

    sum: Decimal
    until: date


class AutoPayment(msgspec.Struct, frozen=True):
    """Automatic payment: `sum` comes from the card as soon as the balance is lower than `below`."""

    on: bool = False
    sum: Decimal = ZERO
    below: Decimal = ZERO


class Connected(msgspec.Struct, frozen=True):
    """A connected option and the date of its next monthly fee."""

    id: str
    anchor: int
    next_fee: date


class Night(msgspec.Struct, frozen=True):
    """What the nightly fee has just done, kept so that a renewal ordered around midnight is not paid twice.

    `at` is UTC milliseconds, `main` the remainder that the fee let expire.
    """

    at: int
    main: Bucket
    fee: Decimal


class Subscriber(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the books hold of one number.

    `phone` is eleven digits, 7XXXXXXXXXX. `tariff` is an id of the catalogue. `discount` is percent,
    0..100. `unpaid` means that a fee day has passed without the fee. `anchor` is the day of the month
    (1..31) on which periods end; the present one began on `period_start` and the next fee is due in the
    night that begins `next_fee`. `main` and `carried` are the package and the saved remainder.
    """

    phone: str
    name: str
    persona: str = ""
    region: str = "msk"
    segment: Literal["premium", "mass"] = "mass"
    tariff: str
    discount: int = 0
    period: Literal["month", "day"] = "month"
    balance: Decimal
    service: bool = True
    blocks: tuple[str, ...] = ()
    unpaid: bool = False
    anchor: int
    period_start: date
    next_fee: date
    main: Bucket
    carried: Bucket = Bucket()
    options: tuple[Connected, ...] = ()
    promise: Promise | None = None
    card: bool = False
    auto: AutoPayment = AutoPayment()
    contract: Contract | None = None
    passport: str = ""
    office: str = ""
    night: Night | None = None

    def __post_init__(self) -> None:
        """Refuse values that no subscriber can have."""
        if len(self.phone) != 11 or not (self.phone.isascii() and self.phone.isdigit()):
            raise ValueError("phone is eleven digits")
        if self.tariff not in TARIFFS:
            raise ValueError(f"there is no tariff {self.tariff!r}")
        if not 0 <= self.discount <= 100:
            raise ValueError("discount is 0 to 100 percent")
        if not 1 <= self.anchor <= 31:
            raise ValueError("anchor is a day of the month, 1 to 31")
        if min(*msgspec.structs.astuple(self.main), *msgspec.structs.astuple(self.carried)) < 0:
            raise ValueError("a remainder is never negative")

    @property
    def plan(self) -> Tariff:
        """The tariff of the catalogue."""
        return TARIFFS[self.tariff]

    @property
    def fee(self) -> Decimal:
        """The fee of one charging period (a month or a day) after the discount."""
        plan = self.plan
        return percent_off(plan.fee if self.period == "month" else plan.day_fee, self.discount)


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the ledger: money that came (positive) or went (negative), and the balance after it."""

    at: int
    phone: str
    kind: str
    amount: Decimal
    balance: Decimal
    operation: str = ""
    key: str = ""
    note: str = ""


class BillLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the bill, with the first and the last day of the period it pays for."""

    at: int
    phone: str
    text: str
    amount: Decimal
    first: date
    last: date


class Remembered(msgspec.Struct, frozen=True):
    """An outcome stored under an idempotency key; `fingerprint` tells whether a repeat asks the same."""

    operation: str
    fingerprint: str
    at: int
    status: int
    body: bytes
