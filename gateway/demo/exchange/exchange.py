"""All calls of the demo: who calls whom, who stands where, what each page is told of it.

A call is one coroutine that runs the dialplan. Whoever is not looked at any more hangs up after a while, so a
closed tab leaves no call behind.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Protocol

import structlog

from engine.effects import Enqueue
from engine.machine import Turn
from engine.session import Session
from gateway.demo.exchange.dialplan import dialplan
from gateway.demo.exchange.floor import Card, Floor, Left, Place
from gateway.demo.exchange.sound import Heard
from gateway.demo.exchange.telephone import Said, Telephone
from gateway.demo.feed import Feed
from gateway.demo.network import RefusedError
from gateway.host.voice import KEY

NUMBER = re.compile(r"\+?[0-9]{3,15}", re.ASCII)
RINGS_S = 0.5
"""So long a call rings before it reaches the gateway."""
ALONE_S = 15.0
"""A caller or a specialist whom no page shows for so long has gone."""
END_S = 5.0
MOST_TRAILS = 500

Told = Callable[[str, object, str], None]
"""Called as `tell(topic, data, phone)`."""


class Run(Protocol):
    """A session as the host keeps it."""

    key: str
    session: Session


class Call:
    """One call of a handset (the `Way` of the dialplan). `state`: ringing, talking, queue, people, ended."""

    def __init__(self, exchange: Exchange, phone: str, number: str, identity: str) -> None:
        self.phone = phone
        self.exchange = exchange
        self.telephone = Telephone(identity, number, phone, exchange.play, self.changed)
        self.priority = 0
        self.since = exchange.now()
        self.place: Place | None = None
        self.ended = ""
        self.task: asyncio.Task[None] | None = None

    def changed(self) -> None:
        """Tell the pages of this subscriber."""
        self.exchange.tell_call(self)

    async def run(self) -> None:
        """Carry the call through."""
        try:
            await asyncio.sleep(RINGS_S)
            if not self.telephone.channel.hungup:
                await dialplan(self, self.exchange.now)
        except Exception:
            structlog.get_logger().error("demo_call_failed", exc_info=True)
        finally:
            self.ended = "you hung up" if self.telephone.channel.hungup else "the call has ended"
            self.changed()

    # What the dialplan asks for

    async def agi(self, path: str, query: str) -> None:
        """Run AGI() at the gateway."""
        await self.telephone.agi(self.exchange.port(), self.exchange.token, path, query)

    async def stand(self, queue: str, priority: int, limit_s: float | None, *, outside: bool) -> Left:
        """Run Queue() or Dial()."""
        card = self.exchange.card(self)
        try:
            return await self.exchange.floor.stand(
                queue, priority, card, limit_s, self._placed, outside=outside
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
            "id": telephone.variable("UNIQUEID"),
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


class Exchange:
    """All calls, by subscriber, and the floor of the specialists; `desk` is the stream of their pages.

    `port` tells where the gateway waits for calls, `play` gives what a command plays, `name` a subscriber's
    name, `service` what is behind a number.
    """

    def __init__(
        self,
        tell: Told,
        watched: Callable[[], frozenset[str]],
        now: Callable[[], int],
        play: Callable[[tuple[str, ...]], Heard],
        port: Callable[[], int],
        name: Callable[[str], str],
        service: Callable[[str], str],
    ) -> None:
        """Take note of the parts; `watched` are the subscribers that a page shows."""
        self.token = secrets.token_hex(8)
        self.now = now
        self.play = play
        self.port = port
        self.service = service
        self.desk = Feed()
        self.floor = Floor(now, self._floor_changed)
        self._tell = tell
        self._watched = watched
        self._name = name
        self._calls: dict[str, Call] = {}
        self._numbers = itertools.count(1)
        self._trails: OrderedDict[str, Enqueue] = OrderedDict()
        self._away: dict[str, float] = {}

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
        one = self._calls[phone] = Call(self, phone, number.removeprefix("+"), identity)
        one.task = asyncio.create_task(one.run())
        one.changed()

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
            self._tell("call", None, phone)
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
            self._tell("call", one.picture(), one.phone)

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
            self._name(one.phone),
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
        watched = self._watched()
        for phone, one in list(self._calls.items()):
            if not one.ended and self._gone(f"caller {phone}", phone in watched, now):
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
            self._tell("call", None, one.phone)
        tasks = [one.task for one in calls if one.task is not None]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=END_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._trails.clear()

    async def close(self) -> None:
        """End every call and every stream."""
        await self.hang_up_all()
        self.desk.end()
