"""What the rules of all languages have in common: money, terms, digits and phones out of counted nouns.

A rule gives names of recordings; `words` says what each of them is. It knows neither files nor calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

MOST = 999_999_999_999
"""The largest number that is said in words."""

MOST_DIGITS = 64
MOST_DECIMALS = 3

_STEPS = ((86_400, "days"), (3_600, "hours"), (60, "minutes"), (1, "seconds"))
_SIGNS = {"*": "star", "#": "hash", "+": "plus"}


class NotSpokenError(Exception):
    """The value is not one that the rules of the language can say."""


@dataclass(frozen=True, slots=True)
class Noun:
    """A counted noun: its recordings are `<name>-1`, `<name>-2`, `<name>-5`, as many as there are forms.

    `gender` is `m`, `f` or `n`, that of the numeral in front of it.
    """

    name: str
    forms: tuple[str, ...]
    gender: str = "m"

    def words(self) -> dict[str, str]:
        """Return the recordings of the noun."""
        return {f"{self.name}-{mark}": form for mark, form in zip("125", self.forms, strict=False)}


@dataclass(frozen=True, slots=True)
class Currency:
    """Whole units and hundredths of them."""

    whole: Noun
    cents: Noun


def row(words: str) -> list[str]:
    """Return words that stand in a row."""
    return words.split()


def nouns_of(nouns: Iterable[Noun]) -> dict[str, str]:
    """Return the recordings of several nouns."""
    return {name: word for noun in nouns for name, word in noun.words().items()}


class Tongue:
    """The rules of one language. All that may fail raises NotSpokenError.

    `words` are the recordings of numbers, days and terms, without currencies; `units` the nouns of terms by
    the names `days`, `hours`, `minutes`, `seconds`.
    """

    words: Mapping[str, str] = {}
    units: Mapping[str, Noun] = {}
    currencies: Mapping[str, Currency] = {}

    @cached_property
    def every_word(self) -> Mapping[str, str]:
        """The recordings of the language, those of all currencies too."""
        money = (noun for unit in self.currencies.values() for noun in (unit.whole, unit.cents))
        return {**self.words, **nouns_of(money)}

    def script(self, currency: str) -> Mapping[str, str]:
        """Return what has to be recorded for a project with this currency."""
        unit = self.currencies.get(currency)
        return self.words if unit is None else {**self.words, **nouns_of((unit.whole, unit.cents))}

    # What languages differ in

    def whole(self, number: int, gender: str = "m") -> list[str]:
        """Return a whole number from 0 to MOST."""
        raise AssertionError("a language has numbers")

    def form(self, number: int) -> int:
        """Return which form of a noun goes with a number, from 0."""
        raise AssertionError("a language has forms")

    def fraction(self, whole: int, digits: str) -> list[str]:
        """Return a decimal number: `digits` are those behind the point, one to three, the last is not 0."""
        raise AssertionError("a language has fractions")

    def date(self, month: int, day: int, year: int | None) -> list[str]:
        """Return a day of the calendar; without `year` it is not said."""
        raise AssertionError("a language has dates")

    def time(self, hour: int, minute: int) -> list[str]:
        """Return a time of day."""
        raise AssertionError("a language has times")

    def gender(self, noun: str) -> str:
        """Return the gender of a noun given in its first form."""
        return "m"

    def group(self, digits: str) -> list[str]:
        """Return one group of a phone number: zeros in front one by one, then the rest as a number."""
        bare = digits.lstrip("0")
        if len(digits) > 3:
            return self.digits(digits)
        return [*["0"] * (len(digits) - len(bare)), *(self.whole(int(bare)) if bare else ())]

    # What they share

    def bounded(self, number: int, gender: str = "m") -> list[str]:
        """Return a whole number, with `minus` where it is below zero."""
        if abs(number) > MOST:
            raise NotSpokenError("the number is too large")
        return [*(["minus"] if number < 0 else ()), *self.whole(abs(number), gender)]

    def counted(self, number: int, noun: Noun) -> list[str]:
        """Return `5 minutes`."""
        form = min(self.form(abs(number)), len(noun.forms) - 1)
        return [*self.bounded(number, noun.gender), f"{noun.name}-{'125'[form]}"]

    def number(self, value: Decimal, gender: str = "m") -> list[str]:
        """Return a number with up to three decimals."""
        text = format(abs(value), "f")
        whole, _, behind = text.partition(".")
        behind = behind.rstrip("0")
        if int(whole) > MOST or len(behind) > MOST_DECIMALS:
            raise NotSpokenError("the number is too long")
        minus = ["minus"] if value < 0 and (int(whole) or behind) else []
        if not behind:
            return [*minus, *self.whole(int(whole), gender)]
        return [*minus, *self.fraction(int(whole), behind)]

    def money(self, amount: Decimal, currency: str) -> list[str]:
        """Return an amount with at most two decimals; hundredths are said only if there are any."""
        unit = self.currencies.get(currency)
        if unit is None:
            raise NotSpokenError(f"there are no words for {currency}")
        whole, cents = divmod(int(abs(amount) * 100), 100)
        said = ["minus"] if amount < 0 and (whole or cents) else []
        if whole or not cents:
            said += self.counted(whole, unit.whole)
        if cents:
            said += self.counted(cents, unit.cents)
        return said

    def count(self, number: Decimal, forms: tuple[str, ...]) -> tuple[list[str], str]:
        """Return a number and the form of the noun that goes with it; `forms` are those of `count`."""
        whole = number == int(number)
        form = self.form(abs(int(number))) if whole else self.fraction_form(len(forms))
        said = self.number(number, self.gender(forms[0]))
        return said, forms[min(form, len(forms) - 1)]

    def fraction_form(self, forms: int) -> int:
        """Return which form of a noun goes with a fraction."""
        return forms - 1

    def duration(self, seconds: int) -> list[str]:
        """Return a term, its two largest units."""
        if seconds > MOST:
            raise NotSpokenError("the term is too long")
        for index, (step, unit) in enumerate(_STEPS):
            if seconds >= step:
                said = self.counted(seconds // step, self.units[unit])
                if index + 1 < len(_STEPS):
                    smaller, name = _STEPS[index + 1]
                    rest = seconds % step // smaller
                    said += self.counted(rest, self.units[name]) if rest else []
                return said
        return self.counted(0, self.units["seconds"])

    def digits(self, text: str) -> list[str]:
        """Return digits one by one; `*`, `#` and `+` have names, spaces and hyphens are not said."""
        row = text.replace(" ", "").replace("-", "")
        if not row or len(row) > MOST_DIGITS:
            raise NotSpokenError("digits are too many")
        said = []
        for sign in row:
            if not (sign in _SIGNS or (sign.isascii() and sign.isdigit())):
                raise NotSpokenError("these are no digits")
            said.append(_SIGNS.get(sign, sign))
        return said

    def phone(self, groups: str) -> list[str]:
        """Return a phone number: groups apart by spaces, `+` in front of the first if it is written."""
        plus = groups.startswith("+")
        parts = groups.removeprefix("+").split()
        if not parts or not all(part.isascii() and part.isdigit() and len(part) <= 15 for part in parts):
            raise NotSpokenError("a phone is groups of digits")
        return [*(["plus"] if plus else ()), *(name for part in parts for name in self.group(part))]
