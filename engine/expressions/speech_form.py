"""Values as a call carries them: the text form of a filter in marks, beside what the voice has to say.

Only texts of the channel voice are compiled with these; no other channel pays for them. What is marked and
how it is written is `engine.spoken`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal

from engine.expressions.language import language
from engine.expressions.text_form import (
    TEXT_FORMS,
    date_text,
    duration_text,
    grouped_phone,
    money_text,
    number_text,
    phone_text,
    plain,
    text_of,
    time_text,
)
from engine.expressions.world import World
from engine.spoken import marked, separate, unmarked
from engine.values import Secret, Value

_CENT = Decimal("0.01")
_NO_DIGIT = re.compile(r"[^0-9]+")


def money_speech(value: Value, world: World) -> str:
    """Return money in marks: `490.00 RUB`."""
    shown = money_text(value, world)
    assert isinstance(value, int | Decimal)
    exact = Decimal(value).quantize(_CENT, rounding=ROUND_HALF_UP)
    return marked("money", f"{exact or Decimal('0.00'):f} {world.currency}", shown)


def date_speech(value: Value, world: World) -> str:
    """Return a day in marks; its year is said where it is shown."""
    shown = date_text(value, world)
    day = value.astimezone(world.zone).date() if isinstance(value, datetime) else value
    assert isinstance(day, date)
    near = shown == language(world.lang).day[day.month].format(day.day, day.year)
    return marked("date", f"{day.month:02d}-{day.day:02d}" if near else day.isoformat(), shown)


def time_speech(value: Value, world: World) -> str:
    """Return a time of day in marks."""
    shown = time_text(value, world)
    return marked("time", shown, shown)


def duration_speech(value: Value, world: World) -> str:
    """Return a term in marks, in seconds."""
    shown = duration_text(value, world)
    seconds = value / timedelta(seconds=1) if isinstance(value, timedelta) else value
    assert isinstance(seconds, int | float | Decimal)
    return marked("duration", str(max(0, int(seconds))), shown)


def phone_speech(value: Value, world: World) -> str:
    """Return a phone number in marks, in the groups that it is read in."""
    shown = phone_text(value, world)
    assert isinstance(value, str)
    written = grouped_phone(value.removeprefix("+"), world.country)
    sign = "+" if written.startswith("+") else ""
    return marked("phone", sign + _NO_DIGIT.sub(" ", written).strip(), shown)


def digits_speech(value: Value, world: World) -> str:
    """Return digits in marks."""
    shown = TEXT_FORMS["digits"](value, world)
    return marked("digits", shown.replace("\n", " "), shown)


SPEECH_FORMS: dict[str, Callable[[Value, World], str]] = {
    "money": money_speech,
    "date": date_speech,
    "time": time_speech,
    "duration": duration_speech,
    "phone": phone_speech,
    "digits": digits_speech,
}
"""The filters of `TEXT_FORMS` as a call carries them."""


def count_speech(value: Value, shown: str, forms: tuple[str, ...]) -> str:
    """Return a counted word in marks; `shown` is its text form."""
    assert isinstance(value, int | Decimal)
    words = unmarked("|".join(forms)).replace("\n", " ")
    return marked("count", f"{number_text(value)} {words}", shown)


def speech_of(value: Value, world: World) -> str | Secret:
    """Return a value without a filter. Raises NoTextError for an empty one.

    Texts are words, apart from those around them; numbers, days and terms are said by rule. A secret made of
    digits is said digit by digit.
    """
    if isinstance(value, Secret):
        text = unmarked(value.reveal())
        return Secret(marked("digits", text, text) if text.isascii() and text.isdigit() else separate(text))
    if isinstance(value, str):
        return separate(plain(value))
    if isinstance(value, bool):
        return separate(text_of(value, world))
    if isinstance(value, int | Decimal):
        shown = number_text(value)
        return marked("number", shown, shown)
    if isinstance(value, datetime):
        return f"{date_speech(value, world)} {time_speech(value, world)}"
    if isinstance(value, date):
        return date_speech(value, world)
    if isinstance(value, time):
        return time_speech(value, world)
    if isinstance(value, timedelta):
        return duration_speech(value, world)
    return separate(text_of(value, world))
