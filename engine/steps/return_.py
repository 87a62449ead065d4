"""`return`: leave the flow silently with a value for `run: … save:`."""

from __future__ import annotations

from dataclasses import dataclass

from engine.expressions import Expression
from engine.flow import Step
from engine.glance import Glance
from engine.reading.fields import EXPRESSION, Field
from engine.reading.workshop import Given
from engine.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Return(Step):
    """The result of a flow."""

    value: Expression

    verb = "return"
    glides = True
    FIELDS = (Field("return", EXPRESSION, required=True, doc="the value the flow gives back"),)
    EXAMPLE = "- return: yes"

    @classmethod
    def build(cls, given: Given, following: int) -> int:
        """Make the step."""
        value = given.expression("return")
        if value is None:
            return following
        return given.shop.add(cls(place=given.place, next=following, id=given.id, value=value))

    def run(self, run: Run) -> int:
        """Leave with the value."""
        return run.leave("return", self.value.evaluate(run))

    def glide(self, glance: Glance) -> int:
        """End the session; nobody gets the value."""
        self.value.evaluate(glance)
        return glance.leave("return")

    def exits(self) -> tuple[tuple[str, int], ...]:
        """Nothing of this flow follows."""
        return ()

    def expressions(self) -> tuple[Expression, ...]:
        """The value."""
        return (self.value,)
