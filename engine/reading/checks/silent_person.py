"""`silent-person`: a question in front of the main menu that sends everybody who says nothing to people.

Who waits for the main menu does not answer an offer. Without `no_input:` three silences lead to the operator,
and he has never heard the menu.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.flow import Flow
from engine.question import Question
from engine.reading.checks.passage import Passage
from engine.reading.checks.survey import Survey
from engine.reading.checks.way import reached
from engine.reading.diagnostic import Report
from engine.steps.ask import Ask
from engine.steps.menu import Menu
from engine.steps.run_ import Run

CODES = ("silent-person",)


def check(survey: Survey, report: Report) -> None:
    """Look at the flows that a call goes through before the first question of the flow it has dialled."""
    for key, passage in survey.passages.items():
        if key[1] != "voice" or not passage.flow.call:
            continue
        for flow in _before_the_menu(survey, passage):
            inner = survey.passages.get((flow, "voice"))
            if inner is not None:
                _questions(inner, passage.flow, report)


def _before_the_menu(survey: Survey, passage: Passage) -> Iterator[str]:
    program = passage.flow.program
    questions = frozenset(number for number in passage.types if isinstance(program[number], Question))
    if not questions:
        return
    early = reached(passage.flow, [passage.flow.entry], without=questions)
    seen: set[str] = set()
    for number in sorted(early):
        step = program[number]
        if isinstance(step, Run) and questions & reached(passage.flow, [step.next]):
            yield from _inside(survey, step.flow, seen)


def _inside(survey: Survey, flow: str, seen: set[str]) -> Iterator[str]:
    open_ = [flow]
    while open_:
        id_ = open_.pop()
        if id_ in seen or id_ not in survey.flows.flows:
            continue
        seen.add(id_)
        yield id_
        open_ += [step.flow for step in survey.flows.flows[id_].program if isinstance(step, Run)]


def _questions(inner: Passage, top: Flow, report: Report) -> None:
    for _, step, _ in inner.steps():
        if not isinstance(step, Ask | Menu) or step.no_input is not None:
            continue
        if isinstance(step, Ask) and step.has_default:
            continue
        report.warning(
            "silent-person",
            f"{step.verb} without no_input in front of the main menu of {top.id}: "
            f"who says nothing {step.tries} times lands at the operator",
            step,
            help="no_input: return goes on to the main menu",
        )
