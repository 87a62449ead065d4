"""`charge-unknown`, `settled-missing`: nobody may be left without the outcome of what took money."""

from __future__ import annotations

from engine.reading.checks.survey import Survey
from engine.reading.diagnostic import Report
from engine.steps.request import Request

CODES = ("charge-unknown", "settled-missing")


def check(survey: Survey, report: Report) -> None:
    """Every request that cannot be undone needs its `unknown`, every charge a flow for its end."""
    told: set[str] = set()
    for _, _, step in survey.each_step():
        if not isinstance(step, Request) or not step.operation.irreversible:
            continue
        operation = step.operation
        if "unknown" not in step.errors:
            does = "takes money" if operation.charge else "cannot be undone"
            report.error(
                "charge-unknown",
                f"{operation.name} {does}: say what the caller hears when the outcome is unknown "
                "(errors: unknown:)",
                step,
                help="errors: { unknown: checking }, with a scene that promises an SMS and no result",
            )
        event = f"{operation.name}_settled"
        if not survey.complete:
            continue
        if operation.charge and operation.name not in told and not survey.flows.on_event(event):
            told.add(operation.name)
            report.error(
                "settled-missing",
                f'{operation.name} may end "unknown", but no flow has event: {event}: '
                "the subscriber would never learn the outcome",
                step,
                help=f"write a flow with event: {event} that sends an SMS if event.done, and one if not",
            )
