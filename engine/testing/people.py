"""The people behind the flows in a test: queues, ordered callbacks, starts for later, ratings.

What flows have asked of them is kept in the order it was asked, for the words that look at it. When a
queue is closed is answered by the case, else by the project's calendars.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from engine.effects import Connect, Enqueue, OrderCallback, Rate, Schedule
from engine.flow_set import FlowSet
from engine.values import Value

FIRST_NUMBER = 512
"""The number of the first task in a case."""

STATES = ("open", "closed", "full", "no_agent")
"""What `given: { queue.name: … }` may say."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """A callback as it was asked for; a repeat of an open order has its number and its own note."""

    effect: OrderCallback
    number: int
    by: int


@dataclass(slots=True)
class People:
    """Everything that was handed to people or put off, all conversations of a case together."""

    flows: FlowSet
    queued: list[Enqueue] = field(default_factory=list)
    ordered: list[Ordered] = field(default_factory=list)
    scheduled: list[Schedule] = field(default_factory=list)
    rated: list[Rate] = field(default_factory=list)
    connected: list[Connect] = field(default_factory=list)
    states: dict[str, str] = field(default_factory=dict)
    recordings: int = 0

    def refuses(self, queue: str, is_open: bool) -> str:
        """Return why a queue takes nobody: `closed`, `full`, `no_agent`; empty if it does."""
        state = self.states.get(queue, "open" if is_open else "closed")
        return "" if state == "open" else state

    def order(self, effect: OrderCallback) -> Mapping[str, Value]:
        """Take an order; return its number and deadline. One is open for each phone and queue, or key."""
        for known in self.ordered:
            if _identity(known.effect) == _identity(effect):
                found = Ordered(effect, known.number, known.by)
                break
        else:
            numbers = {known.number for known in self.ordered}
            found = Ordered(effect, FIRST_NUMBER + len(numbers), effect.by)
        self.ordered.append(found)
        return {"number": found.number, "by": datetime.fromtimestamp(found.by / 1000, UTC)}

    def record(self) -> str:
        """Return the name of the next recording."""
        self.recordings += 1
        return f"recording-{self.recordings}"


def _identity(effect: OrderCallback) -> tuple[str, str]:
    return effect.queue, f"key {effect.key}" if effect.key is not None else effect.to
