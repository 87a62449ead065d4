"""The answer to a page that listens: what has happened, as it happens, until one of both sides ends it."""

from __future__ import annotations

from aiohttp import web

from gateway.demo.feed import Listener

RETRY = b"retry: 1000\n\n"
STILL_HERE = b": still here\n\n"


async def stream(
    request: web.Request, listener: Listener, first: bytes, heartbeat_s: float
) -> web.StreamResponse:
    """Send `first` and then what the listener is told, a sign of life when that is nothing."""
    headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
    response = web.StreamResponse(headers=headers)
    try:
        await response.prepare(request)
        await response.write(RETRY + first)
        while not listener.over:
            octets = await listener.take(heartbeat_s)
            await response.write(octets or STILL_HERE)
    except ConnectionError:
        pass  # the page has gone
    return response
