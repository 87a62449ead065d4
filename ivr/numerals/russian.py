"""Russian: three genders, three forms of a noun (1, 2-4, 5-0; 11-14 as 5), days and years as ordinals."""

from __future__ import annotations

from ivr.numerals.tongue import Currency, NotSpokenError, Noun, Tongue, nouns_of, row

_UNITS = row(
    "ноль один два три четыре пять шесть семь восемь девять десять одиннадцать двенадцать "
    "тринадцать четырнадцать пятнадцать шестнадцать семнадцать восемнадцать девятнадцать"
)
_TENS = row("двадцать тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто")
_HUNDREDS = row("сто двести триста четыреста пятьсот шестьсот семьсот восемьсот девятьсот")
_GENDERED = {"1f": "одна", "1n": "одно", "2f": "две"}
_DAYS = row(
    "первого второго третьего четвёртого пятого шестого седьмого восьмого девятого десятого "
    "одиннадцатого двенадцатого тринадцатого четырнадцатого пятнадцатого шестнадцатого "
    "семнадцатого восемнадцатого девятнадцатого двадцатого"
)
_ORDINALS = {
    **dict(enumerate(_DAYS, 1)),
    30: "тридцатого", 40: "сорокового", 50: "пятидесятого", 60: "шестидесятого", 70: "семидесятого",
    80: "восьмидесятого", 90: "девяностого", 100: "сотого", 900: "девятисотого", 1000: "тысячного",
    2000: "двухтысячного",
}  # fmt: skip
_MONTHS = row("января февраля марта апреля мая июня июля августа сентября октября ноября декабря")

_THOUSAND = Noun("thousand", ("тысяча", "тысячи", "тысяч"), "f")
_SCALES = (
    (1_000_000_000, Noun("billion", ("миллиард", "миллиарда", "миллиардов"))),
    (1_000_000, Noun("million", ("миллион", "миллиона", "миллионов"))),
    (1_000, _THOUSAND),
)
_TERMS = {
    "days": Noun("days", ("день", "дня", "дней")),
    "hours": Noun("hours", ("час", "часа", "часов")),
    "minutes": Noun("minutes", ("минута", "минуты", "минут"), "f"),
    "seconds": Noun("seconds", ("секунда", "секунды", "секунд"), "f"),
}
_WHOLES = Noun("wholes", ("целая", "целых", "целых"), "f")
_PARTS = (
    Noun("tenths", ("десятая", "десятых", "десятых"), "f"),
    Noun("hundredths", ("сотая", "сотых", "сотых"), "f"),
    Noun("thousandths", ("тысячная", "тысячных", "тысячных"), "f"),
)
_KOPECKS = Noun("kopecks", ("копейка", "копейки", "копеек"), "f")

_FEMININE_ENDS = ("ость", "есть", "пись", "знь", "чь", "шь", "жь", "щь", "вь", "дь", "сть")
_MASCULINE = frozenset(row("гость дождь путь мужчина дедушка"))
_FEMININE = frozenset(row("цель модель роль боль сеть степень область тень карусель соль ткань"))


def form(number: int) -> int:
    """Return 0 for 1, 21, 101; 1 for 2-4, 22; 2 for 0, 5-20, 111."""
    if 11 <= number % 100 <= 14:
        return 2
    return 0 if number % 10 == 1 else 1 if 2 <= number % 10 <= 4 else 2


def _below_thousand(number: int, gender: str) -> list[str]:
    said = [str(number // 100 * 100)] if number >= 100 else []
    rest = number % 100
    if rest >= 20:
        said.append(str(rest // 10 * 10))
        rest %= 10
    if rest:
        said.append(f"{rest}{gender}" if f"{rest}{gender}" in _GENDERED else str(rest))
    return said


class Russian(Tongue):
    """The rules of Russian."""

    units = _TERMS
    currencies = {
        "RUB": Currency(Noun("rubles", ("рубль", "рубля", "рублей")), _KOPECKS),
        "BYN": Currency(Noun("rubles", ("рубль", "рубля", "рублей")), _KOPECKS),
        "TJS": Currency(
            Noun("somoni", ("сомони", "сомони", "сомони")), Noun("dirams", ("дирам", "дирама", "дирамов"))
        ),
        "UZS": Currency(
            Noun("soums", ("сум", "сума", "сумов")), Noun("tiyins", ("тийин", "тийина", "тийинов"))
        ),
        "KZT": Currency(
            Noun("tenge", ("тенге", "тенге", "тенге")), Noun("tiyns", ("тиын", "тиына", "тиынов"))
        ),
        "KGS": Currency(
            Noun("soms", ("сом", "сома", "сомов")), Noun("tyiyns", ("тыйын", "тыйына", "тыйынов"))
        ),
        "UAH": Currency(Noun("hryvnias", ("гривна", "гривны", "гривен"), "f"), _KOPECKS),
        "AZN": Currency(
            Noun("manats", ("манат", "маната", "манатов")), Noun("qapiks", ("гяпик", "гяпика", "гяпиков"))
        ),
        "USD": Currency(
            Noun("dollars", ("доллар", "доллара", "долларов")), Noun("cents", ("цент", "цента", "центов"))
        ),
        "EUR": Currency(Noun("euros", ("евро", "евро", "евро")), Noun("cents", ("цент", "цента", "центов"))),
    }
    words = {
        **{str(number): word for number, word in enumerate(_UNITS)},
        **_GENDERED,
        **{str(number): word for number, word in zip(range(20, 100, 10), _TENS, strict=True)},
        **{str(number): word for number, word in zip(range(100, 1000, 100), _HUNDREDS, strict=True)},
        **nouns_of(noun for _, noun in _SCALES),
        **nouns_of(_TERMS.values()),
        **nouns_of((_WHOLES, *_PARTS)),
        **{f"day-{number}": word for number, word in _ORDINALS.items()},
        **{f"month-{number}": word for number, word in enumerate(_MONTHS, 1)},
        "year": "года",
        "minus": "минус",
        "plus": "плюс",
        "star": "звёздочка",
        "hash": "решётка",
    }

    def whole(self, number: int, gender: str = "m") -> list[str]:
        """Return a number: `1000` is "одна тысяча"."""
        if number == 0:
            return ["0"]
        said: list[str] = []
        for size, noun in _SCALES:
            count, number = divmod(number, size)
            if count:
                said += [*_below_thousand(count, noun.gender), f"{noun.name}-{'125'[form(count)]}"]
        return said + _below_thousand(number, gender)

    def form(self, number: int) -> int:
        """Return the form for a number: 1, 2 or 5."""
        return form(number)

    def fraction(self, whole: int, digits: str) -> list[str]:
        """Return `1,5` as "одна целая пять десятых"."""
        return [*self.counted(whole, _WHOLES), *self.counted(int(digits), _PARTS[len(digits) - 1])]

    def fraction_form(self, forms: int) -> int:
        """A fraction rules the second form: "полторы минуты", "одна целая пять десятых минуты"."""
        return min(1, forms - 1)

    def date(self, month: int, day: int, year: int | None) -> list[str]:
        """Return "первого декабря", "тридцать первого декабря две тысячи двадцать шестого года"."""
        said = [*_ordinal(day), f"month-{month}"]
        if year is not None:
            said += [*self.year(year), "year"]
        return said

    def year(self, year: int) -> list[str]:
        """Return the genitive of a year as an ordinal; only its last word is one. Years of 1 to 2999."""
        if year in _ORDINALS:
            return [f"day-{year}"]
        rest = year % 100 or year % 1000
        if year > 2999 or (rest >= 100 and rest not in _ORDINALS):
            raise NotSpokenError("the year has no words")
        head = _without_one(self.whole(year - rest)) if year > rest else []
        return [*head, *_ordinal(rest)]

    def time(self, hour: int, minute: int) -> list[str]:
        """Return "восемнадцать часов пять минут"."""
        said = self.counted(hour, _TERMS["hours"])
        return said + self.counted(minute, _TERMS["minutes"]) if minute else said

    def gender(self, noun: str) -> str:
        """Guess by the ending: минута f, место n, день m; words in -ь by a list of endings."""
        last = noun.split()[-1].lower() if noun.split() else ""
        if last in _MASCULINE:
            return "m"
        if last in _FEMININE or last.endswith(("а", "я", *_FEMININE_ENDS)):
            return "f"
        return "n" if last.endswith(("о", "е", "ё")) else "m"


def _without_one(said: list[str]) -> list[str]:
    """A year is "тысяча девятьсот", not "одна тысяча девятьсот"."""
    return said[1:] if said[:2] == ["1f", "thousand-1"] else said


def _ordinal(number: int) -> list[str]:
    """Return the genitive of an ordinal below 100."""
    if number in _ORDINALS:
        return [f"day-{number}"]
    return [str(number // 10 * 10), f"day-{number % 10}"]
