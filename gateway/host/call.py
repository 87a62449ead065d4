"""Back-end calls: asked after the commit of their intent, answered into the session that waits.

A call that changes something for good is an order (reliability 2.1): its row is committed before the request
leaves, and whoever asks for the same order while it runs waits for the same outcome.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
import structlog

from engine.effects import CallBackend
from engine.inputs import BackendReplied, Input
from gateway.backends.client import Backend
from gateway.backends.operation import Operation, is_irreversible
from gateway.backends.order import Change, Fresh, Orders, Running, Stored
from gateway.backends.outcome import UNAVAILABLE, UNKNOWN, Outcome
from gateway.host.batch import Batch
from gateway.host.conversation import Conversation
from gateway.host.host import Host
from gateway.store.batch import Group

ANSWER_MARGIN_MS = 500
"""What is left of the dialog's answer time for the answer itself to be stored and to travel."""
RETRY_COMMIT_S = 0.5
"""An outcome that could not be stored is kept and offered to the store again."""


class Reply(msgspec.Struct, frozen=True):
    """How a call ended: for session `session`, call number `call`, of the order `order` if it is one."""

    session: str
    call: int
    order: str | None
    outcome: Outcome


class Calls:
    """The calls under way. `resume` is the stepper's `step`; `changed` is told of every changed order.

    Without `charging` a request that charges is `unavailable`: another gateway, whose orders are not known
    here, may have made it already.
    """

    def __init__(self, host: Host, backend: Backend, orders: Orders) -> None:
        self._host = host
        self._backend = backend
        self.orders = orders
        self.resume: Callable[[Batch, Conversation, Input], None] | None = None
        self.look_again: Callable[[Batch, Conversation], Input | None] | None = None
        self.changed: Callable[[Batch, Change], None] | None = None
        self.charging = True
        self._waiting: dict[str, set[str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._log = structlog.get_logger()

    # Asking

    def ask(self, batch: Batch, conversation: Conversation, effect: CallBackend) -> BackendReplied | None:
        """Take a call of a flow: the outcome if it is known already, else None and the reply comes later."""
        conversation.call = effect
        session = conversation.session
        operation = conversation.flows.operations[effect.operation]
        if operation.charge and not self.charging:
            conversation.call = None
            self._host.counters["charges_left_to_the_other_gateway"] += 1
            return BackendReplied(effect.call, UNAVAILABLE)
        if not is_irreversible(operation):
            batch.leave(self._start, conversation, effect, operation, None)
            return None
        asked = self.orders.ask(
            session.caller,
            operation,
            effect.arguments,
            effect.key,
            batch.now,
            lang=session.lang,
            channel=session.channel,
        )
        match asked:
            case Stored(outcome=outcome, value=value):
                conversation.call = None
                return BackendReplied(effect.call, outcome, value)
            case Running(order=order):
                conversation.order = order.key
                self.wait(conversation)
            case Fresh(order=order):
                conversation.order = order.key
                group = batch.touch(conversation)
                group.order(order)
                batch.on_failure(lambda: self.orders.withdraw(order.key))
                batch.leave(self._start_stored, group, conversation, effect, operation, order.key)
        return None

    def _start_stored(
        self,
        group: Group,
        conversation: Conversation,
        effect: CallBackend,
        operation: Operation,
        order: str,
    ) -> None:
        """Send the request of an order, unless its intent dropped out of the transaction."""
        if group.lost:
            self.orders.withdraw(order)
        else:
            self._start(conversation, effect, operation, order)

    def wait(self, conversation: Conversation) -> None:
        """Have a session told when the order it waits for has ended."""
        assert conversation.order is not None
        self._waiting.setdefault(conversation.order, set()).add(conversation.key)

    def ask_again(self, conversation: Conversation) -> None:
        """After a restart: send the call that a session waits for once more (only what is safe to repeat)."""
        effect = conversation.call
        assert effect is not None
        operation = conversation.flows.operations.get(effect.operation)
        if operation is None:
            reply = Reply(conversation.key, effect.call, None, Outcome(UNAVAILABLE))
            self._host.take_later(self.replied, reply)
            return
        self._start(conversation, effect, operation, None)

    def _start(
        self, conversation: Conversation, effect: CallBackend, operation: Operation, order: str | None
    ) -> None:
        within = effect.within_ms
        dialog = conversation.dialog
        if dialog is not None and dialog.live and dialog.answer_due:
            left = max(0, dialog.time_left(self._host.clock.now()) - ANSWER_MARGIN_MS)
            within = left if within is None else min(within, left)
        task = asyncio.get_running_loop().create_task(
            self._carry_out(conversation, effect, operation, order, within)
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry_out(
        self,
        conversation: Conversation,
        effect: CallBackend,
        operation: Operation,
        order: str | None,
        within_ms: int | None,
    ) -> None:
        session = conversation.session
        try:
            outcome = await self._backend.call(
                operation,
                effect.arguments,
                phone=session.caller,
                lang=session.lang,
                channel=session.channel,
                key=order,
                within_ms=within_ms,
            )
        except Exception as fault:
            # Ours, not the back end's: what it did is not known, and an order must not stay running.
            self._host.counters["faults"] += 1
            self._log.error("call_fault", operation=operation.name, kind=type(fault).__name__, exc_info=True)
            outcome = Outcome(UNKNOWN if is_irreversible(operation) else UNAVAILABLE)
        self._host.counters[f"backend.{operation.name}.{outcome.name}"] += 1
        for observe in self._host.observers:
            observe("backend", conversation, (operation.name, outcome.name))
        self._host.take(self.replied, Reply(conversation.key, effect.call, order, outcome))

    # Answers

    def replied(self, batch: Batch, reply: Reply) -> None:
        """Take the outcome of a call: close its order, then tell everybody who waits for it."""
        if reply.order is not None:
            self.take_change(batch, self.orders.finish(reply.order, reply.outcome, batch.now), reply)
            return
        conversation = self._host.conversations.get(reply.session)
        if conversation is not None:
            self._again_if_not_stored(batch, reply)
            self._tell(batch, conversation, reply.call, reply.outcome)

    def take_change(self, batch: Batch, change: Change, reply: Reply | None = None) -> None:
        """Store a changed order and tell its outcome to the sessions that wait for it."""
        key = change.order.key
        batch.stored.group().order(change.order)
        batch.on_failure(lambda: self.orders.put_back(change))
        waiting = self._waiting.pop(key, set())
        if waiting:
            batch.on_failure(lambda: self._waiting.setdefault(key, set()).update(waiting))
        if reply is not None:
            waiting = waiting | {reply.session}
            self._again_if_not_stored(batch, reply)
        for name in sorted(waiting):
            conversation = self._host.conversations.get(name)
            if conversation is not None and conversation.order == key:
                # Each alone: a session that cannot go on must not keep the outcome from being stored.
                self._host.guarded(batch, self._tell_one, (conversation, change.outcome))
        if self.changed is not None:
            self._host.guarded(batch, self.changed, change)

    def _tell_one(self, batch: Batch, item: tuple[Conversation, Outcome]) -> None:
        conversation, outcome = item
        self.tell_end(batch, conversation, outcome)

    def tell_end(self, batch: Batch, conversation: Conversation, outcome: Outcome) -> None:
        """The order a session waits for has ended: answer its call, or ask its questions again."""
        if conversation.call is not None:
            self._tell(batch, conversation, conversation.call.call, outcome)
        elif conversation.look is not None:
            batch.touch(conversation)
            assert self.look_again is not None
            looked = self.look_again(batch, conversation)
            if looked is None:
                self.wait(conversation)
            else:
                assert self.resume is not None
                self.resume(batch, conversation, looked)

    def _again_if_not_stored(self, batch: Batch, reply: Reply) -> None:
        loop = asyncio.get_running_loop()
        batch.refuse(loop.call_later, RETRY_COMMIT_S, self._host.take, self.replied, reply)

    def _tell(self, batch: Batch, conversation: Conversation, call: int, outcome: Outcome) -> None:
        assert self.resume is not None
        batch.touch(conversation)
        self.resume(batch, conversation, BackendReplied(call, outcome.name, outcome.value))

    async def drain(self, within_s: float) -> None:
        """Wait for the calls under way and for those that their answers lead to, at most so long."""
        time = asyncio.get_running_loop().time
        end = time() + within_s
        while self._tasks and time() < end:
            await asyncio.wait(self._tasks, timeout=end - time())
            await self._host.idle()

    async def close(self) -> None:
        """Cancel what is still under way; a running order is found unknown at the next start."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
