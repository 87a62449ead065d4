"""The addresses of a gateway: what supervisor, balancer and Prometheus ask, what back ends and staff tell.

`/healthz` says that the loop turns; `/readyz` that every centre has a bind and the store can be written.
Neither they nor `/metrics` name a subscriber. Events and orders of staff are modules of their own.
"""

from __future__ import annotations

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import CollectorRegistry

from gateway.web.access import Access
from gateway.web.desk_api import DeskApi
from gateway.web.event_api import MOST_BODY, EventApi
from gateway.web.figures_api import FiguresApi
from gateway.web.metrics import GatewayMetrics
from gateway.web.queue_api import QueueApi
from gateway.web.switch_api import SwitchApi
from gateway.web.watched import Watched


class WebServer:
    """The pages of one gateway on one address."""

    def __init__(self, gateway: Watched, host: str, port: int) -> None:
        self._gateway = gateway
        self._host = host
        self._port = port
        self._runner: web.AppRunner | None = None
        self._registry = CollectorRegistry()
        self._registry.register(GatewayMetrics(gateway))
        self.port = port

    async def start(self) -> None:
        """Listen. Raises OSError when the address is taken."""
        app = web.Application(client_max_size=MOST_BODY)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_post("/events/{name}", EventApi(self._gateway).post)
        access = Access(self._gateway.settings.http_token)
        SwitchApi(self._gateway).add_to(app, access)
        QueueApi(self._gateway.desk, self._gateway.store).add_to(app, access)
        FiguresApi(self._gateway).add_to(app, access)
        DeskApi(self._gateway).add_to(app, access)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def _readyz(self, _: web.Request) -> web.Response:
        gateway = self._gateway
        state = {
            "bound": {name: link.bound for name, link in gateway.links.items()},
            "store": gateway.store.alarm or "ok",
            "started": gateway.ready,
            "draining": gateway.host.draining,
        }
        ready = gateway.ready and gateway.bound and not gateway.store.full and not gateway.host.draining
        return web.json_response({"ready": ready, **state}, status=200 if ready else 503)

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(
            body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )
