"""All calls of the demo: who calls whom, who stands where, what each page is told of it.

A call is one coroutine that runs the dialplan. Whoever is not looked at any more hangs up after a while, so a
closed tab leaves no call behind. Calls of the gateway are ordered by AMI and ring at the handset.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from engine.effects import Enqueue
from engine.machine import Turn
from engine.session import Session
from gateway.demo.exchange.ami import BUSY, NO_SUCH_NUMBER, Ami, Order, Stand
from gateway.demo.exchange.call import Call, Incoming, Trunk
from gateway.demo.exchange.callback import Callback, Called
from gateway.demo.exchange.floor import Card, Floor
from gateway.demo.feed import Feed
from gateway.demo.network import RefusedError
from gateway.host.voice_call import KEY

NUMBER = re.compile(r"\+?[0-9]{3,15}", re.ASCII)
ALONE_S = 15.0
"""A caller or a specialist whom no page shows for so long has gone."""
END_S = 5.0
MOST_TRAILS = 500


class Run(Protocol):
    """A session as the host keeps it."""

    key: str
    session: Session


class Around(Trunk, Protocol):
    """What the exchange is put into (`gateway.demo.calls`)."""

    def tell(self, topic: str, data: object, phone: str) -> None:
        """Tell the pages of a subscriber."""

    def watched(self) -> frozenset[str]:
        """Return the subscribers that a page shows."""

    def name(self, phone: str) -> str:
        """Return a subscriber's name, empty for nobody."""

    def has_handset(self, phone: str) -> bool:
        """Tell whether a number can be called."""

    def queues(self) -> Iterable[str]:
        """Return the names of the queues."""


class Exchange:
    """All calls, by subscriber, and the floor of the specialists; `desk` is the stream of their pages.

    `ami` is where the gateway learns of the queues and orders calls.
    """

    def __init__(self, around: Around) -> None:
        """Nothing listens yet."""
        self.token = secrets.token_hex(8)
        self.now = around.now
        self.play = around.play
        self.port = around.port
        self.service = around.service
        self.desk = Feed()
        self.floor = Floor(around.now, self._floor_changed)
        self.ami = Ami(self.floor, around.queues, self.ring, self.stand)
        self._around = around
        self._calls: dict[str, Call] = {}
        self._numbers = itertools.count(1)
        self._trails: OrderedDict[str, Enqueue] = OrderedDict()
        self._away: dict[str, float] = {}
        self._callbacks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen for the gateway. Raises OSError."""
        await self.ami.start()

    @property
    def on_duty(self) -> frozenset[str]:
        """The specialists whose page is open."""
        return self.desk.phones

    # What callers do

    def call(self, phone: str, number: str) -> None:
        """Call a number. Raises RefusedError."""
        if not NUMBER.fullmatch(number):
            raise RefusedError("A number to call has 3 to 15 digits, like 0890")
        before = self._calls.get(phone)
        if before is not None and not before.ended:
            raise RefusedError("This handset is in a call already")
        identity = f"{self.now() // 1000}.{next(self._numbers)}"
        self._begin(Call(self, phone, number.removeprefix("+"), identity))

    def _begin(self, one: Call) -> None:
        self._calls[one.phone] = one
        one.task = asyncio.create_task(one.run())
        one.changed()

    def ring(self, order: Order, told: Callable[[int], None]) -> None:
        """Call a handset for the gateway; who is in a call is busy."""
        before = self._calls.get(order.phone)
        loop = asyncio.get_running_loop()
        if not self._around.has_handset(order.phone):
            loop.call_soon(told, NO_SUCH_NUMBER)
        elif before is not None and not before.ended:
            loop.call_soon(told, BUSY)
        else:
            self._begin(Incoming(self, order, told))

    def stand(self, order: Stand) -> None:
        """Have a callback keep its place in a queue."""
        card = Card(order.phone, self._around.name(order.phone), note=order.note)
        task = asyncio.create_task(Callback(self, order, card, self.ami, self._call_back).run())
        self._callbacks.add(task)
        task.add_done_callback(self._callbacks.discard)

    def _call_back(self, one: Called) -> bool:
        before = self._calls.get(one.phone)
        if not self._around.has_handset(one.phone) or (before is not None and not before.ended):
            return False
        self._begin(one)
        return True

    def pick_up(self, phone: str) -> None:
        """Answer a call of the gateway. Raises RefusedError."""
        one = self._calls.get(phone)
        if not isinstance(one, Incoming) or not one.pick_up():
            raise RefusedError("This handset does not ring")

    def press(self, phone: str, key: str) -> None:
        """Press a key in the call. Raises RefusedError."""
        self._open(phone).telephone.press(key)

    def heard(self, phone: str, number: int) -> None:
        """The page has played a prompt to its end; a late word changes nothing."""
        one = self._calls.get(phone)
        if one is not None:
            one.telephone.heard(number)

    def hang_up(self, phone: str) -> None:
        """Hang up, or clear what is left of a call."""
        one = self._calls.get(phone)
        if one is None:
            return
        if one.ended:
            del self._calls[phone]
            self._around.tell("call", None, phone)
        else:
            one.hang_up()

    def _open(self, phone: str) -> Call:
        one = self._calls.get(phone)
        if one is None or one.ended:
            raise RefusedError("This handset is in no call")
        return one

    def sound(self, phone: str, number: int) -> bytes:
        """Return the WAV that a handset plays now, empty if it plays another one or none."""
        one = self._calls.get(phone)
        return b"" if one is None else one.telephone.sound(number)

    def picture(self, phone: str) -> dict[str, Any] | None:
        """Return what the page shows of a subscriber's call."""
        one = self._calls.get(phone)
        return None if one is None else one.picture()

    def tell_call(self, one: Call) -> None:
        """Tell the pages of a subscriber what has become of a call."""
        if self._calls.get(one.phone) is one:
            self._around.tell("call", one.picture(), one.phone)

    def over(self, one: Call) -> None:
        """A call has ended."""
        self.ami.hung_up(one.channel)

    # What specialists do

    def answer(self, agent: str, number: int) -> None:
        """Take the next caller (0) or a certain one. Raises RefusedError."""
        if not self.floor.answer(agent, number):
            raise RefusedError("This caller has gone" if number else "Nobody waits")

    def finish(self, agent: str, result: str) -> None:
        """End the talk and say what came of it. Raises RefusedError."""
        if not self.floor.finish(agent, result):
            raise RefusedError("You talk to nobody")

    def view(self, agent: str) -> dict[str, Any]:
        """Return what a specialist's page shows."""
        return self.floor.view(agent, self.on_duty)

    def duty_changed(self) -> None:
        """A specialist's page was opened or closed."""
        self.ami.duty(self.on_duty)
        self._floor_changed()

    def _floor_changed(self) -> None:
        for agent in self.desk.phones:
            self.desk.publish("floor", self.view(agent), agent)
        for one in self._calls.values():
            if one.place is not None:
                one.changed()

    # What the gateway says beside the call

    def observe(self, event: str, run: Run | None, detail: object) -> None:
        """Take an event of the host: what the specialist is told of a caller goes beside the dialplan."""
        if event != "turn" or run is None or not run.key.startswith(KEY) or not isinstance(detail, Turn):
            return
        for effect in detail.effects:
            if isinstance(effect, Enqueue):
                self._trails[run.key.removeprefix(KEY)] = effect
                while len(self._trails) > MOST_TRAILS:
                    self._trails.popitem(last=False)

    def card(self, one: Call) -> Card:
        """Return what a specialist sees of a caller."""
        told = self._trails.get(one.telephone.variable("IVR_SESSION"))
        number = one.telephone.number
        return Card(
            one.phone,
            self._around.name(one.phone),
            number,
            self.service(number),
            () if told is None else told.trail,
            "" if told is None else told.note,
            one.telephone.variable("IVR_SURVEY") == "yes",
        )

    # Time, and the end

    def look(self) -> None:
        """A few times a second: whoever has closed the page is gone."""
        now = asyncio.get_running_loop().time()
        watched = self._around.watched()
        for phone, one in list(self._calls.items()):
            there = phone in watched or one.state == "incoming"
            if not one.ended and self._gone(f"caller {phone}", there, now):
                one.hang_up()
        for agent in self.floor.talking:
            if self._gone(f"agent {agent}", agent in self.on_duty, now):
                self.floor.finish(agent, "")

    def _gone(self, who: str, there: bool, now: float) -> bool:
        if there:
            self._away.pop(who, None)
            return False
        if now - self._away.setdefault(who, now) < ALONE_S:
            return False
        del self._away[who]
        return True

    async def hang_up_all(self) -> None:
        """End every call and wait until the gateway has been told."""
        calls, self._calls = list(self._calls.values()), {}
        for one in calls:
            one.hang_up()
            self._around.tell("call", None, one.phone)
        for place in self.floor.waiting:
            self.floor.withdraw(place.channel)
        tasks = [one.task for one in calls if one.task is not None] + list(self._callbacks)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=END_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._trails.clear()

    async def close(self) -> None:
        """End every call and every stream, and stop listening."""
        await self.hang_up_all()
        self.desk.end()
        await self.ami.close()
