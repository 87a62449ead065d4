"""Calls and messages we begin by ourselves: what an event asks for, and whether it is still wanted.

An `OutboundStart` is a plan: the host keeps it, makes the tries in their time, asks `outbound_skip` before
each, begins the session over the channel whose turn it is (`Begin(flow)`), and, when nobody was reached, the
block `missed` (`Begin(flow, block="missed")` in a background session). How calls are made is not known here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from engine.background import EventFailedError
from engine.calendar import next_open
from engine.effects import Question
from engine.expressions import ExpressionFailed, Scope, World
from engine.flow import Flow, OutboundTrigger
from engine.flow_set import FlowSet
from engine.values import Value


class OutboundStart(msgspec.Struct, frozen=True):
    """One subscriber to be reached. Times are UTC milliseconds and milliseconds.

    `to` is an MSISDN. The first try is not before `not_before`, none is after `not_after` (None: no end);
    `hours` is a window of the day in minutes, or a calendar's name, None for always. Each channel of `over`
    is tried `tries` times, `every_ms` apart. `skip` is the condition as it is written, empty if there is
    none; `missed` tells whether there is a block for a subscriber nobody reached.
    """

    flow: str
    to: str
    lang: str
    event: Mapping[str, Value]
    not_before: int
    not_after: int | None
    hours: tuple[int, int] | str | None
    tries: int
    every_ms: int
    over: tuple[str, ...]
    skip: str = ""
    missed: bool = False


def outbound_starts(
    flows: FlowSet, name: str, payload: Mapping[str, Value], now: int
) -> tuple[OutboundStart, ...]:
    """Return whom an event makes us call, in the order of flows; a campaign has the event `campaign.<name>`.

    Raises EventFailedError if `to` of a header does not fit the payload; then nothing has begun.
    """
    return tuple(
        _start(flows, flow, flow.outbound, payload, now)
        for flow in flows.outbound(name)
        if flow.outbound is not None
    )


def _start(
    flows: FlowSet, flow: Flow, trigger: OutboundTrigger, payload: Mapping[str, Value], now: int
) -> OutboundStart:
    lang = payload.get("lang")
    if not isinstance(lang, str) or lang not in flow.languages:
        lang = flow.languages[0]
    to = payload.get("phone")
    if trigger.to is not None:
        try:
            to = trigger.to.evaluate(Scope({}, _world(flows, "", lang, payload, now)))
        except ExpressionFailed as failure:
            raise EventFailedError(f"{trigger.event}: {failure.message}") from None
    if not isinstance(to, str) or not to:
        raise EventFailedError(f"{trigger.event}: to is not a phone number")
    return OutboundStart(
        flow.id,
        to,
        lang,
        payload,
        now + trigger.after_ms,
        None if trigger.within_ms is None else now + trigger.within_ms,
        trigger.hours,
        trigger.tries,
        trigger.every_ms,
        trigger.over,
        "" if trigger.skip is None else trigger.skip.source,
        trigger.missed is not None,
    )


def outbound_questions(flows: FlowSet, start: OutboundStart, now: int) -> tuple[Question, ...]:
    """Return what has to be looked up for `outbound_skip`, each once."""
    trigger = _trigger(flows, start)
    if trigger is None or trigger.skip is None:
        return ()
    return trigger.skip.questions(Scope({}, _world(flows, start.to, start.lang, start.event, now)))


def outbound_skip(flows: FlowSet, start: OutboundStart, looked: Mapping[str, Value], now: int) -> bool:
    """Tell whether a subscriber must not be called now; `looked` are the answers by `question_key`.

    A condition that cannot be evaluated skips: rather nobody is called than somebody who has forbidden it. So
    does a flow that is not in the set any more.
    """
    trigger = _trigger(flows, start)
    if trigger is None:
        return True
    if trigger.skip is None:
        return False
    try:
        return trigger.skip.truth(Scope({}, _world(flows, start.to, start.lang, start.event, now, looked)))
    except ExpressionFailed:
        return True


def next_try(flows: FlowSet, start: OutboundStart, now: int) -> int | None:
    """Return the first moment from `now` on in which a try may be made, None if there is none any more."""
    at = next_open(flows.project, start.hours, max(now, start.not_before))
    return None if start.not_after is not None and at > start.not_after else at


def _trigger(flows: FlowSet, start: OutboundStart) -> OutboundTrigger | None:
    flow = flows.flows.get(start.flow)
    return None if flow is None else flow.outbound


def _world(
    flows: FlowSet,
    caller: str,
    lang: str,
    event: Mapping[str, Value],
    now: int,
    looked: Mapping[str, Value] | None = None,
) -> World:
    project = flows.project
    return World(
        moment=datetime.fromtimestamp(now / 1000, UTC),
        zone=project.zone,
        caller=caller,
        lang=lang,
        channel="event",
        event=event,
        currency=project.currency,
        country=project.country,
        looked=looked or {},
        consts=project.consts,
    )
