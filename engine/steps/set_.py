"""`set`: variables of this run of the flow, and the language of the session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.expressions import Expression
from engine.flow import LONG, Step
from engine.glance import Glance
from engine.reading.fields import EXPRESSION, Field, map_of
from engine.reading.workshop import Given
from engine.run import Run
from engine.types import ANY, Type
from engine.values import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Set(Step):
    """Assignments, in their order. `fixed` are all of them if none depends on anything."""

    values: tuple[tuple[str, Expression], ...]
    fixed: Mapping[str, Value]

    verb = "set"
    glides = True
    FIELDS = (
        Field(
            "set",
            map_of(EXPRESSION),
            required=True,
            doc="variables with their values; lang: the language, kept with memory: { lang }",
        ),
    )
    EXAMPLE = "- set: { points: 100 }"

    @classmethod
    def build(cls, given: Given, following: int) -> int:
        """Make the step."""
        values = []
        for name, field in (given.value("set") or {}).items():
            value = given.shop.expression(field.value)
            known = name if name == "lang" or field.key is None else given.shop.variable(field.key)
            if value is not None and known is not None:
                values.append((known, value))
        fixed = {}
        if all(name != "lang" and value.fixed for name, value in values):
            fixed = {name: value.constant for name, value in values}
        step = cls(place=given.place, next=following, id=given.id, values=tuple(values), fixed=fixed)
        return given.shop.add(step)

    def run(self, run: Run) -> int:
        """Assign."""
        if self.fixed:
            run.own()
            run.variables.update(self.fixed)
            return self.next
        for name, value in self.values:
            run.set(name, value.evaluate(run))
        return self.next

    def glide(self, glance: Glance) -> int:
        """Assign; another language has consequences, and those need a `Run`."""
        if self.fixed:
            glance.variables = {**glance.variables, **self.fixed}
            return self.next
        for name, value in self.values:
            if name == "lang":
                return LONG
            glance.variables = {**glance.variables, name: value.evaluate(glance)}
        return self.next

    def expressions(self) -> tuple[Expression, ...]:
        """The values."""
        return tuple(value for _, value in self.values)

    def saves(self) -> tuple[tuple[str, Type], ...]:
        """The variables; their types are those of the expressions."""
        return tuple((name, ANY) for name, _ in self.values if name != "lang")
