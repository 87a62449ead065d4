"""«Обнови пакет»: what may be renewed, in which order it is refused, and everything a renewal does.

Letters and numbers (E1-E4, C1-C3, G1, R1-R6) are those of the law of the service: E1 the fee is taken
now, E2 the period shifts and keeps its anchor day, E3 the bill says so, E4 the package is fresh and full,
C1 the remainder does not burn, C2 the saved remainder is spent first, C3 it is carried once.
Knows nothing of HTTP, keys or storage.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import msgspec

from gateway.demo.billing.catalogue import Bucket
from gateway.demo.billing.entry import Entry, Refusal
from gateway.demo.billing.money import ZERO, exact
from gateway.demo.billing.period import month_after
from gateway.demo.billing.subscriber import Subscriber

FEE_LINE = "Списание ежемесячной платы по Тарифному плану"
"""The bill line of E3."""

NIGHT_GUARD = 120_000
"""Milliseconds after the nightly fee in which a renewal is that fee and takes nothing more."""

REFUSALS: tuple[tuple[str, str, Callable[[Subscriber], bool]], ...] = (
    ("G1", "tariff_not_listed", lambda s: not s.plan.listed),
    ("R4", "no_service", lambda s: not s.service),
    ("R2", "blocked", lambda s: bool(s.blocks)),
    ("R6", "unpaid", lambda s: s.unpaid),
    ("R3", "daily_period", lambda s: s.period != "month"),
    ("R5", "no_fee", lambda s: s.fee == 0),
    ("R1", "low_balance", lambda s: s.balance < s.fee),
)
"""Rule, reason, condition: the first that holds refuses."""


class Fee(msgspec.Struct, frozen=True):
    """The one argument of an operation that takes a price: what the subscriber was told, roubles."""

    fee: Decimal

    def __post_init__(self) -> None:
        """Refuse what is no sum of money."""
        exact(self.fee)


class PackageView(msgspec.Struct, frozen=True):
    """The answer of `billing.package`."""

    tariff: str
    service: bool
    fee: Decimal
    balance: Decimal
    blocked: bool
    unpaid: bool
    period: str


class Remainder(msgspec.Struct, frozen=True):
    """The answer of `billing.packages`: both buckets together, usable until `until`."""

    minutes: int
    sms: int
    mb: int
    until: date


def refusal(subscriber: Subscriber) -> str:
    """Return the reason of the first rule that refuses a renewal, or "" if it is allowed."""
    for _, reason, holds in REFUSALS:
        if holds(subscriber):
            return reason
    return ""


def package(entry: Entry, phone: str, _: None) -> PackageView:
    """`GET /subscribers/{phone}/package`."""
    s = entry.subscriber(phone)
    return PackageView(
        tariff=s.plan.family,
        service=s.service,
        fee=s.fee,
        balance=s.balance,
        blocked=bool(s.blocks),
        unpaid=s.unpaid,
        period=s.period,
    )


def packages(entry: Entry, phone: str, _: None) -> Remainder:
    """`GET /subscribers/{phone}/packages`."""
    s = entry.subscriber(phone)
    both = (s.main, s.carried)
    return Remainder(
        minutes=sum(b.minutes for b in both),
        sms=sum(b.sms for b in both),
        mb=sum(b.mb for b in both),
        until=s.next_fee,
    )


def refresh(entry: Entry, phone: str, asked: Fee) -> dict[str, object]:
    """`POST /subscribers/{phone}/package/refresh`: renew now, or refuse with 402 or 409 and do nothing.

    A renewal that arrives within NIGHT_GUARD of the nightly fee was ordered before midnight: the fee
    just taken becomes the renewal's, the remainder it let expire comes back, and no second fee is taken.
    """
    s = entry.subscriber(phone)
    night = s.night
    paid = night is not None and 0 <= entry.now - night.at <= NIGHT_GUARD
    reason = refusal(s)
    if reason and not (paid and reason == "low_balance"):
        raise Refusal(402, reason) if reason == "low_balance" else Refusal(409, "not_allowed", reason)
    if paid and night is not None:
        if exact(asked.fee) != night.fee:
            raise Refusal(409, "not_allowed", "fee_changed")
        s = entry.move(s, "refresh_paid_at_night", ZERO)
        entry.put(msgspec.structs.replace(s, carried=night.main, night=None))
        return {}
    if exact(asked.fee) != s.fee:
        raise Refusal(409, "not_allowed", "fee_changed")
    renew(entry, s)
    return {}


def renew(entry: Entry, subscriber: Subscriber) -> Subscriber:
    """Carry out a renewal that is allowed; raises Refusal 402 if the balance does not cover the fee."""
    fee = subscriber.fee
    s = entry.take(subscriber, "refresh_fee", fee)  # E1
    today = entry.today
    next_fee = month_after(today, today.day)  # E2
    entry.line(s, FEE_LINE, fee, today, next_fee)  # E3
    return entry.put(
        msgspec.structs.replace(
            s,
            anchor=today.day,
            period_start=today,
            next_fee=next_fee,
            carried=s.main,  # C1, C3: an older carried bucket expires here
            main=s.plan.full,  # E4
            night=None,
        )
    )


def spend(subscriber: Subscriber, used: Bucket) -> tuple[Subscriber, Bucket]:
    """Spend service, the saved remainder first (C2); returns the subscriber and what was not covered."""
    main, carried, missing = {}, {}, {}
    for name in Bucket.__struct_fields__:
        wanted, saved, own = (getattr(b, name) for b in (used, subscriber.carried, subscriber.main))
        from_saved = min(wanted, saved)
        from_own = min(wanted - from_saved, own)
        carried[name] = saved - from_saved
        main[name] = own - from_own
        missing[name] = wanted - from_saved - from_own
    spent = msgspec.structs.replace(subscriber, main=Bucket(**main), carried=Bucket(**carried))
    return spent, Bucket(**missing)
