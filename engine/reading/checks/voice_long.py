"""`voice-long`: a spoken menu of which the first choices are forgotten when the last one comes."""

from __future__ import annotations

from engine.phrase import phrases
from engine.reading.checks.room import shortest
from engine.reading.checks.survey import Survey
from engine.reading.diagnostic import Report
from engine.steps.menu import Menu
from engine.wording import Wording

CODES = ("voice-long",)

SPEECH_RATE = 14
"""Characters a voice says in a second, the pauses between sentences included."""


def check(survey: Survey, report: Report) -> None:
    """Say every menu in every language, up to its last choice."""
    limit_ms = survey.flows.project.limits.speech_ms
    for passage, _, step, _ in survey.steps():
        if passage.channel != "voice" or not isinstance(step, Menu):
            continue
        for language in passage.flow.languages or survey.flows.project.languages:
            words = [_said(step.text, language)]
            words += [
                phrases(language).press.format(label=_said(line.label, language), key=line.key)
                for line in step.lines[:-1]
            ]
            seconds = sum(map(len, words)) / SPEECH_RATE
            if seconds * 1000 > limit_ms:
                report.warning(
                    "voice-long",
                    f"menu lasts about {seconds:.0f} s (limit {limit_ms / 1000:g} s) before the last choice",
                    step,
                    help="shorten the labels, or put some lines into a menu of their own",
                )
                break


def _said(wording: Wording, language: str) -> str:
    form = wording.forms.get(("voice", language))
    return "" if form is None else shortest(form.template)
