"""`switch`: the block of a value, for enumerations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from engine.expressions import Expression
from engine.flow import LONG, Step
from engine.glance import Glance
from engine.reading.fields import EXPRESSION, TABLE, Field
from engine.reading.workshop import Given
from engine.run import Run
from engine.values import Value

_SAME = {"true": "yes", "false": "no"}


def case_of(value: Value) -> str | None:
    """Return the word by which a value stands in `cases`, None for a value that cannot stand there."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case str():
            return value
        case int() | Decimal():
            return str(value)
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch(Step):
    """A choice by value; a value without a case and without `else` is a fault of the flow."""

    subject: Expression
    cases: Mapping[str, int]
    otherwise: int | None

    verb = "switch"
    glides = True
    FIELDS = (
        Field("switch", EXPRESSION, required=True, doc="the value that is looked at"),
        Field("cases", TABLE, required=True, doc="values with their blocks; else: for all others"),
    )
    EXAMPLE = "- switch: p.period\n  cases:\n    month: monthly\n    day: daily"

    @classmethod
    def build(cls, given: Given, following: int) -> int:
        """Make the step."""
        subject, table = given.expression("switch"), given.value("cases")
        if table is None:
            return following
        cases: dict[str, int] = {}
        otherwise: int | None = None
        for entry in table:
            target = given.shop.block(entry.value, following)
            name = _SAME.get(entry.key.value, entry.key.value)
            if name == "else":
                otherwise = target
            else:
                cases[name] = target
        if subject is None:
            return following
        step = cls(
            place=given.place,
            next=following,
            id=given.id,
            subject=subject,
            cases=cases,
            otherwise=otherwise,
        )
        return given.shop.add(step)

    def run(self, run: Run) -> int:
        """Choose."""
        case = case_of(self.subject.evaluate(run))
        target = self.cases.get(case) if case is not None else None
        if target is not None:
            run.took(case or "")
            return target
        if self.otherwise is None:
            return run.fail(f"switch {self.subject.source} has no case for the value")
        run.took("else")
        return self.otherwise

    def glide(self, glance: Glance) -> int:
        """Choose; a value without a case is a fault, and those need a `Run`."""
        case = case_of(self.subject.evaluate(glance))
        target = self.cases.get(case, self.otherwise) if case is not None else self.otherwise
        return LONG if target is None else target

    def exits(self) -> tuple[tuple[str, int], ...]:
        """All blocks."""
        found = tuple(self.cases.items())
        return found if self.otherwise is None else (*found, ("else", self.otherwise))

    def expressions(self) -> tuple[Expression, ...]:
        """The value."""
        return (self.subject,)
