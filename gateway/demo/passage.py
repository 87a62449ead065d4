"""The gateway's own pages at the address of the handset page: what is asked there is passed on as it is.

The desk, the switches and the figures are the gateway's, served by the gateway; so the demo needs one port.
Who may ask is settled by `guard` before.
"""

from __future__ import annotations

from collections.abc import Callable

import aiohttp
from aiohttp import web

PATHS = (
    "/desk",
    "/desk/{name}",
    "/switches",
    "/switches/{name}",
    "/api/{rest:.+}",
    "/metrics",
    "/healthz",
    "/readyz",
)
WITHIN_S = 10.0
_PASSED = ("Content-Type", "If-None-Match", "X-Gudok-Who")
_ANSWERED = ("Content-Type", "ETag", "X-Gudok-Now")


class Passage:
    """Passes requests on to the gateway that runs now; `where` tells its address, "" while there is none."""

    def __init__(self, where: Callable[[], str]) -> None:
        self._where = where
        self._client: aiohttp.ClientSession | None = None

    def add_to(self, app: web.Application) -> None:
        """Join the routes."""
        for path in PATHS:
            app.router.add_route("*", path, self._pass)
        app.on_cleanup.append(self._close)

    async def _close(self, _: web.Application) -> None:
        if self._client is not None:
            await self._client.close()

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        address = self._where()
        if not address:
            raise web.HTTPServiceUnavailable(reason="the gateway is starting")
        if self._client is None:
            self._client = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(WITHIN_S))
        headers = {name: request.headers[name] for name in _PASSED if name in request.headers}
        url = f"{address}{request.rel_url.raw_path_qs}"
        try:
            async with self._client.request(
                request.method, url, data=await request.read(), headers=headers, allow_redirects=False
            ) as answer:
                given = {name: answer.headers[name] for name in _ANSWERED if name in answer.headers}
                return web.Response(status=answer.status, body=await answer.read(), headers=given)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise web.HTTPServiceUnavailable(reason="the gateway does not answer") from error
