"""`no-answer`: a built-in function that nothing in this version can answer.

Waiting times, places in a queue, repeat contacts and surges come with the queues of people. Until then such
a function would be empty for ever, and a flow that rests on it would go wrong without a word.
"""

from __future__ import annotations

from engine.reading.checks.fragment import wordings
from engine.reading.checks.survey import Survey
from engine.reading.diagnostic import Report

CODES = ("no-answer",)

UNANSWERED = frozenset({"expected_wait", "position", "repeat_contact", "surge"})


def check(survey: Survey, report: Report) -> None:
    """Look at every function that is looked up."""
    for _, _, step in survey.each_step():
        texts = [template for wording in wordings(step) for template in wording.templates()]
        for part in (*step.expressions(), *texts):
            for ask in part.asks:
                if ask.kind in UNANSWERED:
                    report.error(
                        "no-answer",
                        f"{ask.kind}() has no answer yet: it comes with the queues of people",
                        ask.place,
                        help="answered are recent(), open(), workdays() and memory",
                    )
