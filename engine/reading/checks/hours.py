"""`hours`: a call at night, or a queue that is closed and says nothing."""

from __future__ import annotations

from engine.expressions import Expression
from engine.flow import Flow
from engine.flow import Queue as Line
from engine.reading.checks.queue_name import given_queues, possible
from engine.reading.checks.survey import Survey
from engine.reading.diagnostic import Report
from engine.steps.queue import Queue

CODES = ("hours",)


def check(survey: Survey, report: Report) -> None:
    """Look at every `outbound:`, and at every queue with hours."""
    for flow in survey.flows.flows.values():
        if flow.outbound is not None and flow.outbound.hours is None:
            report.warning(
                "hours",
                "outbound without hours: a call may come at night",
                flow.outbound.place,
                help="hours: 09:00-21:00, the time of the subscriber",
            )
    given = None
    for flow, _, step in survey.each_step():
        if not isinstance(step, Queue) or "closed" in step.blocks:
            continue
        given = given_queues(survey) if given is None else given
        for name in possible(step.name, flow, given):
            queue = survey.flows.project.queues.get(name)
            if queue is not None and _closes(queue) and not _asked(flow, step, name):
                report.warning(
                    "hours",
                    f"no closed: for queue {name} ({_shown(queue)})",
                    step,
                    help="closed: a block that says when people are there, or orders a callback",
                )
                break


def _closes(queue: Line) -> bool:
    return queue.hours != (0, 1440)


def _shown(queue: Line) -> str:
    if isinstance(queue.hours, str):
        return f"hours of {queue.hours}"
    start, end = queue.hours
    return f"{start // 60:02d}:{start % 60:02d}-{end // 60:02d}:{end % 60:02d}"


def _asked(flow: Flow, step: Queue, name: str) -> bool:
    """Tell whether the flow asks `open()` of this queue, so that it knows of its hours."""
    source = None if step.name.source is None else step.name.source.source.strip()
    return any(_asks_open(part, name, source) for other in flow.program for part in other.expressions())


def _asks_open(part: Expression, name: str, source: str | None) -> bool:
    asks = [ask for ask in part.asks if ask.kind == "open"]
    if source is not None:
        return bool(asks) and any(use.name == source for use in part.uses)
    return any(ask.name == name for ask in asks)
