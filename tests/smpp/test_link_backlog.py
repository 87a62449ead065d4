"""The backlog: urgent first, subscribers in order, bounded, nothing lost."""

import random
from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from smpp.backlog import RETRY_FIRST_MS, RETRY_LIMIT_MS, Backlog, Outgoing


def message(number, subscriber=b"", *, urgent=False, sticky=False, slot=-1, at=0):
    return Outgoing(number, b"", number, subscriber, urgent, sticky, at, slot, 1 if sticky else -1)


def popped(backlog, slot=0):
    numbers = []
    while (found := backlog.pop(slot)) is not None:
        numbers.append(found.number)
    return numbers


def test_urgent_messages_leave_first_and_each_row_in_order():
    backlog = Backlog(10, random.Random(1))
    for number, urgent in ((1, False), (2, True), (3, False), (4, True)):
        assert backlog.add(message(number, urgent=urgent))
    assert popped(backlog) == [2, 4, 1, 3]


def test_pages_leave_before_all_and_only_on_their_connection():
    backlog = Backlog(10, random.Random(1))
    backlog.add(message(1, urgent=True))
    backlog.add(message(2, sticky=True, slot=1))
    assert backlog.pop(0).number == 1
    assert backlog.pop(0) is None
    assert backlog.ready(1)
    assert not backlog.ready(0)
    assert backlog.pop(1).number == 2


def test_a_full_backlog_says_no():
    backlog = Backlog(2, random.Random(1))
    assert [backlog.add(message(number)) for number in range(3)] == [True, True, False]
    backlog.pop(0)
    assert backlog.add(message(4))


def test_a_throttled_message_waits_and_others_go_on():
    backlog = Backlog(10, random.Random(1))
    first = message(1, b"A")
    due = backlog.throttled(first, 1_000)
    assert RETRY_FIRST_MS / 2 <= due - 1_000 <= RETRY_FIRST_MS
    backlog.add(message(2, b"B"))
    assert popped(backlog) == [2]
    backlog.on_time(due - 1)
    assert popped(backlog) == []
    backlog.on_time(due)
    assert popped(backlog) == [1]


def test_the_wait_doubles_to_five_seconds():
    backlog = Backlog(10, random.Random(1))
    stubborn, now, waits = message(1, b"A"), 0, []
    for _ in range(9):
        due = backlog.throttled(stubborn, now)
        waits.append(due - now)
        now = due
        backlog.on_time(now)
        assert popped(backlog) == [1]
    for wait, ceiling in zip(waits, [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000], strict=True):
        assert ceiling / 2 <= wait <= ceiling <= RETRY_LIMIT_MS


def test_later_messages_to_the_same_subscriber_stay_behind_until_it_is_answered():
    backlog = Backlog(10, random.Random(1))
    first = message(1, b"A")
    backlog.add(message(2, b"A"))
    due = backlog.throttled(first, 0)
    backlog.add(message(3, b"A"))
    assert backlog.must_wait(b"A")
    assert popped(backlog) == []
    backlog.on_time(due)
    assert popped(backlog) == [1]
    backlog.settled(first)
    second = backlog.pop(0)
    assert second.number == 2
    assert backlog.pop(0) is None
    backlog.settled(second)
    third = backlog.pop(0)
    backlog.settled(third)
    assert len(backlog) == 0
    assert not backlog.must_wait(b"A")


def test_two_of_one_subscriber_refused_in_the_wrong_order_leave_in_the_right_one():
    backlog = Backlog(10, random.Random(1))
    one, two = message(1, b"A"), message(2, b"A")
    backlog.throttled(two, 0)
    backlog.throttled(one, 1)
    backlog.on_time(10_000)
    assert backlog.pop(0) is one
    assert backlog.pop(0) is None
    backlog.settled(one)
    assert backlog.pop(0) is two


def test_a_page_never_waits_behind_an_sms_of_its_subscriber():
    backlog = Backlog(10, random.Random(1))
    backlog.throttled(message(1, b"A"), 0)
    backlog.add(message(2, b"A", sticky=True, slot=0))
    assert popped(backlog) == [2]


def test_what_could_only_leave_on_a_lost_connection_comes_out():
    backlog = Backlog(10, random.Random(1))
    backlog.add(message(1, sticky=True, slot=0))
    backlog.add(message(2, sticky=True, slot=1))
    backlog.throttled(message(3, sticky=True, slot=0), 0)
    backlog.add(message(4))
    assert [m.number for m in backlog.remove_sticky(0, 1)] == [1, 3]
    assert len(backlog) == 2
    assert popped(backlog, 1) == [2, 4]


def test_old_pages_come_out_old_messages_stay():
    backlog = Backlog(10, random.Random(1))
    backlog.add(message(1, sticky=True, slot=0, at=100))
    backlog.add(message(2, at=100))
    backlog.add(message(3, sticky=True, slot=0, at=900))
    assert [m.number for m in backlog.remove_overdue(500)] == [1]
    assert len(backlog) == 2


def test_clear_gives_everything_back_in_the_order_offered():
    backlog = Backlog(10, random.Random(1))
    backlog.throttled(message(3, b"A"), 0)
    backlog.add(message(1))
    backlog.add(message(2, urgent=True))
    backlog.add(message(4, sticky=True, slot=2))
    assert [m.number for m in backlog.clear()] == [1, 2, 3, 4]
    assert len(backlog) == 0
    assert not backlog.has_ready()


@settings(max_examples=80, derandomize=True, deadline=None)
@given(
    offers=st.lists(st.tuples(st.sampled_from([b"", b"A", b"B"]), st.booleans()), min_size=1, max_size=40),
    refusals=st.lists(st.integers(0, 3), min_size=40, max_size=40),
)
def test_with_one_message_in_flight_nothing_is_lost_and_each_subscriber_is_served_in_order(offers, refusals):
    backlog = Backlog(1_000, random.Random(1))
    urgent_of = {b"": False, b"A": True, b"B": False}
    for number, (subscriber, _) in enumerate(offers):
        backlog.add(message(number, subscriber, urgent=urgent_of[subscriber]))
    left = {number: refusals[number % len(refusals)] for number in range(len(offers))}
    served, now = defaultdict(list), 0
    for _ in range(1_000):
        found = backlog.pop(0)
        if found is None:
            if not len(backlog):
                break
            now += 10_000
            backlog.on_time(now)
        elif left[found.number]:
            left[found.number] -= 1
            backlog.throttled(found, now)
        else:
            backlog.settled(found)
            served[found.subscriber].append(found.number)
    assert sorted(number for numbers in served.values() for number in numbers) == list(range(len(offers)))
    for subscriber in (b"A", b"B"):
        assert served[subscriber] == sorted(served[subscriber])
