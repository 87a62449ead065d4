"""Marks in the texts of calls: where a value stands that is spoken by rule, and where one recording ends.

A text of the channel voice is a row of words as any other text. What a filter has made of a value (`490 ₽`)
stands in it between marks, with the value itself beside it (`490.00 RUB`), so that the voice can say "four
hundred and ninety roubles" from recordings; a break stands where one recorded text ends and another begins.
Marks are four private characters of Unicode. They are taken out of everything that comes from outside
(`engine.answer.cleaned`, `engine.expressions.text_form.plain`), so nobody can write one but us. How a value
is said is not known here; that is `ivr.speech`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TypeAlias

START, MIDDLE, END, BREAK = "\ue000", "\ue001", "\ue002", "\ue003"
MARKS = START + MIDDLE + END + BREAK

JOINT = f" {BREAK}"
"""What stands between two texts of a call."""

KINDS = ("money", "date", "time", "duration", "phone", "digits", "count", "number", "key", "sound")

_TYPED = re.compile(f"{START}([a-z]+) ([^{MARKS}]*){MIDDLE}([^{MARKS}]*){END}")
_MARK = re.compile(f"[{MARKS}]")
_DROP = str.maketrans("", "", MARKS)
_LEADING = " \n\t.,;:!?…—–-)»"
_TRAILING = " \n\t,;:—–-(«"


@dataclass(frozen=True, slots=True)
class Words:
    """Words that are said as they are written: a recorded text, or a value of type text."""

    text: str


@dataclass(frozen=True, slots=True)
class Typed:
    """A value; `text` is how it is shown in a transcript, `value` what it is.

    Written as: money `490.00 RUB`; date `2026-12-01`, `12-01` where the year is not said; time `18:05`;
    duration in whole seconds; phone in groups, `+7 916 123 45 67`; digits as they are; count `5
    минута|минуты|минут`; number `153`, `1.5`; key `1`, `*`, `#`; sound the name of a recording.
    """

    kind: str
    value: str
    text: str


Piece: TypeAlias = Words | Typed


def unmarked(text: str) -> str:
    """Return a text from outside without the characters that we mark with."""
    return text.translate(_DROP)


def marked(kind: str, value: str, text: str) -> str:
    """Return a value in marks. Neither part may come from outside without `unmarked`."""
    return f"{START}{kind} {value}{MIDDLE}{text}{END}"


def separate(text: str) -> str:
    """Return words that are a recording of their own within a text."""
    return f"{BREAK}{text}{BREAK}"


def press(form: str, label: str, key: str) -> str:
    """Return a menu line as it is said; `form` is that of the language, with `{label}` and `{key}`."""
    return form.format(label=f"{label}{BREAK}", key=marked("key", key, key))


def plain(text: str) -> str:
    """Return a text as people read it, without marks."""
    return text if _MARK.search(text) is None else unmarked(_TYPED.sub(r"\3", text))


def pieces(text: str) -> tuple[Piece, ...]:
    """Return the words and values of a text in their order.

    Words without a letter or a digit are left out, and so are marks that belong to nothing: a text may have
    been cut in the middle of a value.
    """
    found: list[Piece] = []
    parts = _TYPED.split(text)
    for at in range(0, len(parts), 4):
        for run in parts[at].split(BREAK):
            words = words_of(unmarked(run))
            if words:
                found.append(Words(words))
        if at + 3 < len(parts):
            kind, value, shown = parts[at + 1 : at + 4]
            found.append(Typed(kind, value, shown))
    return tuple(found)


def words_of(text: str) -> str:
    """Return a run of words as it is recorded: one line, no marks of punctuation that hang at its ends."""
    words = " ".join(text.split()).lstrip(_LEADING).rstrip(_TRAILING)
    return words if any(sign.isalnum() for sign in words) else ""


def recording_name(text: str) -> str:
    """Return the file name of the recording of a text, without its ending: it goes by the words alone."""
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:16]
