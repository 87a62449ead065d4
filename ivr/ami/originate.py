"""Calls that we begin: one attempt, with a channel id of our own that events, records and orders share.

The number is dialled by a context of the shipped dialplan and never by an application named here, so the
manager user can reach nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ivr.ami.message import ActionError
from ivr.ami.session import Outcome

_NUMBER = re.compile(r"[0-9]{3,15}")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")

REASONS = {0: "bad_number", 1: "hung_up", 3: "no_answer", 4: "answered", 5: "busy", 8: "congestion"}
"""`Reason` of `OriginateResponse` (asterisk/frame.h, AST_CONTROL_*)."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """Dial `number` by the context `dial` and let it enter `context` at our number `caller` ("": at `s`).

    `identity` becomes the channel's Uniqueid.
    `variables` are set on the channel before anything runs; `ring_s` is how long it may ring.
    """

    identity: str
    number: str
    context: str
    caller: str
    variables: tuple[tuple[str, str], ...] = ()
    ring_s: int = 30
    dial: str = "gudok-dial"


def headers(attempt: Attempt) -> tuple[tuple[str, str], ...]:
    """Return the headers of `Originate`. Raises ActionError for anything but digits and plain names."""
    if not _NUMBER.fullmatch(attempt.number):
        raise ActionError("Exten is not a telephone number")
    if attempt.caller and not _NUMBER.fullmatch(attempt.caller):
        raise ActionError("CallerID is not a telephone number")
    if not all(map(_NAME.fullmatch, (attempt.identity, attempt.context, attempt.dial))):
        raise ActionError("ChannelId or Context is not a plain name")
    found = [
        ("Channel", f"Local/{attempt.number}@{attempt.dial}/n"),
        ("ChannelId", attempt.identity),
        ("Context", attempt.context),
        ("Exten", attempt.caller or "s"),
        ("Priority", "1"),
        ("Timeout", str(attempt.ring_s * 1000)),
        ("Async", "true"),
    ]
    if attempt.caller:
        found.append(("CallerID", attempt.caller))
    for name, value in attempt.variables:
        if not _NAME.fullmatch(name) or not _NAME.fullmatch(value):
            raise ActionError(f"variable {name} is not a plain word")
        found.append(("Variable", f"{name}={value}"))
    return tuple(found)


def result(outcome: Outcome) -> str:
    """Return what came of an attempt: a word of `REASONS`, `refused`, or `lost` (nobody knows)."""
    if outcome.events:
        event = outcome.events[-1]
        if event.get("Response").lower() == "success":
            return "answered"
        return REASONS.get(event.number("Reason") or 0, "failed")
    if outcome.reply is not None and outcome.error not in ("", "no answer in time"):
        return "refused" if not outcome.error.startswith("connection lost") else "lost"
    return "refused" if outcome.error == "not connected" else "lost"
