"""Hand-over to people: a question by SMS becomes a task, and what comes of it goes back to the flow.

What the subscriber writes meanwhile belongs to the task; what a person writes leaves from the same short
code. The session waits as long as the task lives. This module does not know what people do with tasks
(`gateway.host.desk`).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable

import msgspec
import structlog

from engine.calendar import is_open
from engine.capabilities import Channel
from engine.effects import Enqueue
from engine.inputs import AgentLeft, Input
from engine.session import Waiting
from gateway.host.batch import Batch
from gateway.host.conversation import Conversation
from gateway.host.host import Host
from gateway.host.task import QUEUE_LENGTH, Tasks
from gateway.store.batch import Group
from gateway.store.record import Line, OrderRow, TaskKind, TaskRow, TaskState

LONGEST_MS = 72 * 3_600_000
"""How long a question waits for people when the flow does not say."""
KEPT_MS = 30 * 86_400_000
"""How long a task other than a question stays open after the time it was due."""
_ASKS_PEOPLE = (Waiting.PEOPLE, Waiting.ANSWER)
"""A session that is offered a call back waits for an answer and for people at once."""
SUBSCRIBER, FLOW, STAFF = "subscriber", "flow", "staff"
MONEY = "money:"
"""Prefix of the keys of money tasks; the key of the order follows."""


class People:
    """Tasks as flows see them. `step` is the stepper's; `line` hands a caller over to who answers calls."""

    def __init__(self, host: Host, tasks: Tasks) -> None:
        self._host = host
        self.tasks = tasks
        self.step: Callable[[Batch, Conversation, Input], None] | None = None
        self.line: Callable[[Batch, Conversation, Enqueue], AgentLeft | None] | None = None
        self._timers: list[tuple[int, int]] = []
        self._missed: dict[str, AgentLeft] = {}
        self._log = structlog.get_logger()
        tasks.on_open = self._watch

    # Flows

    def enqueue(self, batch: Batch, conversation: Conversation, effect: Enqueue) -> AgentLeft | None:
        """Hand a subscriber over: None, and `AgentLeft` comes later, or at once what it has come to."""
        if self.line is not None and conversation.session.channel == Channel.VOICE:
            return self.line(batch, conversation, effect)
        missed = self._missed.pop(conversation.key, None)
        if missed is not None:
            return msgspec.structs.replace(missed, call=effect.call)
        row = self.tasks.of_session(conversation.key)
        if row is not None:
            self._stay(batch, conversation, effect, row)
            return None
        refusal = self._refusal(conversation, effect.queue, batch.now)
        if refusal:
            self._host.counters[f"queue_refused.{refusal}"] += 1
            return AgentLeft(effect.call, refusal)
        session = conversation.session
        lines = [Line(batch.now, SUBSCRIBER, session.text)] if session.text else []
        if effect.note:
            lines.append(Line(batch.now, FLOW, effect.note))
        step_ms = conversation.flows.project.queues[effect.queue].step_ms
        row = TaskRow(
            number=0,
            kind=TaskKind.QUESTION,
            queue=effect.queue,
            subscriber=session.caller,
            at=batch.now,
            due=batch.now + (LONGEST_MS if effect.timeout_ms is None else effect.timeout_ms),
            arrival=batch.now - effect.priority * step_ms,
            code=session.called,
            topic=topic_of(conversation),
            session=conversation.key,
            call=effect.call,
            offer_at=_later(batch.now, effect.callback_after_ms),
            skills=effect.skills,
            trail=effect.trail,
            lines=tuple(lines),
        )
        self.tasks.add(batch, batch.touch(conversation), row)
        self._host.counters[f"tasks_opened.{TaskKind.QUESTION}"] += 1
        return None

    def _stay(self, batch: Batch, conversation: Conversation, effect: Enqueue, row: TaskRow) -> None:
        """The subscriber was offered a call back and waits on: his place stands."""
        row = msgspec.structs.replace(
            row, call=effect.call, queue=effect.queue, offer_at=_later(batch.now, effect.callback_after_ms)
        )
        self.tasks.put(batch, batch.touch(conversation), row)
        self._watch(row)

    def _refusal(self, conversation: Conversation, queue: str, now: int) -> str:
        """Return why a queue does not take a subscriber, "" if it does."""
        project = conversation.flows.project
        if queue not in project.queues or not is_open(project, queue, now):
            return "closed"
        if conversation.session.channel != Channel.SMS:
            return "no_agent"  # nobody is on a line that people could take
        return "full" if self.tasks.length(queue) >= QUEUE_LENGTH else ""

    def written(self, batch: Batch, group: Group, subscriber: str, code: str, text: str) -> bool:
        """Take an SMS that belongs to an open question; False if there is none."""
        row = self.tasks.of_talk(subscriber, code)
        if row is None:
            return False
        conversation = self._host.conversations.get(row.session)
        if conversation is None or conversation.session.waiting is not Waiting.PEOPLE:
            return False
        if self.tasks.write(batch, group, row, Line(batch.now, SUBSCRIBER, text)) is None:
            self._host.counters["task_lines_dropped"] += 1
        return True

    # Orders of money

    def order_changed(self, batch: Batch, order: OrderRow) -> None:
        """Make a task of an order that only people can clear up; exactly one, however often it is told."""
        key = MONEY + order.key
        if self.tasks.of_key(key) is not None or self._host.store.find_task_of(key) is not None:
            return
        row = TaskRow(
            number=0,
            kind=TaskKind.MONEY,
            queue=self._host.library.current.project.money_queue,
            subscriber=order.caller,
            at=batch.now,
            due=batch.now + LONGEST_MS,
            arrival=order.asked_at,
            key=key,
            lines=(Line(batch.now, FLOW, f"{order.operation}: {order.key}"),),
        )
        self.tasks.add(batch, batch.stored.group(), row)
        self._host.counters[f"tasks_opened.{TaskKind.MONEY}"] += 1

    def end(self, batch: Batch, row: TaskRow) -> None:
        """Store a closed task, with the session that waits for it if there is one."""
        conversation = self._host.conversations.get(row.session)
        group = batch.stored.group() if conversation is None else batch.touch(conversation)
        self.tasks.put(batch, group, row)

    def tell(self, batch: Batch, row: TaskRow, left: AgentLeft) -> None:
        """Give a session the news of its task, now or when it asks again."""
        conversation = self._host.conversations.get(row.session)
        if row.kind is not TaskKind.QUESTION or conversation is None:
            return
        session = conversation.session
        if session.waiting in _ASKS_PEOPLE and session.call == row.call:
            assert self.step is not None
            self.step(batch, conversation, left)
        if conversation.session is session and left.outcome != "waiting" and not conversation.ended:
            batch.leave(self._missed.__setitem__, conversation.key, left)

    # Time

    def load(self, rows: Iterable[TaskRow]) -> None:
        """Watch the times of the tasks that the store holds."""
        for row in rows:
            self._watch(row)

    def recover(self, batch: Batch, conversation: Conversation) -> None:
        """After a start: a session that waits for people whom nothing calls goes on."""
        session = conversation.session
        if session.channel == Channel.VOICE:
            return  # the dialplan brings a caller back, not a task
        if session.waiting is Waiting.PEOPLE and self.tasks.of_session(conversation.key) is None:
            self._host.counters["people_waits_without_task"] += 1
            assert self.step is not None
            self.step(batch, conversation, AgentLeft(session.call, "no_agent"))

    def tend(self, now: int) -> None:
        """About once a second: take the tasks whose time has come."""
        while self._timers and self._timers[0][0] <= now:
            _, number = heapq.heappop(self._timers)
            self._host.take(self._timed, number)
        for key in [key for key in self._missed if key not in self._host.conversations]:
            del self._missed[key]

    def _watch(self, row: TaskRow) -> None:
        heapq.heappush(self._timers, (self._next(row), row.number))

    @staticmethod
    def _next(row: TaskRow) -> int:
        """Return when something happens to a task if nobody works on it."""
        if row.kind is not TaskKind.QUESTION:
            return row.due + KEPT_MS if row.overdue else row.due
        return row.due if row.offer_at is None else min(row.due, row.offer_at)

    def _timed(self, batch: Batch, number: int) -> None:
        row = self.tasks.open.get(number)
        if row is None:
            return
        batch.on_failure(lambda: self._watch(row))
        if self._next(row) > batch.now:
            self._watch(row)
        elif row.kind is not TaskKind.QUESTION and not row.overdue:
            self._host.counters["tasks_overdue"] += 1
            self._log.error("task_overdue", number=row.number, kind=str(row.kind), queue=row.queue)
            late = msgspec.structs.replace(row, overdue=True)
            self.tasks.put(batch, batch.stored.group(), late)
            self._watch(late)
        elif batch.now < row.due:
            offered = msgspec.structs.replace(row, offer_at=None)
            self.tasks.put(batch, batch.stored.group(), offered)
            self._watch(offered)
            waited = (batch.now - row.at) // 1000
            self.tell(batch, row, AgentLeft(row.call, "waiting", waited_s=waited))
        else:
            self._expire(batch, row)

    def _expire(self, batch: Batch, row: TaskRow) -> None:
        self._host.counters["tasks_expired"] += 1
        self._log.error("task_expired", number=row.number, kind=str(row.kind), queue=row.queue)
        self.end(batch, msgspec.structs.replace(row, state=TaskState.EXPIRED, closed_at=batch.now))
        waited = (batch.now - row.at) // 1000
        self.tell(batch, row, AgentLeft(row.call, "timeout", waited_s=waited))


def topic_of(conversation: Conversation) -> str:
    """Return the topic that a session is about now: of its innermost flow with one, else its first flow."""
    flows, frames = conversation.flows.flows, conversation.session.frames
    for frame in reversed(frames):
        topic = flows[frame.flow].topic if frame.flow in flows else None
        if topic is not None:
            return topic
    return frames[0].flow if frames else ""


def _later(now: int, after_ms: int | None) -> int | None:
    return None if after_ms is None else now + after_ms
