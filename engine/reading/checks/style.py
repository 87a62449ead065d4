"""`style`: what is right here and read otherwise by other YAML tools: a number that is a name."""

from __future__ import annotations

import re

from engine.reading.checks.survey import Survey
from engine.reading.diagnostic import Place, Report
from engine.reading.report import source_lines

CODES = ("style",)

_FIELD = re.compile(r"(?:^|[\s{,])(?:sms|call|to|from|connect)\s*:\s+(\[[^\]]*\]?|[^\s,}]+)")
_BARE = re.compile(r"(?<![\w\"'.+])[0-9]+(?![\w\"'.:])")


def check(survey: Survey, report: Report) -> None:
    """Look for phone numbers and short codes without quotes in the headers."""
    for flow in survey.flows.flows.values():
        source = survey.flows.sources.get(flow.file, "")
        for at, line in _header(source, flow.place.line):
            if ":" not in line:
                continue
            for field in _FIELD.finditer(line.split(" #")[0]):
                for number in _BARE.finditer(field[1]):
                    column = field.start(1) + number.start() + 1
                    report.hint(
                        "style",
                        f'quote "{number[0]}": other YAML tools read bare digits as a number',
                        Place(flow.file, at, column, column + len(number[0])),
                        help=f'write "{number[0]}"',
                    )


def _header(source: str, first: int) -> list[tuple[int, str]]:
    """Return the lines of the header with their numbers: up to the first scene."""
    found = []
    for at, line in enumerate(source_lines(source)[first - 1 :], first):
        if at > first and line[:1].strip() and not line.startswith("#"):
            break
        found.append((at, line))
    return found
