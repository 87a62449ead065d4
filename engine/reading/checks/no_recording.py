"""`no-recording`: what a call says and nobody has recorded, so that it is synthesized.

Where nothing at all is recorded in a language, that is known, and one hint is enough.
"""

from __future__ import annotations

from engine.reading.checks.fragment import shown
from engine.reading.checks.survey import Survey
from engine.reading.diagnostic import Place, Report
from engine.spoken import recording_name
from engine.steps.say import Say

CODES = ("no-recording",)


def check(survey: Survey, report: Report) -> None:
    """Look for a recording of all fixed words of calls; silent where it is not known what there is."""
    if survey.recordings is None:
        return
    missing: dict[str, dict[str, Place]] = {}
    for passage, _, step, _ in survey.steps():
        if passage.channel != "voice":
            continue
        if isinstance(step, Say) and step.sound is not None:
            for language in passage.flow.languages:
                if f"{language}/{step.sound}" not in survey.recordings:
                    missing.setdefault(language, {}).setdefault(f'"{step.sound}"', step.place)
            continue
        for template in shown(step, "voice"):
            for words in template.speech.phrases:
                if f"{template.language}/{recording_name(words)}" not in survey.recordings:
                    missing.setdefault(template.language, {}).setdefault(f'for "{_short(words)}"', step.place)
    for language, texts in missing.items():
        _missing(survey, language, texts, report)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:59] + "…"


def _missing(survey: Survey, language: str, texts: dict[str, Place], report: Report) -> None:
    remedy = "gudok prompts lists what has to be recorded"
    if not any(name.startswith(f"{language}/") for name in survey.recordings or ()):
        report.hint(
            "no-recording",
            f"nothing is recorded in {language}: TTS will be used for all {len(texts)} texts of calls",
            next(iter(texts.values())),
            help=remedy,
        )
        return
    for text, place in texts.items():
        report.hint("no-recording", f"no recording {text} ({language}): TTS will be used", place, remedy)
