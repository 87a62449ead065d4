"""The figures operators publish, and the models they are compared with."""

import pytest

from ivr.erlang import Load
from ivr.queue_key import EPOCH_MS, queue_priority
from ivr.queue_picture import Wait
from ivr.statistics import HOUR_MS, fives, hours, percentile, wilson


@pytest.mark.parametrize(
    ("calls", "agents", "mean", "within_20"),
    [
        (283, 17, 23.45, 72.9),
        (283, 18, 11.63, 83.8),
        (283, 19, 6.00, 90.6),
        (387, 22, 31.16, 65.8),
        (387, 24, 8.95, 86.2),
    ],
)
def test_erlang_c_gives_the_known_values(calls, agents, mean, within_20):
    load = Load(calls, 180, agents)
    assert round(load.mean_wait_s(), 2) == mean
    assert round(100 * load.answered_within(20), 1) == within_20


def test_too_few_people_never_catch_up():
    assert Load(387, 180, 19).mean_wait_s() == float("inf")
    assert Load(387, 180, 19).answered_within(3600) == 0
    assert Load(10, 180, 0).waits() == 1


def wait(seconds, end="answered", arrival=0, talk=0, queue="support"):
    return Wait(queue, arrival, int(seconds * 1000), end, talk * 1000)


def test_an_hour_of_a_queue():
    waits = [wait(seconds, talk=60) for seconds in (1, 2, 3, 4, 50)]
    waits += [wait(30, "abandoned"), wait(120, "timeout"), wait(1, "other")]
    (figures,) = hours(waits, within_s=20)
    assert (figures.offered, figures.answered, figures.abandoned, figures.led_on) == (6, 5, 1, 2)
    assert (figures.mean_wait_s, figures.median_wait_s) == (12, 3)
    assert (figures.p90_wait_s, figures.longest_wait_s) == (50, 50)
    assert figures.in_time_of_answered == pytest.approx(4 / 5)
    assert figures.in_time_of_offered == pytest.approx(4 / 6)
    assert figures.mean_talk_s == 60


def test_hours_and_queues_are_apart_and_an_hour_of_lost_callers_has_no_wait():
    found = hours([wait(1), wait(1, arrival=HOUR_MS), wait(9, "abandoned", queue="sales")], 20)
    assert [(one.hour, one.queue, one.answered) for one in found] == [
        (0, "sales", 0), (0, "support", 1), (HOUR_MS, "support", 1),
    ]  # fmt: skip
    assert found[0].mean_wait_s is None
    assert found[0].in_time_of_offered == 0
    assert found[0].in_time_of_answered is None


def test_no_answer_is_not_a_zero():
    figures = fives([5, 5, 4, None, 5, None])
    assert (figures.asked, figures.answered, figures.highest) == (6, 4, 3)
    assert figures.share == pytest.approx(0.75)
    assert figures.response_rate == pytest.approx(4 / 6)
    assert figures.low < 0.75 < figures.high
    assert fives([None]).share is None


def test_the_interval_is_wilsons():
    low, high = wilson(938, 1000)
    assert (round(low, 4), round(high, 4)) == (0.9213, 0.9513)
    assert wilson(0, 0) == (None, None)
    assert wilson(10, 10)[1] == pytest.approx(1.0)


def test_percentiles_are_values_that_occurred():
    assert percentile([], 90) is None
    assert percentile([7.0], 90) == 7.0
    assert percentile([float(one) for one in range(1, 11)], 90) == 9.0


def test_the_key_keeps_the_order_of_virtual_arrival():
    noon = EPOCH_MS + 12 * HOUR_MS
    plain, premium = queue_priority(noon, 0), queue_priority(noon, 300_000)
    assert premium - plain == 300
    assert queue_priority(noon + 299_000, 300_000) > plain > queue_priority(noon + 301_000, 300_000)
    assert all(
        0 < len(str(queue_priority(EPOCH_MS + year * 365 * 24 * HOUR_MS, 0))) <= 10 for year in range(60)
    )
    assert queue_priority(noon, -5) == plain
