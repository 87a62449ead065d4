"""`no-operator`: a call from which nobody ever comes to a person."""

from __future__ import annotations

from engine.reading.checks.person import NEVER, distances
from engine.reading.checks.survey import Survey
from engine.reading.diagnostic import Report

CODES = ("no-operator",)


def check(survey: Survey, report: Report) -> None:
    """Look for a way to people in every flow that is called."""
    if not survey.complete:
        return
    for key, distance in distances(survey).items():
        start = survey.starts[key]
        if key[1] == "voice" and start.trigger and distance.person == NEVER:
            report.warning(
                "no-operator",
                "voice flow with no way to a person",
                start.place,
                help="operator: in the header or in config/project.yaml, or a menu line that leads to queue:",
            )
