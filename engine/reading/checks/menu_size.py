"""`menu-size`: more lines than a person can choose from, or than there are keys."""

from __future__ import annotations

from engine.reading.checks.survey import Survey
from engine.reading.diagnostic import Report
from engine.steps.menu import Menu

CODES = ("menu-size",)


def check(survey: Survey, report: Report) -> None:
    """Count the lines of every menu."""
    limit = survey.flows.project.limits.menu_items
    for _, _, step in survey.each_step():
        if isinstance(step, Menu) and len(step.lines) > limit:
            report.warning(
                "menu-size",
                f"{len(step.lines)} items, {limit} are allowed (limits: menu_items)",
                step,
                help="put some of them into a menu of their own",
            )
