"""Questions about the world: answered in the same batch, or when the order they wait for has ended."""

from __future__ import annotations

from engine.calendar import end_of_workday, is_open
from engine.effects import Look, Question
from engine.inputs import Looked
from engine.values import Value
from gateway.backends.order import Orders, Running
from gateway.host.batch import Batch
from gateway.host.conversation import Conversation
from gateway.store.sqlite import SqliteStore


class Looks:
    """Answers `recent` from the orders, `memory` from the store, `open` and `workdays` from the calendars."""

    def __init__(self, store: SqliteStore, orders: Orders) -> None:
        self._store = store
        self._orders = orders

    def answer(self, batch: Batch, conversation: Conversation, look: Look) -> Looked | None:
        """Return the answers, or None when one has to wait for a running order (reliability 2.1).

        The session then keeps its questions; they are asked again when the order has ended.
        """
        values: list[Value] = []
        for question in look.questions:
            answer = self._one(conversation, question, batch.now)
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

    def _one(self, conversation: Conversation, question: Question, now: int) -> Value | Running:
        subject = question.subject or conversation.session.caller
        match question.kind:
            case "recent":
                return self._orders.recent(subject, question.name, now)
            case "memory":
                return self._store.count_memory(subject, question.name, now)
            case "open":
                return is_open(conversation.flows.project, question.name, now)
            case "workdays":
                project = conversation.flows.project
                return end_of_workday(project, next(iter(project.calendars), ""), int(question.name), now)
        return None
