"""`menu-key`: a menu line on a key that has a meaning everywhere: back, main, the operator, repeat.

A line that does the same thing as the key is no fault: `0 Специалист`, `0 Назад: back`.
"""

from __future__ import annotations

from engine.capabilities import Capabilities
from engine.flow import Flow, Step
from engine.reading.checks.passage import Passage
from engine.reading.checks.person import is_person
from engine.reading.checks.survey import Survey
from engine.reading.checks.way import reached
from engine.reading.diagnostic import Report
from engine.steps.menu import Menu
from engine.steps.menu_line import Line
from engine.steps.run_ import Run
from engine.target import Back, Main

CODES = ("menu-key",)


def check(survey: Survey, report: Report) -> None:
    """Compare the keys of menu lines with the global keys of every channel that shows them."""
    for passage, _, step, _ in survey.steps():
        if not isinstance(step, Menu) or passage.channel not in survey.flows.channels:
            continue
        keys = _global(survey.flows.channels[passage.channel])
        for line in step.lines:
            word = keys.get(line.key)
            if word is not None and not _does(passage, line, word):
                report.warning(
                    "menu-key",
                    f'{line.key} takes over the global key "{word}" ({passage.channel})',
                    survey.place_of(step, f"{line.key} {line.label.main[0].template.source}")
                    if line.label.main
                    else step,
                    help="give the line another key, or let it do what the key does everywhere",
                )


def _global(keys: Capabilities) -> dict[str, str]:
    named = (
        (keys.back, "back"),
        (keys.main, "main"),
        (keys.repeat, "repeat"),
        (keys.operator, "operator"),
    )
    return {key: word for key, word in named if key}


def _does(passage: Passage, line: Line, word: str) -> bool:
    """Tell whether a line leads where its key does."""
    flow = passage.flow
    questions = frozenset(number for number, step in enumerate(flow.program) if isinstance(step, Menu))
    steps = [flow.program[number] for number in reached(flow, [line.target], without=questions)]
    if word == "back":
        return any(isinstance(step, Back) for step in steps)
    if word == "main":
        return any(isinstance(step, Main) for step in steps)
    return word == "operator" and any(is_person(step) or _is_operator(flow, step) for step in steps)


def _is_operator(flow: Flow, step: Step) -> bool:
    """Tell whether a step runs the flow that the operator's block runs."""
    blocks = [block for block in (flow.operator, flow.project_operator) if block is not None]
    runs = {one.flow for number in reached(flow, blocks) if isinstance(one := flow.program[number], Run)}
    return isinstance(step, Run) and step.flow in runs
