"""`sms-parts`: a message that takes more parts than the project allows, however short its values are."""

from __future__ import annotations

from engine.reading.checks.fragment import templates
from engine.reading.checks.room import shortest, sms_parts
from engine.reading.checks.survey import Survey
from engine.reading.diagnostic import Report
from engine.steps.sms import Sms

CODES = ("sms-parts",)


def check(survey: Survey, report: Report) -> None:
    """Measure every `sms` in every language."""
    limit = survey.flows.project.sms_parts
    for passage, _, step, _ in survey.steps():
        if not isinstance(step, Sms):
            continue
        for template in templates(step.text, passage.channel):
            parts = sms_parts(shortest(template))
            if parts > limit:
                report.warning(
                    "sms-parts",
                    f"SMS takes {parts} parts or more (max {limit})",
                    survey.place_of(step, template.source),
                    help="shorten it; each part costs and may come alone",
                )
