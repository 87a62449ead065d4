"""What the subscriber has on the screen, and the flow that put it there: the lowest part of a `Run`.

Texts wait in a buffer until a question or the end; then they leave as a screen, as pages, as an SMS if there
is no screen any more, or not at all in the background. What the flow knows is in `engine.view`, where
control goes in `engine.run`.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.capabilities import Capabilities
from engine.effects import Collect, Effect, End, Note, SendSms
from engine.expressions import Scope
from engine.flow import STOP, Flow, Project, Step
from engine.flow_set import FlowSet
from engine.limits import NOTE_LENGTH, SAID_LENGTH, TRAIL_LENGTH
from engine.masking import masked, trail_entry
from engine.phrase import phrases
from engine.prompts import Footer, Page, fits, paginate
from engine.session import Frame, Session, Waiting
from engine.spoken import JOINT, plain
from engine.values import Secret, Value

_ANSWER = Waiting.ANSWER
_NOWHERE = Frame("", 0, {})
_WHOLE_PAGE = (0, 0, 1)
"""`Session.shown` of a screen that is no list and has one page."""


class Stage(Scope):
    """A session opened up for one turn; the attributes are those of `Session`, see there.

    `stack` are the flows outside, the innermost last; `flow`, `program`, `pc`, `variables` and `counters`
    belong to the running one. `variables` and `counters` are shared with stored sessions until `own`. It is
    the scope of the flow's expressions itself, so that a turn need not make one.
    """

    __slots__ = (
        "ahead",
        "asked",
        "asking",
        "budget",
        "by_ahead",
        "call",
        "capabilities",
        "channel",
        "charged",
        "constant",
        "counters",
        "deadline",
        "detached",
        "effects",
        "failing",
        "farewell",
        "final",
        "first",
        "flow",
        "flows",
        "gone",
        "hidden",
        "history",
        "lang",
        "looked",
        "memory",
        "now",
        "owned",
        "page",
        "pc",
        "program",
        "reason",
        "said",
        "session",
        "shown",
        "stack",
        "steps",
        "trace",
        "trail",
        "waiting",
    )
    program: tuple[Step, ...]
    flow: Flow
    pc: int
    variables: dict[str, Value]
    counters: dict[int, int]

    def __init__(
        self, flows: FlowSet, session: Session, now: int, trace: list[tuple[str, int, str]] | None = None
    ) -> None:
        self.flows = flows
        self.session = session
        self.now = now
        self.trace = trace
        self.channel = channel = session.channel
        self.lang = session.lang
        self.capabilities: Capabilities = flows.channels[channel]
        self.waiting = waiting = session.waiting
        frames = session.frames
        self.deadline = session.deadline
        self.page = session.page
        self.call = session.call
        self.steps = session.steps
        self.budget = flows.project.limits.steps_without_input
        self.said = session.said
        self.ahead = session.ahead
        self.history = session.history
        self.first, self.asked = session.first, session.asked
        if waiting is _ANSWER:  # see `Session`
            self.first = self.first or frames
            self.asked = self.asked or frames
        self.looked: Mapping[str, Value] = session.looked
        self.memory: Mapping[str, int] = session.memory
        self.charged = session.charged
        self.detached = session.detached
        self.final = session.final
        self.shown = session.shown
        self.reason = session.reason
        self.by_ahead = session.by_ahead
        self.gone = session.gone
        self.farewell = session.farewell
        self.trail = session.trail
        self.constant = self.hidden = self.failing = False
        self.asking = 0
        self.effects: list[Effect] = []
        self._world = None
        # A session that has not begun or has ended is in no flow.
        frame = frames[-1] if frames else _NOWHERE
        self.stack: list[Frame] = [*frames[:-1]] if len(frames) > 1 else []
        self.flow = flow = flows.flows[frame.flow] if frames else flows.nowhere
        self.program = flow.program
        self.pc = frame.pc
        self.variables = frame.variables  # type: ignore[assignment]  # `own` copies them before a change
        self.counters = frame.counters  # type: ignore[assignment]
        self.owned = False

    @property
    def project(self) -> Project:
        """The project's settings."""
        return self.flows.project

    @property
    def caller(self) -> str:
        """The subscriber's number, empty if it is hidden."""
        return self.session.caller

    # The running flow

    def enter(self, frame: Frame) -> None:
        """Make a stored frame the running flow."""
        self.flow = self.flows.flows[frame.flow]
        self.program = self.flow.program
        self.pc = frame.pc
        self.variables = frame.variables  # type: ignore[assignment]  # `own` copies them before a change
        self.counters = frame.counters  # type: ignore[assignment]
        self.owned = False
        self._world = None

    def start(self, flow: Flow, arguments: dict[str, Value]) -> int:
        """Make a flow the running one, at its first scene; return the number of its step."""
        self.flow = flow
        self.program = flow.program
        self.pc = flow.entry
        self.variables = arguments
        self.counters = {}
        self.owned = True
        self._world = None
        return flow.entry

    def frame(self) -> Frame:
        """Return the running flow as a stored frame."""
        self.owned = False
        return Frame(self.flow.id, self.pc, self.variables, self.counters)

    def restore(self, stack: tuple[Frame, ...]) -> int:
        """Go to where a stored stack stands; return the number of its step."""
        self.stack = list(stack[:-1])
        self.enter(stack[-1])
        return self.pc

    # Saying and noting

    def say(self, text: str | Secret, *, constant: bool = False) -> None:
        """Put a text into the buffer that leaves with the next question or the end.

        `constant`: the text is the same in every session.
        """
        if not text or self.channel == "event":
            return
        secret = isinstance(text, Secret)
        plain = text.reveal() if isinstance(text, Secret) else text
        self.constant = constant and not self.said
        if self.said and sum(len(part) for part, _ in self.said) + len(plain) > SAID_LENGTH:
            self.note("too_long")
            return
        self.said = (*self.said, (plain[:SAID_LENGTH], secret))

    def note(self, event: str, text: str = "") -> None:
        """Add something to count or log, with the place of the running step."""
        line = self.program[self.pc].place.line
        self.effects.append(Note(event, self.flow.id, line, masked(text)[:NOTE_LENGTH]))

    def leave_trail(self, what: str) -> None:
        """Keep what the subscriber did for the people he may be handed over to; the oldest is dropped."""
        what = trail_entry(what)
        if what:
            trail = self.trail
            self.trail = (*(trail if len(trail) < TRAIL_LENGTH else trail[1:]), what)

    def took(self, branch: str) -> None:
        """Tell coverage which way out the running step takes."""
        if self.trace is not None:
            self.trace.append((self.flow.id, self.pc, branch))

    # Showing

    def footer(self, *, back: bool = True, ends: bool = False) -> Footer:
        """Return the lines that turn pages, in the language of the session."""
        keys, words = self.capabilities, phrases(self.lang)
        return Footer(
            f"{keys.more} {words.more}" if keys.more else "",
            f"{keys.back} {words.back}" if keys.back and back else "",
            ends,
        )

    def said_text(self) -> tuple[str, bool]:
        """Return the buffer as one text, and whether a secret is in it."""
        said = self.said
        if len(said) == 1:
            return said[0]
        joint = JOINT if self.channel == "voice" else "\n"
        return joint.join(part for part, _ in said), any(secret for _, secret in said)

    def speech(self) -> str | Secret:
        """Take what is said out of the buffer, for an effect that lets a caller hear it first."""
        if not self.said:
            return ""
        text, secret = self.said_text()
        self.said = ()
        return Secret(text) if secret else text

    def wait_for_answer(self, page: Page, pages: int, timeout_ms: int, secret: bool, constant: bool) -> int:
        """Show one page of a question and wait for the answer."""
        self.shown = (page.first, page.count, pages)
        self.waiting = Waiting.ANSWER
        timeout_ms = self.within_session(timeout_ms)
        self.deadline = self.now + timeout_ms
        text: str | Secret = page.text
        if self.hidden or (self.said and any(hidden for _, hidden in self.said)):
            text = Secret(page.text)
        elif self.said and self.charged:
            self.final = self.said_text()[0]
        self.effects.append(Collect(text, timeout_ms, secret, self.page, pages, False, constant))
        return STOP

    def wait_with(self, effect: Collect) -> int:
        """Show a question of one page with nothing said before it, and wait for the answer."""
        self.page = 1
        self.shown = _WHOLE_PAGE
        self.waiting = _ANSWER
        self.deadline = self.now + effect.timeout_ms
        self.effects.append(effect)
        return STOP

    def within_session(self, timeout_ms: int) -> int:
        """Shorten a time-out to what is left of the session's total time."""
        total = self.capabilities.total_ms
        if total is None:
            return timeout_ms
        return max(0, min(timeout_ms, self.session.started + total - self.now))

    def finish(self) -> int:
        """End the session: what is said leaves as the last screen, page by page if it is long."""
        text, secret = self.said_text() if self.said else ("", False)
        self.said = ()
        if self.farewell:
            return self.bid_farewell(text, secret)
        if self.gone or self.channel == "event":
            return self.close(None)
        if self.detached:
            self.send_sms(self.caller, "", Secret(text) if secret else text, secret)
            return self.close(None)
        if not text:
            return self.close(None)
        if self.charged and not secret:
            self.final = text
        if secret:
            return self.close(Secret(text))
        budget = self.capabilities.pages
        if budget is None or text in self.flows.fitting or fits(text, budget):
            return self.close(text)
        self.final = text
        self.page = 1
        return self.read_on()

    def bid_farewell(self, text: str, secret: bool) -> int:
        """The subscriber has gone: the closing text follows by SMS, then the `hangup` block runs."""
        self.send_sms(self.caller, "", Secret(text) if secret else text, secret)
        stack, self.farewell = self.farewell, ()
        self.charged = False
        self.gone = True
        self.reason = "gone"
        return self.restore(stack)

    def read_on(self) -> int:
        """Show page `self.page` of the last text; the session ends with the last one."""
        pages = paginate(self.final, (), (), self.capabilities.pages, self.footer(ends=True), 0)
        if self.page >= len(pages):
            return self.close(pages[-1].text, len(pages))
        self.waiting = Waiting.READING
        timeout_ms = self.within_session(self.capabilities.idle_ms)
        self.deadline = self.now + timeout_ms
        self.shown = (0, 0, len(pages))
        text = pages[self.page - 1].text
        self.effects.append(Collect(text, timeout_ms, False, self.page, len(pages), True, False))
        return STOP

    def close(self, text: str | Secret | None, pages: int = 1) -> int:
        """The last effect of the session."""
        constant = self.constant and pages == 1 and text is not None
        self.effects.append(End(text, self.reason or "left", constant))
        self.waiting = Waiting.ENDED
        self.deadline = None
        self.history = ()
        self.asked = self.first = self.by_ahead = ()
        self.ahead = ()
        self.looked = {}
        if not self.charged:
            self.final = ""
        return STOP

    def send_sms(self, to: str, sender: str, text: str | Secret, secret: bool) -> None:
        """Queue an SMS; without a number or a text there is nothing to send."""
        if not to or not text:
            return
        if self.channel == "voice":
            text = Secret(plain(text.reveal())) if isinstance(text, Secret) else plain(text)
        if not sender:
            sender = self.session.called if self.channel == "sms" else self.project.sms_from
        self.effects.append(SendSms(to, sender, text, secret))
