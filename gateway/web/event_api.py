"""`POST /events/<backend>.<event>`: what back ends tell us, signed, checked, stored before it is confirmed.

202 means stored: its flows begin exactly once, whatever happens from then on. The same id again is 202 and
nothing else. 400 names the field that does not fit, 401 a bad signature, 404 an unknown event or a closed
door, 413 a body that is too large, 503 that the event must be sent again.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from engine.flow_set import FlowSet
from engine.types import Record
from engine.values import Value
from gateway.backends.wire import MisfitError, parse_json, read_record
from gateway.host.batch import Batch
from gateway.web.signature import HEADER, complaint
from gateway.web.stored import NotStoredError, stored
from gateway.web.watched import Watched

MOST_BODY = 256 * 1024
"""Octets of one event: a thousand elements of `each` with some fields."""
ID_MOST = 128
AGAIN_S = "5"
_SETTLED = "_settled"


def declared(flows: FlowSet, name: str) -> Record | None:
    """Return the fields of an event that a back end may send, None if there is no such event.

    The end of an order is known here and to nobody else: `<operation>_settled` does not come from outside.
    """
    if name.endswith(_SETTLED) and name.removesuffix(_SETTLED) in flows.operations:
        return None
    return flows.events.get(name)


def read_event(body: bytes, record: Record) -> tuple[str, dict[str, Value]]:
    """Return id and fields of an event. Raises MisfitError with the field that does not fit."""
    try:
        data: Any = parse_json(body)
    except MisfitError:
        raise MisfitError("the body is no JSON in UTF-8") from None
    if not isinstance(data, dict):
        raise MisfitError("the body is no object")
    event_id = data.get("id")
    if isinstance(event_id, int) and not isinstance(event_id, bool):
        event_id = str(event_id)
    if not isinstance(event_id, str) or not event_id or len(event_id) > ID_MOST:
        raise MisfitError(f"id is missing: a text of 1 to {ID_MOST} characters, another one for each event")
    if not (event_id.isascii() and event_id.isprintable()):
        raise MisfitError("id has characters beyond ASCII")
    return event_id, read_record(data, record, "event")


class EventApi:
    """The door for events of one gateway."""

    def __init__(self, gateway: Watched) -> None:
        self._gateway = gateway

    async def post(self, request: web.Request) -> web.StreamResponse:
        """Take an event."""
        settings = self._gateway.settings.events
        counters = self._gateway.host.counters
        if settings is None:
            return _answer(404, "events are closed: set events.secret in config/gateway.yaml")
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            counters["events_refused.size"] += 1
            return _answer(413, f"an event has at most {MOST_BODY} octets")
        now_s = self._gateway.clock.wall_ms() // 1000
        bad = complaint(request.headers.get(HEADER), body, settings.keys, now_s)
        if bad is not None:
            counters["events_refused.signature"] += 1
            return _answer(401, bad)
        name = request.match_info["name"]
        record = declared(self._gateway.library.current, name)
        if record is None:
            counters["events_refused.unknown"] += 1
            return _answer(404, f"no back end declares the event {name}")
        try:
            event_id, fields = read_event(body, record)
        except MisfitError as error:
            counters["events_refused.misfit"] += 1
            return _answer(400, str(error))
        return await self._store(name, event_id, fields)

    async def _store(self, name: str, event_id: str, fields: dict[str, Value]) -> web.Response:
        def accept(batch: Batch) -> None:
            self._gateway.outside.accept(batch, name, event_id, fields)

        try:
            await stored(self._gateway.host, accept)
        except NotStoredError as error:
            self._gateway.host.counters["events_refused.store"] += 1
            return _answer(503, f"not stored, send it again: {error}", {"Retry-After": AGAIN_S})
        return web.json_response({"accepted": event_id}, status=202)


def _answer(status: int, text: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"error": text}, status=status, headers=headers)
