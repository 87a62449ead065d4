"""`given:`: what a test says about the world before it goes on."""

from __future__ import annotations

from collections.abc import Mapping

from engine.flow_set import FlowSet
from engine.reading import scalars, times
from engine.reading.diagnostic import Report
from engine.reading.suggestion import did_you_mean
from engine.reading.tree import Entry, Node, Table, describe
from engine.testing.answer import read_answer
from engine.testing.people import STATES, People
from engine.testing.surroundings import KINDS, Surroundings

RECENT = ("done", "unknown", "none")


def give(
    node: Node,
    world: Surroundings,
    people: People,
    caller: str,
    session_memory: dict[str, int],
    report: Report,
) -> None:
    """Put everything a `given` says into the world of the case."""
    if not isinstance(node, Table):
        report.error(
            "type", f"given: expected a table, not {describe(node)}", node, help="{ operation: answer }"
        )
        return
    for entry in node:
        _one(entry, world, people, caller, session_memory, report)


def _one(
    entry: Entry,
    world: Surroundings,
    people: People,
    caller: str,
    session_memory: dict[str, int],
    report: Report,
) -> None:
    name = entry.key.value
    operation = world.flows.operations.get(name)
    if operation is not None:
        script = read_answer(entry.value, operation, world.flows.project.zone, report)
        if script is not None:
            world.answer(name, script)
        return
    if name == "now":
        moment = times.local_moment(entry.value, report, name)
        if moment is not None:
            zoned = moment if moment.tzinfo is not None else moment.replace(tzinfo=world.flows.project.zone)
            world.now = int(zoned.timestamp() * 1000)
        return
    if name == "announcement":
        world.facts["announcement", ""] = scalars.string(entry.value, report, name)
        return
    kind, _, subject = name.partition(".")
    if kind == "queue" and subject in world.flows.project.queues:
        state = scalars.one_of(entry.value, report, name, STATES)
        if state is not None:
            people.states[subject] = state
            world.facts["open", subject] = state != "closed"
        return
    if kind not in KINDS or not subject:
        near = did_you_mean(
            name, (*world.flows.operations, "now", "announcement", *(f"{word}." for word in KINDS))
        )
        report.error(
            "no-op",
            f'given: "{name}" is no operation and nothing a flow asks for{near}',
            entry.key,
            help="an operation, now, announcement, or memory.name, recent.operation, queue.name, "
            "expected_wait.queue, surge.topic, repeat.topic",
        )
        return
    if not _known(kind, subject, entry, world.flows, report):
        return
    _fact(kind, subject, entry, world, caller, session_memory, report)


def _known(kind: str, subject: str, entry: Entry, flows: FlowSet, report: Report) -> bool:
    """Check the name behind the first word against what the project declares."""
    known: Mapping[str, object]
    match kind:
        case "memory":
            known, code, what = flows.project.memory, "no-memory", "memory"
        case "recent":
            once = {name: item for name, item in flows.operations.items() if item.once_ms is not None}
            known, code, what = once, "no-op", "operation with once:"
        case "queue" | "expected_wait" | "position":
            known, code, what = flows.project.queues, "no-queue", "queue"
        case _:
            return True
    if subject in known:
        return True
    report.error(code, f'there is no {what} "{subject}"{did_you_mean(subject, known)}', entry.key)
    return False


def _fact(
    kind: str,
    subject: str,
    entry: Entry,
    world: Surroundings,
    caller: str,
    session_memory: dict[str, int],
    report: Report,
) -> None:
    node, name = entry.value, entry.key.value
    match kind:
        case "memory":
            count = scalars.integer(node, report, name)
            if count is not None:
                world.forget(subject, caller)
                world.remember(subject, caller, world.flows.project.memory[subject], count)
                if world.flows.project.memory[subject] == 0:
                    session_memory[subject] = count
        case "recent":
            word = scalars.one_of(node, report, name, RECENT)
            if word is not None:
                world.facts["recent", subject] = None if word == "none" else word
        case "open" | "surge" | "repeat":
            truth = scalars.boolean(node, report, name)
            if truth is not None:
                world.facts[kind, subject] = truth
        case _:
            number = scalars.integer(node, report, name)
            if number is not None:
                world.facts[kind, subject] = number
