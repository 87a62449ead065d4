"""`wait`: a pause in a call, or until some time in a background flow."""

from __future__ import annotations

from dataclasses import dataclass

from engine.effects import Pause
from engine.flow import Step
from engine.inputs import Input
from engine.limits import PAUSE_MS
from engine.reading.fields import DURATION, Field
from engine.reading.workshop import Given
from engine.run import Run
from engine.session import Waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait(Step):
    """A pause of `ms`; in a call it is ten seconds at most."""

    ms: int

    verb = "wait"
    waits = True
    channels = frozenset({"voice", "event"})
    FIELDS = (Field("wait", DURATION, required=True, doc="how long; in a call at most 10s"),)
    EXAMPLE = "- wait: 2s"

    @classmethod
    def build(cls, given: Given, following: int) -> int:
        """Make the step."""
        ms = given.value("wait")
        if ms is None:
            return following
        return given.shop.add(cls(place=given.place, next=following, id=given.id, ms=ms))

    def run(self, run: Run) -> int:
        """Wait; nobody is kept waiting who reads."""
        if run.channel not in self.channels:
            return run.fail(f"wait: there is no pause over {run.channel}")
        if not self.ms or run.gone:
            return self.next
        ms = min(self.ms, PAUSE_MS) if run.channel == "voice" else self.ms
        run.effects.append(Pause(ms, run.speech()))
        return run.wait_for(Waiting.PAUSE, run.now + ms)

    def resume(self, run: Run, given: Input) -> int:
        """The time is over."""
        return self.next
