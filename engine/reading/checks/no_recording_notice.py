"""`no-recording-notice`: a call that is recorded, and the caller has not been told.

Every way of a call to a queue with `record: yes` passes a `say` with `notice: recording`, in whatever flow.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.flow import Step
from engine.reading.checks.passage import Passage
from engine.reading.checks.queue_name import given_queues, possible
from engine.reading.checks.survey import Key, Survey
from engine.reading.diagnostic import Report
from engine.steps.end import End
from engine.steps.queue import Queue
from engine.steps.refuse import Refuse
from engine.steps.return_ import Return
from engine.steps.run_ import Run
from engine.steps.say import Say
from engine.target import Leave

CODES = ("no-recording-notice",)

State = tuple[Key, bool, int, bool]
"""A step of a flow, whether the notice was said when the flow was entered, and whether it is said now."""


def check(survey: Survey, report: Report) -> None:
    """Follow the notice from every call to the queues."""
    voice = {key: passage for key, passage in survey.passages.items() if key[1] == "voice"}
    recorded = {name for name, queue in survey.flows.project.queues.items() if queue.record}
    queues = [
        (key, number, step)
        for key, passage in voice.items()
        for number, step, _ in passage.steps()
        if isinstance(step, Queue)
    ]
    if not queues or not recorded:
        return
    untold = {(key, number) for key, _, number, told in _ways(survey, voice) if not told}
    given = given_queues(survey)
    for key, number, step in queues:
        passage = voice[key]
        names = [name for name in possible(step.name, passage.flow, given) if name in recorded]
        if names and (key, number) in untold:
            report.error(
                "no-recording-notice",
                f"queue {names[0]} is recorded, but a call may come here without hearing so",
                step,
                help="in front of it: say: { voice: … } with notice: recording; a second one is skipped",
            )


def _ways(survey: Survey, voice: Mapping[Key, Passage]) -> set[State]:
    """Return everything that calls come to, with and without the notice."""
    states: set[State] = set()
    work: list[State] = []
    left: dict[tuple[Key, bool], set[bool]] = {}
    callers: dict[tuple[Key, bool], set[State]] = {}

    def arrive(state: State) -> None:
        if state not in states:
            states.add(state)
            work.append(state)

    for key, passage in voice.items():
        if survey.starts[key].trigger or key[0] in survey.unstarted:
            arrive((key, False, passage.flow.entry, False))
    while work:
        state = work.pop()
        key, entered, number, told = state
        flow, step = voice[key].flow, voice[key].flow.program[number]
        behind = {told or _tells(step) or (isinstance(step, Run) and step.flow not in survey.flows.flows)}
        if isinstance(step, Run) and (step.flow, "voice") in voice:
            inner = (step.flow, "voice")
            callers.setdefault((inner, told), set()).add(state)
            arrive((inner, told, voice[inner].flow.entry, told))
            behind = left.get((inner, told), set())
        if isinstance(step, Leave | End | Return | Refuse):
            known = left.setdefault((key, entered), set())
            if told not in known:
                known.add(told)
                work.extend(callers.get((key, entered), ()))
        for _, target, _ in voice[key].ways(number):
            for now in behind:
                arrive((key, entered, target, now))
        # An error, or the key for people, leads into the blocks of the flow from wherever it is.
        for block in (flow.errors.get("voice"), flow.operator, flow.project_operator):
            if block is not None and block in voice[key].types:
                arrive((key, entered, block, told))
    return states


def _tells(step: Step) -> bool:
    if not isinstance(step, Say) or step.notice != "recording":
        return False
    return any(channel == "voice" for channel, _ in step.text.forms)
