"""`list-empty`: a menu of elements that has nothing to show when its list is empty."""

from __future__ import annotations

from engine.reading.checks.survey import Survey
from engine.reading.diagnostic import Report
from engine.steps.menu import Menu

CODES = ("list-empty",)


def check(survey: Survey, report: Report) -> None:
    """Look at every menu with `each`."""
    for _, _, step in survey.each_step():
        if not isinstance(step, Menu) or step.elements is None:
            continue
        if step.elements.empty is None and not step.lines:
            report.warning(
                "list-empty",
                f"the menu says nothing when {step.elements.source.source.strip()} is empty: add empty:",
                step,
                help="empty: { end: … }",
            )
