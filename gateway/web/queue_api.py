"""`/api/queue`: the tasks of people, looked at and worked from outside. Who may is `gateway.web.access`'s.

A list shows masked numbers; a single task shows what a person needs to work it, the number in full, and the
look is noted for the audit as every change is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from engine.masking import masked_number
from gateway.host.desk import Desk
from gateway.host.task import TaskError
from gateway.store.error import StoreError
from gateway.store.record import TaskRow
from gateway.store.sqlite import SqliteStore
from gateway.web.access import Access, who

LISTED = 1_000
"""Tasks in one answer at most."""


class _Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    text: str


class _Closing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    result: str = ""
    topic: str = ""
    note: str = ""


_Body = TypeVar("_Body")


class QueueApi:
    """The addresses under `/api/queue`."""

    def __init__(self, desk: Desk, store: SqliteStore) -> None:
        self._desk = desk
        self._store = store

    def add_to(self, app: web.Application, access: Access) -> None:
        """Join the routes, for those who may."""
        router, guarded = app.router, access.guarded
        router.add_get("/api/queue", guarded(self._list))
        router.add_get("/api/queue/{number:[0-9]{1,15}}", guarded(self._show))
        router.add_post("/api/queue/{number:[0-9]{1,15}}/take", guarded(self._take))
        router.add_post("/api/queue/{number:[0-9]{1,15}}/answer", guarded(self._answer))
        router.add_post("/api/queue/{number:[0-9]{1,15}}/close", guarded(self._close))

    async def _list(self, request: web.Request) -> web.Response:
        queue = request.query.get("queue")
        if request.query.get("closed"):
            rows = self._store.closed_tasks(0, LISTED)
        else:
            tasks = self._desk.tasks.open.values()
            rows = sorted(tasks, key=lambda one: (one.queue, one.arrival, one.number))
        chosen = [row for row in rows if queue is None or row.queue == queue]
        shown = [brief(row) for row in chosen[:LISTED]]
        return web.json_response({"tasks": shown, "left_out": max(0, len(chosen) - LISTED)})

    async def _show(self, request: web.Request) -> web.Response:
        try:
            row = await self._desk.show(_number(request), by=who(request))
        except (TaskError, StoreError) as error:
            return _refused(error)
        return web.json_response({"task": whole(row)})

    async def _take(self, request: web.Request) -> web.Response:
        try:
            row = await self._desk.take(_number(request), by=who(request))
        except (TaskError, StoreError) as error:
            return _refused(error)
        return web.json_response({"task": brief(row)})

    async def _answer(self, request: web.Request) -> web.Response:
        body = await _read(request, _Answer)
        try:
            row = await self._desk.answer(_number(request), body.text, by=who(request))
        except (TaskError, StoreError) as error:
            return _refused(error)
        return web.json_response({"task": brief(row)})

    async def _close(self, request: web.Request) -> web.Response:
        body = await _read(request, _Closing)
        try:
            row = await self._desk.close(
                _number(request), body.result, body.topic, body.note, by=who(request)
            )
        except (TaskError, StoreError) as error:
            return _refused(error)
        return web.json_response({"task": brief(row)})


def brief(row: TaskRow) -> Mapping[str, Any]:
    """Return a task as a list shows it."""
    return {
        "number": row.number,
        "kind": row.kind.value,
        "queue": row.queue,
        "state": row.state.value,
        "at": row.at,
        "due": row.due,
        "overdue": row.overdue,
        "subscriber": masked_number(row.subscriber),
        "topic": row.topic,
        "result": row.result,
    }


def whole(row: TaskRow) -> Mapping[str, Any]:
    """Return a task as whoever works it sees it."""
    return {
        **brief(row),
        "subscriber": row.subscriber,
        "code": row.code,
        "skills": list(row.skills),
        "not_before": row.not_before,
        "taken_at": row.taken_at,
        "closed_at": row.closed_at,
        "trail": list(row.trail),
        "lines": [{"at": line.at, "who": line.who, "text": line.text} for line in row.lines],
        "note": row.closing,
        "about": row.about,
    }


def _number(request: web.Request) -> int:
    return int(request.match_info["number"])


async def _read(request: web.Request, shape: type[_Body]) -> _Body:
    try:
        return msgspec.json.decode(await request.read(), type=shape)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise web.HTTPBadRequest(reason=" ".join(str(error).split())) from error


def _refused(error: Exception) -> web.Response:
    status = 503 if isinstance(error, StoreError) else 409
    return web.json_response({"error": str(error)}, status=status)
