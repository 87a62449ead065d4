"""When a lost bind is tried again, and which settings are refused."""

import random

import pytest

from smpp.reconnect import Backoff, is_alarm
from smpp.settings import LinkSettings, Secret, Timers


class Highest:
    def random(self):
        return 1.0


class Lowest:
    def random(self):
        return 0.0


def test_at_once_then_one_second_doubling_to_sixty():
    backoff = Backoff(Highest())
    assert [backoff.delay(0) for _ in range(9)] == [
        0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000,
    ]  # fmt: skip


def test_full_jitter_draws_from_nought_to_the_ceiling():
    backoff = Backoff(random.Random(1))
    backoff.delay(0)
    delays = []
    for _ in range(300):
        backoff.bound(0)
        backoff.delay(60_000)
        delays.append(backoff.delay(60_000))
    assert min(delays) < 50
    assert max(delays) > 950
    assert max(delays) <= 1_000


def test_a_minute_of_being_bound_starts_the_row_anew_a_shorter_time_does_not():
    backoff = Backoff(Highest())
    assert [backoff.delay(0) for _ in range(4)] == [0, 1_000, 2_000, 4_000]
    backoff.bound(100_000)
    assert backoff.delay(159_999) == 8_000
    backoff.bound(200_000)
    assert backoff.delay(260_000) == 0
    assert backoff.delay(260_000) == 1_000


@pytest.mark.parametrize("rng", [Lowest(), Highest()])
def test_already_bound_waits_half_a_minute_to_a_minute(rng):
    assert 30_000 <= Backoff(rng).delay(0, 0x05) <= 60_000


@pytest.mark.parametrize("status", [0x0D, 0x0E, 0x0F, 0x53, 0x100])
@pytest.mark.parametrize("rng", [Lowest(), Highest()])
def test_wrong_credentials_wait_a_minute_at_least_and_raise_an_alarm(rng, status):
    assert Backoff(rng).delay(0, status) >= 60_000
    assert is_alarm(status)


@pytest.mark.parametrize("status", [0x05, 0x08, 0x14, 0x58, 0x64])
def test_other_refusals_are_no_alarm(status):
    assert not is_alarm(status)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"host": ""}, "host is missing"),
        ({"port": 0}, "port is from 1 to 65535"),
        ({"system_id": "x" * 16}, "system_id has at most 15"),
        ({"password": Secret("x" * 9)}, "password has at most 8"),
        ({"system_type": "x" * 13}, "system_type has at most 12"),
        ({"address_range": "x" * 41}, "address_range has at most 40"),
        ({"system_id": "гудок"}, "plain ASCII"),
        ({"system_id": "a\0b"}, "plain ASCII"),
        ({"binds": 0}, "binds is from 1"),
        ({"window": 0}, "window is from 1"),
        ({"rate": 0.0}, "rate is above 0"),
        ({"rate": -1.0}, "rate is above 0"),
        ({"rate": float("nan")}, "rate is above 0"),
    ],
)
def test_what_smpp_cannot_carry_is_refused_with_a_sentence(change, said):
    with pytest.raises(ValueError, match=said):
        LinkSettings(**{"host": "127.0.0.1", **change})


def test_a_password_is_never_shown():
    settings = LinkSettings("127.0.0.1", password=Secret("hunter2"))
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in f"{settings.password} {settings.password!r}"
    with pytest.raises(ValueError, match="password") as raised:
        LinkSettings("127.0.0.1", password=Secret("hunter2hunter2"))
    assert "hunter2" not in str(raised.value)


def test_a_timer_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="response_ms is at least 1"):
        Timers(response_ms=0)
    assert Timers(enquire_after_ms=0).enquire_after_ms == 0
