"""One call while it talks to a flow: orders of the flow one after the other, what is heard goes back to it.

A coroutine for each call. What it plays was committed before, for orders reach it only after the commit; what
it hears it hands to the host and waits until that is stored. It knows neither flows nor the store.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Protocol, TypeAlias

import msgspec

from engine.inputs import Digits, Input, LineReplied, Silence
from engine.values import Secret
from gateway.host.voice_keys import SAFE, Keys, Risk
from gateway.host.voice_sound import Sounds
from ivr.agi.error import AGIHangup
from ivr.handover import Next
from ivr.prompt import Heard, Prompt
from ivr.voice import Recorded, VoiceLine

AGAIN_S = 0.5
"""What could not be stored is offered to the store again after so long."""
STORE_TRIES = 8
"""Then the call goes to the next gateway, or to people."""
MOMENT_AFTER_S, MOMENT_EVERY_S = 2.0, 6.0
"""A caller is asked for a moment of patience after so long, and then so often."""
LONGEST_S = 600.0
"""No single answer is awaited longer."""
KEY = "c:"
"""Begins the keys of sessions by telephone; 32 hexadecimal digits follow, which only Asterisk is told."""


class Ask(msgspec.Struct, frozen=True):
    """Play a question and take its answer; `risk`: which answers must not have been pressed ahead."""

    text: str | Secret
    lang: str
    keys: Keys
    first_ms: int
    between_ms: int
    barge_in: bool
    secret: bool = False
    risk: Risk = SAFE


class Say(msgspec.Struct, frozen=True):
    """Play a text; `told`: the flow is told whether it was heard."""

    text: str | Secret
    lang: str
    told: bool = False


class Pick(msgspec.Struct, frozen=True):
    """Answer the call."""


class Keep(msgspec.Struct, frozen=True):
    """Record what the caller says into `name`."""

    call: int
    name: str
    max_ms: int


class Rest(msgspec.Struct, frozen=True):
    """Say nothing while the flow waits."""

    lang: str = ""


class Leave(msgspec.Struct, frozen=True):
    """Leave the call to the dialplan: `next` is what it does."""

    next: Next
    variables: Mapping[str, str] = {}


Order: TypeAlias = Ask | Say | Pick | Keep | Rest | Leave


class Ear(Protocol):
    """Where a call hands over what it has heard."""

    async def heard(self, key: str, given: Input) -> bool:
        """Give an input to the session and wait until it is stored; False if it was not."""
        ...

    def gone(self, key: str, reason: str) -> None:
        """The caller has left."""
        ...

    def listened(self, key: str, whole: bool) -> None:
        """The last text of a session was heard, or was not."""
        ...

    def now(self) -> int:
        """UTC milliseconds."""
        ...


class NotStoredError(Exception):
    """What was heard could not be stored: the next gateway may have more luck."""


class VoiceCall:
    """A call of the session `key`. `until` is when it has lasted long enough (UTC ms).

    `put` takes orders; `run` ends when one of them was `Leave`, or when the caller has gone.
    """

    def __init__(self, key: str, voice: VoiceLine, sounds: Sounds, ear: Ear, until: int) -> None:
        self.key = key
        self.left = False
        self.hung = False
        self._voice = voice
        self._sounds = sounds
        self._ear = ear
        self._until = until
        self._orders: deque[Order] = deque()
        self._news = asyncio.Event()
        self._lang = ""

    def put(self, order: Order) -> None:
        """Take an order; it is carried out after those before it."""
        self._orders.append(order)
        self._news.set()

    def hung_up(self) -> None:
        """The line says that the caller has gone; called at any moment."""
        self.hung = True
        self._news.set()

    async def run(self) -> None:
        """Carry orders out until the call is left. Raises NotStoredError and what a broken line raises."""
        try:
            while not self.left:
                order = await self._next()
                if order is None:
                    break
                await self._carry_out(order)
        except AGIHangup:
            self.hung = True
        if not self.left:
            await self._go("hangup" if self.hung else "limit")

    async def _next(self) -> Order | None:
        """Return the next order; None when the caller has gone, or the call has lasted long enough."""
        while not self._orders:
            if self.hung:
                return None
            await self._hold()
            if self._ear.now() >= self._until and not self._orders:
                return None
        order = self._orders.popleft()
        if isinstance(order, Ask) and (self.hung or self._ear.now() >= self._until):
            return None
        return order

    async def _hold(self) -> None:
        """Wait for the next order, and say "one moment" meanwhile unless the flow rests."""
        wait = MOMENT_AFTER_S if self._lang else LONGEST_S
        while not await self._ready(wait):
            if self._lang:
                await self._voice.play(await self._sounds.moment(self._lang), interruptible=True)
                wait = MOMENT_EVERY_S

    async def _ready(self, within_s: float) -> bool:
        try:
            async with asyncio.timeout(within_s):
                while not self._orders and not self.hung:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return self._ear.now() >= self._until
        return True

    async def _carry_out(self, order: Order) -> None:
        if isinstance(order, Ask | Say | Rest):
            self._lang = order.lang
        match order:
            case Ask():
                await self._ask(order)
            case Say():
                await self._say(order)
            case Pick():
                await self._voice.answer()
            case Keep():
                await self._record(order)
            case Leave():
                await self._leave(order)

    async def _ask(self, order: Ask) -> None:
        files = await self._sounds.of(order.text, order.lang)
        prompt = Prompt(
            files,
            order.keys.most,
            _seconds(order.first_ms),
            _seconds(order.between_ms),
            order.keys.end,
            order.barge_in,
            order.secret,
            order.risk.whole,
            order.risk.keys,
        )
        heard = await self._voice.collect(prompt)
        if isinstance(order.text, Secret):
            self._sounds.forget(files)
        given = _given(heard, order.keys.end)
        if given is not None:
            await self._tell(given)
        if heard.outcome == "hungup":
            self.hung = True

    async def _say(self, order: Say) -> None:
        files = await self._sounds.of(order.text, order.lang)
        played = await self._voice.play(files)
        if isinstance(order.text, Secret):
            self._sounds.forget(files)
        if played == "hungup":
            self.hung = True
        if order.told:
            self._ear.listened(self.key, played != "hungup")

    async def _record(self, order: Keep) -> None:
        made: Recorded = await self._voice.record(order.name, order.max_ms / 1_000)
        if made.outcome == "hungup":
            self.hung = True
        if made.outcome == "ok" or made.seconds > 0:
            await self._tell(LineReplied(order.call, "done", order.name))
        elif made.outcome == "failed":
            await self._tell(LineReplied(order.call, "failed"))

    async def _leave(self, order: Leave) -> None:
        if self.hung and order.next != "done":
            return  # the session is told; nobody is left to be led on
        if order.next != "done":
            await self._voice.answer()
        await self._voice.leave(order.next, order.variables)
        self.left = True

    async def _tell(self, given: Input) -> None:
        """Hand an input over; while it cannot be stored the caller waits."""
        for _ in range(STORE_TRIES):
            if await self._ear.heard(self.key, given):
                return
            await asyncio.sleep(AGAIN_S)
        raise NotStoredError

    async def _go(self, reason: str) -> None:
        """The caller has gone, or has to: the session ends, and the dialplan has nothing more to do."""
        self._ear.gone(self.key, reason)
        self.left = True
        await self._voice.leave("done")


class Arrival(msgspec.Struct, frozen=True):
    """A call that has come in: the number that was dialled, Asterisk's id of the channel, who calls.

    `peer` is the address of that Asterisk.
    """

    call: VoiceCall
    number: str
    channel: str
    claimed: str
    peer: str = ""


def _seconds(ms: int) -> float:
    return min(LONGEST_S, max(0.1, ms / 1_000))


def _given(heard: Heard, end: str) -> Input | None:
    """Return what a caller has answered; only the ending key, where an entry is awaited, is that key."""
    if heard.outcome == "ok":
        return Digits(heard.digits or end)
    if heard.outcome == "timeout":
        return Digits(heard.digits) if heard.digits else Silence()
    return None
