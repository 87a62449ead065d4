"""The world of one case: what back ends answer, what is remembered, which orders there are, what time it is.

Orders follow flow-language 2.5: the same caller, operation and arguments (money apart) inside `once` are one
order, which gets its first outcome; a refusal closes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from engine.calendar import end_of_workday, is_open
from engine.effects import CallBackend, Question
from engine.flow import Operation
from engine.flow_set import FlowSet
from engine.testing.answer import Answer, Script
from engine.values import Secret, Value

NOON = (2026, 11, 23, 12, 0)
"""When a case begins if it does not say, in the project's zone: a Monday."""

KINDS = ("memory", "recent", "queue", "open", "expected_wait", "position", "surge", "repeat")
"""First words of what `given` may say about the world beside answers."""


class NoAnswerError(Exception):
    """A flow has asked something the test says nothing about; the message tells what to write."""


@dataclass(slots=True)
class Order:
    """An irreversible request and how it ended."""

    caller: str
    operation: str
    identity: str
    at: int
    answer: Answer


@dataclass(slots=True)
class Surroundings:
    """Everything a case may set with `given`, and what came of it."""

    flows: FlowSet
    now: int = 0
    scripts: dict[str, Script] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    facts: dict[tuple[str, str], Value] = field(default_factory=dict)
    memory: dict[tuple[str, str], list[int | None]] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Set the clock to noon of the project's zone."""
        noon = datetime(*NOON, tzinfo=self.flows.project.zone)
        self.now = int(noon.timestamp() * 1000)

    # Back ends

    def answer(self, operation: str, script: Script) -> None:
        """From here on the operation answers so; a new list starts at its beginning."""
        self.scripts[operation] = script
        self.calls[operation] = 0

    def call(self, caller: str, effect: CallBackend) -> tuple[Answer, bool]:
        """Return the answer to a call, and whether it went out: a repeated order does not."""
        operation = self.flows.operations[effect.operation]
        identity = _identity(operation, effect)
        if operation.irreversible:
            same = (caller, operation.name, identity)
            for order in self.orders:
                if (order.caller, order.operation, order.identity) == same and self._fresh(order):
                    return order.answer, False
        answer = self._scripted(operation)
        if operation.irreversible and answer.outcome in ("done", "unknown"):
            self.orders.append(Order(caller, operation.name, identity, self.now, answer))
        return answer, True

    def _fresh(self, order: Order) -> bool:
        once = self.flows.operations[order.operation].once_ms
        return once is not None and self.now < order.at + once

    def _scripted(self, operation: Operation) -> Answer:
        script = self.scripts.get(operation.name)
        if script is None:
            if operation.returns is None:
                return Answer("done", {})
            raise NoAnswerError(
                f"{operation.name} is asked, but the test has no answer for it: "
                f"write {operation.name}: {{ … }} under backends: or given:"
            )
        if not script.in_turn:
            return script.answers[0]
        number = self.calls.get(operation.name, 0)
        if number >= len(script.answers):
            raise NoAnswerError(
                f"{operation.name} is called for the {number + 1}. time, but its list has "
                f"{len(script.answers)} answers"
            )
        self.calls[operation.name] = number + 1
        return script.answers[number]

    def settled(self, event: str, caller: str, fields: Mapping[str, Value]) -> None:
        """An unknown outcome has become known: `recent` tells it, and a failed order is closed."""
        name = event.removesuffix("_settled")
        for order in list(self.orders):
            if order.operation == name and order.caller == caller and order.answer.outcome == "unknown":
                if fields.get("done"):
                    order.answer = Answer("done", order.answer.value)
                else:
                    self.orders.remove(order)

    # The world

    def look(self, question: Question, caller: str) -> Value:
        """Answer what a flow asks in front of a step."""
        subject = question.subject or caller
        known = self.facts.get((question.kind, question.name))
        match question.kind:
            case "memory":
                return self.remembered(question.name, subject)
            case "recent":
                if ("recent", question.name) in self.facts:
                    return known
                return self._recent(question.name, subject)
            case "open":
                return is_open(self.flows.project, question.name, self.now) if known is None else known
            case "expected_wait" | "position":
                return 0 if known is None else known
            case "repeat_contact":
                return bool(self.facts.get(("repeat", question.name.partition(":")[0])))
            case "announcement":
                return "" if known is None else known
            case "workdays":
                project = self.flows.project
                return end_of_workday(
                    project, next(iter(project.calendars), ""), int(question.name), self.now
                )
        return bool(known)

    def _recent(self, operation: str, subject: str) -> Value:
        last = [
            order
            for order in self.orders
            if (order.operation, order.caller) == (operation, subject) and self._fresh(order)
        ]
        return last[-1].answer.outcome if last else None

    # Memory

    def remember(self, name: str, subject: str, keep_ms: int | None, times: int = 1) -> None:
        """Count more of a memory, each with its own term; 0 means the session, which the machine keeps."""
        if keep_ms != 0:
            end = None if keep_ms is None else self.now + keep_ms
            self.memory.setdefault((name, subject), []).extend([end] * times)

    def forget(self, name: str, subject: str) -> None:
        """Nothing of a memory is kept any more."""
        self.memory.pop((name, subject), None)

    def remembered(self, name: str, subject: str) -> int:
        """Return how many are alive."""
        return sum(end is None or end > self.now for end in self.memory.get((name, subject), ()))


def _identity(operation: Operation, effect: CallBackend) -> str:
    """Return what makes two requests the same order: the business key, or the arguments that are no money."""
    if effect.key is not None:
        return f"key {effect.key}"
    parts = []
    for name, value in sorted(effect.arguments.items()):
        if not isinstance(value, Decimal):
            shown = value.reveal() if isinstance(value, Secret) else value
            parts.append(f"{name}={shown!r}")
    return " ".join(parts)
