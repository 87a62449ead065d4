"""A prompt and what the keys that follow it mean: how many, ended by what, how long to wait.

It knows neither the words of the prompt nor what the answer is for, only keys.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

KEYS = frozenset("0123456789*#ABCD")
"""Everything a telephone can send. A to D have no key on it and are never part of an answer."""

_ANSWER = frozenset("0123456789*#")

MOST_DIGITS = 255
"""More than so many digits Read does not collect."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is played and what is awaited.

    `files` are sound files relative to the sounds folder; none: only wait. `max_digits` (1 to 255) ends the
    entry at once. `first_s` counts from the end of the prompt, `between_s` from each digit, both in seconds
    above 0. `terminator` is the key that ends an entry; empty for a menu, where `#` and `*` are answers.
    Without `barge_in` the prompt is heard to its end and keys pressed before that are dropped.

    A `fresh` prompt takes no key that was pressed before it began; a `secret` one is fresh, too, and leaves
    none in Asterisk. `risky` are answers that are taken only if all of their keys were pressed in the prompt:
    for any other key the prompt is played once more, fresh.
    """

    files: tuple[str, ...]
    max_digits: int = 1
    first_s: float = 8.0
    between_s: float = 4.0
    terminator: str = ""
    barge_in: bool = True
    secret: bool = False
    fresh: bool = False
    risky: frozenset[str] = frozenset()

    @property
    def own(self) -> bool:
        """Whether only keys that were pressed in the prompt itself answer it."""
        return self.fresh or self.secret or not self.barge_in

    def __post_init__(self) -> None:
        """Raise ValueError for a prompt that nobody could answer."""
        if not 1 <= self.max_digits <= MOST_DIGITS:
            raise ValueError(f"a prompt takes 1 to {MOST_DIGITS} digits")
        if not (0 < self.first_s <= 600 and 0 < self.between_s <= 600):
            raise ValueError("a prompt waits above 0 and up to 600 seconds")
        if len(self.terminator) > 1 or not _ANSWER.issuperset(self.terminator):
            raise ValueError("the terminator of a prompt is one key")


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of a prompt.

    `ok`: the entry was ended, by number or by the terminator (then it may be empty); `timeout`: it was not,
    `digits` is what there was; `hungup`: the caller has gone. `ahead`: a key of it was pressed before the
    prompt began.
    """

    digits: str
    outcome: Literal["ok", "timeout", "hungup"]
    ahead: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Taken:
    """How typed keys answer a prompt: `digits` of the answer so far, `used` keys of those given.

    `complete` when no further key belongs to the answer; `full` when it is so by the number of digits.
    """

    digits: str
    used: int
    complete: bool
    full: bool = False


def take(prompt: Prompt, typed: str) -> Taken:
    """Return what of `typed` is the answer to `prompt`."""
    digits = ""
    for used, key in enumerate(typed, 1):
        if key == prompt.terminator:
            return Taken(digits, used, complete=True)
        if key in _ANSWER:
            digits += key
            if len(digits) == prompt.max_digits:
                return Taken(digits, used, complete=True, full=True)
    return Taken(digits, len(typed), complete=False)


def groups(files: tuple[str, ...], octets: int) -> list[tuple[str, ...]]:
    """Return files in order in groups whose names, joined, take at most `octets`; no group is empty."""
    found: list[tuple[str, ...]] = []
    group: list[str] = []
    size = 0
    for name in files:
        length = len(name.encode()) + 1
        if group and size + length > octets:
            found.append(tuple(group))
            group, size = [], 0
        group.append(name)
        size += length
    if group:
        found.append(tuple(group))
    return found
