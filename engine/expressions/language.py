"""How one language writes numbers, dates, terms and plurals in texts.

Everything is computed once per language from Babel's CLDR data and kept as plain tables: rendering a text
calls nothing of Babel. CLDR lacks the units of time of several of our languages (and shortens others to
"сут"), so those words are our own. The forms of a word are written as in `count`: 'день|дня|дней'.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from babel import Locale, UnknownLocaleError

_ORDER = ("zero", "one", "two", "few", "many", "other")
_SAMPLE = range(1000)
_FAR = (*range(1000, 1210), 5_111, 10_000, 12_021, 100_000, 1_000_000, 1_000_001, 2_000_000, 21_000_000)
_PERIOD = 1000

_YES_NO = {
    "ru": ("да", "нет"), "tg": ("ҳа", "не"), "en": ("yes", "no"), "uz": ("ha", "yo'q"), "kk": ("иә", "жоқ"),
    "ky": ("ооба", "жок"), "az": ("bəli", "xeyr"), "uk": ("так", "ні"), "be": ("так", "не"),
}  # fmt: skip
_UNITS = {
    "ru": ("день|дня|дней", "час|часа|часов", "минута|минуты|минут", "секунда|секунды|секунд"),
    "uk": ("день|дні|днів", "година|години|годин", "хвилина|хвилини|хвилин", "секунда|секунди|секунд"),
    "be": ("дзень|дні|дзён", "гадзіна|гадзіны|гадзін", "хвіліна|хвіліны|хвілін", "секунда|секунды|секунд"),
    "en": ("day|days", "hour|hours", "minute|minutes", "second|seconds"),
    "tg": ("рӯз", "соат", "дақиқа", "сония"),
    "uz": ("kun", "soat", "daqiqa", "soniya"),
    "kk": ("күн", "сағат", "минут", "секунд"),
    "ky": ("күн", "саат", "мүнөт", "секунд"),
    "az": ("gün", "saat", "dəqiqə", "saniyə"),
}
_NEUTRAL_UNITS = ("d", "h", "min", "s")
_MONTHS = {"tg": str.lower}  # CLDR has them with a capital letter, which is right only at the head of a line
_SIGNS = {"RUB": "₽", "UAH": "₴", "KZT": "₸", "USD": "$", "EUR": "€", "GBP": "£", "TRY": "₺", "AZN": "₼"}
_PATTERN = re.compile(r"'([^']*)'|(M+|L+|d+|y+)|([^'MLdy]+)")


@dataclass(frozen=True, slots=True)
class Language:
    """The tables of one language.

    `forms` is how many forms `count` needs; `form` gives the index of the form for a number. `day` and
    `full_day` are patterns by month (1 to 12) for `str.format(day, year)`. `latin` tells that texts of the
    language can be written in the GSM alphabet as a rule.
    """

    code: str
    categories: tuple[str, ...]
    form: Callable[[int | Decimal], int]
    day: tuple[str, ...]
    full_day: tuple[str, ...]
    point: str
    group: str
    units: tuple[tuple[str, ...], ...]
    yes: str
    no: str
    latin: bool

    @property
    def forms(self) -> int:
        """How many forms a counted word has in whole numbers."""
        return len(self.categories)

    def counted(self, number: int, unit: int) -> str:
        """Return `10 минут`; units are 0 days, 1 hours, 2 minutes, 3 seconds."""
        words = self.units[unit]
        return f"{number} {words[self.form(number)] if len(words) > 1 else words[0]}"


def language(code: str) -> Language:
    """Return the tables of a language (`ru`); one that Babel does not know is written like English."""
    try:
        return _KNOWN[code]
    except KeyError:
        return _load(code[:20])


@cache
def _locale(code: str) -> Locale:
    try:
        return Locale.parse(code, sep="-" if "-" in code else "_")
    except (UnknownLocaleError, ValueError, TypeError):
        return Locale.parse("en")


_KNOWN: dict[str, Language] = {}
_MOST = 500


def _load(code: str) -> Language:
    locale = _locale(code)
    categories, form = _plural(locale)
    symbols = locale.number_symbols.get("latn", {})
    group = str(symbols.get("group", " "))
    short = locale.language
    skeleton = locale.datetime_skeletons.get("MMMMd")
    yes, no = _YES_NO.get(short, _YES_NO["en"])
    loaded = Language(
        code=code,
        categories=categories,
        form=form,
        day=_patterns(locale, skeleton.pattern if skeleton else "d MMMM"),
        full_day=_patterns(locale, str(locale.date_formats["long"].pattern)),
        point=str(symbols.get("decimal", ".")),
        group=group if group in ",." else " ",
        units=tuple(tuple(words.split("|")) for words in _UNITS.get(short, _NEUTRAL_UNITS)),
        yes=yes,
        no=no,
        latin=all("LATIN" in unicodedata.name(letter, "") for letter in _letters(locale)),
    )
    if len(_KNOWN) < _MOST:
        _KNOWN[code] = loaded
    return loaded


def _letters(locale: Locale) -> str:
    name = locale.get_display_name(locale.language) or ""
    return "".join(letter for letter in name if unicodedata.category(letter) in ("Lu", "Ll", "Lo"))


def _plural(locale: Locale) -> tuple[tuple[str, ...], Callable[[int | Decimal], int]]:
    """Return the categories of whole numbers, in CLDR's order, and the function to an index in them."""
    rule = locale.plural_form
    near = [rule(number) for number in _SAMPLE]
    far = {number: rule(number) for number in _FAR}
    met = {*near, *far.values()}
    categories = tuple(name for name in _ORDER if name in met)
    # A fraction takes the form of "other"; where whole numbers have none, Slavic languages say it like "two".
    place = {name: index for index, name in enumerate(categories)}
    fraction = place.get("other", place.get("few", len(categories) - 1))
    table = tuple(place[name] for name in near)
    periodic = all(place[name] == table[number % _PERIOD] for number, name in far.items())

    def form(number: int | Decimal) -> int:
        if type(number) is int and 0 <= number < _PERIOD:
            return table[number]
        if number != (whole := int(number)):
            return place.get(rule(number), fraction)
        whole = abs(whole)
        if whole < _PERIOD or periodic:
            return table[whole % _PERIOD]
        return place.get(rule(whole), fraction)

    return categories, form


def _patterns(locale: Locale, pattern: str) -> tuple[str, ...]:
    """Turn a CLDR pattern (`d MMMM y 'г'.`) into one `str.format` text per month."""
    change = _MONTHS.get(locale.language, str)
    texts = [""]
    for number in range(1, 13):
        month = change(str(locale.months["format"]["wide"][number]))
        text = ""
        for quoted, letters, other in _PATTERN.findall(pattern):
            if letters:
                text += month if letters[0] in "ML" else "{0}" if letters[0] == "d" else "{1}"
            else:
                text += (quoted or other).replace("{", "{{").replace("}", "}}")
        texts.append(re.sub(r"\s+", " ", text))
    return tuple(texts)


def currency_sign(currency: str) -> str:
    """Return the sign of a currency (`₽`), or its code where there is none."""
    return _SIGNS.get(currency, currency)
