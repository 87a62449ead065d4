"""`menu-depth`: people who stand behind too many menus."""

from __future__ import annotations

from engine.reading.checks.person import NEVER, distances
from engine.reading.checks.survey import Survey
from engine.reading.diagnostic import Report

CODES = ("menu-depth",)


def check(survey: Survey, report: Report) -> None:
    """Count the menus on the shortest way from every trigger to a person."""
    limit = survey.flows.project.limits.menu_depth
    for key, distance in distances(survey).items():
        start = survey.starts[key]
        if start.trigger and limit < distance.person < NEVER:
            report.warning(
                "menu-depth",
                f"the operator is {distance.person} menus deep (limit {limit})",
                start.place,
                help="offer the operator in an earlier menu, or with operator: in the header",
            )
