"""What can go wrong in a call, as the exceptions that AGI programs in Python know (pyst2's family).

`AGIHangup` and what is below it mean that the caller has gone; `AGIUsageError` and `AGIInvalidCommand` that
Asterisk did not understand the command, which is a fault of ours.
"""

from __future__ import annotations

from asterisk.agi import (
    AGIAppError,
    AGIError,
    AGIException,
    AGIHangup,
    AGIInvalidCommand,
    AGIResultHangup,
    AGIUsageError,
)


class LineDeadError(AGIHangup):  # type: ignore[misc]
    """The connection to Asterisk has ended: it closed, or the deadline of the call is over."""


class ForgedReplyError(AGIError):  # type: ignore[misc]
    """What came in is no reply to what was sent; nothing on this connection can be trusted any more."""


__all__ = [
    "AGIAppError",
    "AGIError",
    "AGIException",
    "AGIHangup",
    "AGIInvalidCommand",
    "AGIResultHangup",
    "AGIUsageError",
    "ForgedReplyError",
    "LineDeadError",
]
