"""Orders of a page: JSON in a form of their own; a refusal becomes a sentence for the person at the page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
from aiohttp import web

from gateway.demo.network import RefusedError
from gateway.web.guard import Handler


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a page may order; one without details is an order too."""


class FromHandset(Order, frozen=True):
    """What the person at a handset does."""

    phone: str


_Kind = TypeVar("_Kind", bound=Order)


def handler(kind: type[_Kind], act: Callable[[_Kind], Awaitable[None]]) -> Handler:
    """Return the handler of an order: the body is checked, then `act` is done."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            order = msgspec.json.decode(await request.read(), type=kind)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            return answered({"error": f"the body does not fit: {error}"}, 400)
        try:
            await act(order)
        except RefusedError as error:
            return answered({"error": str(error)}, 409)
        return answered({})

    return handle


def answered(data: object, status: int = 200) -> web.Response:
    """Return a response in JSON."""
    return web.Response(body=msgspec.json.encode(data), status=status, content_type="application/json")
