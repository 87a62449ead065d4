"""Payment operations of the demo billing: history, promised payment, automatic payment, top-up cards."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import msgspec

from gateway.demo.billing.catalogue import (
    AUTO_LEAST,
    AUTO_MOST,
    CARDS,
    PROMISE_DAYS,
    PROMISE_FEE,
    PROMISE_SUM,
)
from gateway.demo.billing.entry import Entry, Refusal
from gateway.demo.billing.money import exact
from gateway.demo.billing.period import day_of, midnight, months_before
from gateway.demo.billing.subscriber import FINANCIAL, AutoPayment, Promise, Subscriber

PAYMENT_KINDS = ("payment", "top_up", "auto_payment")
"""The movements that count as payments of the subscriber."""


class Paid(msgspec.Struct, frozen=True):
    """One payment of the history."""

    day: date
    sum: Decimal


class Payments(msgspec.Struct, frozen=True):
    """The answer of `billing.payments`: three months, newest first, at most fifty."""

    payments: tuple[Paid, ...]


class Terms(msgspec.Struct, frozen=True):
    """The answer of `billing.promise_terms`."""

    allowed: bool
    sum: Decimal
    fee: Decimal
    days: int


class Asked(msgspec.Struct, frozen=True):
    """The arguments of `billing.promise`: the terms the subscriber was told."""

    sum: Decimal
    fee: Decimal

    def __post_init__(self) -> None:
        """Refuse what is no sum of money."""
        exact(self.sum)
        exact(self.fee)


class Auto(msgspec.Struct, frozen=True):
    """The answer of `billing.auto_payment` and the arguments of `billing.set_auto_payment`."""

    on: bool
    sum: Decimal
    below: Decimal

    def __post_init__(self) -> None:
        """Refuse what is no sum of money, and an automatic payment outside 100..5000 roubles."""
        exact(self.below)
        if self.on and not AUTO_LEAST <= exact(self.sum) <= AUTO_MOST:
            raise ValueError("an automatic payment is 100 to 5000 roubles")


class Code(msgspec.Struct, frozen=True):
    """The argument of `billing.top_up`: fourteen digits, a secret."""

    code: str

    def __repr__(self) -> str:
        """Show nothing of the code."""
        return "Code(...)"


class ToppedUp(msgspec.Struct, frozen=True):
    """The answer of `billing.top_up`."""

    sum: Decimal
    balance: Decimal


def payments(entry: Entry, phone: str, _: None) -> Payments:
    """`GET /subscribers/{phone}/payments`."""
    entry.subscriber(phone)
    since = midnight(months_before(entry.today, 3))
    newest = entry.book.movements(phone=phone, kinds=PAYMENT_KINDS, since=since, newest=True, limit=50)
    return Payments(payments=tuple(Paid(day=day_of(m.at), sum=m.amount) for _, m in newest))


def promise_terms(entry: Entry, phone: str, _: None) -> Terms:
    """`GET /subscribers/{phone}/promise`."""
    s = entry.subscriber(phone)
    return Terms(allowed=_promised(s), sum=PROMISE_SUM, fee=PROMISE_FEE, days=PROMISE_DAYS)


def promise(entry: Entry, phone: str, asked: Asked) -> dict[str, object]:
    """`POST /subscribers/{phone}/promise`: lend the sum for some days, take the fee out of it.

    Refuses with 409 not_allowed if one is running, the number is blocked by more than lack of money, or
    the terms are not the present ones.
    """
    s = entry.subscriber(phone)
    if not _promised(s):
        raise Refusal(409, "not_allowed", "promise_running" if s.promise else "blocked")
    if (exact(asked.sum), exact(asked.fee)) != (PROMISE_SUM, PROMISE_FEE):
        raise Refusal(409, "not_allowed", "terms_changed")
    s = entry.move(s, "promise", PROMISE_SUM)
    s = entry.move(s, "promise_fee", -PROMISE_FEE)
    until = entry.today + timedelta(days=PROMISE_DAYS)
    entry.put(msgspec.structs.replace(s, promise=Promise(sum=PROMISE_SUM, until=until)))
    return {}


def auto_payment(entry: Entry, phone: str, _: None) -> Auto:
    """`GET /subscribers/{phone}/auto-payment`."""
    auto = entry.subscriber(phone).auto
    return Auto(on=auto.on, sum=auto.sum, below=auto.below)


def set_auto_payment(entry: Entry, phone: str, asked: Auto) -> dict[str, object]:
    """`POST /subscribers/{phone}/auto-payment`; refuses with 409 no_card if no bank card is known."""
    s = entry.subscriber(phone)
    if not s.card:
        raise Refusal(409, "no_card")
    auto = AutoPayment(on=True, sum=exact(asked.sum), below=exact(asked.below)) if asked.on else AutoPayment()
    entry.put(msgspec.structs.replace(s, auto=auto))
    return {}


def top_up(entry: Entry, phone: str, card: Code) -> ToppedUp:
    """`POST /subscribers/{phone}/top-up`; refuses with 404 wrong_code or 409 used_code."""
    s = entry.subscriber(phone)
    found = CARDS.get(card.code)
    if found is None:
        raise Refusal(404, "wrong_code")
    if found.id in entry.book.used_cards:
        raise Refusal(409, "used_code")
    entry.change.cards[found.id] = (phone, entry.now)
    s = entry.move(s, "top_up", found.sum, found.id)
    return ToppedUp(sum=found.sum, balance=s.balance)


def _promised(s: Subscriber) -> bool:
    return s.promise is None and all(block == FINANCIAL for block in s.blocks)
