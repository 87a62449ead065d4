"""The whole flow set as the checks see it: which flow runs in which channel, why, and what is known there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from engine.expressions import Typed
from engine.expressions.narrowing import Types
from engine.flow import EventTrigger, Flow, Step
from engine.flow_set import FlowSet
from engine.reading.checks.fragment import Fragment, element_of, fragments
from engine.reading.checks.lead import Lead, leads
from engine.reading.checks.passage import Passage, followed, joined_type, joined_types
from engine.reading.diagnostic import Place
from engine.reading.report import source_lines
from engine.types import ANY, Record, Type

TEXT_CHANNELS = ("ussd", "sms")
"""Channels in which the subscriber reads."""

Key = tuple[str, str]
"""A flow id and a channel."""


@dataclass(frozen=True, slots=True)
class Start:
    """Why a flow runs in a channel: a session begins with it (`trigger`), or another flow runs it.

    `by` is the word for people: `started by ussd`, `run in ussd by flows/menu.yaml:7`.
    """

    place: Place
    trigger: bool
    by: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A code field or a text of a step, with its type and what is wrong with the types in it."""

    passage: Passage
    step: Step
    fragment: Fragment
    typed: Typed


@dataclass(frozen=True, slots=True)
class Survey:
    """A flow set, followed. `unstarted` are flows that nothing starts; they are looked at all the same.

    Without `complete` some flows are missing, because they do not compile: nothing may be said then of what
    is never used or leads nowhere. `recordings` are the names of the project's sounds without their endings
    (`ru/greeting`), None where they are not known.
    """

    flows: FlowSet
    passages: Mapping[Key, Passage]
    starts: Mapping[Key, Start]
    unstarted: frozenset[str]
    complete: bool = True
    recordings: Collection[str] | None = None
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


def surveyed(flows: FlowSet, complete: bool = True, recordings: Collection[str] | None = None) -> Survey:
    """Follow all flows from their triggers, through what runs or starts others, in every channel."""
    starts = _triggers(flows)
    steps = (step for flow in flows.flows.values() for step in flow.program)
    led = {lead.flow for step in steps for lead in leads(step, "ussd")}
    unstarted = frozenset(flows.flows) - {id_ for id_, _ in starts} - led
    # Where flows are missing, one of them may be what starts it, and nobody knows in which channel.
    for id_ in sorted(unstarted) if complete else ():
        flow = flows.flows[id_]
        for channel in _fitting(flow):
            starts[id_, channel] = Start(flow.place, trigger=False, by="started by nothing")
    returns = {id_: flow.returns for id_, flow in flows.flows.items()}
    passages: dict[Key, Passage] = {}
    inner_too: set[Key] = set()
    work = list(starts)
    while work:
        key = work.pop()
        flow = flows.flows[key[0]]
        by_run = key in inner_too or not starts[key].trigger
        entry = _entry(flows, flow, key[1], starts[key].trigger, by_run)
        passage = followed(flow, key[1], entry, returns, _seeds(flow, key[1], by_run))
        passages[key] = passage
        for number in passage.types:
            step = flow.program[number]
            for lead in leads(step, key[1]):
                inner = (lead.flow, lead.channel)
                if lead.flow not in flows.flows:
                    continue
                if inner not in starts:
                    starts[inner] = _led(step, lead)
                    inner_too.add(inner)
                    work.append(inner)
                elif starts[inner].trigger and inner not in inner_too:
                    inner_too.add(inner)
                    work.append(inner)
                elif not lead.runs and not starts[inner].trigger:
                    starts[inner] = _led(step, lead)
    return Survey(flows, dict(sorted(passages.items())), starts, unstarted, complete, recordings)


def _seeds(flow: Flow, channel: str, by_run: bool) -> list[int]:
    """Return where a flow begins in a channel: nobody is on the line in the block `missed` of `outbound`."""
    missed = None if flow.outbound is None else flow.outbound.missed
    first = [flow.entry] if channel != "event" or flow.events or by_run or missed is None else []
    return [*first, missed] if channel == "event" and missed is not None else first


def _led(step: Step, lead: Lead) -> Start:
    place = step.place
    verb = "run" if lead.runs else "started"
    return Start(place, trigger=not lead.runs, by=f"{verb} in {lead.channel} by {place.file}:{place.line}")


def _fitting(flow: Flow) -> tuple[str, ...]:
    """Return the channels in which a flow that nothing starts is looked at: text, if it can work there."""
    steps = [step for step in flow.program if step.place.file == flow.file]
    for group in (TEXT_CHANNELS, ("sms",), ("voice",), ("event",)):
        if all(channel in step.channels for step in steps for channel in group):
            return group
    return TEXT_CHANNELS


def _triggers(flows: FlowSet) -> dict[Key, Start]:
    starts: dict[Key, Start] = {}
    for id_, flow in flows.flows.items():
        found = [
            ("ussd", "ussd", [code.place for code in flow.ussd]),
            ("sms", "sms", [message.place for message in flow.sms]),
            ("voice", "voice", [flow.place] if flow.call else []),
            ("event", "event", [trigger.place for trigger in flow.events]),
        ]
        if flow.outbound is not None:
            place = flow.outbound.place
            found += [(channel, "outbound", [place]) for channel in flow.outbound.over]
            if flow.outbound.missed is not None:
                found.append(("event", "missed", [place]))
        for channel, word, places in found:
            if places and (id_, channel) not in starts:
                by = f"started by {word} (line {places[0].line})"
                starts[id_, channel] = Start(places[0], trigger=True, by=by)
    return starts


def _entry(flows: FlowSet, flow: Flow, channel: str, triggered: bool, by_run: bool) -> Types:
    """Return what is known at the first step: what every way to start the flow in the channel gives it."""
    ways: list[Types] = [flow.inputs] if by_run else []
    if triggered and channel == "ussd":
        ways += [dict(code.parameters) for code in flow.ussd]
    elif triggered and channel == "sms":
        ways += [dict(message.parameters) for message in flow.sms]
    elif triggered and channel == "voice":
        ways += [{}] if flow.call else []
    elif triggered:
        ways += [_of_event(flows, trigger) for trigger in flow.events]
    if flow.outbound is not None and channel in (*flow.outbound.over, "event"):
        known = flows.events.get(flow.outbound.event)
        ways.append({"event": ANY if known is None else Type(known)})
    entry = ways[0] if ways else flow.inputs
    for other in ways[1:]:
        entry = _joined_entry(entry, other)
    if channel != "event" and "event" not in entry:
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
