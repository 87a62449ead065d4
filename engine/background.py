"""What an event starts: the sessions of background flows, one per element where the header says `each`.

The host commits each of them by itself, so that a restart neither loses nor repeats one, and holds those
back that are outside `hours`. This module does not know where events come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from engine.expressions import ExpressionFailed, Scope, World
from engine.flow import EventTrigger, Flow
from engine.flow_set import FlowSet
from engine.limits import LIST_LENGTH
from engine.values import Value


class EventStart(msgspec.Struct, frozen=True):
    """One session to begin: `machine.begin(channel="event", …)` and then `Begin(flow, arguments)`.

    `caller` is whom it is about; empty if the event does not say, and then nothing can be sent. `hours` is
    the window of the day, in minutes, in which it may begin; None is always. `number` counts the elements of
    `each` from 0: event id, flow and number make the session's own id.
    """

    flow: str
    caller: str
    lang: str
    event: Mapping[str, Value]
    arguments: Mapping[str, Value] = {}
    hours: tuple[int, int] | None = None
    number: int = 0


class EventFailedError(ValueError):
    """The header of a flow cannot be applied to the payload: `each` is no list, `to` is no phone."""


def event_starts(flows: FlowSet, name: str, payload: Mapping[str, Value], now: int) -> tuple[EventStart, ...]:
    """Return the sessions an event starts, in the order of flows and elements. `now` is UTC in milliseconds.

    Raises EventFailedError if the payload does not fit a header; then nothing has begun.
    """
    return tuple(
        start
        for flow in flows.on_event(name)
        for trigger in flow.events
        if trigger.event == name
        for start in _starts(flows, flow, trigger, payload, now)
    )


def _starts(
    flows: FlowSet, flow: Flow, trigger: EventTrigger, payload: Mapping[str, Value], now: int
) -> list[EventStart]:
    project = flows.project
    given_lang = payload.get("lang")
    lang = (
        given_lang
        if isinstance(given_lang, str) and given_lang in project.languages
        else project.languages[0]
    )
    world = World(
        moment=datetime.fromtimestamp(now / 1000, UTC),
        zone=project.zone,
        lang=lang,
        channel="event",
        event=payload,
        currency=project.currency,
        country=project.country,
        consts=project.consts,
    )
    found = []
    for number, arguments in enumerate(_elements(trigger, world)):
        caller = _caller(trigger, Scope(arguments, world), payload)
        found.append(EventStart(flow.id, caller, lang, payload, arguments, trigger.hours, number))
    return found


def _elements(trigger: EventTrigger, world: World) -> list[dict[str, Value]]:
    if trigger.each is None:
        return [{}]
    try:
        elements = trigger.each.evaluate(Scope({}, world))
    except ExpressionFailed as failure:
        raise EventFailedError(f"{trigger.event}: {failure.message}") from None
    if not isinstance(elements, list | tuple):
        raise EventFailedError(f"{trigger.event}: {trigger.each.source} is not a list")
    return [{trigger.each_as: element} for element in elements[:LIST_LENGTH]]


def _caller(trigger: EventTrigger, scope: Scope, payload: Mapping[str, Value]) -> str:
    if trigger.to is None:
        caller = payload.get("phone")
    else:
        try:
            caller = trigger.to.evaluate(scope)
        except ExpressionFailed as failure:
            raise EventFailedError(f"{trigger.event}: {failure.message}") from None
    if caller is None:
        return ""
    if not isinstance(caller, str):
        raise EventFailedError(f"{trigger.event}: to is not a phone number")
    return caller
