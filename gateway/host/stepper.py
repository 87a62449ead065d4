"""One step of a session: run the flow to its next wait and hand each effect to the module of its name."""

from __future__ import annotations

from typing import Protocol

from engine.effects import CallBackend, Collect, End, Forget, Look, Note, Remember, SendSms
from engine.inputs import Input, Text
from engine.machine import advance
from engine.session import Waiting
from engine.values import Secret
from gateway.host.batch import Batch
from gateway.host.call import Calls
from gateway.host.conversation import Conversation
from gateway.host.host import Host
from gateway.host.look import Looks
from gateway.host.outbox import Outbox

_BACKEND, _LOOK = Waiting.BACKEND, Waiting.LOOK
WAIT_AT_MOST = 64
"""Looks and stored outcomes answered within one turn; more is a loop without a question."""


class Lane(Protocol):
    """A channel as the host drives it."""

    def show(self, batch: Batch, conversation: Conversation, effect: Collect) -> None:
        """Show a question or a page."""

    def end(self, batch: Batch, conversation: Conversation, effect: End) -> None:
        """Show the last text, if there is one, and let the session go."""


class Stepper:
    """Knows the module of each effect; `lanes` are the channels by name."""

    def __init__(self, host: Host, looks: Looks, calls: Calls, outbox: Outbox) -> None:
        self._host = host
        self._looks = looks
        self._calls = calls
        self._outbox = outbox
        self.lanes: dict[str, Lane] = {}

    def step(self, batch: Batch, conversation: Conversation, given: Input) -> None:
        """Give a session an input and carry out what comes of it, up to its next wait."""
        latest = batch.latest
        before = (
            latest
            if latest is not None and latest.conversation is conversation
            else batch.before(conversation)
        )
        observers = self._host.observers
        lane = self.lanes[conversation.session.channel]
        # What came in, for the journal row of this turn; typed secrets are left out.
        typed = given.text if type(given) is Text and not conversation.hides_input else None
        before.inputs.append((type(given).__name__, typed))
        trace: list[tuple[str, int, str]] | None = [] if observers else None
        for _ in range(WAIT_AT_MOST):
            turn = advance(conversation.flows, conversation.session, given, batch.now, trace)
            conversation.session = turn.session
            answer: Input | None = None
            for effect in turn.effects:
                kind = type(effect)
                if kind is Collect:
                    lane.show(batch, conversation, effect)  # type: ignore[arg-type]
                elif kind is End:
                    lane.end(batch, conversation, effect)  # type: ignore[arg-type]
                elif isinstance(effect, Look):
                    answer = self._looks.answer(batch, conversation, effect)
                    if answer is None:
                        self._calls.wait(conversation)
                elif isinstance(effect, CallBackend):
                    answer = self._calls.ask(batch, conversation, effect)
                else:
                    self._carry_out(batch, conversation, effect)  # type: ignore[arg-type]
            if observers:
                for observe in observers:
                    observe("trace", conversation, trace)
                    observe("turn", conversation, turn)
            if answer is None:
                break
            given = answer
        waiting = conversation.session.waiting
        if waiting is not _BACKEND and waiting is not _LOOK:
            if conversation.call is not None:
                conversation.call = None
            if conversation.look is not None:
                conversation.look = None
            if conversation.order is not None:
                conversation.order = None

    def _carry_out(
        self, batch: Batch, conversation: Conversation, effect: SendSms | Remember | Forget | Note
    ) -> None:
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


def plain(text: str | Secret) -> str:
    """Return a text that is about to leave for its subscriber."""
    return text.reveal() if isinstance(text, Secret) else text
