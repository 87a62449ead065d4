"""Whole reports as text and as data: what `gudok check` prints.

The findings themselves and the look of a single one are in `engine.reading.diagnostic`. This module does
not read files: the sources are handed to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from engine.reading.diagnostic import Diagnostic, Report, Severity, as_json, render

__all__ = ["Report", "report_json", "report_text", "source_lines", "summary"]

_LINE_BREAK = re.compile(r"\r\n|\n|\r")


def source_lines(source: str) -> list[str]:
    """Split a source into lines as the loader counts them, without line breaks."""
    return _LINE_BREAK.split(source.removeprefix("\ufeff"))


def report_text(report: Report, sources: Mapping[str, str]) -> str:
    """Return all findings with their source lines, a blank line between two, and the summary.

    `sources` are the texts by file name as in the places; a file that is missing is shown without lines.
    """
    lines: dict[str, list[str]] = {}
    parts = []
    for diagnostic in report.diagnostics:
        file = diagnostic.place.file
        if file in sources and file not in lines:
            lines[file] = source_lines(sources[file])
        parts.append(render(diagnostic, _line(lines.get(file, []), diagnostic)))
    parts.append(summary(report))
    return "\n\n".join(parts)


def _line(lines: list[str], diagnostic: Diagnostic) -> str | None:
    number = diagnostic.place.line
    return lines[number - 1] if 0 < number <= len(lines) else None


def report_json(report: Report) -> list[dict[str, object]]:
    """Return all findings as plain data, in the order of places."""
    return [as_json(diagnostic) for diagnostic in report.diagnostics]


def summary(report: Report) -> str:
    """Return one line with the numbers: `2 errors, 1 warning`, or `no errors` alone."""
    counts = dict.fromkeys(Severity, 0)
    for diagnostic in report.diagnostics:
        counts[diagnostic.severity] += 1
    parts = [
        f"{count} {severity.value}{'' if count == 1 else 's'}" for severity, count in counts.items() if count
    ]
    if not counts[Severity.ERROR]:
        parts.insert(0, "no errors")
    return ", ".join(parts)
