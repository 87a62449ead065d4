"""Did-you-mean: the nearest known word to a misspelt one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LIKENESS = 0.6  # of difflib; "byee"/"bye" is 0.86, "digit"/"digits" 0.91, "ussd"/"sms" 0.29
_MAX_WORD = 64  # a longer word is no misspelt name, and comparing costs the product of the lengths


def suggestion(word: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate most like `word`, or None if none is like it. Case does not matter."""
    if not word or len(word) > _MAX_WORD:
        return None
    folded: dict[str, str] = {}
    for candidate in candidates:
        folded.setdefault(candidate.casefold(), candidate)
    near = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=_LIKENESS)
    return folded[near[0]] if near else None


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """Return `; did you mean "…"?` to go behind a sentence, or an empty text if nothing is near."""
    near = suggestion(word, candidates)
    return f'; did you mean "{near}"?' if near is not None else ""
