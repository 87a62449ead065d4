"""`no-return`, `result-unused`: a flow with `returns` gives a value on every way, and somebody takes it."""

from __future__ import annotations

from engine.flow import Flow, Step
from engine.reading.checks.passage import Passage
from engine.reading.checks.survey import Survey
from engine.reading.diagnostic import Place, Report
from engine.steps.end import End
from engine.steps.refuse import Refuse
from engine.steps.run_ import Run
from engine.target import Leave

CODES = ("no-return", "result-unused")


def check(survey: Survey, report: Report) -> None:
    """Look at every way out of a flow with a result, and at every `run` of one."""
    for passage in survey.passages.values():
        if passage.flow.returns is not None:
            for place in _ways_out(passage):
                report.error(
                    "no-return",
                    f"{passage.flow.id} returns a value, but this way leaves it without one",
                    place,
                    help="leave it by return: value, hangup or operator",
                )
    for _, _, step in survey.each_step():
        if isinstance(step, Run) and step.flow in survey.flows.flows:
            _taken(step, survey.flows.flows[step.flow], report)


def _ways_out(passage: Passage) -> list[Place]:
    found = []
    for number, step, _ in passage.steps():
        if isinstance(step, End | Refuse):
            found.append(step.place)
        found += [step.place for _, target, _ in passage.ways(number) if _leaves(passage.flow, target)]
    return found


def _leaves(flow: Flow, number: int) -> bool:
    step: Step = flow.program[number]
    return isinstance(step, Leave)


def _taken(step: Run, flow: Flow, report: Report) -> None:
    if flow.returns is not None and step.save is None:
        report.error(
            "result-unused",
            f"run: {flow.id} needs save: – coming back does not mean yes",
            step,
            help="save: result, and look at it in the next step",
        )
    elif flow.returns is None and step.save is not None:
        report.error(
            "no-return",
            f"{flow.id} returns nothing that could be saved",
            step,
            help=f"leave save: out, or declare returns: in flows/{flow.id}.yaml",
        )
