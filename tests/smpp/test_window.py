"""The window: sequence numbers, places, time limits."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smpp.window import FIRST_SEQUENCE, LAST_SEQUENCE, Pending, Window


def test_numbers_count_from_one_and_a_full_window_gives_none():
    window = Window(2, 30_000)
    assert window.add(4, "a", 0, 0) == 1
    assert window.add(4, "b", 0, 0) == 2
    assert window.add(4, "c", 0, 0) is None
    assert window.take(1).token == "a"
    assert window.free == 1
    assert window.add(4, "c", 0, 0) == 3


def test_after_the_last_number_comes_one():
    window = Window(3, 30_000, LAST_SEQUENCE)
    assert [window.add(4, n, 0, 0) for n in range(3)] == [LAST_SEQUENCE, 1, 2]


def test_numbers_still_pending_are_skipped_when_the_row_comes_round():
    window = Window(5, 30_000)
    window.add(4, "old", 0, 0)
    enquiry = window.reserve(0x15)
    window._next = LAST_SEQUENCE
    assert [window.add(4, n, 0, 0) for n in range(3)] == [LAST_SEQUENCE, 3, 4]
    assert enquiry == 2
    assert window.release(enquiry) == 0x15
    assert window.release(enquiry) is None


def test_a_reserved_number_takes_no_place():
    window = Window(1, 30_000)
    window.reserve(0x15)
    assert window.add(4, "a", 0, 0) == 2
    assert window.reserve(0x06) == 3


def test_only_what_has_waited_too_long_expires_oldest_first():
    window = Window(10, 1_000)
    for at in (0, 10, 500):
        window.add(4, at, at, at)
    assert window.next_deadline() == 1_000
    assert window.expired(999) == []
    assert [late.token for late in window.expired(1_010)] == [0, 10]
    assert window.next_deadline() == 1_500
    assert window.take(1) is None


def test_clear_returns_everything_and_leaves_an_empty_window():
    window = Window(4, 1_000)
    for n in range(4):
        window.add(4, n, 0, 0)
    assert [left.token for left in window.clear()] == [0, 1, 2, 3]
    assert (len(window), window.free, window.next_deadline()) == (0, 4, None)


@pytest.mark.parametrize(
    ("size", "response_ms", "first"), [(0, 1, 1), (1, 0, 1), (1, 1, 0), (1, 1, 0x80000000)]
)
def test_senseless_windows_are_refused(size, response_ms, first):
    with pytest.raises(ValueError, match=r"window|limit|sequence"):
        Window(size, response_ms, first)


@settings(max_examples=60, derandomize=True)
@given(
    first=st.integers(LAST_SEQUENCE - 5, LAST_SEQUENCE),
    moves=st.lists(st.one_of(st.just("add"), st.just("reserve"), st.integers(0, 20)), max_size=60),
)
def test_no_two_requests_in_flight_ever_share_a_number(first, moves):
    window = Window(8, 1_000, first)
    flying: list[int] = []
    for move in moves:
        if isinstance(move, int):
            if flying:
                sequence = flying.pop(move % len(flying))
                assert (window.take(sequence) is None) != (window.release(sequence) is None)
            continue
        sequence = window.add(4, None, 0, 0) if move == "add" else window.reserve(0x15)
        if sequence is None:
            assert len(window) == 8
            continue
        assert FIRST_SEQUENCE <= sequence <= LAST_SEQUENCE
        assert sequence not in flying
        flying.append(sequence)


@given(
    st.integers(1, 8),
    st.sampled_from([1, 5, LAST_SEQUENCE - 2, LAST_SEQUENCE]),
    st.lists(st.one_of(st.integers(0, 5), st.just("reserve"), st.just("take")), max_size=8),
)
@settings(max_examples=200, derandomize=True)
def test_a_row_takes_the_places_that_one_after_the_other_would(size, first, acts):
    row, singly = Window(size, 1_000, first), Window(size, 1_000, first)
    waiting: dict[int, Pending] = {}
    for now, act in enumerate(acts):
        if act == "reserve":
            assert row.reserve(0x15) == singly.reserve(0x15)
        elif act == "take":
            for number in sorted(waiting)[:1]:
                assert row.take(number) == singly.take(number) == waiting.pop(number)
        else:
            # No answer for ever: the numbers come round to those that still wait.
            row._next = singly._next = first
            tokens = [f"{now}:{n}" for n in range(act)]
            numbers = [singly.add(4, token, now, now) for token in tokens]
            assert list(row.add_row(4, tokens, now)) == [number for number in numbers if number is not None]
            places = zip(numbers, tokens, strict=True)
            waiting |= {number: Pending(4, token, now, now) for number, token in places if number is not None}
        assert len(row) == len(singly) == len(waiting)
        assert row.next_deadline() == singly.next_deadline()
    assert row._next == singly._next
    for now in (999, 1_001, 1_003):
        assert sorted(row.expired(now), key=by_token) == sorted(singly.expired(now), key=by_token)
    assert sorted(row.clear(), key=by_token) == sorted(singly.clear(), key=by_token)
    assert (len(row), row.free, row.next_deadline()) == (0, size, None)


def test_a_row_whose_places_were_emptied_lets_them_go():
    window = Window(5, 1_000)
    assert list(window.add_row(4, ["a", "b", "c"], 7)) == [1, 2, 3]
    assert window.add(4, "d", 0, 8) == 4
    row = window.row_of(2)
    assert row is window.row_of(3)
    assert window.row_of(0) is window.row_of(4) is None
    row.tokens[1] = None
    window.took(row, 1)
    assert window.row_of(2) is window.take(2) is None
    assert (len(window), window.free) == (3, 2)
    assert [late.token for late in window.expired(1_007)] == ["a", "c"]
    assert window.row_of(1) is None
    assert [left.token for left in window.clear()] == ["d"]


def by_token(pending: Pending) -> str:
    return str(pending.token)
