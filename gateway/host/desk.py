"""The desk: what people do with tasks from outside, each act durable before it is confirmed, and audited.

What an act means to the session that waits is `gateway.host.people`'s business. This module does not know who
the people are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

from engine.inputs import AgentLeft
from gateway.backends.order import Change, Orders
from gateway.host.batch import Batch
from gateway.host.host import Host
from gateway.host.outbox import Outbox
from gateway.host.people import LONGEST_MS, MONEY, STAFF, People
from gateway.host.task import TaskError, Tasks
from gateway.store.error import StoreError
from gateway.store.record import AuditRow, Line, TaskKind, TaskRow, TaskState

ANSWER_LENGTH = 670
"""Characters of one answer: ten parts of a message in UCS-2."""
NOTE_LENGTH = 1_600
RESULTS = frozenset({"", "solved", "unsolved", "escalate"})
MONEY_RESULTS = {"done": True, "not_done": False}
"""What people found out about an order of money, and whether it was carried out."""
OURS = "gateway"
"""Who acts when nobody says it."""

_Handler: TypeAlias = Callable[..., TaskRow]


class _Work(msgspec.Struct, frozen=True):
    """Something that a person does with a task."""

    done: asyncio.Future[TaskRow]
    handler: _Handler
    act: str
    by: str
    number: int
    given: tuple[Any, ...]


class Desk:
    """All that people can do. `settle` stores an order that they have cleared up (`Calls.take_change`)."""

    def __init__(self, host: Host, people: People, tasks: Tasks, outbox: Outbox, orders: Orders) -> None:
        self._host = host
        self._people = people
        self.tasks = tasks
        self._outbox = outbox
        self._orders = orders
        self.settle: Callable[[Batch, Change], None] | None = None

    async def show(self, number: int, *, by: str = OURS) -> TaskRow:
        """Return a task whole, open or closed. Raises TaskError, StoreError."""
        return await self._work(self._shown, "show", by, number)

    async def take(self, number: int, *, by: str = OURS) -> TaskRow:
        """Note that somebody works on a task. Raises TaskError, StoreError."""
        return await self._work(self._taken, "take", by, number)

    async def answer(self, number: int, text: str, *, by: str = OURS) -> TaskRow:
        """Send an answer to the subscriber from the short code he wrote to; the task stays open.

        Raises TaskError for a closed task or a text that is empty or too long, StoreError.
        """
        text = text.strip()
        if not 0 < len(text) <= ANSWER_LENGTH:
            raise TaskError(f"an answer has 1 to {ANSWER_LENGTH} characters, this one has {len(text)}")
        _refuse_controls(text)
        return await self._work(self._answered, "answer", by, number, text)

    async def close(
        self, number: int, result: str, topic: str = "", note: str = "", *, by: str = OURS
    ) -> TaskRow:
        """Close a task: the flow that waits for it goes on with this result.

        `result` is `solved`, `unsolved`, `escalate` or empty; of an order of money `done` or `not_done`.
        Raises TaskError, StoreError.
        """
        if len(note) > NOTE_LENGTH or len(topic) > NOTE_LENGTH:
            raise TaskError(f"a note has at most {NOTE_LENGTH} characters")
        _refuse_controls(note + topic)
        return await self._work(self._close, "close", by, number, result, topic, note)

    async def _work(self, handler: _Handler, act: str, by: str, number: int, *given: Any) -> TaskRow:
        done: asyncio.Future[TaskRow] = asyncio.get_running_loop().create_future()
        self._host.take(self._worked, _Work(done, handler, act, by, number, given))
        return await done

    def _worked(self, batch: Batch, work: _Work) -> None:
        try:
            row = self.tasks.open.get(work.number)
            if row is None and work.act == "show":
                row = self._host.store.find_task(work.number)
            if row is None:
                raise TaskError(self._why_not(work.number))
            row = work.handler(batch, row, *work.given)
        except TaskError as error:
            _fail(work.done, error)
            return
        except Exception:
            _fail(work.done, StoreError("the task could not be worked; the log says why"))
            raise
        audit = AuditRow(batch.now, work.by, f"queue.{work.act}", str(work.number))
        batch.stored.group().audit(audit)
        batch.leave(_finish, work.done, row)
        batch.refuse(_fail, work.done, StoreError("nothing was stored: try again"))

    @staticmethod
    def _shown(batch: Batch, row: TaskRow) -> TaskRow:
        return row

    def _why_not(self, number: int) -> str:
        row = self._host.store.find_task(number) if number > 0 else None
        return f"there is no task {number}" if row is None else f"task {number} is {row.state} already"

    def _taken(self, batch: Batch, row: TaskRow) -> TaskRow:
        row = self._at_work(batch, row)
        self.tasks.put(batch, batch.stored.group(), row)
        return row

    @staticmethod
    def _at_work(batch: Batch, row: TaskRow) -> TaskRow:
        """Return a task that somebody has begun to work on: its subscriber does not wait in vain any more."""
        if row.state is not TaskState.OPEN:
            return row
        due = max(row.due, batch.now + LONGEST_MS) if row.kind is TaskKind.QUESTION else row.due
        return msgspec.structs.replace(row, state=TaskState.TAKEN, taken_at=batch.now, offer_at=None, due=due)

    def _answered(self, batch: Batch, row: TaskRow, text: str) -> TaskRow:
        group = batch.stored.group()
        row = self._at_work(batch, row)
        written = self.tasks.write(batch, group, row, Line(batch.now, STAFF, text))
        if written is None:
            raise TaskError(f"task {row.number} has all the lines it can take: close it")
        sender = row.code or self._host.library.current.project.sms_from
        self._outbox.post(batch, group, to=row.subscriber, sender=sender, text=text, session=row.session)
        self._host.counters["task_answers"] += 1
        return written

    def _close(self, batch: Batch, row: TaskRow, result: str, topic: str, note: str) -> TaskRow:
        if row.kind is TaskKind.MONEY:
            self._resolve(batch, row, result)
        elif result not in RESULTS:
            raise TaskError(f'the result "{result}" is not one of solved, unsolved, escalate')
        closed = msgspec.structs.replace(
            row, state=TaskState.DONE, closed_at=batch.now, result=result, about=topic, closing=note
        )
        self._people.end(batch, closed)
        self._host.counters[f"tasks_done.{row.kind}"] += 1
        waited = ((row.taken_at or batch.now) - row.at) // 1000
        self._people.tell(batch, row, AgentLeft(row.call, "answered", result, topic, note, waited))
        return closed

    def _resolve(self, batch: Batch, row: TaskRow, result: str) -> None:
        if result not in MONEY_RESULTS:
            raise TaskError(f'the result "{result}" is not one of done, not_done')
        try:
            change = self._orders.resolve(row.key.removeprefix(MONEY), MONEY_RESULTS[result], batch.now)
        except KeyError:
            self._host.counters["money_orders_gone"] += 1
            return
        assert self.settle is not None
        self.settle(batch, change)


def _refuse_controls(text: str) -> None:
    if any(not sign.isprintable() and sign != "\n" for sign in text):
        raise TaskError("the text has characters that cannot be shown")


def _finish(done: asyncio.Future[TaskRow], row: TaskRow) -> None:
    if not done.done():
        done.set_result(row)


def _fail(done: asyncio.Future[TaskRow], error: Exception) -> None:
    if not done.done():
        done.set_exception(error)
