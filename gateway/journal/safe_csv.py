"""CSV that a spreadsheet shows and never runs: cells that would be a formula begin with an apostrophe."""

from __future__ import annotations

from collections.abc import Iterable

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What makes a cell a formula or splits it, in one spreadsheet or another (reliability H9)."""


_BEGINS = frozenset(FORMULA)


def cell(value: object) -> str:
    """Return a value as the text of a cell."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def line(values: Iterable[object]) -> str:
    """Return a line with every cell in quotes and its end."""
    cells = []
    for value in values:
        text = value if type(value) is str else cell(value)
        if text[:1] in _BEGINS and type(value) is str:
            text = f"'{text}"
        cells.append(text.replace('"', '""') if '"' in text else text)
    return '"' + '","'.join(cells) + '"\r\n'
