"""The timer wheel: every deadline of every session in one place, without a timer or task for each.

Deadlines are rounded up to a slot. An owner whose deadline moves later stays where it is and is moved when
its slot comes up, so that a turn, which nearly always postpones the deadline, costs one comparison.
"""

from __future__ import annotations

import heapq
from typing import Generic, Protocol, TypeVar

SLOT_MS = 100  # people cannot tell; a USSD answer time of 10 s is kept to one per cent


class Timed(Protocol):
    """Something with a next deadline. `due` is UTC ms or None; `slot` belongs to the wheel."""

    due: int | None
    slot: int


Owner = TypeVar("Owner", bound=Timed)


class Wheel(Generic[Owner]):
    """Slots of owners, ordered by time."""

    def __init__(self) -> None:
        self._slots: dict[int, list[Owner]] = {}
        self._order: list[int] = []

    def watch(self, owner: Owner) -> None:
        """Take note of an owner's `due`; call it again whenever that may have moved."""
        if owner.due is None:
            return
        slot = -(-owner.due // SLOT_MS)
        if owner.slot and owner.slot <= slot:
            return
        owner.slot = slot
        waiting = self._slots.get(slot)
        if waiting is None:
            self._slots[slot] = [owner]
            heapq.heappush(self._order, slot)
        else:
            waiting.append(owner)

    def next_due(self) -> int | None:
        """Return when to call `expired` next, in UTC ms; None while nothing waits."""
        return self._order[0] * SLOT_MS if self._order else None

    def expired(self, now: int) -> list[Owner]:
        """Return the owners whose deadline has passed, each once, and move those that were postponed."""
        due: list[Owner] = []
        while self._order and self._order[0] * SLOT_MS <= now:
            slot = heapq.heappop(self._order)
            for owner in self._slots.pop(slot):
                if owner.slot != slot:
                    continue  # it was registered earlier elsewhere; that entry decides
                owner.slot = 0
                if owner.due is None:
                    continue
                if owner.due <= now:
                    due.append(owner)
                else:
                    self.watch(owner)
        return due
