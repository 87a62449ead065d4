"""`run`: another flow, and then the step after this one."""

from __future__ import annotations

from dataclasses import dataclass

from engine.expressions import Expression
from engine.flow import Step
from engine.reading.fields import EXPRESSION, NAME, Field, map_of
from engine.reading.workshop import Given
from engine.run import Run as Turn
from engine.steps.subflow import read_arguments, read_flow
from engine.types import ANY, Type
from engine.values import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(Step):
    """A flow inside the flow; its inputs are given by `with`, its result is saved."""

    flow: str
    arguments: tuple[tuple[str, Expression], ...]
    save: str | None = None

    verb = "run"
    FIELDS = (
        Field("run", NAME, required=True, doc="the flow"),
        Field("with", map_of(EXPRESSION), default={}, doc="its inputs"),
        Field("save", NAME, doc="where its result goes"),
    )
    EXAMPLE = "- run: top_up\n  with: { code: code }"

    @classmethod
    def build(cls, given: Given, following: int) -> int:
        """Make the step."""
        arguments = read_arguments(given)
        save = given.variable("save")
        flow = read_flow(given, "run")
        if flow is None:
            return following
        step = cls(
            place=given.place,
            next=following,
            id=given.id,
            flow=flow,
            arguments=arguments,
            save=save,
        )
        return given.shop.add(step)

    def run(self, run: Turn) -> int:
        """Enter the flow."""
        arguments = {name: value.evaluate(run) for name, value in self.arguments}
        return run.call_flow(run.flows.flows[self.flow], arguments)

    def returned(self, run: Turn, value: Value) -> int:
        """The flow was left."""
        if self.save is not None:
            run.set(self.save, value)
        return self.next

    def expressions(self) -> tuple[Expression, ...]:
        """The inputs."""
        return tuple(value for _, value in self.arguments)

    def saves(self) -> tuple[tuple[str, Type], ...]:
        """The result; its type is `returns` of the flow."""
        return () if self.save is None else ((self.save, ANY),)
