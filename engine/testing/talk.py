"""One conversation of a case: its session, what it has shown, and the inputs the world gives at once.

After every turn the session is written and read back, so each wait of each test is a restart too.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from engine.calendar import is_open
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
from engine.flow_set import FlowSet
from engine.inputs import AgentLeft, BackendReplied, Input, Looked, Silence
from engine.machine import advance
from engine.masking import masked
from engine.session import Session, Waiting, dump, load
from engine.spoken import plain
from engine.testing.people import People
from engine.testing.surroundings import Surroundings
from engine.values import Secret, Value

MOST_TURNS = 2_000
"""Turns without the subscriber; a flow that asks back ends for ever ends here."""


class RestartError(AssertionError):
    """A session read back is not the one that was written: a fault of the engine."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request that went out."""

    operation: str
    arguments: dict[str, Value]


@dataclass(slots=True)
class Message:
    """An SMS that went out; `found` once a step has asserted it."""

    to: str
    sender: str
    text: str
    found: bool = False


@dataclass(slots=True)
class Ledger:
    """What came out of a case, all conversations together."""

    calls: list[Call] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    remembered: list[str] = field(default_factory=list)
    logged: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    trace: list[tuple[str, int, str]] = field(default_factory=list)


def open_text(text: str | Secret) -> str:
    """Return a text as people read it, with what is secret in it."""
    return plain(text.reveal() if isinstance(text, Secret) else text)


@dataclass(slots=True)
class Talk:
    """A conversation. `screen` is what was shown since the last input, None if nothing was.

    `queued` is the place in a queue that is waited in since `since`, `again` is since when after a callback
    was offered in vain. `line` is what a call is busy with instead of a question. `broken` is the session
    before the subscriber left, and until when it may be taken up again.
    """

    flows: FlowSet
    world: Surroundings
    people: People
    ledger: Ledger
    session: Session
    screen: str | None = None
    pages: int = 1
    hides_input: bool = False
    queued: Enqueue | None = None
    since: int = 0
    again: int = 0
    answered: int | None = None
    offered: bool = False
    line: Record | Connect | None = None
    broken: tuple[Session, int] | None = None

    @property
    def ended(self) -> bool:
        """Whether the session is over."""
        return self.session.waiting is Waiting.ENDED

    @property
    def asking(self) -> bool:
        """Whether an answer or a key to turn the page is awaited."""
        return self.session.waiting in (Waiting.ANSWER, Waiting.READING, Waiting.OFFER)

    @property
    def state(self) -> str:
        """What the session waits for, for people."""
        match self.session.waiting:
            case Waiting.ENDED:
                return "the session has ended"
            case Waiting.PEOPLE:
                return "the subscriber waits in a queue"
            case Waiting.LINE:
                return "the call is being recorded or transferred"
        return "the session waits"

    def end(self) -> None:
        """Nothing has begun, so there is nothing to wait for."""
        self.session = msgspec.structs.replace(self.session, waiting=Waiting.ENDED)

    @property
    def speaks(self) -> bool:
        """Whether it is a call."""
        return self.session.channel == "voice"

    @property
    def due(self) -> int | None:
        """When something happens if nobody does anything, None if nothing will."""
        if self.session.waiting is Waiting.PEOPLE:
            if self.queued is None or self.answered is not None:
                return None
            terms = ((self.since, self.queued.timeout_ms), (self.again, self.queued.callback_after_ms))
            return min((start + term for start, term in terms if term is not None), default=None)
        return self.session.deadline if self.asking else None

    def come_due(self) -> None:
        """The time of `due` has come."""
        if self.session.waiting is not Waiting.PEOPLE:
            self.give(Silence())
            return
        assert self.queued is not None
        timeout = self.queued.timeout_ms
        if timeout is not None and self.world.now >= self.since + timeout:
            self.leave("timeout")
        else:
            self.offered = True
            self.leave("waiting")

    def leave(
        self,
        outcome: str = "answered",
        *,
        result: str = "",
        topic: str = "",
        note: str = "",
        stayed: bool = True,
    ) -> None:
        """The wait in a queue is over. Raises AssertionError if there is none."""
        queued = self.queued
        assert queued is not None
        until = self.world.now if self.answered is None else self.answered
        waited = (until - self.since) // 1000
        self.give(AgentLeft(queued.call, outcome, result, topic, note, waited, stayed))

    def give(self, given: Input) -> None:
        """Give an input, and what the world answers at once, up to the next wait for the subscriber."""
        self.screen = None
        self.hides_input = False
        for _ in range(MOST_TURNS):
            before = self.session
            turn = advance(self.flows, self.session, given, self.world.now, self.ledger.trace)
            self.session = load(dump(turn.session))
            if self.session != turn.session:
                raise RestartError(f"flow {turn.session.frames[-1:]} does not survive a restart")
            following: Input | None = None
            for number, effect in enumerate(turn.effects):
                if isinstance(effect, Enqueue) and number and not self.speaks:
                    self.read(turn.effects[number - 1])
                following = self.carry_out(effect) or following
                if isinstance(effect, End) and effect.resume_ms:
                    self.broken = before, self.world.now + effect.resume_ms
            if self.session.waiting is Waiting.PAUSE:
                self.world.now = max(self.world.now, self.session.deadline or 0)
                following = Silence()
            if following is None:
                return
            given = following
        raise RestartError("the flow asks back ends without end")

    def carry_out(self, effect: Effect) -> Input | None:
        """Do what an effect says; return the input it is answered by."""
        match effect:
            case Collect():
                self.show(effect.text, effect.pages)
                self.hides_input = effect.secret
            case End():
                if effect.text is not None:
                    self.show(effect.text, 1)
                self.ledger.lines.append("■")
            case CallBackend():
                return self.call(effect)
            case Look(questions=questions):
                return Looked(tuple(self.world.look(item, self.session.caller) for item in questions))
            case SendSms():
                self.send(effect.to, effect.sender, effect.text)
            case Remember() | Forget():
                self.keep(effect)
            case Note():
                self.ledger.logged.append(f"{effect.event} {effect.text}")
                if effect.event in ("error", "refused"):
                    self.ledger.lines.append(f"! {effect.event} {effect.text}")
            case Record() | Connect() | Answer() | Pause():
                self.do_on_line(effect)
            case _:
                return self.hand_over(effect)
        return None

    def keep(self, effect: Remember | Forget) -> None:
        """Count or forget what is remembered of a subscriber."""
        if isinstance(effect, Remember):
            self.world.remember(effect.name, effect.subject, effect.keep_ms)
            self.ledger.remembered.append(effect.name)
            self.ledger.lines.append(f"· remember {effect.name}")
        else:
            self.world.forget(effect.name, effect.subject)
            self.ledger.lines.append(f"· forget {effect.name}")

    def do_on_line(self, effect: Record | Connect | Answer | Pause) -> None:
        """Something a call does besides talking; what it is busy with stays in `line`."""
        match effect:
            case Record(text=text):
                self.play(text)
                self.ledger.lines.append("· record")
                self.line = effect
            case Connect(number=number):
                self.play(effect.text)
                self.people.connected.append(effect)
                self.ledger.lines.append(f"· connect {number}")
                self.line = effect
            case Answer():
                self.ledger.lines.append("· answer")
            case Pause(ms=ms, text=text):
                self.play(text)
                self.ledger.lines.append(f"· wait {ms / 1000:g}s")

    def hand_over(self, effect: Effect) -> Input | None:
        """Hand something to people or put it off; return what answers it at once."""
        match effect:
            case Enqueue(queue=queue):
                self.play(effect.text)
                self.people.queued.append(effect)
                refusal = self.people.refuses(queue, is_open(self.flows.project, queue, self.world.now))
                self.ledger.lines.append(f"· queue {queue}" + (f" → {refusal}" if refusal else ""))
                if refusal:
                    return AgentLeft(effect.call, refusal)
                if not (self.offered and self.queued is not None and self.queued.queue == queue):
                    self.since = self.world.now
                self.queued, self.again, self.answered, self.offered = effect, self.world.now, None, False
            case OrderCallback(queue=queue, call=call):
                reply = self.people.order(effect)
                note = f": {effect.note}" if effect.note else ""
                self.ledger.lines.append(f"· callback {queue} → {reply['number']}{note}")
                return BackendReplied(call, "done", reply)
            case Schedule(flow=flow, over=over):
                self.people.scheduled.append(effect)
                self.ledger.lines.append(f"· schedule {flow} over {over}")
            case Rate(topic=topic, score=score):
                self.people.rated.append(effect)
                self.ledger.lines.append(f"· rate {topic}: {'none' if score is None else score}")
        return None

    def show(self, text: str | Secret, pages: int) -> None:
        """Put a text on the screen, or play it; over SMS it is a message too."""
        shown = open_text(text)
        self.screen = shown if self.screen is None else f"{self.screen}\n{shown}"
        self.pages = pages
        self.ledger.lines += [f"< {line}" for line in plain(str(text)).split("\n")]
        if self.session.channel == "sms":
            self.ledger.messages.append(Message(self.session.caller, self.session.called, shown))

    def play(self, text: str | Secret) -> None:
        """Play what is said in front of something else than a question."""
        if open_text(text):
            self.show(text, 1)

    def read(self, before: Effect) -> None:
        """What a flow says in front of a queue is a message of the dialogue, though it asks nothing."""
        if isinstance(before, SendSms) and before.to == self.session.caller:
            self.screen = open_text(before.text)

    def send(self, to: str, sender: str, text: str | Secret) -> None:
        """Send an SMS beside the dialogue."""
        self.ledger.messages.append(Message(to, sender, open_text(text)))
        self.ledger.lines.append(f"· sms to {masked(to)}: {str(text).replace(chr(10), ' / ')}")

    def call(self, effect: CallBackend) -> Input:
        """Ask a back end; the answer comes at once."""
        answer, sent = self.world.call(self.session.caller, effect)
        shown = ", ".join(f"{name}: {value}" for name, value in effect.arguments.items())
        if sent:
            self.ledger.calls.append(Call(effect.operation, dict(effect.arguments)))
        note = "" if sent else " (the same order)"
        self.ledger.lines.append(f"· request {effect.operation} {{{shown}}} → {answer.outcome}{note}")
        return BackendReplied(effect.call, answer.outcome, answer.value)
