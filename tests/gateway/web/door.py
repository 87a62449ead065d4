"""The HTTP side of a gateway on paper, and a project that takes events."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp

from gateway.settings import EventSettings
from gateway.web.server import WebServer
from gateway.web.signature import HEADER, sign
from tests.gateway.host.rig import BACKENDS, Rig, lay_out

KEY, OLD = b"k" * 32, b"o" * 32
EVENTS = """\
  events:
    visit: { phone: phone, shop: text, sum: money? }
    repaired: { reports: [{ phone: phone, number: int }] }
"""
VISIT = """\
flow:
  title: Визит
  event: shop.visit

start:
  - sms: Вы были в {{ event.shop }}.
"""
REPAIRED = """\
flow:
  title: Починили
  event: { on: shop.repaired, each: event.reports as r, to: r.phone }

start:
  - sms: Заявка {{ r.number }} выполнена.
"""


def lay_out_events(root: Path, project: str = "") -> None:
    """Write the project of the rig with events; `project` is added to config/project.yaml."""
    lay_out(root)
    (root / "config/backends.yaml").write_text(BACKENDS + EVENTS, encoding="utf-8")
    path = root / "config/project.yaml"
    text = path.read_text(encoding="utf-8").replace("memory:\n", "memory:\n  no_ads: forever\n")
    path.write_text(text.replace("parts: 3 }", f"parts: 3{project} }}"), encoding="utf-8")
    (root / "flows/visit.yaml").write_text(VISIT, encoding="utf-8")
    (root / "flows/repaired.yaml").write_text(REPAIRED, encoding="utf-8")


@dataclass
class Door:
    """A client of the pages."""

    rig: Rig
    url: str
    client: aiohttp.ClientSession

    async def event(
        self, name: str, data: Any, *, key: bytes = KEY, at: int = 0, header: str | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Send an event; `at` shifts the time of its signature (s), `header` replaces it."""
        body = data if isinstance(data, bytes) else json.dumps(data).encode()
        signature = sign(key, body, self.rig.clock.wall_ms() // 1000 + at) if header is None else header
        headers = {HEADER: signature} if signature else {}
        async with self.client.post(f"{self.url}/events/{name}", data=body, headers=headers) as response:
            return response.status, await response.json()

    async def get(self, path: str, **headers: str) -> tuple[int, Any]:
        async with self.client.get(self.url + path, headers=headers) as response:
            kind = response.content_type
            return response.status, await (response.json() if "json" in kind else response.text())

    async def order(self, headers: dict[str, str] | None = None, **order: str) -> tuple[int, Any]:
        async with self.client.post(f"{self.url}/api/switches", json=order, headers=headers) as response:
            return response.status, await response.json()


@asynccontextmanager
async def opened(rig: Rig, client: aiohttp.ClientSession, token: str | None = None) -> AsyncIterator[Door]:
    """Serve the pages of a rig, with events open."""
    rig.gateway.settings = replace(rig.gateway.settings, events=EventSettings((KEY, OLD)), http_token=token)
    server = WebServer(rig.gateway, "127.0.0.1", 0)
    await server.start()
    try:
        yield Door(rig, f"http://127.0.0.1:{server.port}", client)
    finally:
        await server.close()
