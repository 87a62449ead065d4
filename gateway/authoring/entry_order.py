"""Puts the entries of a table into another order by moving whole lines, comments above and behind included.

It changes only what it is sure of: entries that each begin a line in one column, without blank lines between
them. Everything else is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.reading.tree import Table

_END = re.compile(r"(\r\n|\n|\r)")


def reordered(text: str, lines: Sequence[str], table: Table, wanted: Sequence[int]) -> str | None:
    """Return the text with the entries in the order `wanted` (their numbers), None if that is not safe."""
    segments = _segments(lines, table)
    if segments is None:
        return None
    column = table.entries[0].key.place.column - 1
    top = table.entries[0].key.place.line - 1
    prefix = lines[top][:column]
    bottom = max(segment.stop for segment in segments)
    moved: list[str] = []
    for place, number in enumerate(wanted):
        comments, body = _split(lines, segments[number])
        begin = prefix if place == 0 else " " * column
        margin = prefix[: len(prefix) - len(prefix.lstrip())] if place == 0 else " " * column
        moved += [f"{margin}{line.strip()}" for line in comments]
        moved += [f"{begin}{body[0][column:]}", *body[1:]]
    pieces = _END.split(text)
    for at, line in enumerate(moved):
        pieces[(top + at) * 2] = line
    return "".join(pieces) if len(moved) == bottom - top else None


def _segments(lines: Sequence[str], table: Table) -> list[range] | None:
    """Return the lines (from 0) of each entry; comments directly above belong to the entry below them."""
    places = [entry.key.place for entry in table]
    column = places[0].column - 1
    starts = []
    for number, place in enumerate(places):
        before = lines[place.line - 1][: place.column - 1]
        if place.column - 1 != column or (before.strip(" -") if number == 0 else before.strip()):
            return None
        start = place.line - 1
        while number and lines[start - 1].lstrip().startswith("#") and _indent(lines[start - 1]) == column:
            start -= 1
        starts.append(start)
    stop = _end(lines, starts[-1] + 1, column)
    found = [range(start, end) for start, end in zip(starts, [*starts[1:], stop], strict=True)]
    for segment in found:
        last = lines[segment.stop - 1].strip() if len(segment) else ""
        if not last or last.startswith("#"):
            return None
    return found


def _end(lines: Sequence[str], start: int, column: int) -> int:
    """Return the line behind the last entry, which begins in front of `start`."""
    end = start
    for at in range(start, len(lines)):
        line = lines[at]
        if not line.strip():
            continue
        within = _indent(line) > column or (_indent(line) == column and line.lstrip().startswith(("- ", "#")))
        if not within:
            break
        end = at + 1
    return end


def _split(lines: Sequence[str], segment: range) -> tuple[list[str], list[str]]:
    """Return the comments above an entry, and its lines."""
    own = [lines[at] for at in segment]
    count = 0
    while count < len(own) - 1 and own[count].lstrip().startswith("#"):
        count += 1
    return own[:count], own[count:]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
