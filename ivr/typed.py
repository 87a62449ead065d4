"""The keys a caller has pressed, in their order, and how many of them have been used.

Asterisk keeps them in one variable; this is our picture of it. It sends no commands and has no clock.
"""

from __future__ import annotations

from ivr.agi.error import AGIAppError
from ivr.prompt import KEYS, Prompt, Taken, take

FULL = 180
"""From here the variable is to be shortened, before StoreDTMF finds it full."""

STRAY_MS = 3_000
"""A terminator that comes so soon behind a number that was full without it belongs to that number."""


def keys(value: str) -> str:
    """Return what Asterisk says was pressed. Raises AGIAppError for what no telephone can send."""
    if not KEYS.issuperset(value):
        raise AGIAppError("keys that are no keys")
    return value


class TypedKeys:
    """All keys (`text`), of which those before `position` have been used."""

    def __init__(self) -> None:
        """Nothing was pressed."""
        self.text = ""
        self.position = 0
        self._stray = ""
        self._stray_by = 0

    @property
    def full(self) -> bool:
        """Whether it is time for `shorten`."""
        return len(self.text) >= FULL

    def take(self, prompt: Prompt) -> Taken:
        """Return what of the unused keys answers a prompt."""
        return take(prompt, self.text[self.position :])

    def use(self, prompt: Prompt, taken: Taken, now: int) -> None:
        """The answer was taken: its keys are used."""
        self.position += taken.used
        self._stray = prompt.terminator if taken.full else ""
        self._stray_by = now + STRAY_MS

    def drop(self) -> None:
        """All keys so far are used."""
        self.position = len(self.text)

    def clear(self) -> None:
        """The variable is empty again."""
        self.text, self.position = "", 0

    def shorten(self) -> str:
        """Keep the unused keys only, of a flood the last; return the new value of the variable."""
        self.text, self.position = self.text[self.position :][-FULL // 2 :], 0
        return self.text

    def skip_stray(self, now: int | None = None) -> bool:
        """Pass over a terminator behind a number that was full without it; tell whether there was one.

        With `now` only if it can have come soon enough. Without a key yet, the next call may find it.
        """
        if self.position == len(self.text) or (now is not None and now >= self._stray_by):
            return False
        key, self._stray = self._stray, ""
        if not key or self.text[self.position] != key:
            return False
        self.position += 1
        return True

    def expect_no_stray(self) -> None:
        """A prompt has been played since: a terminator is an answer again."""
        self._stray = ""
