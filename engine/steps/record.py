"""`record`: what the caller says, recorded under a name."""

from __future__ import annotations

from dataclasses import dataclass

from engine.effects import Record as Recording
from engine.expressions import Template
from engine.flow import Step
from engine.inputs import Input, LineReplied
from engine.reading.fields import DURATION, NAME, SPOKEN, Field
from engine.reading.workshop import Given
from engine.run import Run
from engine.session import Waiting
from engine.types import TEXT, Type
from engine.values import Secret
from engine.wording import Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(Step):
    """A recording of at most `max_ms`; `save` is its name."""

    text: Wording
    max_ms: int
    save: str | None = None

    verb = "record"
    waits = True
    outside = True
    channels = frozenset({"voice"})
    FIELDS = (
        Field("record", SPOKEN, required=True, doc="what is said before the tone"),
        Field("max", DURATION, default=60_000, doc="the longest recording"),
        Field("save", NAME, doc="the name of the recording"),
    )
    EXAMPLE = "- record: Расскажите, что случилось, и нажмите решётку.\n  max: 2m\n  save: words"

    @classmethod
    def build(cls, given: Given, following: int) -> int:
        """Make the step."""
        text, save = given.wording("record"), given.variable("save")
        if text is None:
            return following
        step = cls(
            place=given.place, next=following, id=given.id, text=text, max_ms=given.value("max"), save=save
        )
        return given.shop.add(step)

    def run(self, run: Run) -> int:
        """Record and wait; there is no way back over it."""
        if run.channel not in self.channels:
            return run.fail(f"record: there is nothing to hear over {run.channel}")
        if run.gone:
            return run.quit("late")
        text = run.head(self.text)
        hidden = run.hidden or any(secret for _, secret in run.said)
        run.said = ()
        run.hidden = False
        run.cross()
        run.drop_ahead()
        run.call += 1
        run.effects.append(Recording(run.call, Secret(text) if hidden else text, self.max_ms))
        return run.wait_for(Waiting.LINE)

    def resume(self, run: Run, given: Input) -> int:
        """Take the name of the recording."""
        assert isinstance(given, LineReplied)
        if given.outcome != "done":
            return run.fail(f"record: {given.outcome}")
        run.steps = 0
        if self.save is not None:
            run.set(self.save, given.value if isinstance(given.value, str) else "")
        run.took("done")
        return self.next

    def exits(self) -> tuple[tuple[str, int], ...]:
        """The way on."""
        return (("done", self.next),)

    def templates(self) -> tuple[Template, ...]:
        """The text."""
        return self.text.templates()

    def saves(self) -> tuple[tuple[str, Type], ...]:
        """The name of the recording."""
        return () if self.save is None else ((self.save, TEXT),)
