"""Orders to be called back: tasks with a time, one open order for each phone and queue, or for each key."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from engine.effects import OrderCallback
from engine.inputs import BackendReplied
from gateway.backends.outcome import DONE, UNAVAILABLE
from gateway.host.batch import Batch
from gateway.host.conversation import Conversation
from gateway.host.host import Host
from gateway.host.people import FLOW, topic_of
from gateway.host.task import Tasks
from gateway.store.record import Line, TaskKind, TaskRow, TaskState

MOST_ORDERS = 100_000
"""Open tasks of a queue beyond which no order is taken: nobody would ever call."""
KEPT_PLACE = "callback"
"""Result of a question whose subscriber has ordered a call back instead."""


class Callbacks:
    """Takes orders. `pepper` (32 octets, the same after a restart) keeps phones and keys out of the index.

    `arrival_of` tells when a session's caller came to the queue of calls, whose place the order keeps.
    """

    def __init__(self, host: Host, tasks: Tasks, pepper: bytes) -> None:
        self._host = host
        self._tasks = tasks
        self._pepper = pepper
        self.arrival_of: Callable[[str], int | None] | None = None

    def order(self, batch: Batch, conversation: Conversation, effect: OrderCallback) -> BackendReplied:
        """Open an order or add to the one that is open; the answer has its number and its time."""
        key = self._key(effect)
        row = self._tasks.of_key(key)
        if row is None and self._tasks.length(effect.queue) >= MOST_ORDERS:
            self._host.counters["callbacks_refused"] += 1
            return BackendReplied(effect.call, UNAVAILABLE)
        arrival = self._place(batch, conversation)
        if row is None:
            row = self._open(batch, conversation, effect, key, arrival)
            self._host.counters[f"tasks_opened.{TaskKind.CALLBACK}"] += 1
        else:
            row = self._again(batch, conversation, effect, row, arrival)
            self._host.counters["callbacks_again"] += 1
        by = datetime.fromtimestamp(row.due / 1000, UTC)
        return BackendReplied(effect.call, DONE, {"number": row.number, "by": by})

    def _key(self, effect: OrderCallback) -> str:
        same = f"phone:{effect.to}" if effect.key is None else f"key:{effect.key}"
        named = f"{effect.queue}\0{same}".encode()
        return "callback:" + hashlib.blake2b(named, key=self._pepper, digest_size=16).hexdigest()

    def _place(self, batch: Batch, conversation: Conversation) -> int:
        """Return the place of the order: that of the question it is ordered instead of, which is closed."""
        question = self._tasks.of_session(conversation.key)
        if question is None:
            arrival = None if self.arrival_of is None else self.arrival_of(conversation.key)
            return batch.now if arrival is None else arrival
        closed = msgspec.structs.replace(
            question, state=TaskState.DONE, closed_at=batch.now, result=KEPT_PLACE
        )
        self._tasks.put(batch, batch.touch(conversation), closed)
        return question.arrival

    def _open(
        self, batch: Batch, conversation: Conversation, effect: OrderCallback, key: str, arrival: int
    ) -> TaskRow:
        row = TaskRow(
            number=0,
            kind=TaskKind.CALLBACK,
            queue=effect.queue,
            subscriber=effect.to,
            at=batch.now,
            due=effect.by,
            arrival=arrival,
            key=key,
            topic=topic_of(conversation),
            not_before=effect.at,
            trail=effect.trail,
            lines=(Line(batch.now, FLOW, effect.note),) if effect.note else (),
        )
        return self._tasks.add(batch, batch.touch(conversation), row)

    def _again(
        self,
        batch: Batch,
        conversation: Conversation,
        effect: OrderCallback,
        row: TaskRow,
        arrival: int,
    ) -> TaskRow:
        row = msgspec.structs.replace(row, arrival=min(row.arrival, arrival), trail=effect.trail or row.trail)
        group = batch.touch(conversation)
        if effect.note:
            written = self._tasks.write(batch, group, row, Line(batch.now, FLOW, effect.note))
            if written is not None:
                return written
            self._host.counters["task_lines_dropped"] += 1
        self._tasks.put(batch, group, row)
        return row
