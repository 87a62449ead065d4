"""What to do about an order whose outcome is unknown: repeat it, only ask, or leave it to people.

Pure policy of reliability.md 2.1: no clock, no network, no store.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from engine.values import Value
from gateway.backends.operation import Operation, honours_keys
from gateway.backends.outcome import DONE, ENGINE_ERRORS, UNKNOWN, Outcome
from gateway.store.record import OrderRow

_FIRST_PAUSE_MS = 5_000
_LONGEST_PAUSE_MS = 60_000
NOT_DONE = "not_done"
"""The error of an order that the back end, asked by key, says it has not carried out."""


class Way(StrEnum):
    """How an unknown order is cleared up."""

    REPEAT = "repeat"
    ASK = "ask"
    PEOPLE = "people"


def way(operation: Operation | None, operations: Mapping[str, Operation]) -> Way:
    """Return the way for an operation; one that is no longer declared is left to people."""
    if operation is None or operation.settle is None:
        return Way.PEOPLE
    if operation.settle == Way.REPEAT and honours_keys(operation):
        return Way.REPEAT
    if operation.settle == Way.ASK and operation.settle_operation in operations:
        return Way.ASK
    return Way.PEOPLE


def next_at(order: OrderRow, operation: Operation | None, how: Way, now: int) -> int | None:
    """Return when (UTC ms) an order that is unknown is looked at next; None: people must.

    Pauses grow from 5 s to 60 s until `settle_within` after the order became unknown. A repeat must also
    reach the back end while it still knows the key: after `keys` it would be carried out a second time.
    """
    if operation is None or how is Way.PEOPLE or order.unknown_since is None:
        return None
    pause = min(_LONGEST_PAUSE_MS, _FIRST_PAUSE_MS << min(order.attempts - 1, 8))
    at = now + pause
    end = repeatable_until(order, operation) if how is Way.REPEAT else _settle_end(order, operation)
    return at if at <= end else None


def _settle_end(order: OrderRow, operation: Operation) -> int:
    return (order.unknown_since or order.asked_at) + operation.settle_within_ms


def repeatable_until(order: OrderRow, operation: Operation) -> int:
    """Return the last moment (UTC ms) at which the same key may be sent again.

    That is `settle_within` after the order became unknown, and two time-outs before `keys` runs out.
    """
    end = _settle_end(order, operation)
    if operation.keys_ms is None:
        return end
    return min(end, order.asked_at + operation.keys_ms - 2 * operation.timeout_ms)


def judge(order: OrderRow, operation: Operation, how: Way, outcome: Outcome, now: int) -> Outcome:
    """Say what the answer to a repeat or to a question means for the order: done, refused or still unknown.

    Asked by key, "not found" or `done: no` counts only when every request of the order is older than the
    back end's time-out: one still on its way could be carried out after the question.
    """
    if how is Way.REPEAT:
        still_unknown = outcome.name != DONE and outcome.name in ENGINE_ERRORS
        return Outcome(UNKNOWN, detail=outcome.detail) if still_unknown else outcome
    if outcome.name == DONE and isinstance(outcome.value, Mapping) and outcome.value.get("done") is True:
        rest: dict[str, Value] = {name: value for name, value in outcome.value.items() if name != "done"}
        return Outcome(DONE, rest or None)
    if outcome.name in ENGINE_ERRORS:
        return Outcome(UNKNOWN, detail=outcome.detail)
    if order.unknown_since is None or now - order.unknown_since <= operation.timeout_ms:
        return Outcome(UNKNOWN, detail="asked too early to count")
    return Outcome(NOT_DONE if outcome.name == DONE else outcome.name)
