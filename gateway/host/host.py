"""The batch loop: inputs in, one commit, effects out. The theory is in the package's docstring."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from itertools import islice
from typing import Any, Protocol, TypeAlias

import msgspec
import structlog

from engine.chosen_language import MEMORY as CHOICE
from engine.chosen_language import chosen_language
from engine.counts import Counts
from engine.effects import Note
from engine.session import Waiting
from gateway.host.batch import AcceptedRow, Batch, Before, Ended, Turned
from gateway.host.conversation import LAST_PAGE, LAST_TURN, Conversation
from gateway.host.wheel import SLOT_MS, Wheel
from gateway.journal.detail import Details
from gateway.library import Library
from gateway.store.batch import Group
from gateway.store.sqlite import SqliteStore
from gateway.switch import Switches
from smpp.event import Failed
from smpp.links import Link, PageOut

Handler: TypeAlias = Callable[[Batch, Any], None]
Observer: TypeAlias = Callable[[str, Conversation | None, Any], None]
"""`observer(event, conversation, detail)` with `trace`, `turn`, `backend`, `sms`: for pages and traces."""

_ENDED = Waiting.ENDED
_encode = msgspec.msgpack.Encoder().encode
LOGGED = frozenset({"log", "error"})
FAULTS_LOGGED = 20
"""Tracebacks written in full; a fault that repeats is only counted after that."""
DUE_AGAIN_S = 0.5
"""A deadline whose turn could not be stored comes again after so long."""
DUE_AFTER_FAULT_MS = 60_000
"""A deadline whose turn met with a fault of ours comes again after so long."""


class Clock(Protocol):
    """The host's one clock, in UTC milliseconds."""

    def now(self) -> int:
        """Return the moment."""
        ...


class Host:
    """Owns the live sessions and the loop that steps, stores and lets go.

    What a batch consists of is put in with `take(handler, item)`: the handler is called with the batch and
    the item. `stepper` and the lanes are joined to it by `gateway.app`. Call everything on the loop's thread.
    """

    def __init__(self, store: SqliteStore, library: Library, clock: Clock) -> None:
        self.store = store
        self.library = library
        self.clock = clock
        self.conversations: dict[str, Conversation] = {}
        self.counters: Counter[str] = Counts()
        self.switches = Switches(self.counters, lambda: library.current)
        self.observers: list[Observer] = []
        self.wheel: Wheel[Conversation] = Wheel()
        self.on_due: Handler | None = None
        self.on_unsent: Handler | None = None
        self.details: Details | None = None
        self.after_batch: list[Callable[[], None]] = []
        self.draining = False
        self._pending: list[tuple[Handler, Any]] = []
        self._busy = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0
        self._idle: asyncio.Event | None = None
        self._log = structlog.get_logger()

    def language(self, subscriber: str, now: int, otherwise: str = "") -> str:
        """Return the language in which a session of a subscriber begins.

        That is the one the subscriber has chosen, else `otherwise`, else that of the flows. `now` is UTC in
        milliseconds.
        """
        project = self.library.current.project
        if CHOICE not in project.memory:
            return otherwise or project.languages[0]  # as `chosen_language` would find out
        chosen = chosen_language(project, lambda name: self.store.count_memory(subscriber, name, now))
        return chosen or otherwise or project.languages[0]

    # Inputs

    def take(self, handler: Handler, item: Any) -> None:
        """Have `handler(batch, item)` called in the next batch; at once when no commit is under way."""
        self._pending.append((handler, item))
        if not self._busy:
            self._run()

    def take_later(self, handler: Handler, item: Any) -> None:
        """As `take`, for use while a batch runs: never nested."""
        self._pending.append((handler, item))
        if not self._busy:
            self._busy = True
            asyncio.get_running_loop().call_soon(self._next)

    # One batch

    def _run(self) -> None:
        self._busy = True
        pending, self._pending = self._pending, []
        now = self.clock.now()
        batch = Batch(self.store.batch(now), now)
        for handler, item in pending:
            self.guarded(batch, handler, item)
        self.counters["batches"] += 1
        if not batch.stores:
            self._leave(batch)
            return
        try:
            self._put_sessions(batch)
            self.store.commit(batch.stored, lambda lost, error: self._committed(batch, lost, error))
        except Exception as fault:
            # Something that cannot be written down. Whoever sent it is told to send again; the loop goes on.
            self._fault(fault)
            batch.give_up()
            self._failed(batch, fault)

    def guarded(self, batch: Batch, handler: Handler, item: Any) -> bool:
        """Call a handler; a fault of ours in it harms no other input of the batch. True if it went well."""
        mark = batch.mark()
        outer, first = batch.saved, batch.first
        batch.saved, batch.first, batch.latest = {}, mark[1], None
        try:
            handler(batch, item)
        except Exception as fault:
            self._fault(fault)
            for unborn in batch.back_to(mark):
                self.conversations.pop(unborn.key, None)
            batch.saved, batch.first, batch.latest = outer, first, None
            return False
        for key, saved in batch.saved.items():
            if saved.before.number < first:
                outer.setdefault(key, saved)
        batch.saved, batch.first, batch.latest = outer, first, None
        return True

    def _fault(self, fault: Exception) -> None:
        """Write down a fault of ours; called where it is caught."""
        self.counters["faults"] += 1
        if self.counters["faults"] <= FAULTS_LOGGED:
            self._log.error("fault", kind=type(fault).__name__, exc_info=True)

    def _do(self, act: Callable[..., object], arguments: tuple[Any, ...] = ()) -> None:
        """Carry one thing out; a fault of ours in it keeps nothing else from being carried out."""
        try:
            act(*arguments)
        except Exception as fault:
            self._fault(fault)

    def _put_sessions(self, batch: Batch) -> None:
        now, touched = batch.now, batch.touched
        kept = [(one.state, one.turn, one.rows) for one in touched.values() if type(one) is Turned]
        batch.stored.kept = kept
        if len(kept) == len(touched):
            return
        over = [(one.state, one.turn, one.rows) for one in touched.values() if type(one) is Ended]
        batch.stored.ended = over
        if len(kept) + len(over) == len(touched):
            return
        for key, before in touched.items():
            if not isinstance(before, Before):
                continue
            conversation = before.conversation
            group = before.group
            ended = conversation.session.waiting is _ENDED and not conversation.closing
            if ended:
                secret = conversation.is_secret()
                if conversation.due is not None:
                    conversation.due = None
                if conversation.version:
                    group.drop_session(key, conversation.version)
                if self.details is not None and not conversation.recorded:
                    conversation.recorded = True
                    frames = before.was.session.frames
                    group.detail(batch.now, *self.details.record(conversation, frames, batch.now))
            else:
                state, secret = conversation.record()
            secret = secret or before.secret
            inputs = before.inputs
            if inputs:
                kind, turn = conversation.journal(inputs)
                if secret:
                    group.journal_turn(now, key, kind, turn, before.answer, secret)
                else:
                    page, dialog = before.answer, conversation.dialog
                    if kind is LAST_TURN and page is not None and dialog is not None and dialog.body == page:
                        group.turn = (now, key, kind, turn, LAST_PAGE)
                    else:
                        group.turn = (now, key, kind, turn, page)
            if ended:
                continue
            due = conversation.due = conversation.deadline()
            if secret:
                conversation.version = group.put_session(
                    key, conversation.version, _encode(state), due, sealed=True
                )
            else:
                conversation.version = group.put_state(key, conversation.version, state, due)

    def _committed(self, batch: Batch, lost: list[Group], error: Exception | None) -> None:
        if error is not None:
            self._failed(batch, error)
            return
        if lost:
            # One process owns the file, so a lost group means two handlers stored one session.
            self.counters["lost_groups"] += len(lost)
            self._log.error("group_lost", groups=len(lost))
            self._drop_lost(batch, lost)
        self._leave(batch)

    def _drop_lost(self, batch: Batch, lost: list[Group]) -> None:
        """A session whose turn the store did not take is over: whatever it did next would rest on nothing."""
        keys = {state[0] for group in lost for state in group.sessions}
        for key, before in list(batch.touched.items()):
            if key in keys or (isinstance(before, Before) and before.group.lost):
                conversation = batch.touched.pop(key).conversation
                conversation.session = msgspec.structs.replace(
                    conversation.session, waiting=Waiting.ENDED, deadline=None
                )
                conversation.due = None
                self.conversations.pop(key, None)

    def _failed(self, batch: Batch, error: Exception) -> None:
        self.counters["commits_failed"] += 1
        self._log.error("commit_failed", reason=str(error), sessions=len(batch.touched))
        for undo, arguments in reversed(batch.undo):
            self._do(undo, arguments)
        for key, before in batch.touched.items():
            before.put_back()
            if before.unborn:
                self.conversations.pop(key, None)
        for act, arguments in batch.refused:
            self._do(act, arguments)
        self._finish()

    def _accept(self, accepted: list[AcceptedRow]) -> None:
        """Answer what was taken, all of one connection together."""
        link, way, first = accepted[0]
        sequences = list(first)
        for other, its, more in islice(accepted, 1, None):
            if its == way and other is link:
                sequences += more
            else:
                self._do(link.accept_all, (*way, sequences))
                link, way, sequences = other, its, list(more)
        self._do(link.accept_all, (*way, sequences))

    def _send(self, link: Link, pages: list[PageOut]) -> None:
        """Let the pages of one link go."""
        try:
            refused = link.submit_pages(pages)
        except Exception as fault:
            self._fault(fault)
            return
        for token in refused:
            if self.on_unsent is not None:
                self.take_later(self.on_unsent, Failed(token, "unsent"))

    def _leave(self, batch: Batch) -> None:
        if batch.accepted:
            self._accept(batch.accepted)
        for act, arguments in batch.leaving:
            try:
                act(*arguments)
            except Exception as fault:
                self._fault(fault)
        for link, pages in batch.pages.items():
            self._send(link, pages)
        for key, before in batch.touched.items():
            conversation = before.conversation
            due = conversation.due
            if due is not None:
                if not 0 < conversation.slot * SLOT_MS <= due:  # else `watch` would find nothing to do
                    self.wheel.watch(conversation)
            elif conversation.session.waiting is _ENDED and not conversation.closing:
                self.conversations.pop(key, None)
        self._finish()

    def _finish(self) -> None:
        for act in self.after_batch:
            self._do(act)
        self._arm()
        if self._pending:
            asyncio.get_running_loop().call_soon(self._next)
            return
        self._busy = False
        if self._idle is not None:
            self._idle.set()
            self._idle = None

    def _next(self) -> None:
        if self._pending:
            self._run()
        else:
            self._busy = False

    # Time

    def _arm(self) -> None:
        due = self.wheel.next_due()
        if due is None or (self._timer is not None and self._timer_at <= due):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = due
        delay_s = max(0, due - self.clock.now()) / 1000
        self._timer = asyncio.get_running_loop().call_later(delay_s, self.on_time)

    def on_time(self) -> None:
        """Take what is due now; called by the timer, or by a test that has moved the clock."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for conversation in self.wheel.expired(self.clock.now()):
            self.take_later(self._due, conversation)
        self._arm()

    def _due(self, batch: Batch, conversation: Conversation) -> None:
        batch.refuse(asyncio.get_running_loop().call_later, DUE_AGAIN_S, self.take, self._due, conversation)
        if self.on_due is not None and not self.guarded(batch, self.on_due, conversation):
            # A fault of ours: the session keeps a deadline, or it would be there for ever.
            conversation.due = batch.now + DUE_AFTER_FAULT_MS
            self.wheel.watch(conversation)

    # Life

    def adopt(self, conversation: Conversation) -> None:
        """Keep a session that was stored before the start."""
        self.conversations[conversation.key] = conversation
        conversation.due = conversation.deadline()
        self.wheel.watch(conversation)

    async def idle(self) -> None:
        """Wait until nothing is pending and no commit is under way."""
        while self._busy or self._pending:
            self._idle = self._idle or asyncio.Event()
            await self._idle.wait()

    def note(self, note: Note) -> None:
        """Count what a flow notes, and log what its author asked to be logged."""
        self.counters[f"note.{note.event}"] += 1
        if note.event == "refused":
            self.counters[f"refused.{note.flow}.{note.line}"] += 1
        elif note.event in LOGGED:
            self._log.info(f"flow_{note.event}", flow=note.flow, line=note.line, text=note.text)

    def waiting_for_backend(self) -> int:
        """Return how many sessions wait for a back end."""
        return sum(
            1 for one in self.conversations.values() if one.session.waiting in (Waiting.BACKEND, Waiting.LOOK)
        )

    def close(self) -> None:
        """Stop the timer; the store and the links are closed by their owner."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
