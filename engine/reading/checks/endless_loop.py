"""`loop`: a circle of steps in which nobody is asked, so that it would never end."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from engine.flow import Flow, Step
from engine.reading.checks.passage import is_question
from engine.reading.checks.survey import Survey
from engine.reading.checks.way import circles, reached, scene_names
from engine.reading.diagnostic import Report
from engine.steps.for_ import For
from engine.steps.repeat import Repeat
from engine.steps.run_ import Run
from engine.target import Again

CODES = ("loop",)


def check(survey: Survey, report: Report) -> None:
    """Look for circles without a question; `repeat` and `for` are bounded by themselves."""
    silent = set(survey.flows.flows) - _asking(survey)
    for flow in survey.flows.flows.values():
        live = sorted(reached(flow, [flow.entry]))
        for group in circles(live, _following(flow, silent)):
            names = scene_names(flow, group)
            first = min((flow.program[number] for number in group), key=lambda step: step.line)
            shown = " → ".join([*names, names[0]]) if names else f"line {first.line}"
            report.error(
                "loop",
                f"endless loop without a question: {shown}",
                first,
                help="put a question into the circle, or use repeat: with a number",
            )


def _following(flow: Flow, silent: set[str]) -> Callable[[int], Iterator[int]]:
    def following(number: int) -> Iterator[int]:
        step = flow.program[number]
        bounded = isinstance(step, Repeat | For)
        if isinstance(step, Again) or (isinstance(step, Run) and step.flow not in silent):
            return
        for label, target in step.exits():
            # A question that is passed over because its list is empty does not stop the circle.
            if (is_question(step) and label != "empty") or _is_with_people(step, label):
                continue
            if not (bounded and label == "do"):
                yield target

    return following


def _is_with_people(step: Step, label: str) -> bool:
    """Tell whether a talk, a recording or a pause lies on a way: the caller may leave there."""
    return step.verb in ("record", "wait") or (step.verb, label) in (
        ("queue", "answered"),
        ("connect", "done"),
    )


def _asking(survey: Survey) -> set[str]:
    """Return the flows that ask something, themselves or in the flows they run."""
    runs: dict[str, set[str]] = {}
    asking: set[str] = set()
    for id_, flow in survey.flows.flows.items():
        runs[id_] = {step.flow for step in flow.program if isinstance(step, Run)}
        if any(map(is_question, flow.program)):
            asking.add(id_)
    while True:
        more = {id_ for id_, inner in runs.items() if id_ not in asking and inner & asking}
        if not more:
            return asking
        asking |= more
