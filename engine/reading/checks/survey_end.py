"""`survey-end`: a survey that nobody is asked, because its flow also runs where there is no talk."""

from __future__ import annotations

from engine.reading.checks.survey import Survey
from engine.reading.diagnostic import Report
from engine.steps.queue import Queue

CODES = ("survey-end",)


def check(survey: Survey, report: Report) -> None:
    """Look at every `queue` with a survey that a USSD dialog comes to."""
    for passage, _, step, _ in survey.steps():
        if passage.channel == "ussd" and isinstance(step, Queue) and step.survey:
            start = survey.starts[passage.flow.id, "ussd"]
            report.warning(
                "survey-end",
                f"queue has survey: {step.survey}, but this flow is also {start.by}, where nobody is asked",
                step,
                help="a branch for channel == 'ussd' with callback:",
            )
