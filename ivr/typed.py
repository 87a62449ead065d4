"""The keys a caller has pressed, in their order, and how many of them have been used.

Asterisk keeps them in one variable; this is our picture of it. A prompt's own keys are those that the command
which played it has reported: whatever else stands in the variable was pressed before, perhaps only a moment
before. It sends no commands and has no clock.
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
    """All keys (`text`), of which those before `position` have been used.

    From `own_at` on they were pressed in the present prompt; None: none was yet.
    """

    def __init__(self) -> None:
        """Nothing was pressed."""
        self.text = ""
        self.position = 0
        self.own_at: int | None = None
        self.left = False
        self._begun = 0
        self._stray = ""
        self._stray_by = 0

    @property
    def full(self) -> bool:
        """Whether it is time for `shorten`."""
        return len(self.text) >= FULL

    def take(self, prompt: Prompt) -> Taken:
        """Return what of the unused keys answers a prompt."""
        return take(prompt, self.text[self.position :])

    def begin(self) -> None:
        """A prompt begins: the keys so far were pressed before it (`left`: some of them are unused)."""
        self.own_at = None
        self._begun = len(self.text)
        self.left = self.position < self._begun

    def came(self, pressed: str, *, only: bool) -> None:
        """These are the first keys that the present prompt has been answered with, none if it was not.

        Keys that stand in front of them came after the last look and before the prompt; with `only` they are
        passed over.
        """
        at = self.text.rfind(pressed, self._begun) if pressed else -1
        if pressed:
            self.own_at = len(self.text) if at < 0 else at
        if only:
            self.position = len(self.text) if at < 0 else at

    def ahead(self, prompt: Prompt, digits: str) -> bool:
        """Tell whether a key of an answer was pressed before the prompt began."""
        own = "" if self.own_at is None else self.text[self.own_at :]
        return self.left or take(prompt, own).digits != digits

    def use(self, prompt: Prompt, taken: Taken, now: int) -> None:
        """The answer was taken: its keys are used."""
        self.pass_over(taken)
        self._stray = prompt.terminator if taken.full else ""
        self._stray_by = now + STRAY_MS

    def pass_over(self, taken: Taken) -> None:
        """The keys of an answer are used, though it may be none."""
        self.position = min(len(self.text), self.position + taken.used)

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
        if self.own_at is not None and self.own_at < self.position:
            self.own_at = None
        return True

    def expect_no_stray(self) -> None:
        """A prompt has been played since: a terminator is an answer again."""
        self._stray = ""
