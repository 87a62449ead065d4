"""The page `/desk`, where people work tasks, and `/api/desk`, the picture it shows: queues and open tasks.

The page asks for the picture again and again; as long as nothing has changed it is told only that (304), so
that looking often costs nothing. Single tasks and all work on them are `/api/queue`'s.
"""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import Any

import msgspec
from aiohttp import web

from engine.calendar import is_open
from engine.flow import Project
from gateway.host.desk import MONEY_RESULTS, RESULTS
from gateway.store.record import TaskRow
from gateway.web.access import Access
from gateway.web.queue_api import LISTED, brief
from gateway.web.watched import Watched

NOW = "X-Gudok-Now"
"""Header with the gateway's clock (UTC ms): by it, and not by the browser's, a task is late."""
_FILES = {
    "/desk": ("desk.html", "text/html"),
    "/desk/desk.css": ("desk.css", "text/css"),
    "/desk/desk.js": ("desk.js", "text/javascript"),
    "/desk/icon.svg": ("icon.svg", "image/svg+xml"),
}
_ORDER = ("solved", "unsolved", "escalate", "done", "not_done")


class DeskApi:
    """The desk of one gateway."""

    def __init__(self, gateway: Watched) -> None:
        self._gateway = gateway

    def add_to(self, app: web.Application, access: Access) -> None:
        """Join the routes: the page is there for all, what it shows only for those who may."""
        app.router.add_get("/api/desk", access.guarded(self.get))
        for path in _FILES:
            app.router.add_get(path, access.open(self.page))

    async def get(self, request: web.Request) -> web.StreamResponse:
        """Return the queues and the open tasks, those who came first at the head of their queue."""
        now = self._gateway.clock.now()
        body = msgspec.json.encode(self._picture(now))
        mark = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
        headers = {NOW: str(now), "ETag": mark}
        if request.headers.get("If-None-Match") == mark:
            return web.Response(status=304, headers=headers)
        return web.Response(body=body, content_type="application/json", headers=headers)

    def _picture(self, now: int) -> dict[str, Any]:
        project = self._gateway.library.current.project
        rows = sorted(
            self._gateway.people.tasks.open.values(), key=lambda one: (one.queue, one.arrival, one.number)
        )
        lengths: dict[str, int] = dict.fromkeys(project.queues, 0)
        for row in rows:
            lengths[row.queue] = lengths.get(row.queue, 0) + 1
        return {
            "queues": [_queue(project, name, length, now) for name, length in sorted(lengths.items())],
            "tasks": [listed(row) for row in rows[:LISTED]],
            "left_out": max(0, len(rows) - LISTED),
            "results": {
                "question": [one for one in _ORDER if one in RESULTS],
                "callback": [one for one in _ORDER if one in RESULTS],
                "money": [one for one in _ORDER if one in MONEY_RESULTS],
            },
        }

    async def page(self, request: web.Request) -> web.StreamResponse:
        """Return a file of the page."""
        name, kind = _FILES[request.path]
        body = (resources.files("gateway.web") / "page" / name).read_bytes()
        return web.Response(body=body, content_type=kind, charset="utf-8")


def listed(row: TaskRow) -> dict[str, Any]:
    """Return a task as the list of the desk shows it: nothing that the subscriber wrote, no full number."""
    return {
        **brief(row),
        "taken_at": row.taken_at,
        "not_before": row.not_before,
        "ahead_s": max(0, row.at - row.arrival) // 1000,
        "written": len(row.lines),
    }


def _queue(project: Project, name: str, length: int, now: int) -> dict[str, Any]:
    known = name in project.queues
    return {"name": name, "length": length, "open": known and is_open(project, name, now)}
