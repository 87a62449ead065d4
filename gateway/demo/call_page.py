"""The part of the page's server that is about calls: orders of callers and specialists, what is played.

The browser never names a file: it asks for what its handset plays now.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from aiohttp import web

from gateway.demo.exchange.exchange import Exchange
from gateway.demo.exchange.floor import RESULTS
from gateway.demo.exchange.telephone import KEYS
from gateway.demo.feed import event_octets
from gateway.demo.network import RefusedError
from gateway.demo.order import FromHandset, Order, answered, handler
from gateway.demo.stream import stream
from gateway.demo.watch import Watch

HEARTBEAT_S = 5.0
_AGENT = re.compile(r"[a-z0-9]{4,16}", re.ASCII)


class Dial(FromHandset, frozen=True):
    """Call a number."""

    number: str


class Press(FromHandset, frozen=True):
    """Press a key in a call."""

    key: str


class Heard(FromHandset, frozen=True):
    """A prompt was played to its end."""

    id: int


class HangUp(FromHandset, frozen=True):
    """Put the receiver down."""


class PickUp(FromHandset, frozen=True):
    """Answer a call that rings at the handset."""


class Answer(Order, frozen=True):
    """A specialist takes a caller; 0: the next one."""

    agent: str
    id: int = 0


class Finish(Order, frozen=True):
    """A specialist ends a talk."""

    agent: str
    result: str = ""


class CallPage:
    """Joins its routes to the page's server. `persona` returns the number of a handset, or raises."""

    def __init__(self, exchange: Exchange, watch: Watch, persona: Callable[[str], str]) -> None:
        self._exchange = exchange
        self._watch = watch
        self._persona = persona

    def add_to(self, app: web.Application) -> None:
        """Join the routes."""
        app.router.add_get("/call/sound", self._sound)
        app.router.add_get("/specialist/events", self._events)
        for path, order in (
            ("call", handler(Dial, self._call)),
            ("call/pick-up", handler(PickUp, self._pick_up)),
            ("call/key", handler(Press, self._key)),
            ("call/heard", handler(Heard, self._heard)),
            ("call/hangup", handler(HangUp, self._hang_up)),
            ("specialist/answer", handler(Answer, self._answer)),
            ("specialist/finish", handler(Finish, self._finish)),
        ):
            app.router.add_post(f"/{path}", order)

    # The caller

    async def _call(self, order: Dial) -> None:
        phone = self._persona(order.phone)
        self._exchange.call(phone, order.number)
        self._watch.add(phone, "subscriber", f"calls {order.number}")

    async def _pick_up(self, order: PickUp) -> None:
        phone = self._persona(order.phone)
        self._exchange.pick_up(phone)
        self._watch.add(phone, "subscriber", "answers the call")

    async def _key(self, order: Press) -> None:
        phone = self._persona(order.phone)
        if order.key not in KEYS:
            raise RefusedError("A telephone has the keys 0 to 9, * and #")
        self._exchange.press(phone, order.key)
        self._watch.add(phone, "subscriber", "presses a key")

    async def _heard(self, order: Heard) -> None:
        self._exchange.heard(self._persona(order.phone), order.id)

    async def _hang_up(self, order: HangUp) -> None:
        phone = self._persona(order.phone)
        one = self._exchange.picture(phone)
        if one is not None and one["state"] != "ended":
            done = "declines the call" if one["state"] == "incoming" else "hangs up"
            self._watch.add(phone, "subscriber", done)
        self._exchange.hang_up(phone)

    async def _sound(self, request: web.Request) -> web.Response:
        phone = self._persona(request.query.get("phone", ""))
        number = request.query.get("id", "")
        known = number.isascii() and number.isdigit() and len(number) < 10
        octets = self._exchange.sound(phone, int(number)) if known else b""
        if not octets:
            return answered({"error": "this is not played now"}, 404)
        return web.Response(body=octets, content_type="audio/wav")

    # The specialist

    async def _answer(self, order: Answer) -> None:
        self._exchange.answer(_agent(order.agent), order.id)

    async def _finish(self, order: Finish) -> None:
        if order.result not in RESULTS:
            raise RefusedError("A talk ends with solved, unsolved, escalate, or without a word")
        self._exchange.finish(_agent(order.agent), order.result)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        agent = _agent(request.query.get("agent", ""))
        desk = self._exchange.desk
        listener = desk.join(agent)
        if listener is None:
            return answered({"error": "too many pages are open"}, 503)
        self._exchange.duty_changed()
        try:
            first = event_octets("floor", self._exchange.view(agent))
            return await stream(request, listener, first, HEARTBEAT_S)
        finally:
            desk.leave(listener)
            self._exchange.duty_changed()


def _agent(name: str) -> str:
    if _AGENT.fullmatch(name) is None:
        raise web.HTTPNotFound(reason="there is no such specialist")
    return name
