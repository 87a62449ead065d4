"""Month arithmetic: the anchor day is kept, short months end on their last day."""

import calendar
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.demo.billing.period import day_of, midnight, milliseconds, moment_of, month_after, months_before

CHAINS = [
    ((2026, 1, 31), ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]),
    ((2028, 1, 31), ["2028-02-29", "2028-03-31"]),
    ((2027, 12, 30), ["2028-01-30", "2028-02-29", "2028-03-30"]),
    ((2026, 11, 22), ["2026-12-22", "2027-01-22"]),
    ((2026, 8, 31), ["2026-09-30", "2026-10-31"]),
]


@pytest.mark.parametrize(("start", "dates"), CHAINS)
def test_periods_follow_each_other_on_the_anchor_day(start: tuple[int, int, int], dates: list[str]) -> None:
    day = date(*start)
    anchor = day.day
    for expected in dates:
        day = month_after(day, anchor)
        assert day.isoformat() == expected


@settings(derandomize=True, max_examples=300)
@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.integers(1, 30))
def test_any_chain_of_months_keeps_its_anchor(start: date, months: int) -> None:
    day = start
    for count in range(1, months + 1):
        following = month_after(day, start.day)
        assert 28 <= (following - day).days <= 31
        index = start.year * 12 + start.month - 1 + count
        assert (following.year, following.month) == (index // 12, index % 12 + 1)
        last = calendar.monthrange(following.year, following.month)[1]
        assert following.day == min(start.day, last)
        day = following


@settings(derandomize=True, max_examples=200)
@given(st.dates(date(2000, 6, 1), date(2090, 1, 1)), st.integers(0, 24))
def test_months_before_undoes_months(day: date, months: int) -> None:
    earlier = months_before(day, months)
    assert (day.year * 12 + day.month) - (earlier.year * 12 + earlier.month) == months
    assert earlier.day <= day.day


@pytest.mark.parametrize("anchor", [0, 32, -1])
def test_an_anchor_that_is_no_day_is_refused(anchor: int) -> None:
    with pytest.raises(ValueError, match="anchor"):
        month_after(date(2026, 1, 1), anchor)


def test_the_calendar_ends_with_an_error() -> None:
    with pytest.raises(OverflowError):
        month_after(date(9999, 12, 1), 1)


def test_a_day_begins_at_moscow_midnight() -> None:
    assert moment_of(midnight(date(2026, 11, 23))).isoformat() == "2026-11-23T00:00:00+03:00"
    assert day_of(midnight(date(2026, 11, 23)) - 1) == date(2026, 11, 22)
    assert day_of(midnight(date(2026, 11, 23))) == date(2026, 11, 23)
    assert milliseconds(datetime(2026, 11, 23)) == midnight(date(2026, 11, 23))
