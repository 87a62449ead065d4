"""What an event starts in a test: background flows, and flows that call or write first (`outbound`).

Time is put forward to when each may begin. A call is answered unless the test says `no answer:` or `busy:`;
then the next channel of the header is tried, and what is left is its `missed` block.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.background import event_starts
from engine.calendar import next_open
from engine.expressions import question_key
from engine.flow_set import FlowSet
from engine.outbound import OutboundStart, next_try, outbound_questions, outbound_skip, outbound_starts
from engine.testing.surroundings import Surroundings
from engine.values import Value


@dataclass(frozen=True, slots=True)
class Opening:
    """A session to begin: `at` is when (UTC ms), `outbound` is None for a background flow.

    `channel` is empty when nobody could be reached.
    """

    flow: str
    channel: str
    caller: str
    lang: str
    arguments: dict[str, Value]
    at: int
    outbound: OutboundStart | None = None


def openings(
    flows: FlowSet, name: str, fields: dict[str, Value], now: int, *, over: str, answered: bool
) -> Iterator[Opening]:
    """Yield the sessions of an event in their order, those in the background first.

    `over` is the channel a test has asked for, empty for the first of the header; `answered` tells whether
    somebody takes a call. Raises EventFailedError if the header does not fit the event.
    """
    for start in event_starts(flows, name, fields, now):
        at = next_open(flows.project, start.hours, now)
        yield Opening(start.flow, "event", start.caller, start.lang, dict(start.arguments), at)
    for plan in outbound_starts(flows, name, fields, now):
        begin = next_try(flows, plan, now)
        if begin is not None:
            channel, at = _reached(flows, plan, begin, over=over, answered=answered)
            yield Opening(plan.flow, channel, plan.to, plan.lang, {}, at, plan)


def _reached(
    flows: FlowSet, plan: OutboundStart, begin: int, *, over: str, answered: bool
) -> tuple[str, int]:
    """Return the channel in which the subscriber is reached and when; "" if he is not."""
    channels = plan.over[plan.over.index(over) :] if over in plan.over else plan.over
    at = begin
    for channel in channels:
        if answered or channel != "voice":
            return channel, at
        for _ in range(plan.tries):
            later = next_try(flows, plan, at + plan.every_ms)
            if later is None:
                return "", at
            at = later
    return "", at


def skips(flows: FlowSet, plan: OutboundStart, world: Surroundings) -> bool:
    """Tell whether the header's `skip` keeps the subscriber from being called now."""
    looked = {
        question_key(question): world.look(question, plan.to)
        for question in outbound_questions(flows, plan, world.now)
    }
    return outbound_skip(flows, plan, looked, world.now)
