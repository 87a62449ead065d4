"""What a subscriber types, into values: an amount, a number, a date, yes or no.

Every reader returns None for a text that is not such a value; nothing here raises. Only ASCII digits are
digits. Nothing is guessed: `12,5` is an amount, `1.2.3` is not. This module does not know questions.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time
from decimal import Decimal

from engine.limits import ANSWER_LENGTH
from engine.phrase import phrases
from engine.spoken import BREAK, START
from engine.types import BOOL as YES_NO
from engine.types import DATE, INT, MONEY, PHONE, TEXT, TIME, Type
from engine.values import Value

_MAX_DIGITS = 15
_KEPT = "\n\t"
_SEPARATORS = str.maketrans("", "", " -\u00a0\u202f()")


def cleaned(text: str) -> str:
    """Return what a subscriber typed as it may be kept: at most 1 600 characters, no blanks at its ends.

    Control characters but line breaks are dropped, halves of characters, which nothing can store, and the
    marks of calls.
    """
    text = text[:ANSWER_LENGTH]
    if not text.isprintable():
        text = "".join(
            sign
            for sign in text
            if sign in _KEPT
            or not (
                sign < " "
                or "\x7f" <= sign <= "\x9f"
                or "\ud800" <= sign <= "\udfff"
                or START <= sign <= BREAK
            )
        )
    return text.strip()


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def whole_number(text: str) -> int | None:
    """Read `12`, `-3`, `1 000`; at most 15 digits."""
    body = text.replace(" ", "").replace("\u00a0", "")
    sign = -1 if body.startswith("-") else 1
    body = body[1:] if body[:1] in ("-", "+") else body
    if not _digits(body) or len(body) > _MAX_DIGITS:
        return None
    return sign * int(body)


def amount(text: str) -> Decimal | None:
    """Read `490`, `89.50`, `89,5`, `1 000`, `100 ₽`; at most two decimals, never negative."""
    body = text.replace(" ", "").replace("\u00a0", "").replace("\u202f", "").removesuffix("₽")
    for word in ("руб.", "руб", "р.", "р", "RUB"):
        body = body.removesuffix(word)
    whole, mark, fraction = body.replace(",", ".").partition(".")
    if not _digits(whole) or len(whole) > _MAX_DIGITS:
        return None
    if mark and not (_digits(fraction) and len(fraction) <= 2):
        return None
    return Decimal(f"{whole}.{fraction}" if mark else whole)


def phone(text: str, country: str = "RU") -> str | None:
    """Read a phone number as an MSISDN without `+`: `8 916 123-45-67` is 79161234567 in Russia."""
    body = text.translate(_SEPARATORS)
    plus = body.startswith("+")
    body = body[1:] if plus else body
    if not _digits(body):
        return None
    if not plus and body.startswith("00"):
        body, plus = body[2:], True
    if not plus and country in ("RU", "KZ"):
        if len(body) == 11 and body[0] == "8":
            body = "7" + body[1:]
        elif len(body) == 10:
            body = "7" + body
    return body if 10 <= len(body) <= 15 and body[0] != "0" else None


def calendar_date(text: str, today: date | None = None) -> date | None:
    """Read `01.12.2026`, `1.12.26`, `01122026`, `2026-12-01`; with `today` also `1.12`, the next such day."""
    parts = text.replace("/", ".").replace(" ", ".").split(".")
    if len(parts) == 1 and text.count("-") == 2:
        year, month, day = text.split("-")
        parts = [day, month, year] if len(year) == 4 else []
    elif len(parts) == 1 and len(text) in (4, 6, 8):
        parts = [text[:2], text[2:4], text[4:]] if len(text) > 4 else [text[:2], text[2:]]
    if len(parts) not in (2, 3) or not all(_digits(part) and len(part) in (1, 2, 4) for part in parts):
        return None
    day_number, month_number = int(parts[0]), int(parts[1])
    if len(parts) == 3:
        return _date(int(parts[2]) + (2000 if len(parts[2]) <= 2 else 0), month_number, day_number)
    if today is None:
        return None
    found = _date(today.year, month_number, day_number)
    if found is None or found < today:
        found = _date(today.year + 1, month_number, day_number) or found
    return found


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def clock_time(text: str) -> time | None:
    """Read `18:00`, `9.30`, `1800`, `9`."""
    body = text.replace(".", ":").replace("-", ":").replace(" ", ":")
    hours, mark, minutes = body.partition(":")
    if not mark and len(hours) in (3, 4):
        hours, minutes = hours[:-2], hours[-2:]
    minutes = minutes or "00"
    if not (_digits(hours) and _digits(minutes) and len(hours) <= 2 and len(minutes) == 2):
        return None
    if int(hours) > 23 or int(minutes) > 59:
        return None
    return time(int(hours), int(minutes))


def yes_or_no(text: str, language: str) -> bool | None:
    """Read `1`/`2`, or yes and no in words of the language; a full stop behind it does not matter."""
    word = text.casefold().strip(" .!,")
    words = phrases(language)
    if word == "1" or word in words.yes_words:
        return True
    if word == "2" or word in words.no_words:
        return False
    return None


def digits(text: str, low: int = 1, high: int = 64) -> str | None:
    """Read a row of digits, `low` to `high` of them; spaces and hyphens between them are dropped."""
    body = text.translate(_SEPARATORS)
    return body if _digits(body) and low <= len(body) <= high else None


TYPES: dict[str, Type] = {
    "text": TEXT,
    "digits": TEXT,
    "int": INT,
    "money": MONEY,
    "phone": PHONE,
    "date": DATE,
    "time": TIME,
    "yes_no": YES_NO,
}
"""The types of `ask`, with the type of the value they give."""

Reader = Callable[[str], Value]
