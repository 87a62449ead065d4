"""`stale-translation`: a translation of a text that no flow has any more."""

from __future__ import annotations

import re

from engine.reading.checks.survey import Survey
from engine.reading.diagnostic import Place, Report
from engine.reading.suggestion import suggestion
from engine.reading.texts import source_texts

CODES = ("stale-translation",)

_FILE = re.compile(r"(?:flows/)?texts/([^/]+)\.yaml\Z")
_SUGGESTED = 2_000
"""Texts among which a similar one is looked for; in a larger project that takes too long."""


def check(survey: Survey, report: Report) -> None:
    """Look at every translation, whether its text still stands somewhere."""
    flows = survey.flows
    for name in flows.sources:
        match = _FILE.match(name)
        if match and match[1] not in flows.project.languages:
            report.warning(
                "stale-translation",
                f'the project has no language "{match[1]}": nobody reads this file',
                Place(name, 1, 1),
                help=f"languages: of the project has {', '.join(flows.project.languages)}",
            )
    if not survey.complete:
        return
    own = {text.text.strip() for text in source_texts(flows) if not text.flow}
    for language, texts in flows.translations.items():
        said = own | {
            text.text.strip()
            for flow in flows.flows.values()
            if language in flow.languages
            for text in flow.texts
        }
        for source, written in texts.items():
            if source in said:
                continue
            near = suggestion(source, said) if len(said) <= _SUGGESTED else None
            short = source if len(source) <= 60 else source[:59] + "…"
            report.warning(
                "stale-translation",
                f'{language}: no flow says "{short}" any more',
                written,
                help=f'the text is now "{near}"' if near else "take the line out (gudok texts --update)",
            )
