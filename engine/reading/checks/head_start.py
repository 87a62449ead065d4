"""`head-start`: a priority so high that the others in the queue wait for it all the time."""

from __future__ import annotations

from engine.expressions import Expression
from engine.expressions.syntax import Constant, Name
from engine.flow import Flow
from engine.reading.checks.queue_name import choices, given_queues, possible
from engine.reading.checks.survey import Survey
from engine.reading.diagnostic import Report
from engine.steps.queue import Queue
from engine.steps.set_ import Set

CODES = ("head-start",)

LONG_MS = 30 * 60_000
"""A head start of this length is one too many: ten minutes are for who has paid."""


def check(survey: Survey, report: Report) -> None:
    """Turn the highest priority of every `queue` into minutes."""
    given = None
    for flow, _, step in survey.each_step():
        if not isinstance(step, Queue) or step.priority is None:
            continue
        points = _most(step.priority, flow, 0)
        if points <= 0:
            continue
        given = given_queues(survey) if given is None else given
        for name in possible(step.name, flow, given):
            queue = survey.flows.project.queues.get(name)
            if queue is not None and points * queue.step_ms >= LONG_MS:
                minutes = points * queue.step_ms / 60_000
                report.warning(
                    "head-start",
                    f"priority {points} is a head start of {minutes:g} minutes in queue {name}: "
                    "the others may wait so long",
                    step,
                    help=f"one point is {queue.step_ms / 1000:g} s here; step: of the queue says so",
                )
                break


def _most(value: Expression, flow: Flow, depth: int) -> int:
    """Return the highest constant that a field may have, through the variables that are set in its flow."""
    most = 0
    for node in choices(value):
        if isinstance(node, Constant) and type(node.value) is int:
            most = max(most, node.value)
        elif isinstance(node, Name) and depth < 4:
            for step in flow.program:
                if isinstance(step, Set):
                    sources = [source for name, source in step.values if name == node.name]
                    most = max([most, *(_most(source, flow, depth + 1) for source in sources)])
    return most
