"""How a test compares texts: white space and line breaks count as one space, `...` is any text."""

from __future__ import annotations

import re


def normal(text: str) -> str:
    """Return a text with every run of white space as one space."""
    return " ".join(text.split())


def matches(expected: str, seen: str) -> bool:
    """Tell whether a whole text is what a test expects."""
    parts = [part.strip() for part in normal(expected).split("...")]
    if len(parts) == 1:
        return parts[0] == normal(seen)
    pattern = r".*".join(map(re.escape, parts))
    return re.fullmatch(pattern, normal(seen), re.DOTALL) is not None
