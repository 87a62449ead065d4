"""What a flow is started by: a trigger of its own, a schedule, a survey, or only another flow that runs it.

A switch stands at the start of a session. A flow that merely runs inside others never comes past it, so staff
are told which flows to switch instead.
"""

from __future__ import annotations

from engine.flow import Flow
from engine.flow_set import FlowSet
from engine.steps.queue import Queue
from engine.steps.run_ import Run
from engine.steps.schedule import Schedule


def begins_sessions(flows: FlowSet, name: str) -> bool:
    """Tell whether a session may begin with this flow."""
    flow = flows.flows[name]
    if flow.ussd or flow.sms or flow.call or flow.events or flow.outbound is not None:
        return True
    return any(
        (isinstance(step, Schedule) and step.flow == name)
        or (isinstance(step, Queue) and step.survey == name)
        for other in flows.flows.values()
        for step in other.program
    )


def runs_inside(flows: FlowSet, name: str) -> list[str]:
    """Return the flows that begin sessions in which this one may run, by name."""
    found: set[str] = set()
    ahead = [name]
    while ahead:
        inner = ahead.pop()
        for other in flows.flows.values():
            if other.id not in found and _runs(other, inner):
                found.add(other.id)
                ahead.append(other.id)
    return sorted(one for one in found - {name} if begins_sessions(flows, one))


def _runs(flow: Flow, name: str) -> bool:
    return any(isinstance(step, Run) and step.flow == name for step in flow.program)
