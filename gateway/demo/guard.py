"""What the page's server lets in: this machine, this page, JSON.

A page of another site may not act here, nor read: requests that come by a foreign name (DNS rebinding), from
a foreign origin, or as a form are refused before any handler sees them.
"""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

from gateway.web.guard import NAMES, Complaint, Handler, answered, foreign


def own_hosts(port: int) -> frozenset[str]:
    """Return the values of Host under which a browser on this machine reaches the page."""
    named = {f"{name}:{port}" for name in NAMES}
    return frozenset(named | set(NAMES) if port == 80 else named)


def complaint(request: web.Request, hosts: frozenset[str]) -> Complaint | None:
    """Return the status and the reason for which a request is refused, None for a good one."""
    host = request.headers.get("Host", "").lower()
    if host not in hosts:
        return 421, "this server answers only to 127.0.0.1"
    bad = foreign(request, (f"http://{host}",))
    if bad is None and request.method not in ("GET", "HEAD", "POST"):
        return 405, "only GET and POST"
    return bad


def middleware(hosts: Callable[[], frozenset[str]]) -> Middleware:
    """Return the middleware for a server whose own names are known once it listens."""

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await answered(request, handler, complaint(request, hosts()))

    return guarded
