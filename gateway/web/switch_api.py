"""`/api/switches` and the page `/switches`: what staff switch by hand; an order is stored, then answered."""

from __future__ import annotations

from importlib import resources
from typing import Any

import msgspec
from aiohttp import web

from gateway.flow_start import begins_sessions
from gateway.host.batch import Batch
from gateway.switch import ACTS, Order, RefusedError, State
from gateway.web.access import Access, who
from gateway.web.stored import NotStoredError, stored
from gateway.web.watched import Watched

AUDIT_SHOWN = 50
_FILES = {
    "/switches": ("switches.html", "text/html"),
    "/switches/switches.css": ("switches.css", "text/css"),
    "/switches/switches.js": ("switches.js", "text/javascript"),
}


def shown(state: State) -> dict[str, Any]:
    """Return the switches as JSON can hold them."""
    return {
        "off": {flow: dict(texts) for flow, texts in sorted(state.off.items())},
        "blocked": dict(sorted(state.blocked.items())),
        "allowed": {flow: sorted(numbers) for flow, numbers in sorted(state.allowed.items())},
        "announcement": state.announcement,
    }


class SwitchApi:
    """Shows and changes the switches of one gateway."""

    def __init__(self, gateway: Watched) -> None:
        self._gateway = gateway

    def add_to(self, app: web.Application, access: Access) -> None:
        """Join the routes: the page is there for all, what it shows only for those who may."""
        app.router.add_get("/api/switches", access.guarded(self.get))
        app.router.add_post("/api/switches", access.guarded(self.post))
        for path in _FILES:
            app.router.add_get(path, access.open(self.page))

    async def get(self, request: web.Request) -> web.StreamResponse:
        """Return what is switched, the flows that can be, and who has done what."""
        gateway = self._gateway
        flows = gateway.library.current
        return _json(
            {
                **shown(gateway.host.switches.state),
                "flows": {
                    name: flow.title
                    for name, flow in sorted(flows.flows.items())
                    if begins_sessions(flows, name)
                },
                "audit": [msgspec.to_builtins(row) for row in gateway.store.audit(AUDIT_SHOWN)],
            }
        )

    async def post(self, request: web.Request) -> web.StreamResponse:
        """Carry an order out."""
        try:
            order = msgspec.json.decode(await request.read(), type=Order)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            return _json({"error": f"the body does not fit: {error}", "acts": list(ACTS)}, 400)
        name = who(request)

        def carry_out(batch: Batch) -> None:
            self._gateway.host.switches.carry_out(batch, order, name)

        try:
            await stored(self._gateway.host, carry_out)
        except RefusedError as error:
            return _json({"error": str(error)}, 409)
        except NotStoredError as error:
            return _json({"error": f"nothing was changed: {error}"}, 503)
        return _json(shown(self._gateway.host.switches.state))

    async def page(self, request: web.Request) -> web.StreamResponse:
        """Return a file of the page."""
        name, kind = _FILES[request.path]
        body = (resources.files("gateway.web") / "page" / name).read_bytes()
        return web.Response(body=body, content_type=kind, charset="utf-8")


def _json(data: object, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(data), status=status, content_type="application/json")
