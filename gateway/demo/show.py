"""The whole demo in one process: test centre, gateway, billing, page, joined by real sockets on loopback.

It only puts together and keeps the beat; what each part does is its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp

from gateway.app import Gateway
from gateway.centre_settings import Centre as CentreSettings
from gateway.clock import HostClock
from gateway.demo.billing import Running
from gateway.demo.billing import start as start_billing
from gateway.demo.calls import Calls
from gateway.demo.copies import Copies
from gateway.demo.day import DayClock
from gateway.demo.exchange.exchange import Exchange
from gateway.demo.feed import Feed
from gateway.demo.network import Network, RefusedError
from gateway.demo.page import Page
from gateway.demo.project import addresses
from gateway.demo.service import languages, listed, services
from gateway.demo.sip.installed import Installed
from gateway.demo.trouble import Troubles
from gateway.demo.watch import Watch
from gateway.demo.world import World, offered
from gateway.library import Library
from gateway.settings import EventSettings, Settings
from gateway.web.server import WebServer
from smpp.settings import LinkSettings, Secret
from smpp.testing.centre import Centre
from smpp.testing.dialect import CentreDialect

BEAT_S = 0.15
"""How often the page learns of what tells nobody: the billing's log, SMS answers, binds."""
BIND_WITHIN_S = 10.0
SYSTEM_ID = "gudok"
STORE = "gateway.db"
BOOKS = "billing.db"
DIALECT = CentreDialect(abort="end_bit")


class Show:
    """The demo over one project folder; `data` is where the store and the books lie."""

    def __init__(
        self, root: Path, data: Path, environment: Mapping[str, str], *, keep: bool = False, port: int = 8080,
        asterisk: Installed | None = None,
    ) -> None:  # fmt: skip
        """Take note of the folders; `keep` goes on with the store and the books of the last time.

        With `asterisk` softphones can call, too.
        """
        self._root = root
        self._data = data.resolve()
        self._environment = environment
        self._keep = keep
        self._port = port
        self._asterisk = asterisk
        self._password = secrets.token_hex(4)
        self._end = contextlib.AsyncExitStack()
        self._status: dict[str, Any] = {}
        self._languages: dict[str, str] = {}
        self._key = secrets.token_bytes(32)
        self._pages: WebServer | None = None
        self._clock = DayClock(HostClock())
        self._turning = asyncio.Lock()
        self.feed = Feed()
        self.url = ""

    @property
    def library(self) -> Library:
        """The flows."""
        return self.gateway.library

    @property
    def exchange(self) -> Exchange:
        """The calls of the handsets."""
        return self.calls.exchange

    async def start(self) -> str:
        """Start everything; return the address of the page.

        Raises what the gateway raises for a project that cannot be used, AsteriskError, OSError,
        sqlite3.Error.
        """
        try:
            await self._start()
        except BaseException:
            await self.close()
            raise
        return self.url

    async def _start(self) -> None:
        self._data.mkdir(parents=True, exist_ok=True)
        if not self._keep:
            _remove(self._data, BOOKS)
            _remove(self._data, STORE)
        self.centre = Centre(accounts={SYSTEM_ID: self._password}, dialect=DIALECT, keep=5_000)
        await self._end.enter_async_context(self.centre)
        self.billing: Running = await start_billing(self._data / BOOKS)
        self._end.push_async_callback(self.billing.close)
        client = await self._end.enter_async_context(aiohttp.ClientSession())
        self.network = Network(self.centre, self.feed.publish)
        self.watch = Watch(self.billing, self.feed.publish)
        self.copies = Copies(
            self.centre.ledger, lambda phone, text, detail: self.watch.add(phone, "note", text, detail)
        )
        self.troubles = Troubles(self.centre, self.billing, client)
        self.calls = Calls(self._root, self._data, self.feed, self.billing, self._asterisk)
        self._end.push_async_callback(self.calls.close)
        await self.calls.start()
        self.world = World(
            self.billing,
            client,
            self._key,
            lambda: (self.gateway, self.pages),
            lambda phone, text, detail: self.watch.add(phone, "world", text, detail),
        )
        await self._open_gateway()
        self._end.push_async_callback(self._close_gateway)
        await self.calls.start_asterisk()
        page = Page(self)
        self._end.push_async_callback(page.close)
        self.url = await page.start(self._port)
        beat = asyncio.create_task(self._beat())
        self._end.push_async_callback(_cancelled, beat)

    async def _open_gateway(self) -> None:
        link = LinkSettings(
            "127.0.0.1",
            self.centre.port,
            SYSTEM_ID,
            Secret(self._password),
            binds=2,
            window=50,
            reconnect_first_ms=500,
            reconnect_limit_ms=2_000,
        )
        settings = Settings(
            store=self._data / STORE,
            drain_ms=2_000,
            centres=(CentreSettings("demo", link),),
            events=EventSettings((self._key,)),
            agi=self.calls.agi(),
            asterisk=self.calls.asterisks(),
        )
        environment = addresses(self._root, self._environment, self.billing.url)
        self.gateway = Gateway(self._root, settings, environment, self._clock, web=False)
        self.gateway.host.observers.append(self.watch.observe)
        self.calls.use(self.gateway)
        self.gateway.library.listeners += [self.watch.published, self._published]
        await self.gateway.start()
        await self.centre.bound(1, limit_s=BIND_WITHIN_S)
        await self.calls.known()
        # The gateway's own pages on a port of their own; the handset page passes them on.
        pages = WebServer(self.gateway, "127.0.0.1", 0)
        await pages.start()
        self._pages = pages

    async def _close_gateway(self) -> None:
        await self.calls.hang_up_all()
        pages, self._pages = self._pages, None
        if pages is not None:
            await pages.close()
        await self.gateway.close()

    @property
    def pages(self) -> str:
        """The address of the gateway's own pages, "" while it starts."""
        return "" if self._pages is None else f"http://127.0.0.1:{self._pages.port}"

    def offers(self) -> dict[str, Any]:
        """Return what can be dialled, written and let happen with the flows in force."""
        flows = self.library.current
        lanes = frozenset(str(name) for name in self.gateway.openers.by_name)
        ways = frozenset({"ussd", "sms", "call"})
        return {
            "services": listed(services(flows), ways),
            "languages": languages(flows),
            "acts": offered(flows, lanes),
        }

    def _published(self, library: Library) -> None:
        self.feed.publish("offers", self.offers())

    def language(self, phone: str) -> str:
        """Return the language in which the gateway speaks to a subscriber."""
        if self._turning.locked():
            return self._languages.get(phone, self.library.current.project.languages[0])
        return self.gateway.host.language(phone, self.gateway.clock.now())

    async def start_over(self) -> None:
        """Begin anew: the gateway with an empty store, the billing with its first books, empty handsets.

        Raises RefusedError while the flows on disk could not be loaded again.
        """
        if self.library.report.has_errors:
            raise RefusedError("The flows on disk have errors; correct them first")
        async with self._turning:
            self.network.forget()
            await self._close_gateway()
            _remove(self._data, STORE)
            self._clock.put_back()
            self._set_day()
            await self.troubles.clear()
            self.watch.start_over()
            self.copies.start_over()
            await self._open_gateway()
            self.feed.end()

    async def next_day(self) -> None:
        """Go to noon, a day away or more: what is due by then happens. The store is kept, as over a restart.

        Raises RefusedError while the flows on disk could not be loaded again.
        """
        if self.library.report.has_errors:
            raise RefusedError("The flows on disk have errors; correct them first")
        async with self._turning:
            self.network.hang_up()
            await self._close_gateway()
            self._clock.to_noon(self.library.current.project.zone)
            self._set_day()
            await self._open_gateway()
            self.feed.publish("status", self.status())

    def _set_day(self) -> None:
        self.network.ahead_ms = self.watch.ahead_ms = self._clock.ahead_ms

    async def close(self) -> None:
        """End everything in the reverse order."""
        await self._end.aclose()

    def status(self) -> dict[str, Any]:
        """Return the state of the binds and the faults."""
        return {
            "bound": len(self.centre.binds),
            "deliveries": self.centre.ledger.counters["deliver_sm"],
            "submits": self.centre.ledger.counters["submitted"],
            "now": time.time_ns() // 1_000_000,
            "day_shift": self._clock.ahead_ms,
            "tasks": len(self.gateway.tasks.open),
            **self.calls.state(),
            **self.troubles.state(),
        }

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            self.exchange.look()
            if not len(self.feed):
                continue
            self.network.look()
            self.copies.look(self.gateway)
            self.watch.books.look()
            self.troubles.look()
            self._look_at_languages()
            status = self.status()
            if {**status, "now": 0} != {**self._status, "now": 0}:
                self._status = status
                self.feed.publish("status", status)

    def _look_at_languages(self) -> None:
        for phone in self.feed.phones:
            now = self.language(phone)
            if self._languages.get(phone) != now:
                self._languages[phone] = now
                self.feed.publish("language", now, phone)


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _remove(folder: Path, name: str) -> None:
    """Remove a database with what SQLite and the store keep beside it."""
    for file in folder.glob(f"{name}*"):
        file.unlink()
