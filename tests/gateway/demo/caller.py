"""A person at a handset of the demo who makes calls, without a browser."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from gateway.demo.show import Show

RICH, POOR = "79160000001", "79160000002"
AGENT = "anna1"
MENU = "Главное меню."
LATER = "2"
"""The key with which the personal offer at the head of 0890 is put off."""
FREE = "2"
"""The key with which a place in the queue is taken for nothing."""


class Phone:
    """A handset whose person hears each prompt to its end and then presses."""

    def __init__(self, show: Show, phone: str) -> None:
        self.show, self.phone = show, phone
        listener = show.feed.join(phone)
        assert listener is not None
        self._listener = listener

    @property
    def now(self) -> dict[str, Any]:
        found = self.show.exchange.picture(self.phone)
        assert found is not None
        return found

    async def until(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        async with asyncio.timeout(15):
            while not fits(self.now):
                await self._listener.take(0.2)
        return self.now

    async def hear(self, keys: str = "", asks: bool = True) -> str:
        """Hear up to the next question (or one prompt), press keys, return the words of the last prompt."""
        while True:
            one = await self.until(lambda one: one["playing"] or one["state"] == "ended")
            said = one["said"][-1].text
            question = one["asks"]
            self.show.exchange.heard(self.phone, one["playing"])
            if question or not asks or one["state"] == "ended":
                break
        for key in keys:
            self.show.exchange.press(self.phone, key)
        return str(said)

    async def menu(self) -> None:
        """Call 0890 and hear its main menu."""
        self.show.exchange.call(self.phone, "0890")
        if MENU not in await self.hear(LATER):
            assert (await self.hear()).startswith(MENU)

    async def queue(self) -> None:
        """Stand in the queue of specialists; nobody is on duty, so it is said how long that lasts."""
        await self.menu()
        self.show.exchange.press(self.phone, "0")
        assert (await self.hear(FREE)).startswith("Ждать примерно")
        await self.until(lambda one: one["state"] == "queue")

    async def ended(self) -> str:
        return str((await self.until(lambda one: one["state"] == "ended"))["reason"])


async def nothing_left(show: Show) -> None:
    """Wait until the gateway has no session any more."""
    async with asyncio.timeout(10):
        while show.gateway.host.conversations:
            await asyncio.sleep(0)
            await show.gateway.host.idle()
