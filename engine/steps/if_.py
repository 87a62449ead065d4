"""`if`: one of two blocks."""

from __future__ import annotations

from dataclasses import dataclass

from engine.expressions import Expression
from engine.flow import Step
from engine.glance import Glance
from engine.reading.fields import BLOCK, EXPRESSION, Field
from engine.reading.workshop import Given
from engine.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class If(Step):
    """A choice by a condition."""

    test: Expression
    then: int
    otherwise: int

    verb = "if"
    glides = True
    FIELDS = (
        Field("if", EXPRESSION, required=True, doc="the condition"),
        Field("then", BLOCK, doc="what is done if it is true"),
        Field("else", BLOCK, doc="what is done if it is not true"),
    )
    EXAMPLE = "- if: x.on\n  then: turn_off\n  else: turn_on"

    @classmethod
    def build(cls, given: Given, following: int) -> int:
        """Make the step."""
        test = given.expression("if")
        then, otherwise = given.block("then", following), given.block("else", following)
        if not (given.written("then") or given.written("else")):
            given.report.error("missing-field", "if needs then: or else:", given.key)
        if test is None:
            return following
        step = cls(place=given.place, next=following, id=given.id, test=test, then=then, otherwise=otherwise)
        return given.shop.add(step)

    def run(self, run: Run) -> int:
        """Choose."""
        if self.test.evaluate(run):
            if run.trace is not None:
                run.took("then")
            return self.then
        if run.trace is not None:
            run.took("else")
        return self.otherwise

    def glide(self, glance: Glance) -> int:
        """Choose."""
        return self.then if self.test.evaluate(glance) else self.otherwise

    def exits(self) -> tuple[tuple[str, int], ...]:
        """Both blocks."""
        return (("then", self.then), ("else", self.otherwise))

    def expressions(self) -> tuple[Expression, ...]:
        """The condition."""
        return (self.test,)
