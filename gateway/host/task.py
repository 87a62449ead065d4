"""The tasks of people that are not done yet: numbers, places in the queue, and which session waits for which.

Everything here is what the store holds or is about to hold: a commit that fails takes every change back. This
module does not know what a task is for, nor who works it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

import msgspec

from gateway.host.batch import Batch
from gateway.store.batch import Group
from gateway.store.record import CLOSED, Line, TaskKind, TaskRow, TaskState

LINES = 200
"""Lines that a task takes; who writes more than that is not asking anything."""
QUEUE_LENGTH = 10_000
"""Open tasks that a queue takes; nobody works off more, so the next one hears that it is full."""
PACE_MS = 3_600_000
"""The expected wait rests on the tasks closed within so long."""
USUAL_MS = 180_000
"""How long a task takes as long as nobody has closed enough of them to tell."""
ENOUGH = 3
"""Closed tasks that tell the pace of a queue."""


class TaskError(ValueError):
    """A task cannot be worked as asked; the message says why."""


class Tasks:
    """All open tasks. Changes go into a group of the batch and are taken back when that is not stored."""

    def __init__(self) -> None:
        self.open: dict[int, TaskRow] = {}
        self._of_key: dict[str, int] = {}
        self._of_session: dict[str, int] = {}
        self._of_talk: dict[tuple[str, str], int] = {}
        self._queues: dict[str, dict[int, int]] = {}
        self._closings: dict[str, deque[int]] = {}
        self._last = 0
        self.on_open: Callable[[TaskRow], None] | None = None

    def load(self, rows: Iterable[TaskRow], last: int, closed: Iterable[TaskRow]) -> None:
        """Take over what the store holds: the open tasks, the highest number, what was closed of late."""
        self._last = last
        for row in rows:
            self._keep(row.number, row)
        for row in sorted(closed, key=lambda one: one.closed_at or 0):
            self._note_closing(row)

    # Finding

    def of_key(self, key: str) -> TaskRow | None:
        """Return the open task of a business key."""
        return self.open.get(self._of_key.get(key, 0)) if key else None

    def of_session(self, session: str) -> TaskRow | None:
        """Return the open question of a session."""
        return self.open.get(self._of_session.get(session, 0))

    def of_talk(self, subscriber: str, code: str) -> TaskRow | None:
        """Return the open question that a subscriber has put to a short code."""
        return self.open.get(self._of_talk.get((subscriber, code), 0))

    def length(self, queue: str) -> int:
        """Return how many tasks of a queue are open."""
        return len(self._queues.get(queue, ()))

    def place(self, queue: str, session: str) -> int:
        """Return the place in a queue, counted from 1: that of the session's task, else that of a new one."""
        row = self.of_session(session)
        waiting = self._queues.get(queue, {})
        if row is None or row.number not in waiting:
            return len(waiting) + 1
        mine = (row.arrival, row.number)
        return 1 + sum((arrival, number) < mine for number, arrival in waiting.items())

    def expected_wait_s(self, queue: str, session: str, now: int) -> int:
        """Return how long it takes to work off what is ahead, by the pace of the last hour, in seconds."""
        ahead = self.place(queue, session) - 1
        closings = self._closings.get(queue)
        if closings is None:
            return ahead * USUAL_MS // 1000
        while closings and closings[0] < now - PACE_MS:
            closings.popleft()
        each_ms = USUAL_MS if len(closings) < ENOUGH else (now - closings[0]) // len(closings)
        return ahead * each_ms // 1000

    # Changing

    def add(self, batch: Batch, group: Group, row: TaskRow) -> TaskRow:
        """Open a task and give it the next number."""
        before = self._last
        self._last += 1
        batch.on_failure(lambda: self._count(before))
        row = msgspec.structs.replace(row, number=self._last)
        self._change(batch, group, None, row)
        if self.on_open is not None:
            self.on_open(row)
        return row

    def put(self, batch: Batch, group: Group, row: TaskRow) -> None:
        """Store a task as it is now; one that is closed is forgotten here."""
        self._change(batch, group, self.open.get(row.number), row)

    def write(self, batch: Batch, group: Group, row: TaskRow, line: Line) -> TaskRow | None:
        """Add a line to a task; None if it takes no more."""
        if len(row.lines) >= LINES:
            return None
        row = msgspec.structs.replace(row, lines=(*row.lines, line))
        self.put(batch, group, row)
        return row

    def _change(self, batch: Batch, group: Group, before: TaskRow | None, row: TaskRow) -> None:
        group.task(row)
        self._keep(row.number, row)
        batch.on_failure(lambda: self._keep(row.number, before))
        batch.leave(self._stored, group, before, row)

    def _stored(self, group: Group, before: TaskRow | None, row: TaskRow) -> None:
        if group.lost:
            self._keep(row.number, before)
        elif row.state is TaskState.DONE:
            self._note_closing(row)

    def _count(self, last: int) -> None:
        self._last = last

    def _keep(self, number: int, row: TaskRow | None) -> None:
        """Make `row` what is known of a task; None, or a closed one: nothing is."""
        before = self.open.pop(number, None)
        if before is not None:
            self._index(before, False)
        if row is not None and row.state not in CLOSED:
            self.open[number] = row
            self._index(row, True)

    def _index(self, row: TaskRow, known: bool) -> None:
        number = row.number
        _set(self._of_key, row.key, number, known)
        if row.kind is TaskKind.QUESTION:
            _set(self._of_session, row.session, number, known)
            talk = (row.subscriber, row.code)
            if known:
                self._of_talk[talk] = number
            elif self._of_talk.get(talk) == number:
                del self._of_talk[talk]
        waiting = self._queues.setdefault(row.queue, {})
        if known:
            waiting[number] = row.arrival
        else:
            waiting.pop(number, None)

    def _note_closing(self, row: TaskRow) -> None:
        if row.closed_at is not None:
            self._closings.setdefault(row.queue, deque(maxlen=1_000)).append(row.closed_at)


def _set(index: dict[str, int], key: str, number: int, known: bool) -> None:
    if known and key:
        index[key] = number
    elif index.get(key) == number:
        del index[key]
