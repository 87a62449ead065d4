"""Which keys answer the question a call is at, and whether keys pressed before it may be its answer.

A key that was pressed ahead never leads to a charge, nor to anything else that cannot be undone: a question
with such a request on one of its ways, without another question in between, is answered anew.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from engine.flow import Step
from engine.flow_set import FlowSet
from engine.question import Question
from engine.session import Session, Waiting
from engine.steps.ask import Ask
from engine.steps.menu import Menu
from engine.steps.rate import Rate
from engine.steps.request import Request
from engine.steps.run_ import Run

END = "#"
"""Ends an entry of several keys."""
_MOST = {"yes_no": 1, "int": 15, "money": 12, "phone": 16, "date": 10, "time": 5}
"""Keys of an answer by the type of the question."""
_OTHER = 64
MOST_KNOWN = 50_000
"""Places whose answer is kept; flows of one build have far fewer."""

_Place: TypeAlias = tuple[str, int]
"""A flow and the number of a step."""


class Keys(msgspec.Struct, frozen=True):
    """How many keys an answer has at most, and which one ends it before that (empty: none)."""

    most: int
    end: str = ""


ONE = Keys(1)


def keys_of(flows: FlowSet, session: Session) -> Keys:
    """Return the keys of the question that a session is at."""
    step = _step(flows, session)
    if session.waiting is not Waiting.ANSWER or step is None:
        return ONE
    most = 1
    if isinstance(step, Menu):
        most = max(map(len, step.by_key), default=1)
    elif isinstance(step, Rate):
        most = len(str(step.high))
    elif isinstance(step, Ask):
        most = step.high if step.kind == "digits" else _MOST.get(step.kind, _OTHER)
    taken = isinstance(step, Menu) and END in step.by_key
    return ONE if most == 1 else Keys(most, "" if taken else END)


def _step(flows: FlowSet, session: Session) -> Step | None:
    if not session.frames:
        return None
    frame = session.frames[-1]
    return flows.flows[frame.flow].program[frame.pc]


class Risk(msgspec.Struct, frozen=True):
    """What must not be answered by keys pressed ahead: the question as a whole, or some keys of a menu."""

    whole: bool = False
    keys: frozenset[str] = frozenset()


SAFE, RISKY = Risk(), Risk(whole=True)


class Charges:
    """Which questions lead straight to something that cannot be undone; found once for each build."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, tuple[_Place, ...]], Risk] = {}

    def of(self, flows: FlowSet, session: Session) -> Risk:
        """Tell which answers to the present question may start such a request at once."""
        step = _step(flows, session)
        if session.waiting is not Waiting.ANSWER or not isinstance(step, Question):
            return SAFE
        stack = tuple((frame.flow, frame.pc) for frame in session.frames)
        found = self._known.get((flows.build, stack))
        if found is None:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            found = self._known[flows.build, stack] = _risk(flows, stack, step)
        return found


def _risk(flows: FlowSet, stack: tuple[_Place, ...], step: Question) -> Risk:
    if isinstance(step, Menu) and step.by_key and step.elements is None:
        keys = (key for key, line in step.by_key.items() if _leads(flows, stack, (line.target,)))
        return Risk(keys=frozenset(keys))
    ways = tuple(target for _, target in step.exits())
    return RISKY if _leads(flows, stack, ways) else SAFE


def _leads(flows: FlowSet, stack: tuple[_Place, ...], ways: tuple[int, ...]) -> bool:
    """Tell whether a request that cannot be undone lies on one of the ways, with no question before it."""
    for depth in range(len(stack) - 1, -1, -1):
        charges, ends = _behind(flows, stack[depth][0], ways)
        if charges or not ends or not depth:
            return charges
        name, number = stack[depth - 1]
        ways = tuple(way for _, way in flows.flows[name].program[number].exits())
    return False


def _behind(flows: FlowSet, flow: str, ways: tuple[int, ...]) -> tuple[bool, bool]:
    """Walk on to the next questions: is there such a request, and may the flow end before one?"""
    open_: list[_Place] = [(flow, target) for target in ways]
    seen: set[_Place] = set()
    ends = False
    while open_:
        place = open_.pop()
        name, number = place
        program = flows.flows[name].program
        if place in seen or not 0 <= number < len(program):
            continue
        seen.add(place)
        step = program[number]
        if isinstance(step, Request) and step.operation.irreversible:
            return True, ends
        if isinstance(step, Question):
            continue
        if isinstance(step, Run) and step.flow in flows.flows:
            open_.append((step.flow, flows.flows[step.flow].entry))
        exits = step.exits()
        ends = ends or (not exits and name == flow)
        open_.extend((name, target) for _, target in exits)
    return False, ends
