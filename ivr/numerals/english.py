"""English: "and" behind hundreds, two forms of a noun, days as ordinals, times by the twelve-hour clock."""

from __future__ import annotations

from ivr.numerals.tongue import Currency, Noun, Tongue, nouns_of, row

_UNITS = row(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
)
_TENS = row("twenty thirty forty fifty sixty seventy eighty ninety")
_SCALES = ((1_000_000_000, "billion"), (1_000_000, "million"), (1_000, "thousand"))
_DAYS = row(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth "
    "thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
)
_ORDINALS = {
    **dict(enumerate(_DAYS, 1)),
    30: "thirtieth",
}
_MONTHS = row("January February March April May June July August September October November December")
_TERMS = {
    "days": Noun("days", ("day", "days")),
    "hours": Noun("hours", ("hour", "hours")),
    "minutes": Noun("minutes", ("minute", "minutes")),
    "seconds": Noun("seconds", ("second", "seconds")),
}
_KOPECKS = Noun("kopecks", ("kopeck", "kopecks"))
_CENTS = Noun("cents", ("cent", "cents"))


def _below_hundred(number: int) -> list[str]:
    if number < 20:
        return [str(number)] if number else []
    return [str(number // 10 * 10), *([str(number % 10)] if number % 10 else ())]


def _below_thousand(number: int) -> list[str]:
    hundreds, rest = divmod(number, 100)
    if not hundreds:
        return _below_hundred(rest)
    return [str(hundreds), "hundred", *(["and", *_below_hundred(rest)] if rest else ())]


class English(Tongue):
    """The rules of English."""

    units = _TERMS
    currencies = {
        "RUB": Currency(Noun("rubles", ("ruble", "rubles")), _KOPECKS),
        "BYN": Currency(Noun("rubles", ("ruble", "rubles")), _KOPECKS),
        "TJS": Currency(Noun("somoni", ("somoni", "somoni")), Noun("dirams", ("diram", "dirams"))),
        "USD": Currency(Noun("dollars", ("dollar", "dollars")), _CENTS),
        "EUR": Currency(Noun("euros", ("euro", "euros")), _CENTS),
        "GBP": Currency(Noun("pounds", ("pound", "pounds")), Noun("pence", ("penny", "pence"))),
    }
    words = {
        **{str(number): word for number, word in enumerate(_UNITS)},
        **{str(number): word for number, word in zip(range(20, 100, 10), _TENS, strict=True)},
        "hundred": "hundred",
        **{name: name for _, name in _SCALES},
        **nouns_of(_TERMS.values()),
        **{f"day-{number}": word for number, word in _ORDINALS.items()},
        **{f"month-{number}": word for number, word in enumerate(_MONTHS, 1)},
        "and": "and",
        "point": "point",
        "oh": "oh",
        "am": "a.m.",
        "pm": "p.m.",
        "minus": "minus",
        "plus": "plus",
        "star": "star",
        "hash": "hash",
    }

    def whole(self, number: int, gender: str = "m") -> list[str]:
        """Return a number: `1001` is "one thousand and one"."""
        if number == 0:
            return ["0"]
        said: list[str] = []
        for size, name in _SCALES:
            count, number = divmod(number, size)
            if count:
                said += [*_below_thousand(count), name]
        if said and 0 < number < 100:
            said.append("and")
        return said + _below_thousand(number)

    def form(self, number: int) -> int:
        """Return 0 for one, 1 for any other number."""
        return 0 if number == 1 else 1

    def fraction(self, whole: int, digits: str) -> list[str]:
        """Return `1.25` as "one point two five"."""
        return [*self.whole(whole), "point", *digits]

    def date(self, month: int, day: int, year: int | None) -> list[str]:
        """Return "December first", "December thirty first twenty twenty six"."""
        said = [f"month-{month}"]
        said += [f"day-{day}"] if day in _ORDINALS else [str(day // 10 * 10), f"day-{day % 10}"]
        return said if year is None else said + self.year(year)

    def year(self, year: int) -> list[str]:
        """Return a year by its halves, one of the first ten of a thousand as a number."""
        head, rest = divmod(year, 100)
        if not 10 <= head <= 99 or (head % 10 == 0 and rest < 10):
            return self.bounded(year)
        if not rest:
            return [*_below_hundred(head), "hundred"]
        return [*_below_hundred(head), *(["oh"] if rest < 10 else ()), *_below_hundred(rest)]

    def time(self, hour: int, minute: int) -> list[str]:
        """Return "six oh five p.m."."""
        said = _below_hundred((hour + 11) % 12 + 1)
        if minute:
            said += [*(["oh"] if minute < 10 else ()), *_below_hundred(minute)]
        return [*said, "am" if hour < 12 else "pm"]

    def group(self, digits: str) -> list[str]:
        """A phone number is said digit by digit."""
        return self.digits(digits)
