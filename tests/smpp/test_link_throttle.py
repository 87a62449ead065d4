"""Throttling on a simulated clock: random refusals cost little, a real limit is met closely."""

import heapq
import random
from collections import Counter

import pytest

from smpp.backlog import Backlog, Outgoing
from smpp.throttle import PAUSE_FIRST_MS, PAUSE_LIMIT_MS, RateLimit, Throttle


class RandomRefusals:
    """A centre that refuses a share of everything for no reason."""

    def __init__(self, share, seed=5):
        self.share, self.rng = share, random.Random(seed)

    def takes(self, now):
        return self.rng.random() >= self.share


class PerSecond:
    """A centre that takes so many in each second of its clock."""

    def __init__(self, limit):
        self.limit, self.second, self.taken = limit, -1, 0

    def takes(self, now):
        if now // 1000 != self.second:
            self.second, self.taken = now // 1000, 0
        self.taken += 1
        return self.taken <= self.limit


class Bucket:
    """A centre with a token bucket of one second."""

    def __init__(self, limit):
        self.limit, self.tokens, self.at = limit, float(limit), 0

    def takes(self, now):
        self.tokens = min(self.limit, self.tokens + (now - self.at) * self.limit / 1000)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class Simulation:
    """A link with endless demand and its centre, in steps of a millisecond."""

    def __init__(self, centre, *, window, round_trip_ms, configured=None):
        self.centre, self.window, self.round_trip_ms = centre, window, round_trip_ms
        self.throttle = Throttle(configured, 0)
        self.backlog = Backlog(100_000, random.Random(3))
        self.flying: list = []
        self.offered = 0
        self.sent, self.accepted = Counter(), Counter()

    def run(self, seconds):
        for now in range(seconds * 1000):
            while self.flying and self.flying[0][0] <= now:
                _, _, sent_at, message, taken = heapq.heappop(self.flying)
                self.throttle.answered(sent_at, now, refused=not taken)
                if taken:
                    self.backlog.settled(message)
                    self.accepted[now // 1000] += 1
                else:
                    self.backlog.throttled(message, now)
            self.throttle.on_time(now)
            self.backlog.on_time(now)
            while len(self.flying) < self.window and self.throttle.admit(now):
                message = self.backlog.pop(0) or self.fresh(now)
                self.sent[now // 1000] += 1
                entry = (now + self.round_trip_ms, message.number, now, message, self.centre.takes(now))
                heapq.heappush(self.flying, entry)
        return self

    def fresh(self, now):
        self.offered += 1
        return Outgoing(self.offered, b"", None, b"79%09d" % self.offered, False, False, now)

    def rate(self, counter, first, last):
        return sum(counter[second] for second in range(first, last)) / (last - first)


@pytest.mark.parametrize(("window", "round_trip_ms"), [(10, 10), (1, 10), (10, 200), (200, 100)])
def test_five_per_cent_of_random_refusals_leave_ninety_per_cent_of_the_throughput(window, round_trip_ms):
    """S3: the window is the only limit, so what is lost is what throttling costs."""
    calm = Simulation(RandomRefusals(0.0), window=window, round_trip_ms=round_trip_ms).run(20)
    shaken = Simulation(RandomRefusals(0.05), window=window, round_trip_ms=round_trip_ms).run(20)
    assert shaken.rate(shaken.accepted, 1, 20) >= 0.9 * calm.rate(calm.accepted, 1, 20)


@pytest.mark.parametrize("limit", [20, 100, 500])
@pytest.mark.parametrize("centre", [PerSecond, Bucket])
@pytest.mark.parametrize("configured", [None, 1_000.0])
def test_under_a_real_limit_the_accepted_rate_comes_within_five_per_cent(limit, centre, configured):
    run = Simulation(centre(limit), window=20, round_trip_ms=10, configured=configured).run(40)
    assert 0.95 * limit <= run.rate(run.accepted, 10, 40) <= 1.05 * limit


@pytest.mark.parametrize("limit", [100, 500])
def test_under_a_real_limit_we_stop_knocking_in_vain(limit):
    """The link learns: after the first seconds at most a quarter more is sent than is taken."""
    run = Simulation(PerSecond(limit), window=20, round_trip_ms=10).run(40)
    assert run.rate(run.sent, 10, 40) <= 1.3 * limit


def test_no_message_is_lost_or_answered_twice_by_throttling():
    run = Simulation(PerSecond(50), window=10, round_trip_ms=10).run(20)
    waiting = len(run.backlog) + len(run.flying)
    assert sum(run.accepted.values()) + waiting == run.offered


def test_a_limit_that_goes_away_is_forgotten():
    run = Simulation(PerSecond(50), window=10, round_trip_ms=10).run(10)
    run.centre.limit = 100_000
    throttle = run.throttle
    assert throttle.learned is not None
    for now in range(10_000, 80_000, 10):
        throttle.on_time(now)
        throttle.answered(now, now, refused=False)
    assert throttle.learned is None


def test_a_learned_rate_never_exceeds_our_own_limit():
    throttle = Throttle(100.0, 0)
    for n in range(1000):
        throttle.answered(n, n, refused=n % 2 == 0)
    throttle.on_time(1_000)
    assert throttle.learned == 100.0
    throttle.on_time(3_000)
    assert throttle.learned is None
    assert throttle.bucket.rate == 100.0


def test_nothing_accepted_pauses_one_second_doubling_to_thirty():
    throttle = Throttle(None, 0)
    now, pauses = 0, []
    for _ in range(7):
        while not throttle.paused(now):
            now += 100
            throttle.answered(now, now, refused=True)
        assert not throttle.admit(now)
        pauses.append(throttle.ready_at(now) - now)
        now = throttle.ready_at(now)
        assert throttle.admit(now)
    assert pauses[0] == PAUSE_FIRST_MS
    assert pauses == [1_000, 2_000, 4_000, 8_000, 16_000, PAUSE_LIMIT_MS, PAUSE_LIMIT_MS]


def test_the_first_accepted_message_ends_the_doubling():
    throttle = Throttle(None, 0)
    for now in (10, 20, 30):
        throttle.answered(now, now, refused=True)
    throttle.on_time(1_000)
    assert throttle.ready_at(1_000) == 2_000
    throttle.answered(2_100, 2_200, refused=False)
    for now in (3_300, 3_310, 3_320, 3_330):
        throttle.answered(now, now, refused=True)
    throttle.on_time(4_400)
    assert throttle.ready_at(4_400) == 5_400


def test_one_refusal_of_a_lone_user_pauses_nothing():
    throttle = Throttle(None, 0)
    throttle.answered(10, 20, refused=True)
    throttle.on_time(5_000)
    assert not throttle.paused(5_000)
    assert throttle.learned is None


def test_answers_to_what_left_before_the_slowdown_do_not_count():
    throttle = Throttle(None, 0)
    for n in range(100):
        throttle.answered(n, n, refused=n >= 50)
    throttle.on_time(1_000)
    assert throttle.slowdowns == 1
    for _ in range(500):
        throttle.answered(1_900, 2_100, refused=True)
    throttle.on_time(3_500)
    assert throttle.slowdowns == 1
    assert not throttle.paused(3_500)


@pytest.mark.parametrize("rate", [1.0, 7.5, 500.0, 20_000.0])
def test_a_token_bucket_lets_its_rate_through_and_no_more(rate):
    bucket = RateLimit(rate, 0)
    passed = 0
    for now in range(10_000):
        while bucket.take(now):
            passed += 1
    assert passed == pytest.approx(rate * 10, rel=0.02, abs=max(1.5, rate * 0.11))


def test_a_bucket_left_alone_saves_only_a_small_burst():
    bucket = RateLimit(500.0, 0)
    passed = 0
    while bucket.take(3_600_000):
        passed += 1
    assert passed <= 51


def test_ready_at_is_when_take_succeeds():
    bucket = RateLimit(3.0, 0)
    now = 0
    for _ in range(20):
        while bucket.take(now):
            pass
        ready = bucket.ready_at(now)
        assert not bucket.take(ready - 2)
        assert bucket.take(ready)
        now = ready
