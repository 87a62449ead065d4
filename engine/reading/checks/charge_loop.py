"""`charge-in-loop`: a charge inside `repeat` or `for` would be one order, or several by chance."""

from __future__ import annotations

from engine.flow import Flow
from engine.reading.checks.survey import Survey
from engine.reading.checks.way import reached
from engine.reading.diagnostic import Report
from engine.steps.for_ import For
from engine.steps.repeat import Repeat
from engine.steps.request import Request
from engine.steps.run_ import Run

CODES = ("charge-in-loop",)


def check(survey: Survey, report: Report) -> None:
    """Look into the bodies of loops, and into the flows that are run there."""
    charging = _charging(survey)
    for flow, number, step in survey.each_step():
        if not isinstance(step, Repeat | For):
            continue
        for inside in sorted(_body(flow, number, step.body)):
            found = flow.program[inside]
            if isinstance(found, Request) and found.operation.charge and found.key is None:
                report.error(
                    "charge-in-loop",
                    f"a charging request inside {step.verb} needs key:",
                    found,
                    help='key: "{{ order.id }}" tells which rounds are the same order',
                )
            elif isinstance(found, Run) and found.flow in charging:
                report.error(
                    "charge-in-loop",
                    f"{found.flow} takes money and is run inside {step.verb}",
                    found,
                    help=f"give the charging request of {found.flow} a key:, or run it outside the loop",
                )


def _body(flow: Flow, head: int, first: int) -> set[int]:
    """Return the steps of a loop's body that may come to another round."""
    forth = reached(flow, [first], without=frozenset({head}))
    return {
        number
        for number in forth
        if any(
            head in {target for _, target in flow.program[later].exits()}
            for later in reached(flow, [number], without=frozenset({head}))
        )
    }


def _charging(survey: Survey) -> set[str]:
    """Return the flows that charge without a key, themselves or in the flows they run."""
    found: set[str] = set()
    while True:
        more = {
            id_
            for id_, flow in survey.flows.flows.items()
            if id_ not in found
            and any(
                (isinstance(step, Request) and step.operation.charge and step.key is None)
                or (isinstance(step, Run) and step.flow in found)
                for step in flow.program
            )
        }
        if not more:
            return found
        found |= more
