"""Which keys answer the question a call is at, and whether keys pressed before it may be its answer.

A key that was pressed ahead never leads to a charge, nor to anything else that cannot be undone: a question
with such a request on one of its ways, without another question in between, is answered anew.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from engine.capabilities import Channel
from engine.flow import Step
from engine.flow_set import FlowSet
from engine.question import Question
from engine.session import Frame, Session, Waiting
from engine.steps.ask import Ask
from engine.steps.menu import Menu
from engine.steps.rate import Rate
from engine.steps.request import Request
from engine.steps.run_ import Run
from engine.target import Back, Main, Operator, Quit, Resume

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
ANEW = Risk(keys=frozenset("2"))
"""Of the offer to take up a call that broke off: to begin anew."""
_ELSEWHERE = (Back, Main, Operator, Quit, Resume)
"""Steps without a way on that do not lead out of the flow to the one that runs it: to another question, to
people, out of all flows, or behind a step whose ways are walked anyway."""


class Charges:
    """Which questions lead straight to something that cannot be undone; found once for each build.

    Ahead is a key that was pressed before the playing of its question began. What is said in front of a
    question (the greeting, the outcome of the last step) is played together with it, as one prompt: a key in
    the greeting interrupts the question itself and is its answer, also where the answer costs money. Whoever
    knows the menu by heart means it so. Only a key within the first moment of the prompt was on its way
    before anybody can have heard it (`VoiceSettings.reaction_s`): it is ahead as well.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, bool, tuple[_Place, ...]], Risk] = {}

    def of(self, flows: FlowSet, session: Session) -> Risk:
        """Tell which answers to the present question may start such a request at once."""
        offered = session.waiting is Waiting.OFFER
        if not offered and session.waiting is not Waiting.ANSWER:
            return SAFE
        stack = tuple((frame.flow, frame.pc) for frame in session.frames)
        found = self._known.get((flows.build, offered, stack))
        if found is None:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            found = _anew(flows, session.frames) if offered else _risk(flows, stack, _step(flows, session))
            self._known[flows.build, offered, stack] = found
        return found


def _anew(flows: FlowSet, frames: tuple[Frame, ...]) -> Risk:
    """Of the offer to take up a call that broke off."""
    first = frames[0].flow
    return ANEW if _leads(flows, ((first, 0),), (flows.flows[first].entry,)) else SAFE


def _risk(flows: FlowSet, stack: tuple[_Place, ...], step: Step | None) -> Risk:
    if not isinstance(step, Question):
        return SAFE
    people = _operator(flows, tuple(name for name, _ in stack))
    to_people = any(_leads(flows, (place,), (place[1],)) for place in people)
    if not isinstance(step, Menu) or not step.by_key or step.elements is not None:
        ways = tuple(target for _, target in step.exits())
        return RISKY if to_people or _leads(flows, stack, ways) else SAFE
    if to_people if step.no_match is None else _leads(flows, stack, (step.no_match,)):
        return RISKY  # wrong keys lead there
    keys = {key for key, line in step.by_key.items() if _leads(flows, stack, (line.target,))}
    operator = flows.channels[Channel.VOICE].operator
    if to_people and operator and operator not in step.by_key:
        keys.add(operator)
    return Risk(keys=frozenset(keys))


def _operator(flows: FlowSet, names: tuple[str, ...]) -> list[_Place]:
    """Return where the way to people leads: to the nearest `operator` block, else to that of the project.

    `names` are the flows that run each other, the present one last.
    """
    for name in reversed(names):
        block = flows.flows[name].operator
        if block is not None:
            return [(name, block)]
    block = flows.flows[names[-1]].project_operator
    return [] if block is None else [(names[-1], block)]


def _leads(flows: FlowSet, stack: tuple[_Place, ...], ways: tuple[int, ...]) -> bool:
    """Tell whether a request that cannot be undone lies on one of the ways, with no question before it."""
    for depth in range(len(stack) - 1, -1, -1):
        names = tuple(name for name, _ in stack[: depth + 1])
        charges, ends = _behind(flows, names, ways)
        if charges or not ends or not depth:
            return charges
        name, number = stack[depth - 1]
        ways = tuple(way for _, way in flows.flows[name].program[number].exits())
    return False


def _behind(flows: FlowSet, names: tuple[str, ...], ways: tuple[int, ...]) -> tuple[bool, bool]:
    """Walk on to the next questions: is there such a request, and may the last flow end before one?"""
    flow = names[-1]
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
        open_.extend(_aside(flows, names if name == flow else (*names, name), step))
        exits = step.exits()
        ends = ends or (not exits and name == flow and not isinstance(step, _ELSEWHERE))
        open_.extend((name, target) for _, target in exits)
    return False, ends


def _aside(flows: FlowSet, names: tuple[str, ...], step: Step) -> list[_Place]:
    """Return where a step leads beside its exits: a flow that it runs, people, what follows a fault."""
    if isinstance(step, Run) and step.flow in flows.flows:
        return [(step.flow, flows.flows[step.flow].entry)]
    if isinstance(step, Operator):
        return _operator(flows, names)
    block = flows.flows[names[-1]].errors.get(Channel.VOICE)
    return [(names[-1], block)] if step.waits and block is not None else []
