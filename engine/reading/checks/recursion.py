"""`recursion`: flows that run each other without a question between."""

from __future__ import annotations

from engine.reading.checks.passage import is_question
from engine.reading.checks.survey import Survey
from engine.reading.checks.way import circles, reached
from engine.reading.diagnostic import Report
from engine.steps.run_ import Run

CODES = ("recursion",)


def check(survey: Survey, report: Report) -> None:
    """Follow `run` to `run` as far as nobody is asked."""
    flows = survey.flows.flows
    runs: dict[str, dict[str, Run]] = {}
    for id_, flow in flows.items():
        questions = frozenset(number for number, step in enumerate(flow.program) if is_question(step))
        live = reached(flow, [flow.entry], without=questions)
        steps = [flow.program[number] for number in sorted(live)]
        runs[id_] = {step.flow: step for step in steps if isinstance(step, Run) and step.flow in flows}
    for group in circles(sorted(flows), lambda id_: runs[id_]):
        inside = set(group)
        first = min(group)
        target = next(id_ for id_ in runs[first] if id_ in inside)
        shown = " → ".join([*group, group[0]])
        report.error(
            "recursion",
            f"flows run each other without a question: {shown}",
            runs[first][target],
            help="ask something first, or let one of them end",
        )
