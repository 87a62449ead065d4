"""What a text sees of a turn that needs no `Run`: the variables, and the world if it is read.

Knows neither steps nor inputs; `engine.key_turn` makes it.
"""

from __future__ import annotations

from engine.capabilities import Capabilities
from engine.expressions import Scope, World
from engine.flow_set import FlowSet
from engine.run import Run
from engine.session import Frame, Session


class Glance(Scope):
    """What the text of the next question sees; its world is made when it is read."""

    __slots__ = ("_flows", "_now", "_session", "capabilities", "channel", "lang")

    def __init__(
        self, flows: FlowSet, session: Session, frame: Frame, now: int, capabilities: Capabilities
    ) -> None:
        self.variables = frame.variables
        self._world = None
        self._flows = flows
        self._session = session
        self._now = now
        self.channel = session.channel
        self.lang = session.lang
        self.capabilities = capabilities

    def make_world(self) -> World:
        """Return the world of this turn; what was looked up for the question before is forgotten."""
        run = Run(self._flows, self._session, self._now)
        run.looked = {}
        return run.make_world()
