"""One conversation of a case: its session, what it has shown, and the inputs the world gives at once.

After every turn the session is written and read back, so each wait of each test is a restart too.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.effects import CallBackend, Collect, Effect, End, Forget, Look, Note, Remember, SendSms
from engine.flow_set import FlowSet
from engine.inputs import BackendReplied, Input, Looked
from engine.machine import advance
from engine.masking import masked
from engine.session import Session, Waiting, dump, load
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
    """Return a text with what is secret in it."""
    return text.reveal() if isinstance(text, Secret) else text


@dataclass(slots=True)
class Talk:
    """A conversation. `screen` is what was shown since the last input, None if nothing was."""

    flows: FlowSet
    world: Surroundings
    ledger: Ledger
    session: Session
    screen: str | None = None
    pages: int = 1
    hides_input: bool = False

    @property
    def ended(self) -> bool:
        """Whether the session is over."""
        return self.session.waiting is Waiting.ENDED

    @property
    def asking(self) -> bool:
        """Whether an answer or a key to turn the page is awaited."""
        return self.session.waiting in (Waiting.ANSWER, Waiting.READING)

    def give(self, given: Input) -> None:
        """Give an input, and what the world answers at once, up to the next wait for the subscriber."""
        self.screen = None
        self.hides_input = False
        for _ in range(MOST_TURNS):
            turn = advance(self.flows, self.session, given, self.world.now, self.ledger.trace)
            self.session = load(dump(turn.session))
            if self.session != turn.session:
                raise RestartError(f"flow {turn.session.frames[-1:]} does not survive a restart")
            following: Input | None = None
            for effect in turn.effects:
                following = self.carry_out(effect) or following
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
            case Remember():
                self.world.remember(effect.name, effect.subject, effect.keep_ms)
                self.ledger.remembered.append(effect.name)
                self.ledger.lines.append(f"· remember {effect.name}")
            case Forget():
                self.world.forget(effect.name, effect.subject)
                self.ledger.lines.append(f"· forget {effect.name}")
            case Note():
                self.ledger.logged.append(f"{effect.event} {effect.text}")
                if effect.event in ("error", "refused"):
                    self.ledger.lines.append(f"! {effect.event} {effect.text}")
        return None

    def show(self, text: str | Secret, pages: int) -> None:
        """Put a text on the screen; over SMS it is a message too."""
        self.screen = open_text(text)
        self.pages = pages
        self.ledger.lines += [f"< {line}" for line in str(text).split("\n")]
        if self.session.channel == "sms":
            self.ledger.messages.append(Message(self.session.caller, self.session.called, self.screen))

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
