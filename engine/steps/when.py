"""`when`: the block of the first true condition."""

from __future__ import annotations

from dataclasses import dataclass

from engine.expressions import Expression
from engine.flow import Step
from engine.glance import Glance
from engine.reading.fields import TABLE, Field
from engine.reading.workshop import Given
from engine.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class When(Step):
    """A choice by the first true condition; without one and without `else` the next step follows."""

    cases: tuple[tuple[Expression, str, int], ...]
    otherwise: int

    verb = "when"
    glides = True
    FIELDS = (Field("when", TABLE, required=True, doc="conditions with their blocks, in order; else: last"),)
    EXAMPLE = "- when:\n    p.fee == 0: free\n    p.balance < p.fee: poor\n    else: pay"

    @classmethod
    def build(cls, given: Given, following: int) -> int:
        """Make the step."""
        table = given.value("when")
        if table is None:
            return following
        cases: list[tuple[Expression, str, int]] = []
        otherwise = following
        for entry in table:
            target = given.shop.block(entry.value, following)
            if entry.key.value == "else":
                otherwise = target
                continue
            test = given.shop.expression(entry.key)
            if test is not None:
                cases.append((test, entry.key.value, target))
        step = cls(place=given.place, next=following, id=given.id, cases=tuple(cases), otherwise=otherwise)
        return given.shop.add(step)

    def run(self, run: Run) -> int:
        """Choose."""
        for test, label, target in self.cases:
            if test.evaluate(run):
                run.took(label)
                return target
        run.took("else")
        return self.otherwise

    def glide(self, glance: Glance) -> int:
        """Choose."""
        for test, _, target in self.cases:
            if test.evaluate(glance):
                return target
        return self.otherwise

    def exits(self) -> tuple[tuple[str, int], ...]:
        """All blocks."""
        return (*((label, target) for _, label, target in self.cases), ("else", self.otherwise))

    def expressions(self) -> tuple[Expression, ...]:
        """The conditions."""
        return tuple(test for test, _, _ in self.cases)
