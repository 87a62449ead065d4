"""`sms-parts`: a message that takes more parts than the project allows; each part is paid for."""

from __future__ import annotations

from engine.expressions import Template
from engine.expressions.narrowing import Types
from engine.reading.checks.fragment import templates
from engine.reading.checks.room import TEXT_LENGTH, Longest, shortest, sms_parts
from engine.reading.checks.survey import Survey
from engine.reading.diagnostic import Report
from engine.steps.sms import Sms

CODES = ("sms-parts",)


def check(survey: Survey, report: Report) -> None:
    """Measure every `sms` in every language, with values as long as their types allow."""
    limit = survey.flows.project.sms_parts
    for passage, _, step, types in survey.steps():
        if not isinstance(step, Sms):
            continue
        for template in templates(step.text, passage.channel):
            said = parts_said(template, types, limit)
            if said:
                report.warning(
                    "sms-parts",
                    said,
                    survey.place_of(step, template.source),
                    help="shorten it; each part costs and may come alone",
                )


def parts_said(template: Template, types: Types, limit: int) -> str:
    """Return what is wrong with the length of a message, empty if it never takes more than `limit` parts."""
    least = sms_parts(shortest(template))
    if least > limit:
        more = "" if template.constant is not None else " or more"
        return f"SMS takes {least} parts{more} (max {limit})"
    longest = Longest(template, types)
    most = sms_parts(longest.text())
    if most <= limit:
        return ""
    guess = f" when {longest.guessed[0]} has {TEXT_LENGTH} characters" if longest.guessed else ""
    return f"SMS takes up to {most} parts (max {limit}){guess}"
