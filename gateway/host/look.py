"""Questions about the world: answered in the same batch, or when the order they wait for has ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.calendar import end_of_workday, is_open
from engine.effects import Look, Question
from engine.expressions import question_key
from engine.flow_set import FlowSet
from engine.inputs import Looked
from engine.values import Value
from gateway.backends.order import Orders, Running
from gateway.host.batch import Batch
from gateway.host.contact import Contacts
from gateway.host.conversation import Conversation
from gateway.host.task import Tasks
from gateway.store.sqlite import SqliteStore

BY_TELEPHONE = "c:"
"""Begins the keys of sessions by telephone."""


class Looks:
    """Answers every kind of question; a kind nobody knows is answered with nothing.

    `line(kind, queue, session)` answers for callers, from what is known of their queues; None: nothing.
    """

    def __init__(self, store: SqliteStore, orders: Orders, tasks: Tasks, contacts: Contacts) -> None:
        self._store = store
        self._orders = orders
        self._tasks = tasks
        self._contacts = contacts
        self.line: Callable[[str, str, str], int | None] | None = None

    def answer(self, batch: Batch, conversation: Conversation, look: Look) -> Looked | None:
        """Return the answers, or None when one has to wait for a running order (reliability 2.1).

        The session then keeps its questions; they are asked again when the order has ended.
        """
        values: list[Value] = []
        for question in look.questions:
            caller = question.subject or conversation.session.caller
            answer = self._one(conversation.flows, caller, conversation.key, question, batch.now)
            if isinstance(answer, Running):
                conversation.look = look
                conversation.order = answer.order.key
                return None
            values.append(answer)
        conversation.look = None
        conversation.order = None
        return Looked(tuple(values))

    def again(self, batch: Batch, conversation: Conversation) -> Looked | None:
        """The order that the questions waited for has ended: ask them once more."""
        look = conversation.look
        return None if look is None else self.answer(batch, conversation, look)

    def known(
        self, flows: FlowSet, caller: str, questions: Sequence[Question], now: int
    ) -> dict[str, Value] | None:
        """Answer questions outside a session, by `question_key`; None while a running order decides one."""
        values: dict[str, Value] = {}
        for question in questions:
            answer = self._one(flows, question.subject or caller, "", question, now)
            if isinstance(answer, Running):
                return None
            values[question_key(question)] = answer
        return values

    def _on_line(self, kind: str, queue: str, session: str) -> int | None:
        if self.line is None or not session.startswith(BY_TELEPHONE):
            return None
        return self.line(kind, queue, session)

    def _one(
        self, flows: FlowSet, subject: str, session: str, question: Question, now: int
    ) -> Value | Running:
        match question.kind:
            case "recent":
                return self._orders.recent(subject, question.name, now)
            case "memory":
                return self._store.count_memory(subject, question.name, now)
            case "open":
                return is_open(flows.project, question.name, now)
            case "workdays":
                project = flows.project
                return end_of_workday(project, next(iter(project.calendars), ""), int(question.name), now)
            case "expected_wait" | "position" if (
                on_line := self._on_line(question.kind, question.name, session)
            ) is not None:
                return on_line
            case "expected_wait":
                return self._tasks.expected_wait_s(question.name, session, now)
            case "position":
                return self._tasks.place(question.name, session)
            case "repeat_contact":
                return self._contacts.repeated(subject, question.name, now)
            case "surge":
                return self._contacts.surges(question.name, now)
            case "announcement":
                return (self._store.get_meta("announcement") or b"").decode(errors="replace")
        return None
