"""What the page's server lets in: this machine, this page, JSON.

A page of another site may not act here, nor read: requests that come by a foreign name (DNS rebinding), from
a foreign origin, or as a form are refused before any handler sees them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; object-src 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
_NAMES = ("127.0.0.1", "localhost", "[::1]")


def own_hosts(port: int) -> frozenset[str]:
    """Return the values of Host under which a browser on this machine reaches the page."""
    named = {f"{name}:{port}" for name in _NAMES}
    return frozenset(named | set(_NAMES) if port == 80 else named)


def complaint(request: web.Request, hosts: frozenset[str]) -> tuple[int, str] | None:
    """Return the status and the reason for which a request is refused, None for a good one."""
    host = request.headers.get("Host", "").lower()
    if host not in hosts:
        return 421, "this server answers only to 127.0.0.1"
    origin = request.headers.get("Origin")
    if origin is not None and origin.lower() != f"http://{host}":
        return 403, "another site may not act here"
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return 403, "another site may not act here"
    if request.method not in ("GET", "HEAD", "POST"):
        return 405, "only GET and POST"
    if request.method == "POST" and request.content_type != "application/json":
        return 415, "the body must be application/json"
    return None


def middleware(hosts: Callable[[], frozenset[str]]) -> Middleware:
    """Return the middleware for a server whose own names are known once it listens."""

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        bad = complaint(request, hosts())
        if bad is not None:
            response: web.StreamResponse = web.json_response({"error": bad[1]}, status=bad[0])
        else:
            try:
                response = await handler(request)
            except web.HTTPException as error:
                response = web.json_response({"error": error.reason}, status=error.status)
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    return guarded
