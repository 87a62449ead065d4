"""The billing's side of the page: who is who, movements of money, what the billing says it did.

It looks at the billing's own books and log, a few times a second and whenever a call has ended; the gateway's
opinion does not come into it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.demo.billing import Running
from gateway.demo.billing.desk import Logged
from gateway.demo.billing.entry import Entry
from gateway.demo.billing.operation import OPERATIONS
from gateway.demo.billing.subscriber import Subscriber
from gateway.demo.cast import card
from gateway.log import masked_number

Told = Callable[[str, object, str], None]
Noted = Callable[[str, str, str, str, str], object]
"""Called as `noted(phone, kind, text, detail, state)`: a row of what happens."""

_KEYED = frozenset(one.name for one in OPERATIONS if one.keyed)


class Books:
    """What has been told of the billing, so that only news is told."""

    def __init__(self, billing: Running, tell: Told, noted: Noted) -> None:
        self._billing = billing
        self._tell = tell
        self._noted = noted
        self._cards: dict[str, Subscriber] = {}
        self._ledger_seen = 0
        self._log_seen: Logged | None = None
        self.start_over()

    def start_over(self) -> None:
        """Take the books as they are now for known."""
        newest = self._billing.desk.book.movements(newest=True, limit=1)
        self._ledger_seen = newest[0][0] if newest else 0
        log = self._billing.desk.log
        self._log_seen = log[-1] if log else None
        self.cards()

    def look(self) -> None:
        """Tell what the billing has done since the last look."""
        self._look_at_log()
        self._look_at_ledger()
        people = self._billing.desk.book.subscribers
        for phone, seen in list(self._cards.items()):
            now = people.get(phone)
            if now is not None and now is not seen:
                self._cards[phone] = now
                self._tell("card", self._card(now), "")

    def cards(self) -> list[dict[str, Any]]:
        """Return all personas as they are now, and go on telling how they change."""
        named = [one for one in self._billing.desk.book.subscribers.values() if one.persona]
        self._cards = {one.phone: one for one in named}
        return [self._card(one) for one in named]

    def _card(self, subscriber: Subscriber) -> dict[str, Any]:
        desk = self._billing.desk
        return card(subscriber, Entry(desk.book, desk.clock.now()))

    def is_persona(self, phone: str) -> bool:
        """Tell whether a number is one of the named people."""
        found = self._billing.desk.book.subscribers.get(phone)
        return found is not None and bool(found.persona)

    def ledger(self, phone: str) -> list[dict[str, Any]]:
        """Return the newest movements of money of a subscriber, oldest first."""
        lines = self._billing.desk.book.movements(phone=phone, newest=True, limit=40)
        return [_movement(number, line) for number, line in reversed(lines)]

    def _look_at_ledger(self) -> None:
        for number, line in self._billing.desk.book.movements(after=self._ledger_seen, limit=200):
            self._ledger_seen = number
            self._tell("money", _movement(number, line), line.phone)

    def _look_at_log(self) -> None:
        log = self._billing.desk.log
        if not log or log[-1] is self._log_seen:
            return
        fresh: list[Logged] = []
        for entry in reversed(log):
            if entry is self._log_seen:
                break
            fresh.append(entry)
        self._log_seen = log[-1]
        by_mask = {masked_number(phone): phone for phone in self._cards}
        for entry in reversed(fresh):
            phone = by_mask.get(entry.phone)
            if phone is not None and (entry.operation in _KEYED or entry.fault):
                self._served(phone, entry)

    def _served(self, phone: str, entry: Logged) -> None:
        took = entry.status == 200
        late = ", late" if entry.fault == "delay" else ""
        lost = entry.fault in ("take_and_lose", "take_and_hang")
        if entry.repeated:
            said = "known key, nothing taken again" + (", answer lost again" if lost else late)
        elif lost:
            said = "carried out, answer lost"
        elif entry.fault and entry.status in (0, 200, 500) and not took:
            said = f"not carried out ({entry.fault})"
        elif took:
            said = ("carried out" if entry.operation in _KEYED else "answered") + late
        else:
            said = f"refused: {entry.error or entry.status}"
        self._noted(phone, "billing", "billing", said, "good" if took and not entry.fault else "bad")


def _movement(number: int, line: Any) -> dict[str, Any]:
    return {
        "id": number,
        "at": line.at,
        "kind": line.kind,
        "amount": str(line.amount),
        "balance": str(line.balance),
        "key": line.key[:8],
    }
