"""`error-unhandled`: an error that an operation declares, and that a request says nothing about."""

from __future__ import annotations

from engine.reading.checks.survey import Survey
from engine.reading.diagnostic import Report
from engine.steps.request import Request

CODES = ("error-unhandled",)


def check(survey: Survey, report: Report) -> None:
    """Compare the errors of requests with those of their operations."""
    for _, _, step in survey.each_step():
        if not isinstance(step, Request) or "else" in step.errors or step.fallback is not None:
            continue
        for name in dict.fromkeys(step.operation.errors.values()):
            if name not in step.errors:
                report.warning(
                    "error-unhandled",
                    f'{step.operation.name} can answer "{name}", which is not handled here',
                    step,
                    help=f"errors: {{ {name}: … }}, or else: for all others",
                )
