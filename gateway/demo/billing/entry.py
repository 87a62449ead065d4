"""One entry into the books: the changes of one request or one night, gathered before they are written.

An entry reads its own changes; nothing is visible to others until the desk writes it. Knows how money
moves (ledger line, automatic payment, lifting of the financial block), not why.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

import msgspec

from gateway.demo.billing.book import Book, Change
from gateway.demo.billing.money import ZERO
from gateway.demo.billing.period import day_of
from gateway.demo.billing.record import Record
from gateway.demo.billing.subscriber import FINANCIAL, BillLine, Movement, Subscriber


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not an error
    """The request is refused and nothing was done.

    `status` is the HTTP status, `error` the name of the domain error, `reason` tells apart what shares
    a name; both go into the answer.
    """

    def __init__(self, status: int, error: str, reason: str = "") -> None:
        """Make the refusal."""
        super().__init__(error, reason)
        self.status = status
        self.error = error
        self.reason = reason

    def body(self) -> Mapping[str, str]:
        """Return the JSON object of the answer."""
        return {"error": self.error, "reason": self.reason} if self.reason else {"error": self.error}


class Entry:
    """The changes of one transaction at the moment `now` (UTC milliseconds)."""

    def __init__(self, book: Book, now: int, operation: str = "", key: str = "") -> None:
        """Open an entry; `operation` and `key` are written beside every movement of money."""
        self.book = book
        self.now = now
        self.today: date = day_of(now)
        self.operation = operation
        self.key = key
        self.change = Change()

    def subscriber(self, phone: str, error: str = "unknown_subscriber") -> Subscriber:
        """Return the subscriber as this entry sees it; raises Refusal 404 with `error`."""
        found = self.change.subscribers.get(phone) or self.book.subscribers.get(phone)
        if found is None:
            raise Refusal(404, error)
        return found

    def put(self, subscriber: Subscriber) -> Subscriber:
        """Stage a changed subscriber and return it."""
        self.change.subscribers[subscriber.phone] = subscriber
        return subscriber

    def keep(self, kind: str, key: str, record: Record) -> None:
        """Stage a record of another back end: a visit, a report, an answer to an offer."""
        self.change.records[kind, key] = record

    def move(self, subscriber: Subscriber, kind: str, amount: Decimal, note: str = "") -> Subscriber:
        """Move money: positive comes, negative goes, zero leaves only a line.

        A balance that falls under the subscriber's automatic payment is topped up in the same
        transaction; one that covers what is owed lifts the financial block.
        """
        subscriber = self._line(subscriber, kind, amount, note)
        auto = subscriber.auto
        if amount < 0 and auto.on and subscriber.card and subscriber.balance < auto.below:
            subscriber = self._line(subscriber, "auto_payment", auto.sum, "")
        return self.put(lifted(subscriber))

    def take(self, subscriber: Subscriber, kind: str, fee: Decimal, note: str = "") -> Subscriber:
        """Take a fee that must be covered; raises Refusal 402 low_balance if the balance is lower."""
        if subscriber.balance < fee:
            raise Refusal(402, "low_balance")
        return self.move(subscriber, kind, -fee, note)

    def line(self, subscriber: Subscriber, text: str, amount: Decimal, first: date, next_fee: date) -> None:
        """Write a line of the bill for the period from `first` to the day before `next_fee`."""
        self.change.lines.append(
            BillLine(
                at=self.now,
                phone=subscriber.phone,
                text=text,
                amount=amount,
                first=first,
                last=next_fee - timedelta(days=1),
            )
        )

    def _line(self, subscriber: Subscriber, kind: str, amount: Decimal, note: str) -> Subscriber:
        balance = subscriber.balance + amount
        self.change.movements.append(
            Movement(
                at=self.now,
                phone=subscriber.phone,
                kind=kind,
                amount=amount,
                balance=balance,
                operation=self.operation,
                key=self.key,
                note=note,
            )
        )
        return msgspec.structs.replace(subscriber, balance=balance)


def lifted(subscriber: Subscriber) -> Subscriber:
    """Return the subscriber without the financial block if the balance covers what is owed."""
    owed = subscriber.fee if subscriber.unpaid else ZERO
    if FINANCIAL not in subscriber.blocks or subscriber.balance < owed:
        return subscriber
    return msgspec.structs.replace(subscriber, blocks=tuple(b for b in subscriber.blocks if b != FINANCIAL))
