"""`no-translation`: a text that is not written in a language its flow offers.

A language that nobody has begun to translate into is one hint, not a warning for every text.
"""

from __future__ import annotations

from engine.reading.checks.condition import parts_of
from engine.reading.checks.survey import Survey
from engine.reading.diagnostic import Place, Report
from engine.reading.texts import source_texts

CODES = ("no-translation",)

_PROJECT = "config/project.yaml"


def check(survey: Survey, report: Report) -> None:
    """Look for every text in every language of its flow."""
    flows = survey.flows
    own = [text for text in source_texts(flows) if not text.flow]
    for language in flows.project.languages[1:]:
        known = flows.translations.get(language, {})
        missing = [
            text
            for flow in flows.flows.values()
            if language in flow.languages[1:]
            for text in flow.texts
            if text.text.strip() not in known and has_words(text.text)
        ]
        if missing and not known:
            _none(survey, language, len(missing), report)
            continue
        if not missing and not known:
            continue
        missing += [text for text in own if text.text.strip() not in known]
        seen: set[str] = set()
        for text in missing:
            if text.text not in seen:
                seen.add(text.text)
                report.warning(
                    "no-translation",
                    f'{language}: no translation of "{_short(text.text)}"',
                    text.place,
                    help=f"write it in {_file(survey, language)}, the text of the flow as the key",
                )


def _none(survey: Survey, language: str, number: int, report: Report) -> None:
    main = survey.flows.project.languages[0]
    flow = next((flow for flow in survey.flows.flows.values() if language in flow.languages[1:]), None)
    lines = survey.flows.sources.get(_PROJECT, "").split("\n")
    at = next((number for number, line in enumerate(lines, 1) if line.startswith("languages:")), 0)
    place = Place(_PROJECT, at, 1) if at or flow is None else flow.place
    report.hint(
        "no-translation",
        f"{language}: nothing is translated yet, {number} texts are shown in {main}",
        place,
        help=f"write {_file(survey, language)}, or take {language} out of languages:",
    )


def _file(survey: Survey, language: str) -> str:
    inside = f"flows/texts/{language}.yaml"
    return inside if inside in survey.flows.sources else f"texts/{language}.yaml"


def has_words(text: str) -> bool:
    """Tell whether there is anything to translate: a text may be nothing but a value."""
    if "{" not in text:
        return any(sign.isalpha() for sign in text)
    return any(
        sign.isalpha() for part in parts_of(text.strip("\n")) if hasattr(part, "text") for sign in part.text
    ) or any(hasattr(part, "cases") for part in parts_of(text.strip("\n")))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:59] + "…"
