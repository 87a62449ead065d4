"""After a start: every stored session lives again, and what was under way is taken up.

Orders that were running have an unknown outcome, since their request may have left; whoever waits for one is
told so, and the order is cleared up in the background. Requests that only read are sent again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
import structlog

from engine.inputs import BackendReplied, Input
from engine.session import Waiting
from gateway.backends.order import Orders
from gateway.backends.outcome import DONE, Outcome
from gateway.host.batch import Batch
from gateway.host.call import RETRY_COMMIT_S, Calls
from gateway.host.conversation import (
    LAST_TURN,
    Conversation,
    read_ended_dialog,
    read_record,
    revive,
)
from gateway.host.event import Events
from gateway.host.host import Host
from gateway.host.people import People
from gateway.host.ussd import UssdLane
from gateway.host.voice import VoiceLane
from gateway.library import Library
from gateway.store.error import SealError
from gateway.store.record import Loaded, OrderState
from ussd.dialog import LINGER_MS

BUILD = "build:"
"""Prefix of the store's names for the sources of a build."""


def store_build(batch: Batch, library: Library) -> None:
    """Store the sources of the current build, so that its sessions outlive a restart."""
    batch.stored.group().meta(BUILD + library.current.build, library.pack_current())


def drop_builds(batch: Batch, host: Host) -> None:
    """Remove the sources of builds that no session needs any more; those of the current one stay."""
    used = {one.flows.build for one in host.conversations.values()} | {host.library.current.build}
    group = batch.stored.group()
    for name in host.store.meta_names(BUILD):
        if name.removeprefix(BUILD) not in used:
            group.unmeta(name)


class Recovery:
    """Brings back what the store holds. `lost` counts sessions that could not be read."""

    def __init__(
        self,
        host: Host,
        orders: Orders,
        calls: Calls,
        ussd: UssdLane,
        voice: VoiceLane,
        events: Events,
        people: People,
    ) -> None:
        self._host = host
        self._orders = orders
        self._calls = calls
        self._ussd = ussd
        self._voice = voice
        self._events = events
        self._people = people
        self.step: Callable[[Batch, Conversation, Input], None] | None = None
        self.lost = 0
        self._log = structlog.get_logger()

    def load(self, loaded: Loaded) -> None:
        """Make the stored sessions and orders live again; nothing leaves yet."""
        self._orders.load(loaded.orders)
        for row in self._host.store.journal_since(LAST_TURN, self._host.clock.now() - LINGER_MS):
            try:
                self._ussd.dialogs.restore(read_ended_dialog(row))
            except msgspec.DecodeError:
                # Of another version: a copy of its last message gets the farewell instead of the stored page.
                self._host.counters["ended_dialogs_unreadable"] += 1
        for stored in loaded.sessions:
            try:
                self._revive(stored.key)
            except (msgspec.DecodeError, ValueError, SealError) as error:
                self.lost += 1
                self._log.error("session_unreadable", key=stored.key.split(":", 1)[0], reason=str(error))

    def _revive(self, key: str) -> None:
        host, store = self._host, self._host.store
        found = store.get_session(key)
        if found is None:
            return
        version, data = found
        record = read_record(data)
        flows = host.library.builds.get(record.build)
        if flows is None:
            sources = store.get_meta(BUILD + record.build)
            if sources is None or not host.library.adopt(record.build, sources):
                raise ValueError(f"build {record.build} is not there any more")
            flows = host.library.builds[record.build]
        conversation = revive(key, version, record, flows)
        host.adopt(conversation)
        self._ussd.restore(conversation)
        if conversation.order is not None:
            self._calls.wait(conversation)

    def resume(self, batch: Batch, _: object) -> None:
        """Take up what was under way; the handler of the first batch after a start."""
        batch.refuse(self._once_more)
        host = self._host
        for conversation in list(host.conversations.values()):
            # First: what is still asked for them is asked for somebody who has gone.
            host.guarded(batch, self._voice.recover, conversation)
        waiting = [one for one in host.conversations.values() if self._waits(one)]
        # Each alone: one session that cannot go on must not hold up the orders and sessions of the others.
        for change in self._orders.recover(batch.now):
            host.guarded(batch, self._calls.take_change, change)
        for conversation in waiting:
            if self._waits(conversation):
                host.guarded(batch, self._take_up, conversation)
        for conversation in list(host.conversations.values()):
            host.guarded(batch, self._ussd.recover, conversation)
            host.guarded(batch, self._people.recover, conversation)
        host.guarded(batch, self._events.fire_waiting, None)

    def _once_more(self) -> None:
        """Nothing of it was stored: orders and sessions still wait to be taken up."""
        asyncio.get_running_loop().call_later(RETRY_COMMIT_S, self._host.take, self.resume, None)

    @staticmethod
    def _waits(conversation: Conversation) -> bool:
        return conversation.session.waiting in (Waiting.BACKEND, Waiting.LOOK)

    def _take_up(self, batch: Batch, conversation: Conversation) -> None:
        """Deal with a session whose order has not just been concluded."""
        order = None if conversation.order is None else self._orders.get(conversation.order)
        if conversation.call is not None and order is None and conversation.order is None:
            batch.leave(self._calls.ask_again, conversation)
            return
        assert self.step is not None
        if order is not None and order.state is not OrderState.RUNNING:
            done = order.state is OrderState.DONE
            outcome = Outcome(DONE, order.value) if done else Outcome(order.error or "unknown")
            self._calls.tell_end(batch, conversation, outcome)
        elif conversation.call is not None:
            self.step(batch, conversation, BackendReplied(conversation.call.call, "unknown"))
        elif conversation.look is not None:
            self._calls.tell_end(batch, conversation, Outcome("unknown"))
