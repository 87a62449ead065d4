"""Whether a submit_sm that did not succeed is sent again: SMPP has no idempotency, so the choice is stated.

A message with a secret is sent at most once: when its outcome is unknown it waits for a receipt and is never
repeated. All others are sent at least once within their validity: a duplicate is better than a loss. A
message that the centre refused, or that never left, may go again in either class. Throttling is handled by
the link and arrives here only when the link has given up. Sources: smpp-ussd.md 2.2, 2.3; reliability.md 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

import msgspec

from smpp.pdu.status import Policy, policy, status_text

FIRST_MS = 1_000
"""Pause before the first repetition; it doubles."""
LONGEST_MS = 60_000
"""Longest pause between repetitions."""
TEMPORARY_TRIES = 5
"""A temporary error is believed so many times."""


class Fate(Enum):
    """What becomes of the message."""

    AGAIN = "again"
    """Send it again at `at`."""
    UNKNOWN = "unknown"
    """It may have been sent, and must not be sent twice: wait for the receipt, then for the validity."""
    FAILED = "failed"
    """Final: it will not be delivered."""
    EXPIRED = "expired"
    """Final: its validity is over."""


class Decision(msgspec.Struct, frozen=True, gc=False):
    """A fate, when to act (UTC ms, for AGAIN), why, and whether a person must be told (`alarm`)."""

    fate: Fate
    at: int = 0
    reason: str = ""
    alarm: bool = False


_NO_TABLE: Mapping[int, Policy] = {}


def after_failure(failure: str, *, secret: bool, tries: int, now: int, valid_until: int) -> Decision:
    """Decide on a message without an answer. `failure` is the reason of `smpp.event.Failed`.

    `unsent`: it never left. `nack`: the centre could not read it. `closed`, `timeout`, `wrong_response`, and
    any other word: the outcome is unknown. `tries` counts how often it was sent, from 1.
    """
    if failure == "nack":
        return Decision(Fate.FAILED, reason="nack", alarm=True)
    if secret and failure != "unsent":
        return Decision(Fate.UNKNOWN, reason=failure)
    return _again(failure, 0 if failure == "unsent" else tries - 1, now, valid_until)


def after_status(
    status: int, *, tries: int, now: int, valid_until: int, vendor: Mapping[int, Policy] = _NO_TABLE
) -> Decision:
    """Decide on a message that the centre refused with a command_status other than 0.

    A refusal says that nothing was sent, so the class of the message does not matter. `vendor` is the
    dialect's table. Raises ValueError for status 0.
    """
    if not status:
        raise ValueError("status 0 is no refusal")
    reason = status_text(status)
    match policy(status, vendor):
        case Policy.THROTTLE | Policy.BIND:
            return _again(reason, tries - 1, now, valid_until)
        case Policy.TEMPORARY if tries < TEMPORARY_TRIES:
            return _again(reason, tries - 1, now, valid_until)
        case Policy.ACCOUNT:
            return Decision(Fate.FAILED, reason=reason, alarm=True)
    return Decision(Fate.FAILED, reason=reason)


def _again(reason: str, doublings: int, now: int, valid_until: int) -> Decision:
    at = now + min(LONGEST_MS, FIRST_MS << min(max(doublings, 0), 16))
    if at >= valid_until:
        return Decision(Fate.EXPIRED, reason=reason)
    return Decision(Fate.AGAIN, at, reason)
