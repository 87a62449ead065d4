"""The people: callers in their queues, in the order of their keys, and the specialists who answer them.

What `Queue()` of Asterisk is for a call: a place, an end of the wait, and a talk that one of the two ends. It
knows neither the gateway nor a page.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import msgspec

RESULTS = frozenset({"", "solved", "unsolved", "escalate"})
MEMBER = "PJSIP/demo-"


class Card(msgspec.Struct, frozen=True):
    """What a specialist sees of a caller; `trail` is what was dialled and chosen before."""

    phone: str
    name: str = ""
    number: str = ""
    service: str = ""
    trail: Sequence[str] = ()
    note: str = ""
    survey: bool = False


class Left(msgspec.Struct, frozen=True):
    """How a place was left: `status` as QUEUESTATUS, who answered, the talk and what came of it."""

    status: str
    member: str = ""
    waited_s: int = 0
    talked_s: int = 0
    result: str = ""


class Place:
    """A caller in a queue, on a channel; `outside` marks a number that a flow connects to."""

    def __init__(
        self, number: int, queue: str, priority: int, card: Card, now: int, outside: bool, channel: str
    ) -> None:
        self.number = number
        self.queue = queue
        self.priority = priority
        self.card = card
        self.since = now
        self.outside = outside
        self.channel = channel
        self.agent = ""
        self.answered = 0
        self.rings = False
        """Whether he who stands here is only just being called."""
        self.taken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.left: asyncio.Future[Left] = asyncio.get_running_loop().create_future()


class Witness(Protocol):
    """Is told what happens in the queues, in the order in which it happens."""

    def joined(self, place: Place) -> None:
        """A caller stands in a queue now."""

    def answered(self, place: Place) -> None:
        """A specialist has taken him."""

    def left(self, place: Place, left: Left, *, by_caller: bool) -> None:
        """The wait, or the talk, is over."""


class Floor:
    """All places. `now` is UTC in milliseconds; `changed` is called when the picture is another one."""

    witness: Witness | None = None

    def __init__(self, now: Callable[[], int], changed: Callable[[], None]) -> None:
        self.now = now
        self._changed = changed
        self._numbers = itertools.count(1)
        self._places: list[Place] = []

    @property
    def waiting(self) -> list[Place]:
        """Those who wait, who is served first in front: the highest key, and of equals who came first."""
        found = [one for one in self._places if not one.agent]
        return sorted(found, key=lambda one: (-one.priority, one.number))

    def position(self, place: Place) -> tuple[int, int]:
        """Return the place in its own queue, from 1 on, and how many wait there."""
        same = [one for one in self.waiting if one.queue == place.queue]
        return (same.index(place) + 1 if place in same else 0), len(same)

    def talk(self, agent: str) -> Place | None:
        """Return whom a specialist talks to."""
        return next((one for one in self._places if one.agent == agent), None)

    @property
    def talking(self) -> frozenset[str]:
        """The specialists who talk."""
        return frozenset(one.agent for one in self._places if one.agent)

    async def stand(
        self, queue: str, priority: int, card: Card, limit_s: float | None, begun: Callable[[Place], None],
        *, outside: bool = False, channel: str = "",
    ) -> Left:  # fmt: skip
        """Stand in a queue until the wait or the talk is over; `begun` is told the place."""
        place = Place(next(self._numbers), queue, priority, card, self.now(), outside, channel)
        self._places.append(place)
        if self.witness is not None:
            self.witness.joined(place)
        begun(place)
        self._changed()
        timer = None
        if limit_s is not None:
            timer = asyncio.get_running_loop().call_later(limit_s, self._too_long, place)
        try:
            return await place.left
        finally:
            if timer is not None:
                timer.cancel()
            self._places.remove(place)
            if place.left.cancelled() and self.witness is not None:
                self.witness.left(place, Left(""), by_caller=True)
            self._changed()

    def _too_long(self, place: Place) -> None:
        if not place.agent:
            self._end(place, "TIMEOUT")

    def answer(self, agent: str, number: int = 0) -> bool:
        """A specialist takes the next caller, or one of his choice; False if there is none or he talks."""
        found = [one for one in self.waiting if number in (0, one.number) and not one.left.done()]
        if self.talk(agent) is not None or not found:
            return False
        found[0].agent = agent
        found[0].answered = self.now()
        found[0].taken.set_result(None)
        if self.witness is not None:
            self.witness.answered(found[0])
        self._changed()
        return True

    def finish(self, agent: str, result: str) -> bool:
        """A specialist ends the talk; `result` is one of `RESULTS`. False if there is no talk."""
        place = self.talk(agent)
        if place is None or result not in RESULTS or place.left.done():
            return False
        self._end(place, "CONTINUE", result)
        return True

    def withdraw(self, channel: str) -> bool:
        """Take out whoever stands on a channel; False if nobody does."""
        place = next((one for one in self._places if one.channel == channel), None)
        if place is None or place.left.done():
            return False
        self._end(place, "WITHDRAW")
        return True

    def abandon(self, place: Place) -> None:
        """The caller hangs up, waiting or in the talk."""
        self._end(place, "CONTINUE" if place.agent else "", by_caller=True)

    def _end(self, place: Place, status: str, result: str = "", *, by_caller: bool = False) -> None:
        if place.left.done():
            return
        now = self.now()
        until = place.answered if place.agent else now
        talked = (now - place.answered) // 1000 if place.agent else 0
        member = f"{MEMBER}{place.agent}" if place.agent else ""
        left = Left(status, member, max(0, until - place.since) // 1000, talked, result)
        place.left.set_result(left)
        if self.witness is not None:
            self.witness.left(place, left, by_caller=by_caller)

    def view(self, agent: str, on_duty: Iterable[str]) -> dict[str, Any]:
        """Return what a specialist sees."""
        talk = self.talk(agent)
        return {
            "waiting": [self._shown(one) for one in self.waiting],
            "talk": None if talk is None else self._shown(talk),
            "on_duty": len(set(on_duty)),
            "busy": len(self.talking),
        }

    def _shown(self, place: Place) -> dict[str, Any]:
        return {
            "id": place.number,
            "queue": place.queue,
            "since": place.since,
            "answered": place.answered,
            "priority": place.priority,
            "outside": place.outside,
            "rings": place.rings,
            "card": place.card,
        }
