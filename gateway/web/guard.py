"""What every page of ours is guarded by: its headers, and no order by the hand of another site.

Who may use a page at all is not decided here but in `gateway.web.access`, and in the demo.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container
from typing import TypeAlias

from aiohttp import web

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
Complaint: TypeAlias = tuple[int, str]
"""The status and the reason with which a request is refused."""

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
NAMES = ("127.0.0.1", "localhost", "[::1]")
"""What a browser on this machine may call it; any other name may be another site's (DNS rebinding)."""


def foreign(request: web.Request, origins: Container[str]) -> Complaint | None:
    """Return why a request is refused that another site may have had sent, None for one of our own pages.

    `origins` are ours, in small letters. A form of another site can send no JSON.
    """
    origin = request.headers.get("Origin")
    if origin is not None and origin.lower() not in origins:
        return 403, "another site may not act here"
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return 403, "another site may not act here"
    if request.method == "POST" and request.content_type != "application/json":
        return 415, "the body must be application/json"
    return None


async def answered(request: web.Request, handler: Handler, bad: Complaint | None) -> web.StreamResponse:
    """Return what the handler answers, or the complaint; errors as JSON, and all with the page's headers."""
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
