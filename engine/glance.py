"""What a turn sees and says that needs no `Run`: variables, the world if it is read, the last words.

Theory of operation. A `Glance` changes nothing: steps that need no more than it (`Step.glide`) set variables
in it, put texts into its buffer, and end the session with its `end`; wherever anything is unusual they say
LONG, the glance is dropped, and the turn is taken from its beginning by a `Run`. So it may look, but not
act: no effect beside the screen, no note, no answer of the world, no counter. It knows neither questions nor
inputs; `engine.key_turn` makes it.
"""

from __future__ import annotations

from engine.capabilities import Capabilities
from engine.effects import End
from engine.expressions import Scope, World
from engine.flow import LONG, STOP
from engine.flow_set import FlowSet
from engine.limits import SAID_LENGTH
from engine.prompts import fits
from engine.session import Frame, Session
from engine.turn_world import world_of
from engine.wording import Wording


class Glance(Scope):
    """One turn that may need no `Run`; `said` is the text that waits to be shown.

    `frame` is the running one of `session`, `capabilities` are those of its channel.
    What was looked up for the question before is forgotten already.
    """

    __slots__ = ("capabilities", "channel", "end", "flows", "lang", "now", "said", "session")

    def __init__(
        self, flows: FlowSet, session: Session, frame: Frame, now: int, capabilities: Capabilities
    ) -> None:
        self.variables = frame.variables
        self._world = None
        self.flows = flows
        self.session = session
        self.now = now
        self.channel = session.channel
        self.lang = session.lang
        self.capabilities = capabilities
        self.end: End | None = None
        self.said: tuple[str, ...] = ()

    def make_world(self) -> World:
        """Return the world of this turn, as a `Run` would."""
        session = self.session
        frames = session.frames
        flow = self.flows.flows[frames[-1].flow]
        return world_of(self.flows, session, flow, frames[:-1], self.lang, {}, self.now)

    def speak(self, wording: Wording) -> bool:
        """Put a text into the buffer; False where that takes more."""
        form = wording.forms.get((self.channel, self.lang))
        if form is None:
            return True  # this channel says nothing
        if self.channel == "voice":
            return False
        text = form.render(self) if form.constant is None else form.constant
        said = self.said
        if type(text) is not str or not text or sum(map(len, said)) + len(text) > SAID_LENGTH:
            return False
        self.said = (*said, text)
        return True

    def end_with(self, wording: Wording) -> int:
        """Say a text as the last screen of the only flow."""
        form = wording.forms.get((self.channel, self.lang))
        session, budget = self.session, self.capabilities.pages
        if form is None or session.reason or len(session.frames) > 1:
            return LONG
        constant = form.constant
        text = form.render(self) if constant is None else constant
        if type(text) is not str or not text:
            return LONG
        if self.said:
            if sum(map(len, self.said)) + len(text) > SAID_LENGTH:
                return LONG
            text, constant = "\n".join((*self.said, text)), None
        if budget is None or (text in self.flows.fitting if constant is not None else fits(text, budget)):
            self.end = End(text, "end", constant is not None)
            return STOP
        return LONG

    def leave(self, reason: str) -> int:
        """End the session of the only flow without a last word."""
        session = self.session
        if self.said or session.reason or len(session.frames) > 1:
            return LONG
        self.end = End(None, reason)
        return STOP
