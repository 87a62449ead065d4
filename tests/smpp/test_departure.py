"""What a subscriber can have read: what the centre has answered, or what left a second ago."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smpp import departure
from smpp.departure import KEPT_MS, UNANSWERED_MS, Departures, Pair

PAIR = ("79161234567", "9290")
OTHER = ("79161234567", "9291")


def test_nothing_has_left() -> None:
    departures = Departures()
    departures.taken("unknown")
    assert departures.read(PAIR, 0) == departures.count == 0


def test_the_latest_that_was_taken_is_read_and_what_left_behind_it_is_not() -> None:
    departures = Departures()
    for key in ("a", "b", "c"):
        departures.left(PAIR, key, 5)
    departures.taken("b")
    assert departures.read(PAIR, 5) == 2
    assert departures.read(OTHER, 5) == 0


def test_a_message_that_leaves_again_has_left_anew() -> None:
    departures = Departures()
    departures.left(PAIR, "a", 0)
    departures.left(PAIR, "a", 900)
    assert departures.read(PAIR, 900) == 0
    departures.taken("a")
    assert departures.read(PAIR, 900) == 2


def test_old_departures_are_forgotten() -> None:
    departures = Departures()
    for number in range(100):
        departures.left((str(number), "9290"), str(number), number)
    departures.left(PAIR, "last", 99 + KEPT_MS)
    assert len(departures) == 2
    departures.taken("0")
    departures.taken("99")
    assert departures.read(("0", "9290"), 99 + KEPT_MS) == 0
    assert departures.read(("99", "9290"), 99 + KEPT_MS) == 100


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(departure, "MOST", 10)
    departures = Departures()
    for number in range(50):
        departures.left(PAIR, str(number), 0)
    assert len(departures) == 10
    assert departures.read(PAIR, UNANSWERED_MS) == 50


@settings(max_examples=150, derandomize=True, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["left", "taken", "wait"]),
            st.integers(0, 3),
            st.sampled_from([0, 1, 999, 1_000, 4_000]),
        ),
        max_size=60,
    )
)
def test_what_is_read_is_what_a_plain_list_says(events: list[tuple[str, int, int]]) -> None:
    departures = Departures()
    plain: list[tuple[Pair, str, int]] = []
    taken: set[int] = set()
    now = 0
    for kind, number, ms in events:
        pair, key = (PAIR, OTHER)[number % 2], str(number)
        if kind == "wait":
            now += ms
        elif kind == "left":
            departures.left(pair, key, now)
            plain.append((pair, key, now))
        else:
            departures.taken(key)
            taken |= {max((n for n, one in enumerate(plain, 1) if one[1] == key), default=0)}
        for each in (PAIR, OTHER):
            read = [
                number
                for number, (to, _, at) in enumerate(plain, 1)
                if to == each and (number in taken or now - at >= UNANSWERED_MS)
            ]
            told = departures.read(each, now)
            # What is older than anybody asks about may be forgotten.
            assert told == max(read, default=0) or (told == 0 and plain[read[-1] - 1][2] + KEPT_MS < now)
