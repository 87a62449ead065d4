"""Tajik: one form of a noun, parts of a number joined by "-у", days as ordinals with the izafet."""

from __future__ import annotations

from ivr.numerals.tongue import Currency, Noun, Tongue, nouns_of, row

_UNITS = row(
    "сифр як ду се чор панҷ шаш ҳафт ҳашт нӯҳ даҳ ёздаҳ дувоздаҳ сенздаҳ чордаҳ понздаҳ шонздаҳ "
    "ҳабдаҳ ҳаждаҳ нуздаҳ"
)
_TENS = row("бист сӣ чил панҷоҳ шаст ҳафтод ҳаштод навад")
_SCALES = (
    (1_000_000_000, "billion", "миллиард"),
    (1_000_000, "million", "миллион"),
    (1_000, "thousand", "ҳазор"),
)
_JOINED = {"сӣ": "сию"}
_ORDINALS = {2: "дуюми", 3: "сеюми", 30: "сиюми"}
_MONTHS = row("январ феврал март апрел май июн июл август сентябр октябр ноябр декабр")
_TERMS = {
    "days": Noun("days", ("рӯз",)),
    "hours": Noun("hours", ("соат",)),
    "minutes": Noun("minutes", ("дақиқа",)),
    "seconds": Noun("seconds", ("сония",)),
}


def _joined(word: str) -> str:
    return _JOINED.get(word, f"{word}у")


_LARGE = {
    **{str(number): word for number, word in zip(range(20, 100, 10), _TENS, strict=True)},
    **{
        str(number): f"{'' if number == 100 else _UNITS[number // 100]}сад"
        for number in range(100, 1000, 100)
    },
    **{name: word for _, name, word in _SCALES},
}
"""The numbers that another one may follow."""


def _ordinal(number: int) -> str:
    word = _UNITS[number] if number < 20 else _TENS[number // 10 - 2]
    return _ORDINALS.get(number, f"{word}уми")


class Tajik(Tongue):
    """The rules of Tajik."""

    units = _TERMS
    currencies = {
        "TJS": Currency(Noun("somoni", ("сомонӣ",)), Noun("dirams", ("дирам",))),
        "RUB": Currency(Noun("rubles", ("рубл",)), Noun("kopecks", ("копейк",))),
        "USD": Currency(Noun("dollars", ("доллар",)), Noun("cents", ("сент",))),
    }
    words = {
        **{str(number): word for number, word in enumerate(_UNITS)},
        **_LARGE,
        **{f"{name}-and": _joined(word) for name, word in _LARGE.items()},
        **{f"day-{number}": _ordinal(number) for number in (*range(1, 21), 30)},
        **{f"month-{number}": word for number, word in enumerate(_MONTHS, 1)},
        **{f"month-{number}-of": f"{word}и" for number, word in enumerate(_MONTHS, 1)},
        **nouns_of(_TERMS.values()),
        "year": "соли",
        "at": "соати",
        "point": "нуқта",
        "minus": "минус",
        "plus": "плюс",
        "star": "ситорача",
        "hash": "панҷара",
    }

    def whole(self, number: int, gender: str = "m") -> list[str]:
        """Return a number: `153` is "саду панҷоҳу се", `1000` "як ҳазор"."""
        if number == 0:
            return ["0"]
        said: list[list[str]] = []
        for size, name, _ in _SCALES:
            count, number = divmod(number, size)
            if count:
                said.append([*_chain(_below_thousand(count)), name])
        said += [[name] for name in _below_thousand(number)]
        return _chain(said)

    def form(self, number: int) -> int:
        """A noun has one form."""
        return 0

    def fraction(self, whole: int, digits: str) -> list[str]:
        """Return `1,25` as "як нуқта ду панҷ"."""
        return [*self.whole(whole), "point", *digits]

    def date(self, month: int, day: int, year: int | None) -> list[str]:
        """Return "якуми декабр", "якуми декабри соли ду ҳазору бисту шаш"."""
        ordinal = [f"day-{day}"] if day <= 20 or day == 30 else [f"{day // 10 * 10}-and", f"day-{day % 10}"]
        if year is None:
            return [*ordinal, f"month-{month}"]
        return [*ordinal, f"month-{month}-of", "year", *self.bounded(year)]

    def time(self, hour: int, minute: int) -> list[str]:
        """Return "соати ҳаждаҳ", "соати ҳаждаҳ панҷ дақиқа"."""
        said = ["at", *self.whole(hour)]
        return [*said, *self.counted(minute, _TERMS["minutes"])] if minute else said


def _below_thousand(number: int) -> list[str]:
    hundreds, rest = number // 100 * 100, number % 100
    said = [str(hundreds)] if hundreds else []
    if rest >= 20:
        said.append(str(rest // 10 * 10))
        rest %= 10
    return [*said, str(rest)] if rest else said


def _chain(parts: list[str] | list[list[str]]) -> list[str]:
    """Join parts by "-у" at the end of each but the last."""
    rows = [[item] if isinstance(item, str) else item for item in parts]
    said: list[str] = []
    for part in rows[:-1]:
        said += [*part[:-1], f"{part[-1]}-and"]
    return said + rows[-1]
