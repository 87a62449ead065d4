"""`charset-flip`: one sign that makes a text in Latin letters lose its short alphabet."""

from __future__ import annotations

import re
import unicodedata

from engine.expressions import Template
from engine.prompts import in_gsm7
from engine.reading.checks.fragment import shown, templates
from engine.reading.checks.room import shortest
from engine.reading.checks.survey import Survey
from engine.reading.diagnostic import Report
from engine.steps.sms import Sms

_LATIN = re.compile(r"[^\u0250-\u1dff\u2c00-\uffff]*\Z")
"""A text without letters of other scripts, found fast: most texts are not Latin."""

CODES = ("charset-flip",)


def check(survey: Survey, report: Report) -> None:
    """Look at the fixed words of every text that goes out over USSD or SMS."""
    budget = survey.flows.project.capabilities
    pages = next((keys.pages for keys in budget.values() if keys.pages is not None), None)
    for passage, _, step, _ in survey.steps():
        texts = shown(step, passage.channel) if passage.channel != "event" else ()
        if isinstance(step, Sms):
            texts = templates(step.text, passage.channel)
        for template in texts:
            signs = _signs(template)
            if signs and pages is not None:
                report.warning(
                    "charset-flip",
                    f'"{signs[0]}" makes this text UCS-2: {pages.ucs2} units a page instead of {pages.gsm7}',
                    survey.place_of(step, template.source),
                    help='write it with signs of GSM 03.38: "…" for «…», - for —',
                )


def _signs(template: Template) -> list[str]:
    """Return the signs outside GSM 03.38 of a text whose letters are all inside."""
    text = shortest(template).replace("₽", "RUB")  # money in Latin texts is written as RUB
    if in_gsm7(text) or not _LATIN.match(text):
        return []
    outside = [sign for sign in text if not in_gsm7(sign)]
    letters = [sign for sign in text if sign.isalpha()]
    if not outside or not letters or any(sign.isalpha() for sign in outside):
        return []
    return outside if all("LATIN" in unicodedata.name(sign, "") for sign in letters) else []
