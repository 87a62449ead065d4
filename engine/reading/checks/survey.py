"""The whole flow set as the checks see it: which flow runs in which channel, why, and what is known there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from engine.expressions import Typed
from engine.expressions.narrowing import Types
from engine.flow import EventTrigger, Flow, Step
from engine.flow_set import FlowSet
from engine.reading.checks.fragment import Fragment, element_of, fragments
from engine.reading.checks.passage import Passage, followed, joined_type, joined_types
from engine.reading.diagnostic import Place
from engine.reading.report import source_lines
from engine.steps.run_ import Run
from engine.types import Record, Type

TEXT_CHANNELS = ("ussd", "sms")
"""Channels in which the subscriber reads."""

Key = tuple[str, str]
"""A flow id and a channel."""


@dataclass(frozen=True, slots=True)
class Start:
    """Why a flow runs in a channel: a trigger, or a `run` in another flow."""

    place: Place
    trigger: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """A code field or a text of a step, with its type and what is wrong with the types in it."""

    passage: Passage
    step: Step
    fragment: Fragment
    typed: Typed


@dataclass(frozen=True, slots=True)
class Survey:
    """A flow set, followed. `unstarted` are flows that nothing starts; they are looked at all the same."""

    flows: FlowSet
    passages: Mapping[Key, Passage]
    starts: Mapping[Key, Start]
    unstarted: frozenset[str]
    found: list[Reading] = field(default_factory=list)

    @property
    def readings(self) -> list[Reading]:
        """Every expression and text in every channel that reaches it, typed; made once for all checks."""
        if not self.found:
            for passage, _, step, types in self.steps():
                for fragment in fragments(step, types, passage.channel):
                    typed = fragment.part.type_in(fragment.types)
                    self.found.append(Reading(passage, step, fragment, typed))
        return self.found

    def steps(self) -> Iterator[tuple[Passage, int, Step, Types]]:
        """Return every step of the flows' own files in every channel that reaches it."""
        for passage in self.passages.values():
            for number, step, types in passage.steps():
                yield passage, number, step, types

    def each_step(self) -> Iterator[tuple[Flow, int, Step]]:
        """Return every step of the flows' own files that any channel reaches, once."""
        seen: set[tuple[str, int]] = set()
        for passage, number, step, _ in self.steps():
            if (passage.flow.id, number) not in seen:
                seen.add((passage.flow.id, number))
                yield passage.flow, number, step

    def place_of(self, step: Step, words: str) -> Place:
        """Return where words of a step are written, the place of the step if they are not found."""
        first = next((line.strip() for line in words.split("\n") if line.strip()), "")[:24]
        lines = source_lines(self.flows.sources.get(step.place.file, ""))
        for number in range(step.line, min(step.line + 60, len(lines)) + 1):
            column = lines[number - 1].find(first) if first else -1
            if column >= 0:
                return Place(step.place.file, number, column + 1, column + 1 + len(first))
        return step.place


def surveyed(flows: FlowSet) -> Survey:
    """Follow all flows from their triggers, through `run`, in every channel."""
    starts = _triggers(flows)
    started = {id_ for id_, _ in starts}
    ran = {step.flow for flow in flows.flows.values() for step in flow.program if isinstance(step, Run)}
    unstarted = frozenset(id_ for id_ in flows.flows if id_ not in started and id_ not in ran)
    for id_ in sorted(unstarted):
        for channel in TEXT_CHANNELS:
            starts[id_, channel] = Start(flows.flows[id_].place, trigger=False)
    returns = {id_: flow.returns for id_, flow in flows.flows.items()}
    passages: dict[Key, Passage] = {}
    ran_in: set[Key] = set()
    work = list(starts)
    while work:
        key = work.pop()
        flow = flows.flows[key[0]]
        by_run = key in ran_in or not starts[key].trigger
        passage = followed(flow, key[1], _entry(flows, flow, key[1], starts[key].trigger, by_run), returns)
        passages[key] = passage
        for number in passage.types:
            step = flow.program[number]
            if not isinstance(step, Run) or step.flow not in flows.flows:
                continue
            inner = (step.flow, key[1])
            if inner not in starts:
                starts[inner] = Start(step.place, trigger=False)
                work.append(inner)
            elif starts[inner].trigger and inner not in ran_in:
                ran_in.add(inner)
                work.append(inner)
    return Survey(flows, dict(sorted(passages.items())), starts, unstarted)


def _triggers(flows: FlowSet) -> dict[Key, Start]:
    starts: dict[Key, Start] = {}
    for id_, flow in flows.flows.items():
        for channel, places in (
            ("ussd", [code.place for code in flow.ussd]),
            ("sms", [message.place for message in flow.sms]),
            ("voice", [flow.place] if flow.call else []),
            ("event", [trigger.place for trigger in flow.events]),
        ):
            if places:
                starts[id_, channel] = Start(places[0], trigger=True)
    return starts


def _entry(flows: FlowSet, flow: Flow, channel: str, triggered: bool, by_run: bool) -> Types:
    """Return what is known at the first step: what every way to start the flow in the channel gives it."""
    ways: list[Types] = [flow.inputs] if by_run else []
    if triggered and channel == "ussd":
        ways += [dict(code.parameters) for code in flow.ussd]
    elif triggered and channel == "sms":
        ways += [dict(message.parameters) for message in flow.sms]
    elif triggered and channel == "voice":
        ways.append({})
    elif triggered:
        ways += [_of_event(flows, trigger) for trigger in flow.events]
    entry = ways[0]
    for other in ways[1:]:
        entry = _joined_entry(entry, other)
    if channel != "event":
        entry = {**entry, "event": Type(Record(()))}
    return entry


def _joined_entry(first: Types, second: Types) -> Types:
    """Join two ways to start; of two events only the fields that both have are known."""
    merged = dict(joined_types(first, second))
    if "event" in first and "event" in second:
        merged["event"] = _common(first["event"], second["event"])
    return merged


def _common(first: Type, second: Type) -> Type:
    if not isinstance(first.shape, Record) or not isinstance(second.shape, Record):
        return joined_type(first, second)
    other = dict(second.shape.fields)
    fields = tuple(
        (name, joined_type(type_, other[name])) for name, type_ in first.shape.fields if name in other
    )
    return replace(first, shape=Record(fields))


def _of_event(flows: FlowSet, trigger: EventTrigger) -> Types:
    types: Types = {"event": Type(flows.events[trigger.event])}
    if trigger.each is not None and trigger.each_as:
        types = {**types, trigger.each_as: element_of(trigger.each.type_in(types).type)}
    return types
