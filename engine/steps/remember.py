"""`remember`: add one to a declared memory of the subscriber."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.effects import Remember as Remembering
from engine.expressions import Expression, Template
from engine.flow import Step
from engine.reading.fields import EXPRESSION, NAME, Field
from engine.reading.workshop import Given
from engine.run import Run
from engine.steps.memory import MemoryAsk, declared
from engine.types import INT, Type


@dataclass(frozen=True, slots=True, kw_only=True)
class Remember(Step):
    """One more of something, kept as long as the project says."""

    name: str
    keep_ms: int | None
    to: Expression | None = None
    save: str | None = None

    verb = "remember"
    outside = True
    FIELDS = (
        Field("remember", NAME, required=True, doc="a memory that the project declares"),
        Field("to", EXPRESSION, doc="the phone it belongs to (the caller)"),
        Field("save", NAME, doc="how many are kept now"),
    )
    EXAMPLE = "- remember: wrong_code\n  save: tries"

    @classmethod
    def build(cls, given: Given, following: int) -> int:
        """Make the step."""
        name = given.value("remember")
        save = given.variable("save")
        to = given.expression("to")
        if not declared(given, name):
            return following
        step = cls(
            place=given.place,
            next=following,
            id=given.id,
            name=name,
            keep_ms=given.shop.around.project.memory[name],
            to=to,
            save=save,
        )
        return given.shop.add(step)

    def run(self, run: Run) -> int:
        """Count it; there is no way back over it."""
        subject = run.caller if self.to is None else self.to.evaluate(run)
        if not isinstance(subject, str):
            return run.fail("remember: the owner is not a phone number")
        run.cross()
        kept = run.remember(self.name, subject)
        if subject:
            run.effects.append(Remembering(self.name, subject, self.keep_ms))
        if self.save is not None:
            run.set(self.save, kept)
        return self.next

    def expressions(self) -> tuple[Expression, ...]:
        """Whose memory it is."""
        return () if self.to is None else (self.to,)

    def asks_world(self) -> tuple[Expression | Template | Any, ...]:
        """How many are kept is asked only if it is wanted."""
        asked = (MemoryAsk(self.name, self.to),) if self.save is not None else ()
        return (*Step.asks_world(self), *asked)

    def saves(self) -> tuple[tuple[str, Type], ...]:
        """The number."""
        return () if self.save is None else ((self.save, INT),)
