"""Which sessions an event starts: one for each flow, or one for each element of the flow's `each`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from engine.expressions import Scope, World
from engine.flow import EventTrigger
from engine.flow_set import FlowSet
from engine.values import Value

Begun = tuple[str, str, dict[str, Value]]
"""A flow, the subscriber it is about, its inputs."""


def event_sessions(flows: FlowSet, name: str, fields: Mapping[str, Value], now: int) -> list[Begun]:
    """Return the sessions in their order. Raises ExpressionFailed for an `each` or `to` without a value."""
    world = World(
        now=datetime.fromtimestamp(now / 1000, UTC),
        zone=flows.project.zone,
        channel="event",
        lang=flows.project.languages[0],
        event=fields,
        currency=flows.project.currency,
        country=flows.project.country,
        consts=flows.project.consts,
    )
    found: list[Begun] = []
    for flow in flows.on_event(name):
        trigger = flows.event_trigger(flow, name)
        if trigger.each is None:
            found.append((flow.id, _owner(trigger, Scope({}, world), fields), {}))
            continue
        elements = trigger.each.evaluate(Scope({}, world))
        for element in elements if isinstance(elements, list | tuple) else ():
            arguments = {trigger.each_as: element}
            found.append((flow.id, _owner(trigger, Scope(arguments, world), fields), arguments))
    return found


def _owner(trigger: EventTrigger, scope: Scope, fields: Mapping[str, Value]) -> str:
    value = fields.get("phone") if trigger.to is None else trigger.to.evaluate(scope)
    return value if isinstance(value, str) else ""
