"""A text of a call as a row of sounds: recordings where there are some, else words to be synthesised.

Words are looked up as they stand; a value is said by the rules of `ivr.numerals` if every part of it is
recorded, else as a whole, so that a voice never leaves out what it lacks. It knows no files and no calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from engine.spoken import Piece, Typed, Words
from ivr.numerals import Tongue, tongue
from ivr.numerals.tongue import NotSpokenError
from ivr.sounds import Catalogue, text_name, value_name


@dataclass(frozen=True, slots=True)
class Clip:
    """One sound. `name` is its name among the recordings, or the one it would have; `text` what it says.

    A clip that is not `recorded` has to be synthesised.
    """

    name: str
    text: str
    recorded: bool


def clips(pieces: Iterable[Piece], lang: str, sounds: Catalogue) -> tuple[Clip, ...]:
    """Return the sounds of a text in their order."""
    rules = tongue(lang)
    found: list[Clip] = []
    for piece in pieces:
        if isinstance(piece, Words):
            found.append(_words(piece.text, lang, sounds))
        elif piece.kind == "sound":
            name = f"{lang}/{piece.value}"
            found.append(Clip(name, piece.text, True) if name in sounds else _words(piece.text, lang, sounds))
        else:
            found += _value(piece, lang, rules, sounds)
    return tuple(clip for clip in found if clip.text)


def files(pieces: Iterable[Piece], lang: str, sounds: Catalogue) -> tuple[str, ...]:
    """Return the names of the sounds of a text, those to be synthesised too."""
    return tuple(clip.name for clip in clips(pieces, lang, sounds))


def value_words(piece: Typed, lang: str) -> str:
    """Return a value in words, as it is shown where the language has no rules for it."""
    rules = tongue(lang)
    said = None if rules is None else _said(piece, rules)
    return piece.text if said is None or rules is None else " ".join(text for _, text in said)


def _words(text: str, lang: str, sounds: Catalogue) -> Clip:
    name = sounds.of_text(lang, text)
    return Clip(name or text_name(lang, text), text, name is not None)


def _value(piece: Typed, lang: str, rules: Tongue | None, sounds: Catalogue) -> list[Clip]:
    said = None if rules is None else _said(piece, rules)
    if said is None:
        return [_words(_spaced(piece), lang, sounds)]
    names = [value_name(lang, part) if part else text_name(lang, text) for part, text in said]
    if all(name in sounds for name in names):
        return [Clip(name, text, True) for name, (_, text) in zip(names, said, strict=True)]
    if len(said) > 1 and not said[-1][0] and all(name in sounds for name in names[:-1]):
        return [Clip(name, text, name in sounds) for name, (_, text) in zip(names, said, strict=True)]
    return [_words(" ".join(text for _, text in said), lang, sounds)]


def _spaced(piece: Typed) -> str:
    """Return a value that no rule can say; what should be spelt is spelt."""
    return " ".join(piece.text.replace(" ", "")) if piece.kind == "digits" else piece.text


def _said(piece: Typed, rules: Tongue) -> list[tuple[str, str]] | None:
    """Return the parts of a value, each with its words; the noun of a count has no part. None: no rule."""
    say = _SAY.get(piece.kind)
    if say is None:
        return None
    try:
        parts, noun = say(rules, piece.value)
    except (NotSpokenError, ValueError, ArithmeticError, KeyError):
        return None
    said = [(part, rules.every_word[part]) for part in parts]
    return [*said, ("", noun)] if noun else said


def _money(rules: Tongue, value: str) -> tuple[list[str], str]:
    amount, _, currency = value.partition(" ")
    return rules.money(Decimal(amount), currency), ""


def _date(rules: Tongue, value: str) -> tuple[list[str], str]:
    *year, month, day = value.split("-")
    return rules.date(int(month), int(day), int(year[0]) if year else None), ""


def _time(rules: Tongue, value: str) -> tuple[list[str], str]:
    hour, _, minute = value.partition(":")
    return rules.time(int(hour), int(minute)), ""


def _count(rules: Tongue, value: str) -> tuple[list[str], str]:
    number, _, forms = value.partition(" ")
    return rules.count(Decimal(number), tuple(forms.split("|")))


_SAY: Mapping[str, Callable[[Tongue, str], tuple[list[str], str]]] = {
    "money": _money,
    "date": _date,
    "time": _time,
    "duration": lambda rules, value: (rules.duration(int(value)), ""),
    "phone": lambda rules, value: (rules.phone(value), ""),
    "digits": lambda rules, value: (rules.digits(value), ""),
    "key": lambda rules, value: (rules.digits(value), ""),
    "number": lambda rules, value: (rules.number(Decimal(value)), ""),
    "count": _count,
}
