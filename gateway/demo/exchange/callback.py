"""A callback that keeps its place in a queue: nobody is on its channel until a specialist takes it.

Then the subscriber's handset rings, and the two talk. As `cb-queue` and `cb-hold` of the dialplan.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from gateway.demo.exchange.ami import ANSWERED, BUSY, NO_ANSWER, Order, Stand
from gateway.demo.exchange.call import Incoming, Switch
from gateway.demo.exchange.dialplan import OUR_NUMBER
from gateway.demo.exchange.floor import Card, Place

WAITS_S, RINGS_S = 7_200.0, 40.0
AGENT, CALLED = "1", "2"
"""Marks, as the dialplan writes them into DB(cb/ID)."""
_STATUS = {ANSWERED: "ANSWER", BUSY: "BUSY", NO_ANSWER: "NOANSWER"}


class News(Protocol):
    """Where the gateway is told (`gateway.demo.exchange.ami`)."""

    marks: dict[str, str]

    def tell(self, identity: str, step: str, told: Mapping[str, str]) -> None:
        """Tell how far a callback came."""

    def hung_up(self, channel: str) -> None:
        """A channel is gone."""


class Called(Incoming):
    """The subscriber's call: it rings, and is with the specialist as soon as it is answered."""

    def __init__(self, exchange: Switch, order: Order, told: Callable[[int], None], place: Place) -> None:
        super().__init__(exchange, order, told)
        self._with = place

    async def carry(self) -> None:
        """Talk until one of the two leaves."""
        self.place = self._with
        self._with.rings = False
        self.changed()
        try:
            await asyncio.wait({self._with.left})
        finally:
            self.place = None


class Callback:
    """One of them; `begin` starts a call of the exchange."""

    def __init__(
        self, exchange: Switch, stand: Stand, card: Card, news: News, begin: Callable[[Called], bool]
    ) -> None:
        """Nothing stands yet."""
        self._exchange = exchange
        self._stand = stand
        self._card = card
        self._news = news
        self._begin = begin
        self._stood: asyncio.Future[Place] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Stand in the queue, and all that follows."""
        told = self._stand
        mark = status = ""
        standing = asyncio.ensure_future(
            self._exchange.floor.stand(
                told.queue, told.priority, self._card, WAITS_S, self._stood.set_result, channel=told.channel
            )
        )
        place = await self._stood
        try:
            either: set[asyncio.Future[Any]] = {place.taken, place.left}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if place.taken.done():
                self._tell("agent", AGENT)
                mark = self._news.marks[told.identity] = CALLED
                status = self._news.marks[told.identity] = await self._call(place)
            left = await standing
        finally:
            standing.cancel()
        self._tell("left", "", Status=left.status, Result=left.result)
        self._tell("over", "", Mark=mark, Status=status)
        self._news.hung_up(told.channel)

    def _tell(self, step: str, mark: str, **told: str) -> None:
        if mark:
            self._news.marks[self._stand.identity] = mark
        self._news.tell(self._stand.identity, step, told)

    async def _call(self, place: Place) -> str:
        """Have the handset ring; return what came of it (DIALSTATUS) when the talk is over."""
        place.rings = True
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        order = Order(self._stand.phone, OUR_NUMBER, f"{self._stand.channel}-2", RINGS_S)
        call = Called(self._exchange, order, answer.set_result, place)
        floor = self._exchange.floor
        if not self._begin(call):
            floor.withdraw(place.channel)
            return "BUSY"
        waited: set[asyncio.Future[Any]] = {answer, place.left}
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            call.ended = "a missed call"  # the specialist has left while it rang
            call.hang_up()
            return "CANCEL"
        if answer.result() == ANSWERED:
            await asyncio.wait({place.left})
        else:
            floor.withdraw(place.channel)
        return _STATUS.get(answer.result(), "CHANUNAVAIL")
