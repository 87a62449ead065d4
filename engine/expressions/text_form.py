"""Values as a subscriber reads them: the text forms of the filters, and of a value without a filter.

`str` values are data: they go into the text as they are, whatever they look like, only control characters,
marks that turn the direction of writing, and those of calls are taken out. The spoken forms are in
`engine.expressions.speech_form`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal

from engine.expressions.language import Language, currency_sign, language
from engine.expressions.world import World
from engine.spoken import MARKS
from engine.values import Secret, Value

MAX_LIST = 1_000
MAX_NUMBER = 10**27
"""Numbers are below this everywhere; money is far below it."""

_CENT = Decimal("0.01")
_LEAST, _MOST = Decimal(-MAX_NUMBER // 100), Decimal(MAX_NUMBER // 100)  # quantize keeps 28 digits
_GROUPED_FROM = 10_000
_NEAR = timedelta(days=330)
_STEPS = (86_400, 3_600, 60, 1)
_PHONE = re.compile(r"\+?[0-9]{5,15}\Z", re.ASCII)
_HARMFUL = re.compile(
    f"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069{MARKS}]"
)
_EMPTY = "-"


class NoTextError(Exception):
    """The value has no such text form; the message says why, in words without the value."""


def plain(text: str) -> str:
    """Return a text of data without what must not be in it: control and direction characters, our marks."""
    return text if text.isprintable() else _HARMFUL.sub(" ", text)


def number_text(value: int | Decimal) -> str:
    """Return a number with a point and no exponent, as it was written."""
    if not -MAX_NUMBER < value < MAX_NUMBER:
        raise NoTextError("the number is too large")
    return str(value) if isinstance(value, int) else format(value, "f")


def text_of(value: Value, world: World) -> str:
    """Return the text of a value without a filter. Raises NoTextError for an empty or a secret one."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, bool):
        tongue = language(world.lang)
        return tongue.yes if value else tongue.no
    if isinstance(value, int | Decimal):
        return number_text(value)
    if isinstance(value, datetime):
        return f"{date_text(value, world)} {time_text(value, world)}"
    if isinstance(value, date):
        return date_text(value, world)
    if isinstance(value, time):
        return time_text(value, world)
    if isinstance(value, timedelta):
        return duration_text(value, world)
    if value is None:
        raise NoTextError("it is empty")
    if isinstance(value, Secret):
        raise NoTextError("it is secret")
    if not isinstance(value, Sequence | Mapping):
        raise NoTextError("it has no text form")
    return _parts_text(value, world)


def _parts_text(value: Sequence[Value] | Mapping[str, Value], world: World) -> str:
    """Return `a, b` for a list and `service 5, speed 4` for a record, one level deep."""
    if len(value) > MAX_LIST:
        raise NoTextError(f"it has more than {MAX_LIST} elements")
    items = value.items() if isinstance(value, Mapping) else ((None, item) for item in value)
    texts = []
    for key, item in items:
        if isinstance(item, Mapping | Sequence) and not isinstance(item, str):
            raise NoTextError("it has lists or records inside")
        shown = _EMPTY if item is None else text_of(item, world)
        texts.append(shown if key is None else f"{plain(str(key))} {shown}")
    return ", ".join(texts)


def money_text(value: Value, world: World) -> str:
    """Return `490 ₽`, `400,50 ₽`: two decimals or none, no no-break spaces."""
    if type(value) is Decimal:
        if not _LEAST < value < _MOST:  # also for what is not a number
            raise NoTextError("the number is too large")
        whole = int(value)
        if value != whole:
            return _cents_text(value, world)
    elif type(value) is int:
        whole = value
        if not -MAX_NUMBER < whole < MAX_NUMBER:
            raise NoTextError("the number is too large")
    else:
        raise NoTextError("money is a number")
    if -_GROUPED_FROM < whole < _GROUPED_FROM:
        return f"{whole} {currency_sign(world.currency)}"
    return f"{_grouped(whole, language(world.lang))} {currency_sign(world.currency)}"


def _grouped(whole: int, tongue: Language) -> str:
    """Return `9800`, `12 500`: groups from five digits on."""
    return str(whole) if abs(whole) < _GROUPED_FROM else f"{whole:,}".replace(",", tongue.group)


def _cents_text(value: Decimal, world: World) -> str:
    tongue = language(world.lang)
    exact = abs(value).quantize(_CENT, rounding=ROUND_HALF_UP)
    whole, cents = divmod(int(exact * 100), 100)
    sign = "-" if value < 0 and exact else ""
    fraction = f"{tongue.point}{cents:02d}" if cents else ""
    return f"{sign}{_grouped(whole, tongue)}{fraction} {currency_sign(world.currency)}"


def _local(value: datetime, world: World) -> datetime:
    if value.tzinfo is None:
        raise NoTextError("a moment has an offset from UTC")
    return value.astimezone(world.zone)


def date_text(value: Value, world: World) -> str:
    """Return `1 декабря`; a day eleven months away or more has its year."""
    if isinstance(value, datetime):
        value = _local(value, world).date()
    if not isinstance(value, date):
        raise NoTextError("a date is a day or a moment")
    tongue = language(world.lang)
    today = world.now.astimezone(world.zone).date()
    pattern = tongue.day if abs(value - today) < _NEAR else tongue.full_day
    return pattern[value.month].format(value.day, value.year)


def time_text(value: Value, world: World) -> str:
    """Return `18:00`, in every language."""
    if isinstance(value, datetime):
        value = _local(value, world)
    if not isinstance(value, datetime | time):
        raise NoTextError("a time is a time of day or a moment")
    return f"{value.hour:02d}:{value.minute:02d}"


def duration_text(value: Value, world: World) -> str:
    """Return `10 минут`, `1 час 30 минут`: at most two units. A whole number counts seconds."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | timedelta):
        raise NoTextError("a duration is a term or a number of seconds")
    seconds = value / timedelta(seconds=1) if isinstance(value, timedelta) else value
    if not -MAX_NUMBER < seconds < MAX_NUMBER:
        raise NoTextError("the number is too large")
    left = max(0, int(seconds))
    tongue = language(world.lang)
    for index, step in enumerate(_STEPS):
        if left >= step:
            first, rest = divmod(left, step)
            text = tongue.counted(first, index)
            second = rest // _STEPS[index + 1] if index < len(_STEPS) - 1 else 0
            return f"{text} {tongue.counted(second, index + 1)}" if second else text
    return tongue.counted(0, 3)


def phone_text(value: Value, world: World) -> str:
    """Return `+7 916 123-45-67`; plain digits in a call, where the voice does the grouping."""
    if not isinstance(value, str) or not _PHONE.match(value):
        raise NoTextError("a phone is written in digits")
    digits = value.removeprefix("+")
    return digits if world.channel == "voice" else grouped_phone(digits, world.country)


def grouped_phone(digits: str, country: str) -> str:
    """Return the digits of a phone number, without `+`, in the groups that they are read in."""
    if len(digits) < 7:
        return digits
    if len(digits) == 11 and digits[0] == "7":
        return f"+7 {digits[1:4]} {digits[4:7]}-{digits[7:9]}-{digits[9:]}"
    if len(digits) == 12:  # +992 90 123-45-67, +380 44 123-45-67, +998 90 123-45-67
        return f"+{digits[:3]} {digits[3:5]} {digits[5:8]}-{digits[8:10]}-{digits[10:]}"
    if len(digits) == 10 and country == "RU":
        return f"{digits[:3]} {digits[3:6]}-{digits[6:8]}-{digits[8:]}"
    return f"+{digits}" if len(digits) > 10 else f"{digits[:-4]}-{digits[-4:-2]}-{digits[-2:]}"


def digits_text(value: Value, world: World) -> str:
    """Return `1234`: the digits as they are, nothing grouped."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise NoTextError("digits are a text or a whole number")
    return number_text(value)


def count_text(value: Value, tongue: Language, forms: Sequence[str]) -> str:
    """Return `5 минут`: the number and the form of the word that goes with it in the text's language."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise NoTextError("count needs a number")
    if type(value) is int and 0 <= value < _GROUPED_FROM:
        return f"{value} {forms[tongue.form(value)]}"
    shown = number_text(value)
    return f"{shown.replace('.', tongue.point)} {forms[tongue.form(value)]}"


TEXT_FORMS: dict[str, Callable[[Value, World], str]] = {
    "money": money_text,
    "date": date_text,
    "time": time_text,
    "duration": duration_text,
    "phone": phone_text,
    "digits": digits_text,
}
"""The filters that give a text, by name; `count` and `length` take part in the compilation itself."""
