"""Auto-reply loops: a handset or robot that answers our answers (architecture.md, section 3).

Two signs: a message that repeats a text of our own, and the third in a row that would start a flow within
10 seconds of our answer. Such a message starts nothing; a session that waits for an answer is not concerned.
What is kept is best effort: after a restart a loop is found a few messages later.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import TypeAlias

import msgspec

ANSWER_MS = 10_000
"""A message so soon after our answer may be an automatic one."""
IN_A_ROW = 3
"""The so-many-th such message in a row starts nothing."""
KEPT_MS = 60 * 60_000
"""How long our own texts are remembered."""
TEXTS = 4
"""Texts of ours remembered per subscriber and number."""
MOST = 200_000
"""Conversations remembered at most."""

Pair: TypeAlias = tuple[str, str]
"""MSISDN and short code."""


class Talk(msgspec.Struct, array_like=True):
    """What we last sent to one subscriber from one number: when (UTC ms), digests of texts, quick starts."""

    at: int
    texts: tuple[bytes, ...] = ()
    row: int = 0


class Loops:
    """What we lately sent to whom. `key` keys the digests, so that they give no text away."""

    __slots__ = ("_key", "_talks")

    def __init__(self, key: bytes = b"") -> None:
        self._key = key[:64]
        self._talks: OrderedDict[Pair, Talk] = OrderedDict()

    def sent(self, pair: Pair, text: str, now: int) -> None:
        """Take note of a text of ours that leaves."""
        talk = self._talks.get(pair)
        if talk is None:
            talk = self._talks[pair] = Talk(now)
        talk.at = now
        digest = self._digest(text)
        if digest not in talk.texts:
            talk.texts = (*talk.texts[-(TEXTS - 1) :], digest)
        self._talks.move_to_end(pair)
        while self._talks and (
            len(self._talks) > MOST or next(iter(self._talks.values())).at + KEPT_MS < now
        ):
            self._talks.popitem(last=False)

    def starting(self, pair: Pair, text: str, now: int) -> str | None:
        """Judge a message that is about to start a flow: the reason why it must not, or None.

        `repeats_our_text` or `answers_our_answers`. Counts, so call it once for a message.
        """
        talk = self._talks.get(pair)
        if talk is None:
            return None
        talk.row = talk.row + 1 if now - talk.at <= ANSWER_MS else 0
        if now - talk.at <= KEPT_MS and self._digest(text) in talk.texts:
            return "repeats_our_text"
        return "answers_our_answers" if talk.row >= IN_A_ROW else None

    def undo(self, pair: Pair) -> None:
        """Take a message back whose commit failed: the centre sends it again, and it counts then."""
        talk = self._talks.get(pair)
        if talk is not None and talk.row:
            talk.row -= 1

    def get(self, pair: Pair) -> Talk | None:
        """Return what is remembered of a conversation, for storing it."""
        return self._talks.get(pair)

    def restore(self, pair: Pair, talk: Talk) -> None:
        """Put a stored conversation back."""
        self._talks[pair] = talk

    def __len__(self) -> int:
        return len(self._talks)

    def _digest(self, text: str) -> bytes:
        """Digest a text without regard to case and spacing: robots reformat what they send back."""
        folded = " ".join(text.casefold().split())
        return hashlib.blake2b(folded.encode("utf-8", "replace"), digest_size=8, key=self._key).digest()
