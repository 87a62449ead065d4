"""Tariff operations of the demo billing: the account line, what can be changed to, the change itself."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from gateway.demo.billing.catalogue import TARIFFS, Bucket
from gateway.demo.billing.entry import Entry, Refusal
from gateway.demo.billing.money import percent_off
from gateway.demo.billing.package import FEE_LINE
from gateway.demo.billing.period import month_after


class Account(msgspec.Struct, frozen=True):
    """The answer of `billing.account`."""

    balance: Decimal
    tariff: str


class Offer(msgspec.Struct, frozen=True):
    """A tariff one may change to."""

    id: str
    name: str
    fee: Decimal


class Tariffs(msgspec.Struct, frozen=True):
    """The answer of `billing.tariffs`."""

    current: str
    others: tuple[Offer, ...]


class Choice(msgspec.Struct, frozen=True):
    """The argument of `billing.change_tariff`: an id of `others`."""

    tariff: str


def account(entry: Entry, phone: str, _: None) -> Account:
    """`GET /subscribers/{phone}/account`."""
    s = entry.subscriber(phone)
    return Account(balance=s.balance, tariff=s.plan.family)


def tariffs(entry: Entry, phone: str, _: None) -> Tariffs:
    """`GET /subscribers/{phone}/tariffs`: what is on sale but the present one; nothing if blocked."""
    s = entry.subscriber(phone)
    others = tuple(
        Offer(id=t.id, name=t.family, fee=percent_off(t.fee, s.discount))
        for t in TARIFFS.values()
        if t.sold and t.id != s.tariff and not s.blocks
    )
    return Tariffs(current=s.plan.family, others=others)


def change_tariff(entry: Entry, phone: str, choice: Choice) -> dict[str, object]:
    """`POST /subscribers/{phone}/tariff`: the new fee is taken now and a new period begins today.

    The old package ends with the old tariff. Options that the new tariff does not offer or does not
    allow are switched off. Refuses with 402 low_balance, or 409 not_allowed for a tariff that is not on
    sale, that the subscriber already has, or for a blocked number.
    """
    s = entry.subscriber(phone)
    plan = TARIFFS.get(choice.tariff)
    if plan is None or not plan.sold:
        raise Refusal(409, "not_allowed", "no_such_tariff")
    if plan.id == s.tariff:
        raise Refusal(409, "not_allowed", "same_tariff")
    if s.blocks:
        raise Refusal(409, "not_allowed", "blocked")
    today = entry.today
    fee = percent_off(plan.fee, s.discount)
    s = entry.take(s, "tariff_fee", fee, plan.id)
    next_fee = month_after(today, today.day)
    entry.line(s, FEE_LINE, fee, today, next_fee)
    entry.put(
        msgspec.structs.replace(
            s,
            tariff=plan.id,
            period="month",
            unpaid=False,
            anchor=today.day,
            period_start=today,
            next_fee=next_fee,
            main=plan.full,
            carried=Bucket(),
            options=tuple(o for o in s.options if o.id in plan.options and o.id not in plan.conflicts),
            night=None,
        )
    )
    return {}
