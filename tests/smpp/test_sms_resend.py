"""What becomes of a message that did not succeed (smpp-ussd.md 2.2, 2.3; reliability.md, section 2)."""

from __future__ import annotations

import pytest

from smpp.pdu.status import Policy
from smpp.resend import Decision, Fate, after_failure, after_status

NOW = 1_000_000
FAR = NOW + 86_400_000


@pytest.mark.parametrize("failure", ["closed", "timeout", "wrong_response", "something new"])
def test_an_unknown_outcome_is_repeated_unless_it_holds_a_secret(failure: str) -> None:
    plain = after_failure(failure, secret=False, tries=1, now=NOW, valid_until=FAR)
    assert plain == Decision(Fate.AGAIN, NOW + 1_000, failure)
    secret = after_failure(failure, secret=True, tries=1, now=NOW, valid_until=FAR)
    assert secret == Decision(Fate.UNKNOWN, 0, failure)


@pytest.mark.parametrize("secret", [False, True])
def test_what_never_left_goes_again_in_either_class(secret: bool) -> None:
    decision = after_failure("unsent", secret=secret, tries=9, now=NOW, valid_until=FAR)
    assert decision == Decision(Fate.AGAIN, NOW + 1_000, "unsent")


def test_what_the_centre_cannot_read_fails_with_an_alarm() -> None:
    decision = after_failure("nack", secret=False, tries=1, now=NOW, valid_until=FAR)
    assert (decision.fate, decision.alarm) == (Fate.FAILED, True)


@pytest.mark.parametrize(
    ("tries", "pause"), [(1, 1_000), (2, 2_000), (5, 16_000), (7, 60_000), (100_000, 60_000)]
)
def test_pauses_double_up_to_a_minute(tries: int, pause: int) -> None:
    decision = after_failure("closed", secret=False, tries=tries, now=NOW, valid_until=FAR)
    assert decision.at == NOW + pause


def test_nothing_is_repeated_beyond_its_validity() -> None:
    decision = after_failure("closed", secret=False, tries=1, now=NOW, valid_until=NOW + 1_000)
    assert decision.fate is Fate.EXPIRED


@pytest.mark.parametrize(
    ("status", "tries", "fate", "alarm"),
    [
        (0x58, 40, Fate.AGAIN, False),
        (0x14, 40, Fate.AGAIN, False),
        (0x08, 1, Fate.AGAIN, False),
        (0x64, 4, Fate.AGAIN, False),
        (0x45, 5, Fate.FAILED, False),
        (0x04, 9, Fate.AGAIN, False),
        (0x05, 9, Fate.AGAIN, False),
        (0x0E, 1, Fate.FAILED, True),
        (0x101, 1, Fate.FAILED, True),
        (0x0B, 1, Fate.FAILED, False),
        (0xC2, 1, Fate.FAILED, False),
        (0x410, 1, Fate.FAILED, False),
        (0xDEAD, 1, Fate.FAILED, False),
    ],
)
def test_a_refusal_is_judged_by_its_status(status: int, tries: int, fate: Fate, alarm: bool) -> None:
    decision = after_status(status, tries=tries, now=NOW, valid_until=FAR)
    assert (decision.fate, decision.alarm) == (fate, alarm)
    assert f"0x{status:02X}" in decision.reason


def test_a_dialect_may_say_that_a_vendor_code_passes() -> None:
    decision = after_status(0x410, tries=1, now=NOW, valid_until=FAR, vendor={0x410: Policy.TEMPORARY})
    assert decision.fate is Fate.AGAIN


def test_success_is_no_refusal() -> None:
    with pytest.raises(ValueError, match="no refusal"):
        after_status(0, tries=1, now=NOW, valid_until=FAR)
