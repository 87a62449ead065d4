"""One flow followed in one channel: which steps are reached, and what is known of variables at each.

An ordinary forward data-flow analysis. At a step a variable is known only if every way to it sets it; its
type is the join of the types on all ways. Branches that the channel cannot take are not followed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from engine.expressions import narrowed_by
from engine.expressions.narrowing import Types
from engine.expressions.operand import joined, more_private
from engine.flow import Flow, Step
from engine.question import Question
from engine.reading.checks.condition import decided, filled_subject
from engine.reading.checks.fragment import element_of, value_type
from engine.steps.ask import Ask
from engine.steps.for_ import For, ForStart, hidden_name
from engine.steps.if_ import If
from engine.steps.menu import Menu
from engine.steps.refuse import Refuse
from engine.steps.repeat import LoopStart, Repeat
from engine.steps.request import Request
from engine.steps.run_ import Run
from engine.steps.set_ import Set
from engine.steps.switch import Switch
from engine.steps.when import When
from engine.target import Operator, Resume
from engine.types import ANY, TEXT, ListOf, Record, Type

Way = tuple[str, int, Types]
"""A way out of a step: the branch, the step it leads to, the types behind it."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A flow in a channel. `types` are those at the entry of every step that is reached."""

    flow: Flow
    channel: str
    types: Mapping[int, Types]
    returns: Mapping[str, Type | None]
    resumes: bool
    known: dict[int, list[Way]] = field(default_factory=dict)
    """Ways found already; filled only when the types do not change any more."""

    def steps(self) -> Iterator[tuple[int, Step, Types]]:
        """Return the steps that are reached and stand in the flow's own file."""
        for number, types in self.types.items():
            step = self.flow.program[number]
            if step.verb and step.place.file == self.flow.file:
                yield number, step, types

    def ways(self, number: int) -> list[Way]:
        """Return the ways out of a step, none if it is not reached."""
        if number not in self.types:
            return []
        if number not in self.known:
            self.known[number] = list(_ways(self, number, self.types[number]))
        return self.known[number]


def followed(
    flow: Flow, channel: str, entry: Types, returns: Mapping[str, Type | None], seeds: Collection[int] = ()
) -> Passage:
    """Follow a flow from its first scene, or from `seeds`; `returns` are the results of all flows."""
    types: dict[int, Types] = {}
    passage = Passage(flow, channel, types, returns, _resumes(flow, channel))
    _spread(passage, types, dict.fromkeys(seeds or (flow.entry,), entry))
    waiting = [types[number] for number in types if _may_wait(flow.program[number])]
    anywhere = list(types.values())
    # The other side may leave at any wait; an error or the key for people may come anywhere.
    if flow.hangup is not None:
        _spread(passage, types, {flow.hangup: _all_joined(waiting or [entry])})
    if flow.outbound is not None and flow.outbound.missed is not None:
        _spread(passage, types, {flow.outbound.missed: entry})
    for block in (flow.operator, flow.errors.get(channel)):
        if block is not None:
            _spread(passage, types, {block: _all_joined(anywhere)})
    people = channel == "voice" or any(isinstance(flow.program[number], Operator) for number in types)
    if flow.project_operator is not None and flow.operator is None and people:
        _spread(passage, types, {flow.project_operator: _all_joined(anywhere)})
    return passage


def _may_wait(step: Step) -> bool:
    return step.waits or isinstance(step, Run)


def _resumes(flow: Flow, channel: str) -> bool:
    """Tell whether the error block of the channel goes on with the step after the one that failed."""
    block = flow.errors.get(channel)
    seen: set[int] = set()
    open_ = [] if block is None else [block]
    while open_:
        number = open_.pop()
        if number in seen:
            continue
        seen.add(number)
        if isinstance(flow.program[number], Resume):
            return True
        open_ += [target for _, target in flow.program[number].exits()]
    return False


def _spread(passage: Passage, types: dict[int, Types], seeds: Mapping[int, Types]) -> None:
    work: deque[int] = deque()

    def arrive(target: int, given: Types) -> None:
        known = types.get(target)
        merged = given if known is None else joined_types(known, given)
        if known is None or merged != known:
            types[target] = merged
            work.append(target)

    for number, given in seeds.items():
        arrive(number, given)
    while work:
        number = work.popleft()
        for _, target, behind in _ways(passage, number, types[number]):
            arrive(target, behind)


def _all_joined(several: list[Types]) -> Types:
    result = several[0]
    for other in several[1:]:
        result = joined_types(result, other)
    return result


def joined_types(first: Types, second: Types) -> Types:
    """Return what is known where two ways meet: the variables of both."""
    return {
        name: type_ if type_ == second[name] else joined_type(type_, second[name])
        for name, type_ in first.items()
        if name in second
    }


def joined_type(first: Type, second: Type) -> Type:
    """Join two types; records with the same fields are joined field by field."""
    left, right = first.shape, second.shape
    if isinstance(left, Record) and isinstance(right, Record) and _names(left) == _names(right):
        fields = tuple(
            (name, joined_type(one, other))
            for (name, one), (_, other) in zip(left.fields, right.fields, strict=True)
        )
        optional = first.optional or second.optional
        return Type(Record(fields), optional, more_private(first.privacy, second.privacy))
    if isinstance(left, ListOf) and isinstance(right, ListOf):
        return replace(first, shape=ListOf(joined_type(left.element, right.element)))
    return joined(first, second)


def _names(record: Record) -> list[str]:
    return [name for name, _ in record.fields]


# Ways out of each kind of step


def _ways(passage: Passage, number: int, types: Types) -> Iterator[Way]:
    step = passage.flow.program[number]
    match step:
        case If() | When() | Switch() | Refuse():
            yield from _choices(step, passage.channel, types)
        case Request():
            yield from _request(step, passage.resumes, types)
        case Ask():
            yield from _ask(step, types)
        case Menu():
            yield from _menu(step, types)
        case LoopStart(next=head):
            body = passage.flow.program[head]
            assert isinstance(body, Repeat)
            yield "", body.body, types  # a loop is run at least once
        case Repeat():
            after = types if step.until is None else narrowed_by(step.until, types, False)
            yield "do", step.body, after
            yield "end", step.next, types
        case ForStart():
            name = hidden_name(step.head)
            yield "", step.head, {**types, name: step.elements.type_in(types).type}
        case For():
            yield from _for(step, number, types)
        case Set():
            for name, value in step.values:
                if name != "lang":
                    types = {**types, name: value.type_in(types).type}
            yield "", step.next, types
        case Run():
            result = passage.returns.get(step.flow, ANY)  # a flow that does not compile may return anything
            given = {} if step.save is None or result is None else {step.save: result}
            yield "", step.next, {**types, **given}
        case _:
            saved = dict(step.saves())
            for label, target in step.exits():
                known = step.saving is None or label in step.saving
                yield label, target, {**types, **saved} if known else types


def _choices(step: Step, channel: str, types: Types) -> Iterator[Way]:
    match step:
        case If(test=test):
            known = decided(test, channel)
            if known is not False:
                yield "then", step.then, narrowed_by(test, types, True)
            if known is not True:
                yield "else", step.otherwise, narrowed_by(test, types, False)
        case When(cases=cases):
            for test, label, target in cases:
                known = decided(test, channel)
                if known is not False:
                    yield label, target, narrowed_by(test, types, True)
                if known is True:
                    return
                types = narrowed_by(test, types, False)
            yield "else", step.otherwise, types
        case Switch(subject=subject, cases=cases):
            only = channel if subject.source.strip() == "channel" else None
            for label, target in cases.items():
                if only is None or label == only:
                    yield label, target, types if label == "none" else filled_subject(subject, types)
            if step.otherwise is not None and (only is None or only not in cases):
                yield "else", step.otherwise, types
        case Refuse(rules=rules):
            for test, _ in rules:
                if decided(test, channel) is True:
                    return
                types = narrowed_by(test, types, False)
            yield "else", step.next, types


def _request(step: Request, resumes: bool, types: Types) -> Iterator[Way]:
    saved = dict(step.saves())
    without = {name: type_ for name, type_ in types.items() if name != step.save}
    yield "done", step.next, {**types, **saved}
    for label, target in step.errors.items():
        yield label, target, without
    if step.fallback is not None:
        yield "fallback", step.next, {**types, **saved}
    elif "else" not in step.errors and resumes:
        yield "failed", step.next, without


def _ask(step: Ask, types: Types) -> Iterator[Way]:
    saved = {} if step.save is None else {step.save: value_type(step)}
    yield "answer", step.next, {**types, **saved}
    if step.has_default:
        yield "default", step.next, {**types, **saved}
    for label, target in step.blocks():
        yield label, target, types


def _menu(step: Menu, types: Types) -> Iterator[Way]:
    label = {} if step.save is None else {step.save: TEXT}
    for line in step.lines:
        yield line.key, line.target, {**types, **label}
    if step.elements is not None:
        element = element_of(step.elements.source.type_in(types).type)
        yield "each", step.next, {**types, **label, step.elements.name: element}
        if step.elements.empty is not None:
            yield "empty", step.elements.empty, types
    for block, target in step.blocks():
        yield block, target, types


def _for(step: For, number: int, types: Types) -> Iterator[Way]:
    name = hidden_name(number)
    yield "do", step.body, {**types, step.name: element_of(types.get(name, ANY))}
    yield "end", step.next, {key: type_ for key, type_ in types.items() if key != name}


def is_question(step: Step) -> bool:
    """Tell whether a step waits for the subscriber."""
    return isinstance(step, Question)
