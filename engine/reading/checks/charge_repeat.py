"""`charge-repeat`: a charge without a window in which a second dial is the same order."""

from __future__ import annotations

from engine.reading.checks.survey import Survey
from engine.reading.diagnostic import Report
from engine.steps.request import Request

CODES = ("charge-repeat",)


def check(survey: Survey, report: Report) -> None:
    """Look at the operations of all charging requests."""
    for _, _, step in survey.each_step():
        if not isinstance(step, Request) or step.key is not None:
            continue
        if step.operation.charge and not step.operation.once_ms:
            report.warning(
                "charge-repeat",
                f"{step.operation.name} has no once: – a second dial charges again",
                step,
                help="once: 10m in config/backends.yaml, or key: on the request",
            )
