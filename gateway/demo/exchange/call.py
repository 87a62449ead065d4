"""One call of a handset: the dialplan runs in it, and what the caller does reaches it.

It does not know who else calls; that is the exchange's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

import structlog

from gateway.demo.exchange.ami import ANSWERED, BUSY, NO_ANSWER, Order
from gateway.demo.exchange.dialplan import dialplan
from gateway.demo.exchange.floor import Card, Floor, Left, Place
from gateway.demo.exchange.sound import Heard
from gateway.demo.exchange.telephone import Said, Telephone

RINGS_S = 0.5
"""So long a call rings before it reaches the gateway."""


class Trunk(Protocol):
    """What lies behind the exchange, and is the same for each of its calls."""

    def now(self) -> int:
        """Return UTC milliseconds."""

    def play(self, names: tuple[str, ...]) -> Heard:
        """Return what a command plays."""

    def port(self) -> int:
        """Return where the gateway waits for calls."""

    def service(self, number: str) -> str:
        """Return what is behind a number."""


class Switch(Trunk, Protocol):
    """What a call needs of the exchange (`gateway.demo.exchange.exchange`)."""

    token: str
    floor: Floor

    @property
    def on_duty(self) -> frozenset[str]:
        """The specialists who are there."""

    def card(self, one: Call) -> Card:
        """Return what a specialist sees of a caller."""

    def tell_call(self, one: Call) -> None:
        """Tell the pages what has become of a call."""

    def over(self, one: Call) -> None:
        """The call has ended."""


class Call:
    """One call (the `Way` of the dialplan). `state`: incoming, ringing, talking, queue, people, ended."""

    def __init__(self, exchange: Switch, phone: str, number: str, identity: str) -> None:
        self.phone = phone
        self.exchange = exchange
        self.telephone = Telephone(identity, number, phone, exchange.play, self.changed)
        self.priority = 0
        self.since = exchange.now()
        self.place: Place | None = None
        self.ended = ""
        self.task: asyncio.Task[None] | None = None

    @property
    def channel(self) -> str:
        """The id of the channel (UNIQUEID)."""
        return self.telephone.variable("UNIQUEID")

    def changed(self) -> None:
        """Tell the pages of this subscriber."""
        self.exchange.tell_call(self)

    async def run(self) -> None:
        """Carry the call through."""
        try:
            if await self.begun():
                await self.carry()
        except Exception:
            structlog.get_logger().error("demo_call_failed", exc_info=True)
        finally:
            self.ended = self.ended or (
                "you hung up" if self.telephone.channel.hungup else "the call has ended"
            )
            self.exchange.over(self)
            self.changed()

    async def begun(self) -> bool:
        """Ring; tell whether the dialplan takes the call."""
        await asyncio.sleep(RINGS_S)
        return not self.telephone.channel.hungup

    async def carry(self) -> None:
        """Do what the dialplan does with the call."""
        await dialplan(self, self.exchange.now)

    # What the dialplan asks for

    async def agi(self, path: str, query: str) -> None:
        """Run AGI() at the gateway."""
        await self.telephone.agi(self.exchange.port(), self.exchange.token, path, query)

    async def stand(self, queue: str, priority: int, limit_s: float | None, *, outside: bool) -> Left:
        """Run Queue() or Dial()."""
        card = self.exchange.card(self)
        try:
            return await self.exchange.floor.stand(
                queue, priority, card, limit_s, self._placed, outside=outside, channel=self.channel
            )
        finally:
            self.place = None

    def _placed(self, place: Place) -> None:
        self.place = place
        if self.telephone.channel.hungup:
            self.exchange.floor.abandon(place)

    def remark(self, text: str) -> None:
        """Show what the exchange does by itself."""
        self.telephone.said.append(Said(0, text))
        self.changed()

    # What the caller does

    def hang_up(self) -> None:
        """Put the receiver down."""
        self.telephone.hang_up()
        if self.place is not None:
            self.exchange.floor.abandon(self.place)

    @property
    def state(self) -> str:
        """In a word, where the call is."""
        if self.ended:
            return "ended"
        if self.place is not None:
            return "people" if self.place.agent else "queue"
        return "talking" if self.telephone.channel.up else "ringing"

    def picture(self) -> dict[str, Any]:
        """Return what the page shows of it."""
        telephone, place = self.telephone, self.place
        position = self.exchange.floor.position(place) if place is not None else (0, 0)
        since = self.since if place is None else place.answered or place.since
        return {
            "id": self.channel,
            "number": telephone.number,
            "service": self.exchange.service(telephone.number),
            "state": self.state,
            "since": since,
            "said": list(telephone.said),
            "playing": telephone.playing,
            "asks": telephone.asks,
            "records": telephone.records,
            "queue": "" if place is None else place.queue,
            "outside": place is not None and place.outside,
            "place": position[0],
            "waiting": position[1],
            "on_duty": len(self.exchange.on_duty),
            "reason": self.ended,
        }


class Incoming(Call):
    """A call that the gateway makes: it rings until the subscriber picks up, declines, or too long.

    `told` is called once with what came of the ringing (`Reason` of AMI).
    """

    def __init__(self, exchange: Switch, order: Order, told: Callable[[int], None]) -> None:
        super().__init__(exchange, order.phone, order.ours, order.channel)
        self.telephone.channel.variables |= dict(order.variables)
        self._within_s = order.within_s
        self._told = told
        self._picked: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def begun(self) -> bool:
        """Ring; tell whether the subscriber has picked up."""
        reason = NO_ANSWER
        try:
            async with asyncio.timeout(self._within_s):
                reason = await self._picked
        except TimeoutError:
            self.ended = "a missed call"
        finally:
            self._told(reason)
        if reason == ANSWERED:
            self.since = self.exchange.now()
            self.telephone.channel.up = True
            self.changed()
        return reason == ANSWERED

    def pick_up(self) -> bool:
        """Answer; False if it does not ring any more."""
        if self._picked.done() or self.ended:
            return False
        self._picked.set_result(ANSWERED)
        return True

    def hang_up(self) -> None:
        """Put the receiver down, or decline."""
        if not self._picked.done():
            self.ended = self.ended or "you declined the call"
            self._picked.set_result(BUSY)
        super().hang_up()

    @property
    def state(self) -> str:
        """In a word, where the call is."""
        return super().state if self._picked.done() or self.ended else "incoming"
