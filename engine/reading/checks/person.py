"""How far it is to a person: the fewest menus on a way to a queue, a callback or the operator."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from engine.flow import Step
from engine.reading.checks.passage import Passage, is_question
from engine.reading.checks.survey import Key, Survey
from engine.steps.end import End
from engine.steps.menu import Menu
from engine.steps.refuse import Refuse
from engine.steps.return_ import Return
from engine.steps.run_ import Run
from engine.target import Leave, Operator

PEOPLE = frozenset({"queue", "callback", "connect"})
"""Verbs that lead to people."""

NEVER = 1_000_000
"""The distance where there is no way."""


@dataclass(frozen=True, slots=True)
class Distance:
    """Menus that are passed at least: to a person, and to the end of the flow."""

    person: int = NEVER
    through: int = NEVER


def is_person(step: Step) -> bool:
    """Tell whether a step hands the subscriber over to people, at once or later."""
    return step.verb in PEOPLE or isinstance(step, Operator)


def distances(survey: Survey) -> Mapping[Key, Distance]:
    """Return the distance from the beginning of every flow, in every channel."""
    found: dict[Key, Distance] = dict.fromkeys(survey.passages, Distance())
    runs: dict[Key, list[Key]] = {}
    for key, passage in survey.passages.items():
        for number in passage.types:
            step = passage.flow.program[number]
            if isinstance(step, Run):
                runs.setdefault((step.flow, key[1]), []).append(key)
    work = deque(survey.passages)
    waiting = set(work)
    while work:
        key = work.popleft()
        waiting.discard(key)
        distance = _of(survey, survey.passages[key], found)
        if distance != found[key]:
            found[key] = distance
            for outer in runs.get(key, ()):
                if outer not in waiting:
                    waiting.add(outer)
                    work.append(outer)
    return found


def _of(survey: Survey, passage: Passage, known: Mapping[Key, Distance]) -> Distance:
    program, channel = passage.flow.program, passage.channel
    capabilities = survey.flows.channels.get(channel)
    has_key = capabilities is not None and bool(capabilities.operator) and _has_block(passage)
    person = through = NEVER
    far: dict[int, int] = {passage.flow.entry: 0}
    open_ = deque([passage.flow.entry])
    while open_:
        number = open_.popleft()
        step, at = program[number], far[number]
        if is_person(step) or (has_key and is_question(step)):
            person = min(person, at)
        if isinstance(step, Leave | End | Return | Refuse):
            through = min(through, at)
        more = int(isinstance(step, Menu))
        if isinstance(step, Run):
            inner = known.get((step.flow, channel), Distance())
            person, more = min(person, at + inner.person), inner.through
        for _, target, _ in passage.ways(number) if number in passage.types else ():
            if at + more < far.get(target, NEVER):
                far[target] = at + more
                open_.append(target)
    return Distance(min(person, NEVER), min(through, NEVER))


def _has_block(passage: Passage) -> bool:
    return passage.flow.operator is not None or passage.flow.project_operator is not None
