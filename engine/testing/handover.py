"""What a test expects of people: queues, callbacks, starts for later, ratings, transfers.

Each word finds the next of its kind that no step before has found, as `request` does; its `no` form looks at
what happened since the last session began.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.effects import Connect, Enqueue, Rate, Schedule
from engine.flow_set import FlowSet
from engine.reading import scalars, times
from engine.reading.diagnostic import Report
from engine.reading.suggestion import did_you_mean
from engine.reading.tree import Empty, Node
from engine.testing.case import Action
from engine.testing.field_value import argument_value, equal
from engine.testing.people import Ordered, People
from engine.testing.step_failure import StepFailedError, entries_of, sound, text_of
from engine.testing.talk import Talk
from engine.testing.text_match import matches

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

Happened = tuple[str, dict[str, str]]
"""The name behind a word (a queue, a flow), and the fields that a step may name, as people read them."""


@dataclass(slots=True)
class Handover:
    """Looks at what was handed to people. `found` is how many of a kind earlier steps have passed."""

    flows: FlowSet
    people: People
    found: dict[str, int] = field(default_factory=dict)
    first: dict[str, int] = field(default_factory=dict)

    def mark(self) -> None:
        """What happened before here belongs to earlier sessions."""
        self.found = {word: len(items) for word, items in self._kinds().items()}
        self.first = dict(self.found)

    def words(self) -> dict[str, Callable[[Action, Talk], None]]:
        """Return what each word looks at."""
        return {
            "queue": self.queue,
            "callback": self.callback,
            "scheduled": self.scheduled,
            "rated": self.rated,
            "connect": self.connect,
            **{f"no {word}": self.nothing for word in self._kinds()},
        }

    def _kinds(self) -> dict[str, Sequence[Any]]:
        people = self.people
        return {
            "queue": people.queued,
            "callback": people.ordered,
            "scheduled": people.scheduled,
            "rated": people.rated,
            "connect": people.connected,
        }

    def queue(self, action: Action, talk: Talk) -> None:
        """The subscriber was put into a queue."""
        self._is_queue(action)
        self._find(action, self.people.queued, self._queued)

    def callback(self, action: Action, talk: Talk) -> None:
        """A callback was ordered, or an open order repeated."""
        self._is_queue(action)
        self._find(action, self.people.ordered, self._ordered)

    def scheduled(self, action: Action, talk: Talk) -> None:
        """A flow was scheduled."""
        name = text_of(action.value)
        flow = self.flows.flows.get(name)
        if flow is None:
            near = did_you_mean(name, self.flows.flows)
            raise StepFailedError(f'there is no flow "{name}"{near}')
        report = Report()
        zone = self.flows.project.zone
        wanted = {
            key: argument_value(flow.inputs, key, node, name, zone, report)
            for key, node in entries_of(action.fields.get("with"))
        }
        sound(report)
        fitting = [
            effect
            for effect in self.people.scheduled[self.found.get("scheduled", 0) :]
            if all(equal(value, effect.arguments.get(key)) for key, value in wanted.items())
        ]
        if wanted and not fitting:
            seen = "\n".join(str(dict(effect.arguments)) for effect in self.people.scheduled) or "nothing"
            raise StepFailedError(f"{name} was not scheduled with these inputs", str(wanted), seen)
        self._find(action, self.people.scheduled, self._scheduled)

    def connect(self, action: Action, talk: Talk) -> None:
        """The call was transferred."""
        self._find(action, self.people.connected, self._connected)

    def rated(self, action: Action, talk: Talk) -> None:
        """These topics were rated so; `none` is a question that was asked and not answered."""
        marks = self.people.rated[self.found.get("rated", 0) :]
        scores = {mark.topic: mark.score for mark in marks}
        seen = ", ".join(f"{topic}: {_score(score)}" for topic, score in scores.items()) or "nothing"
        for topic, node in entries_of(action.value):
            report = Report()
            wanted = None if text_of(node) == "none" else scalars.integer(node, report, topic)
            sound(report)
            if topic not in scores or scores[topic] != wanted:
                raise StepFailedError("it was rated otherwise", f"{topic}: {_score(wanted)}", seen)
        self.found["rated"] = len(self.people.rated)

    def nothing(self, action: Action, talk: Talk) -> None:
        """Nothing of the kind (of that name) has happened in this session."""
        word = action.word.removeprefix("no ")
        name = None if isinstance(action.value, Empty) else text_of(action.value)
        items = self._kinds()[word][self.first.get(word, 0) :]
        shown = [self._shown(item) for item in items]
        seen = [f"{what} {_listed(fields)}".rstrip() for what, fields in shown if name in (None, what)]
        if seen:
            raise StepFailedError("it has happened", f"no {word}", "\n".join(seen))

    def _is_queue(self, action: Action) -> None:
        name = text_of(action.value)
        if name not in self.flows.project.queues:
            near = did_you_mean(name, self.flows.project.queues)
            raise StepFailedError(f'the project has no queue "{name}"{near}')

    def _find(self, action: Action, items: Sequence[Any], shown: Callable[[Any], Happened]) -> None:
        name = text_of(action.value)
        wanted = {key: node for key, node in action.fields.items() if key != "with"}
        start = self.found.get(action.word, 0)
        for number in range(start, len(items)):
            what, fields = shown(items[number])
            if matches(name, what) and all(
                _fits(key, node, fields.get(key, "")) for key, node in wanted.items()
            ):
                self.found[action.word] = number + 1
                return
        expected = _listed({key: _written(node) for key, node in wanted.items()})
        seen = [f"{what} {_listed(fields)}" for what, fields in map(shown, items[start:])]
        nothing = f"{name} was not found" + (" with these fields" if wanted else "")
        raise StepFailedError(nothing, f"{name} {expected}".rstrip(), "\n".join(seen) or "nothing")

    def _shown(self, item: object) -> Happened:
        match item:
            case Enqueue():
                return self._queued(item)
            case Ordered():
                return self._ordered(item)
            case Schedule():
                return self._scheduled(item)
            case Connect():
                return self._connected(item)
            case Rate(topic=topic, score=score):
                return topic, {"score": _score(score)}
        return str(item), {}

    def _queued(self, effect: Enqueue) -> Happened:
        fields = {"priority": str(effect.priority), "skills": " ".join(effect.skills), "note": effect.note}
        return effect.queue, fields

    def _ordered(self, order: Ordered) -> Happened:
        effect = order.effect
        return effect.queue, {
            "number": str(order.number),
            "note": effect.note,
            "by": self._moment(order.by),
            "at": "" if effect.at is None else self._moment(effect.at),
            "to": effect.to,
        }

    def _scheduled(self, effect: Schedule) -> Happened:
        return effect.flow, {"at": self._moment(effect.at), "over": effect.over, "to": effect.to}

    def _connected(self, effect: Connect) -> Happened:
        return effect.number, {"note": effect.note}

    def _moment(self, at: int) -> str:
        return datetime.fromtimestamp(at / 1000, self.flows.project.zone).strftime("%Y-%m-%d %H:%M")


def _fits(key: str, node: Node, seen: str) -> bool:
    """Compare a field; of `by` and `at` a test may name the day alone."""
    wanted = _written(node)
    if key in ("by", "at"):
        report = Report()
        if _DAY.fullmatch(wanted):
            return seen.startswith(wanted)
        times.local_moment(node, report, key)
        sound(report)
        return seen == wanted.replace("T", " ")[:16]
    return matches(wanted, seen)


def _written(node: Node) -> str:
    """Return a field as it is written; `skills: [a, b]` as "a b"."""
    items = getattr(node, "items", None)
    return " ".join(map(text_of, items)) if items is not None else text_of(node)


def _listed(fields: dict[str, str]) -> str:
    shown = ", ".join(f"{name}: {value}" for name, value in fields.items() if value)
    return f"{{ {shown} }}" if shown else ""


def _score(score: int | None) -> str:
    return "none" if score is None else str(score)
