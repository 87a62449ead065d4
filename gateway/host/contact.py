"""Who was here about what, and whether many more than usual are: for `repeat_contact` and `surge`.

A session counts once, when it ends, for the topic of the innermost flow that it stood in before its last
input; a flow that began and ended within that one turn counts for the topic of the flow that ran it. Flows
without a topic leave no trace here. Numbers are kept as keyed hashes only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from engine.flow import Flow
from engine.session import Frame
from gateway.host.batch import Batch
from gateway.host.conversation import Conversation
from gateway.store.batch import Row, contact
from gateway.store.reader import SLOT_MS
from gateway.store.record import ContactRow
from gateway.store.sqlite import SqliteStore

LATELY_SLOTS = 3
"""A surge is seen over half an hour: three full slots of ten minutes and the present one."""
USUAL_SLOTS = 7 * 144
"""What is usual rests on seven days."""
LEAST_SLOTS = 12
"""With less than two hours of history nobody knows what is usual."""
LEAST = 10
"""Fewer contacts than this are no surge, whatever is usual."""
TIMES = 3
"""So many times the usual number is a surge."""
LONGEST_DAYS = 31
"""Contacts are kept no longer than this."""
_DAY_MS = 86_400_000


class Contacts:
    """The history of contacts. `pepper` (32 octets) must be the same after a restart."""

    def __init__(self, store: SqliteStore, pepper: bytes) -> None:
        self._store = store
        self._pepper = pepper
        self._slots: dict[str, dict[int, int]] = {}

    def load(self, now: int) -> None:
        """Count what the store holds of the last days."""
        for topic, slot, count in self._store.contacts_by_slot(now - USUAL_SLOTS * SLOT_MS):
            self._slots.setdefault(topic, {})[slot] = count

    def ended(
        self, batch: Batch, conversation: Conversation, frames: tuple[Frame, ...], begun: str = ""
    ) -> None:
        """Note that a session has ended; `frames` is where it stood before its last input.

        `begun` is the flow that this input has begun, if it stood nowhere.
        """
        flows = conversation.flows.flows
        topic = flows[begun].topic if not frames and begun in flows else _topic(flows, frames)
        if topic is not None:
            batch.touch(conversation).contact(self._noted(batch, conversation, topic))

    def row(self, batch: Batch, conversation: Conversation, frames: tuple[Frame, ...]) -> Row | None:
        """As `ended`, for somebody else to store; None if there is nothing to be noted."""
        topic = _topic(conversation.flows.flows, frames)
        return None if topic is None else contact(self._noted(batch, conversation, topic))

    def _noted(self, batch: Batch, conversation: Conversation, topic: str) -> ContactRow:
        batch.leave(self._count, topic, batch.now // SLOT_MS)
        return ContactRow(batch.now, topic, self._who(conversation.session.caller))

    def repeated(self, caller: str, asked: str, now: int) -> bool:
        """Tell whether the caller was here about a topic within days: `internet:7`."""
        topic, _, days = asked.rpartition(":")
        if not caller or not days.isdigit():
            return False
        since = now - min(int(days), LONGEST_DAYS) * _DAY_MS
        return self._store.was_here(self._who(caller), topic, since)

    def surges(self, topic: str, now: int) -> bool:
        """Tell whether many more than usual are here about a topic now."""
        slots = self._slots.get(topic)
        if not slots:
            return False
        present = now // SLOT_MS
        lately = sum(slots.get(slot, 0) for slot in range(present - LATELY_SLOTS, present + 1))
        if lately < LEAST:
            return False
        for slot in [slot for slot in slots if slot < present - USUAL_SLOTS]:
            del slots[slot]
        known = present - LATELY_SLOTS - min(slots)
        if known < LEAST_SLOTS:
            return False
        before = sum(count for slot, count in slots.items() if slot < present - LATELY_SLOTS)
        return lately * known >= TIMES * before * (LATELY_SLOTS + 1)

    def _who(self, caller: str) -> bytes:
        return hashlib.blake2b(caller.encode(), key=self._pepper, digest_size=16).digest()

    def _count(self, topic: str, slot: int) -> None:
        slots = self._slots.setdefault(topic, {})
        slots[slot] = slots.get(slot, 0) + 1


def _topic(flows: Mapping[str, Flow], frames: tuple[Frame, ...]) -> str | None:
    """Return the topic of the innermost flow of a stack that has one."""
    for frame in reversed(frames):
        flow = flows.get(frame.flow)
        if flow is not None and flow.topic is not None:
            return flow.topic
    return None
