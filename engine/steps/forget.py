"""`forget`: remove all of a declared memory of the subscriber."""

from __future__ import annotations

from dataclasses import dataclass

from engine.effects import Forget as Forgetting
from engine.expressions import Expression
from engine.flow import Step
from engine.reading.fields import EXPRESSION, NAME, Field
from engine.reading.workshop import Given
from engine.run import Run
from engine.steps.memory import declared


@dataclass(frozen=True, slots=True, kw_only=True)
class Forget(Step):
    """None of something from here on."""

    name: str
    to: Expression | None = None

    verb = "forget"
    outside = True
    FIELDS = (
        Field("forget", NAME, required=True, doc="a memory that the project declares"),
        Field("to", EXPRESSION, doc="the phone it belongs to (the caller)"),
    )
    EXAMPLE = "- forget: wrong_code"

    @classmethod
    def build(cls, given: Given, following: int) -> int:
        """Make the step."""
        name, to = given.value("forget"), given.expression("to")
        if not declared(given, name):
            return following
        return given.shop.add(cls(place=given.place, next=following, id=given.id, name=name, to=to))

    def run(self, run: Run) -> int:
        """Remove it; there is no way back over it."""
        subject = run.caller if self.to is None else self.to.evaluate(run)
        if not isinstance(subject, str):
            return run.fail("forget: the owner is not a phone number")
        run.cross()
        run.forget_memory(self.name, subject)
        if subject:
            run.effects.append(Forgetting(self.name, subject))
        return self.next

    def expressions(self) -> tuple[Expression, ...]:
        """Whose memory it is."""
        return () if self.to is None else (self.to,)
