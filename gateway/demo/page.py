"""The server of the handset page: files, one stream of events, a handful of orders in JSON.

Loopback only, and only for its own page (`guard`). What an order does is done by the network, the troubles
and the show; here it is only checked and passed on.
"""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web

from gateway.demo.call_page import CallPage
from gateway.demo.exchange.exchange import Exchange
from gateway.demo.feed import Feed, event_octets
from gateway.demo.guard import middleware, own_hosts
from gateway.demo.network import Network, RefusedError
from gateway.demo.order import FromHandset, Order, answered, handler
from gateway.demo.passage import Passage
from gateway.demo.stream import stream
from gateway.demo.trouble import Troubles
from gateway.demo.watch import Watch, dialled
from gateway.demo.world import World
from gateway.library import Library

HOST = "127.0.0.1"
PORTS_TRIED = 20
MOST_BODY = 65_536
HEARTBEAT_S = 10.0

_FOLDER = Path(__file__).with_name("handset")
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class Dial(FromHandset, frozen=True):
    """Dial a USSD code."""

    code: str


class Answer(FromHandset, frozen=True):
    """Send what was typed into the dialog."""

    text: str


class Cancel(FromHandset, frozen=True):
    """Hang up."""


class Send(FromHandset, frozen=True):
    """Send an SMS."""

    to: str
    text: str


class Switch(Order, frozen=True):
    """Switch a fault."""

    name: str
    on: bool


class Happen(FromHandset, frozen=True):
    """Let the world do something to a subscriber."""

    name: str


class Play(Protocol):
    """What the page shows and moves (`gateway.demo.show`)."""

    @property
    def feed(self) -> Feed:
        """The open pages."""

    @property
    def network(self) -> Network:
        """The handsets."""

    @property
    def exchange(self) -> Exchange:
        """The calls."""

    @property
    def watch(self) -> Watch:
        """What happens."""

    @property
    def troubles(self) -> Troubles:
        """The faults."""

    @property
    def library(self) -> Library:
        """The flows."""

    def status(self) -> dict[str, Any]:
        """Return the state of the binds and the faults."""

    @property
    def world(self) -> World:
        """What happens around the subscribers."""

    @property
    def pages(self) -> str:
        """The address of the gateway's own pages, "" while it starts."""

    def language(self, phone: str) -> str:
        """Return the language in which the gateway speaks to a subscriber."""

    def offers(self) -> dict[str, Any]:
        """Return what can be dialled, written and let happen with the flows in force."""

    async def start_over(self) -> None:
        """Begin with fresh books and an empty store."""

    async def next_day(self) -> None:
        """Put the gateway's clock on to the next day."""


class Page:
    """The page's server."""

    def __init__(self, play: Play) -> None:
        self._play = play
        self._files = {file.name: file for file in _FOLDER.iterdir() if file.suffix in _TYPES}
        self._port = 0
        self._runner: web.AppRunner | None = None

    async def start(self, port: int) -> str:
        """Listen on `port` of 127.0.0.1 or the next free one; return the address. Raises OSError."""
        app = web.Application(
            client_max_size=MOST_BODY, middlewares=[middleware(lambda: own_hosts(self._port))]
        )
        app.router.add_get("/", self._index)
        app.router.add_get("/specialist", self._specialist)
        app.router.add_get("/page/{name}", self._file)
        app.router.add_get("/events", self._events)
        app.router.add_get("/source", self._source)
        for name, order in (
            ("dial", handler(Dial, self._dial)),
            ("answer", handler(Answer, self._answer)),
            ("cancel", handler(Cancel, self._cancel)),
            ("sms", handler(Send, self._sms)),
            ("trouble", handler(Switch, self._trouble)),
            ("world", handler(Happen, self._happen)),
            ("next-day", handler(Order, self._next_day)),
            ("start-over", handler(Order, self._start_over)),
        ):
            app.router.add_post(f"/{name}", order)
        CallPage(self._play.exchange, self._play.watch, self._persona).add_to(app)
        Passage(lambda: self._play.pages).add_to(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        for attempt in range(port, port + (PORTS_TRIED if port else 1)):
            try:
                await web.TCPSite(self._runner, HOST, attempt).start()
                break
            except OSError as error:
                if error.errno != errno.EADDRINUSE or attempt == port + PORTS_TRIED - 1:
                    raise
        self._port = int(self._runner.addresses[0][1])
        return f"http://{HOST}:{self._port}/"

    async def close(self) -> None:
        """End the streams and stop listening."""
        self._play.feed.end()
        self._play.exchange.desk.end()
        if self._runner is not None:
            await self._runner.cleanup()

    # Reading

    async def _index(self, request: web.Request) -> web.Response:
        return self._served("index.html")

    async def _specialist(self, request: web.Request) -> web.Response:
        return self._served("specialist.html")

    async def _file(self, request: web.Request) -> web.Response:
        return self._served(request.match_info["name"])

    def _served(self, name: str) -> web.Response:
        file = self._files.get(name)
        if file is None:
            return answered({"error": "there is no such page"}, 404)
        return web.Response(body=file.read_bytes(), content_type=_TYPES[file.suffix], charset="utf-8")

    async def _source(self, request: web.Request) -> web.Response:
        """Return one file of a build, or as it is on disk (`build=disk`)."""
        library = self._play.library
        name, build = request.query.get("file", ""), request.query.get("build", "")
        flows = library.builds.get(build, library.current)
        sources = library.sources if build == "disk" else flows.sources
        text = sources.get(name)
        if text is None:
            return answered({"error": "there is no such file"}, 404)
        return answered({"file": name, "build": "disk" if build == "disk" else flows.build, "text": text})

    async def _events(self, request: web.Request) -> web.StreamResponse:
        phone = self._persona(request.query.get("phone", ""))
        listener = self._play.feed.join(phone)
        if listener is None:
            return answered({"error": "too many pages are open"}, 503)
        try:
            return await stream(request, listener, event_octets("picture", self._picture(phone)), HEARTBEAT_S)
        finally:
            self._play.feed.leave(listener)

    def _picture(self, phone: str) -> dict[str, Any]:
        """Return everything that a page shows: what comes after are changes to it."""
        play = self._play
        play.watch.books.look()  # so that no other page misses what this picture has already
        handset, scene = play.network.handset(phone), play.watch.scene(phone)
        return {
            "phone": phone,
            "cards": play.watch.books.cards(),
            "ussd": handset.ussd,
            "messages": list(handset.messages),
            "call": play.exchange.picture(phone),
            "flow": scene.flow,
            "rows": list(scene.rows),
            "ledger": play.watch.books.ledger(phone),
            "report": play.watch.report(play.library),
            "status": play.status(),
            "language": play.language(phone),
            **play.offers(),
        }

    def _persona(self, phone: str) -> str:
        """Return the number of a persona. Raises HTTPNotFound: nobody else has a handset here."""
        if self._play.watch.books.is_persona(phone):
            return phone
        raise web.HTTPNotFound(reason="there is no such subscriber")

    # Orders

    async def _dial(self, order: Dial) -> None:
        phone = self._persona(order.phone)
        self._play.watch.add(phone, "subscriber", f"dials {dialled(order.code)}")
        self._play.network.dial(phone, order.code)
        if self._play.library.current.dial(order.code) is None:
            self._play.watch.add(phone, "note", "no flow has this code", dialled(order.code), "bad")

    async def _answer(self, order: Answer) -> None:
        phone = self._persona(order.phone)
        self._play.network.answer(phone, order.text)
        self._play.watch.add(phone, "subscriber", "answers")

    async def _cancel(self, order: Cancel) -> None:
        phone = self._persona(order.phone)
        handset = self._play.network.handset(phone)
        if handset.dialog is not None and handset.dialog.open:
            self._play.watch.add(phone, "subscriber", "hangs up")
        self._play.network.cancel(phone)

    async def _sms(self, order: Send) -> None:
        phone = self._persona(order.phone)
        self._play.watch.add(phone, "subscriber", f"sends an SMS to {order.to[:16]}")
        await self._play.network.send(phone, order.to, order.text)

    async def _trouble(self, order: Switch) -> None:
        try:
            await self._play.troubles.set(order.name, on=order.on)
        except KeyError as error:
            raise RefusedError(f"there is no fault {error}") from error
        self._play.feed.publish("status", self._play.status())

    async def _happen(self, order: Happen) -> None:
        phone = self._persona(order.phone)
        try:
            await self._play.world.act(order.name, phone)
        except KeyError as error:
            raise RefusedError(f"there is no act {error}") from error

    async def _next_day(self, order: Order) -> None:
        await self._play.next_day()

    async def _start_over(self, order: Order) -> None:
        await self._play.start_over()
