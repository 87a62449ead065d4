"""One step of a session: run the flow to its next wait and hand each effect to the module of its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from engine.effects import (
    Answer,
    CallBackend,
    Collect,
    Connect,
    Effect,
    End,
    Enqueue,
    Forget,
    Look,
    Note,
    OrderCallback,
    Pause,
    Rate,
    Record,
    Remember,
    Schedule,
    SendSms,
)
from engine.inputs import BackendReplied, Begin, Digits, Input, LineReplied, Text
from engine.machine import Turn, advance
from engine.session import Waiting
from engine.values import Secret
from gateway.host.batch import Batch
from gateway.host.call import Calls
from gateway.host.callback import Callbacks
from gateway.host.contact import Contacts
from gateway.host.conversation import Conversation
from gateway.host.host import Host
from gateway.host.look import Looks
from gateway.host.outbox import Outbox
from gateway.host.people import People
from gateway.host.rating import rate
from gateway.host.start import Starts
from gateway.host.suspension import Suspended
from gateway.journal.detail import call_fact, task_number
from gateway.journal.tally import CALLBACK, END, FLOW, QUEUE, REFUSED, noted

_BACKEND, _LOOK = Waiting.BACKEND, Waiting.LOOK
ON_LINE = (Record, Connect, Answer, Pause)
"""What the lane of calls does."""
WAIT_AT_MOST = 64
"""Looks and stored outcomes answered within one turn; more is a loop without a question."""


class Lane(Protocol):
    """A channel as the host drives it."""

    def show(self, batch: Batch, conversation: Conversation, effect: Collect) -> None:
        """Show a question or a page."""

    def end(self, batch: Batch, conversation: Conversation, effect: End) -> None:
        """Show the last text, if there is one, and let the session go."""


class Stepper:
    """Knows the module of each effect; `lanes` are the channels by name.

    `contacts` are told of every session that ends. `let_in` is called when a session that holds messages can
    take one, `on_line` does what only a call can; `voice` is the lane of calls.
    """

    def __init__(
        self,
        host: Host,
        looks: Looks,
        calls: Calls,
        outbox: Outbox,
        people: People,
        callbacks: Callbacks,
        starts: Starts,
        suspended: Suspended,
        contacts: Contacts,
    ) -> None:
        self._host = host
        self._looks = looks
        self._calls = calls
        self._outbox = outbox
        self._people = people
        self._callbacks = callbacks
        self._starts = starts
        self._suspended = suspended
        self.contacts = contacts
        self.lanes: dict[str, Lane] = {}
        self.let_in: Callable[[Batch, Conversation], None] | None = None
        self.voice: Lane | None = None
        self.on_line: Callable[[Batch, Conversation, Effect], None] | None = None

    def step(self, batch: Batch, conversation: Conversation, given: Input, turn: Turn | None = None) -> None:
        """Give a session an input and carry out what comes of it, up to its next wait.

        `turn` is what the flow makes of the input where the caller has asked it already.
        """
        latest = batch.latest
        before = (
            latest
            if latest is not None and latest.conversation is conversation
            else batch.before(conversation)
        )
        observers = self._host.observers
        lane = self.lanes[conversation.session.channel]
        # What came in, for the journal row of this turn; typed secrets are left out.
        if type(given) is Text:
            before.inputs.append(("Text", None if conversation.hides_input else given.text))
            count, facts = conversation.tally
            conversation.tally = (count + 1, facts)
        else:
            before.inputs.append((type(given).__name__, None))
            self._tally(conversation, given)
        trace: list[tuple[str, int, str]] | None = [] if observers else None
        for _ in range(WAIT_AT_MOST):
            held = conversation.session
            if turn is None:
                turn = advance(conversation.flows, held, given, batch.now, trace)
            conversation.session = turn.session
            answer: Input | None = None
            for effect in turn.effects:
                kind = type(effect)
                if kind is Collect:
                    lane.show(batch, conversation, effect)  # type: ignore[arg-type]
                elif isinstance(effect, End):
                    if effect.resume_ms:
                        self._suspended.keep(batch, conversation, held, effect.resume_ms)
                    conversation.tally = noted(conversation.tally, END, effect.reason)
                    begun = given.flow if isinstance(given, Begin) else ""
                    self.contacts.ended(batch, conversation, held.frames, begun)
                    lane.end(batch, conversation, effect)
                elif isinstance(effect, Look):
                    answer = self._looks.answer(batch, conversation, effect)
                    if answer is None:
                        self._calls.wait(conversation)
                elif isinstance(effect, CallBackend):
                    answer = self._calls.ask(batch, conversation, effect)
                    if isinstance(answer, BackendReplied):
                        fact = call_fact(conversation, effect, answer.outcome)
                        conversation.tally = noted(conversation.tally, *fact)
                elif isinstance(effect, Enqueue):
                    fact = (QUEUE, effect.queue, str(batch.now), "")
                    conversation.tally = noted(conversation.tally, *fact)
                    answer = self._people.enqueue(batch, conversation, effect)
                elif isinstance(effect, OrderCallback):
                    ordered = answer = self._callbacks.order(batch, conversation, effect)
                    fact = (CALLBACK, effect.queue, str(batch.now), task_number(ordered.value))
                    conversation.tally = noted(conversation.tally, *fact)
                elif self.on_line is not None and isinstance(effect, ON_LINE) and lane is self.voice:
                    self.on_line(batch, conversation, effect)
                elif isinstance(effect, Record | Connect):
                    # Only a line can do this: the checks keep it out of flows that run without one.
                    self._host.counters["line_effects_without_line"] += 1
                    answer = LineReplied(effect.call, "failed")
                else:
                    self._carry_out(batch, conversation, effect)
            if observers:
                for observe in observers:
                    observe("trace", conversation, trace)
                    observe("turn", conversation, turn)
            if answer is None:
                break
            given, turn = answer, None
        waiting = conversation.session.waiting
        if waiting is not _BACKEND and waiting is not _LOOK:
            if conversation.call is not None:
                conversation.call = None
            if conversation.look is not None:
                conversation.look = None
            if conversation.order is not None:
                conversation.order = None
            if conversation.held and self.let_in is not None:
                self.let_in(batch, conversation)

    @staticmethod
    def _tally(conversation: Conversation, given: Input) -> None:
        """Count an input that is no text for the session's record."""
        if isinstance(given, Begin):
            conversation.tally = noted(conversation.tally, FLOW, given.flow)
        elif isinstance(given, Digits):
            inputs, facts = conversation.tally
            conversation.tally = (inputs + 1, facts)
        elif isinstance(given, BackendReplied) and conversation.call is not None:
            fact = call_fact(conversation, conversation.call, given.outcome)
            conversation.tally = noted(conversation.tally, *fact)

    def _carry_out(self, batch: Batch, conversation: Conversation, effect: Effect) -> None:
        match effect:
            case SendSms():
                self._outbox.send(batch, conversation, effect)
            case Remember(name=name, subject=subject, keep_ms=keep_ms):
                until = None if keep_ms is None else batch.now + keep_ms
                batch.touch(conversation).remember(subject, name, batch.now, until)
            case Forget(name=name, subject=subject):
                batch.touch(conversation).forget(subject, name)
            case Note():
                self._host.note(effect)
                if effect.event == REFUSED:
                    fact = (REFUSED, effect.flow, str(effect.line))
                    conversation.tally = noted(conversation.tally, *fact)
            case Schedule():
                self._starts.schedule(batch, conversation, effect)
            case Rate():
                rate(self._host, batch, conversation, effect)


def plain(text: str | Secret) -> str:
    """Return a text that is about to leave for its subscriber."""
    return text.reveal() if isinstance(text, Secret) else text
