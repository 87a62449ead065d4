"""The shipped flows by telephone: the gateway, its centre and its billing beside a real Asterisk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.session import Session
from gateway.call_settings import AgiSettings, AsteriskSettings
from gateway.host.voice_call import KEY
from tests.asterisk.peer.phone import Call, Phone
from tests.asterisk.place import SECRET, TOKEN, Place
from tests.asterisk.recording import PATIENCE_S, Ear, Recordings, shown
from tests.asterisk.server import Asterisk
from tests.end_to_end.stage import Stage, staged

PHONE = "79165000001"
LATER = "2"
"""The key that puts off the personal offer at the head of 0890."""
HELLO, MENU, OFFER = "Здравствуйте! Это Гудок.", "Главное меню.", "Для вас тариф"
LAST = "Специалист нажмите ноль"
"""Ends the main menu."""
BALANCE, CHARGED = "Баланс одна тысяча пятьсот рублей", "Пакет обновлён, списано четыреста девяносто рублей"
RATE, WHY = "Оцените разговор от нуля до пяти.", "Что не понравилось?"


@dataclass
class Service:
    """A stage that answers the telephone. `recordings` is everything it can say."""

    stage: Stage
    asterisk: Asterisk
    recordings: Recordings

    async def dial(self, phone: Phone, caller: str = PHONE, number: str = "0890", **given: Any) -> Ear:
        """Call and return what is heard."""
        return Ear(await phone.call(number, caller=caller, **given), self.recordings)

    async def menu(self, phone: Phone, caller: str = PHONE) -> Ear:
        """Call for the first time, put the offer off, and listen up to the beginning of the main menu."""
        ear = await self.dial(phone, caller)
        await ear.asked(OFFER, LATER)
        await ear.hears(MENU)
        return ear

    async def queued(self, phone: Phone, caller: str = PHONE) -> Ear:
        """Ask for a specialist and wait in the queue."""
        ear = await self.menu(phone, caller)
        await ear.call.press("0")
        await ear.call.reaches("hold", within=PATIENCE_S)
        return ear

    async def serve(self, agent: Phone, callers: int) -> list[str]:
        """Answer the queue one by one, leave at once, and return who was there, in this order."""
        found = []
        for _ in range(callers):
            line = await agent.rings(within=PATIENCE_S)
            found.append(line.caller.partition("sip:")[2].partition("@")[0])
            await line.answer()
            line.hang_up()
        return found

    async def talk(self, phone: Phone, agent: Phone, caller: str = PHONE) -> tuple[Ear, Call]:
        """Talk to a specialist; return both sides."""
        ear = await self.menu(phone, caller)
        await ear.call.press("0")
        line = await agent.rings(within=PATIENCE_S)
        await line.answer()
        line.talk("agent")
        await ear.call.reaches("agent", within=PATIENCE_S)
        ear.take()
        return ear, line

    async def over(self) -> None:
        """Wait until no call is left, in Asterisk and in the gateway, and no session of one either."""
        stage = self.stage
        await self.asterisk.empties(within=PATIENCE_S)
        await stage.until(lambda: not len(stage.gateway.voice), "the end of all calls", PATIENCE_S)
        await stage.until(lambda: not self.sessions, "the end of the sessions", PATIENCE_S)
        await stage.gateway.host.idle()

    @property
    def sessions(self) -> list[Session]:
        """The sessions of calls; that of an SMS is none of them."""
        known = self.stage.gateway.host.conversations
        return [one.session for key, one in known.items() if key.startswith(KEY)]

    async def settled(self) -> None:
        """Wait until every turn that has begun is stored."""
        await self.stage.gateway.host.idle()
        await asyncio.sleep(0)
        await self.stage.gateway.host.idle()


@asynccontextmanager
async def served(
    root: Path,
    place: Place,
    asterisk: Asterisk,
    *,
    manager: bool = False,
    reaction_ms: int = 500,
    **given: Any,
) -> AsyncIterator[Service]:
    """Open the first gateway of a place; with `manager` it watches the queues, too."""
    agi = AgiSettings(port=place.first, token=TOKEN, speech="none", reaction_ms=reaction_ms)
    known = (AsteriskSettings("main", port=place.ami, secret=SECRET),) if manager else ()
    async with staged(root, agi=agi, asterisk=known, **given) as stage:
        recordings = shown(root, asterisk)
        assert stage.gateway.speaker is not None
        stage.gateway.speaker.reread()
        yield Service(stage, asterisk, recordings)


@contextmanager
def nobody_free(asterisk: Asterisk) -> Iterator[Callable[[], object]]:
    """Keep the agent of the default queue from being rung, until what is yielded is called."""

    def free() -> str:
        return asterisk.cli("queue unpause member PJSIP/agent101 queue support")

    asterisk.cli("queue pause member PJSIP/agent101 queue support")
    try:
        yield free
    finally:
        free()


CLOSED: Mapping[str, Mapping[str, str]] = {
    "config/project.yaml": {
        "support: { skills: [tariffs, internet], hours: 00:00-24:00": (
            "support: { skills: [tariffs, internet], hours: never"
        ),
        "calendars:\n": (
            "calendars:\n  never: { days: Mon-Sun, hours: 09:00-18:00, holidays: [2026-01-01..2035-01-01] }\n"
        ),
    }
}
"""The default queue has no hours."""
