"""`schedule`: start a flow later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.effects import Schedule as Scheduling
from engine.expressions import Expression
from engine.flow import Step
from engine.reading.fields import DURATION, EXPRESSION, NAME, Field, choice, map_of
from engine.reading.workshop import Given
from engine.run import Run
from engine.steps.subflow import read_arguments, read_flow


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule(Step):
    """A flow that starts after `in_ms`, or `at` a moment; nothing waits for it."""

    flow: str
    in_ms: int | None = None
    at: Expression | None = None
    to: Expression | None = None
    over: str = "sms"
    arguments: tuple[tuple[str, Expression], ...] = ()

    verb = "schedule"
    outside = True
    FIELDS = (
        Field("schedule", NAME, required=True, doc="the flow"),
        Field("in", DURATION, doc="how long from now"),
        Field("at", EXPRESSION, doc="the moment, if not in:"),
        Field("to", EXPRESSION, doc="the subscriber (the caller)"),
        Field("over", choice("sms", "ussd", "voice"), default="sms", doc="how the subscriber is reached"),
        Field("with", map_of(EXPRESSION), default={}, doc="its inputs"),
    )
    EXAMPLE = "- schedule: top_up\n  in: 30m\n  with: { code: code }"

    @classmethod
    def build(cls, given: Given, following: int) -> int:
        """Make the step."""
        at, to = given.expression("at"), given.expression("to")
        arguments = read_arguments(given)
        flow = read_flow(given, "schedule")
        if flow is None:
            return following
        if given.written("in") is given.written("at"):
            given.report.error(
                "type" if given.written("in") else "missing-field",
                "schedule needs in: or at:, one of the two",
                given.key,
                help="in: 30m, or at: slot.start - hours(2)",
            )
        step = cls(
            place=given.place,
            next=following,
            id=given.id,
            flow=flow,
            in_ms=given.value("in"),
            at=at,
            to=to,
            over=given.value("over"),
            arguments=arguments,
        )
        return given.shop.add(step)

    def run(self, run: Run) -> int:
        """Note the start; there is no way back over it. A moment that is over is now."""
        to = run.caller if self.to is None else self.to.evaluate(run)
        if not isinstance(to, str):
            return run.fail("schedule: the subscriber is not a phone number")
        at = run.now + (self.in_ms or 0)
        if self.at is not None:
            moment = self.at.evaluate(run)
            if not isinstance(moment, datetime) or moment.tzinfo is None:
                return run.fail("schedule: at is not a moment")
            at = max(run.now, int(moment.timestamp() * 1000))
        arguments = {name: value.evaluate(run) for name, value in self.arguments}
        run.cross()
        if not to:
            run.note("schedule_without_subscriber")
            return self.next
        run.effects.append(Scheduling(self.flow, at, to, self.over, arguments))
        return self.next

    def expressions(self) -> tuple[Expression, ...]:
        """The moment, the subscriber, the inputs."""
        own = tuple(part for part in (self.at, self.to) if part is not None)
        return (*own, *(value for _, value in self.arguments))
