"""What subscribers type, into values."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import answer

TODAY = date(2026, 11, 22)
READ = [
    (
        answer.whole_number,
        {"12": 12, "-3": -3, "1 000": 1000, "": None, "1.5": None, "١٢": None, "9" * 16: None},
    ),
    (
        answer.amount,
        {
            "490": Decimal(490),
            "89,5": Decimal("89.5"),
            "89.50": Decimal("89.50"),
            "1 000": Decimal(1000),
            "100 ₽": Decimal(100),
            "100 руб.": Decimal(100),
            "-1": None,
            "1.234": None,
            "1.2.3": None,
            "1e3": None,
            "NaN": None,
            "": None,
            ".5": None,
        },
    ),
    (
        answer.phone,
        {
            "89161234567": "79161234567",
            "9161234567": "79161234567",
            "+7 (916) 123-45-67": "79161234567",
            "0079161234567": "79161234567",
            "+992900112233": "992900112233",
            "112": None,
            "abc": None,
            "+": None,
            "": None,
            "8" * 20: None,
        },
    ),
    (
        lambda text: answer.calendar_date(text, TODAY),
        {
            "01.12.2026": date(2026, 12, 1),
            "1.12.26": date(2026, 12, 1),
            "01122026": date(2026, 12, 1),
            "2026-12-01": date(2026, 12, 1),
            "1/12": date(2026, 12, 1),
            "0112": date(2026, 12, 1),
            "21.11": date(2027, 11, 21),
            "22.11": TODAY,
            "31.02.2026": None,
            "1.13": None,
            "": None,
            "завтра": None,
            "29.02": None,
            "1": None,
        },
    ),
    (
        answer.clock_time,
        {
            "18:00": time(18),
            "9.30": time(9, 30),
            "1800": time(18),
            "930": time(9, 30),
            "9": time(9),
            "24:00": None,
            "12:60": None,
            "12:5": None,
            "": None,
            "полдень": None,
        },
    ),
    (
        lambda text: answer.yes_or_no(text, "ru"),
        {"1": True, "2": False, "Да": True, "нет.": False, "ДА!": True, "": None, "наверно": None, "3": None},
    ),
    (
        lambda text: answer.digits(text, 4, 6),
        {"1234": "1234", "12 34-56": "123456", "123": None, "1234567": None, "12a4": None, "": None},
    ),
]


@pytest.mark.parametrize(
    ("read", "text", "expected"), [(read, text, value) for read, rows in READ for text, value in rows.items()]
)
def test_reading(read, text, expected) -> None:
    assert read(text) == expected


@given(st.text(max_size=40))
@settings(max_examples=200, derandomize=True, deadline=None)
def test_nothing_a_subscriber_types_raises(text: str) -> None:
    for read, _ in READ:
        read(text)


def test_no_next_leap_day_soon() -> None:
    assert answer.calendar_date("29.02", date(2027, 3, 1)) == date(2028, 2, 29)
