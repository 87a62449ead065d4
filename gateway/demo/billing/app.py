"""The wire of the demo billing: an aiohttp application, and a way to embed it in another program.

It listens on loopback only and answers JSON; money in answers is a string with two places. What an
operation does is none of its business.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

from gateway.demo.billing.admin import add_admin_routes
from gateway.demo.billing.clock import Clock
from gateway.demo.billing.desk import Desk, Request
from gateway.demo.billing.failure import JSON, pause, spoil
from gateway.demo.billing.fault import Board, Fault
from gateway.demo.billing.key import BOARD, DESK, NIGHT
from gateway.demo.billing.operation import OPERATIONS, Operation

MOST_BODY = 65_536
"""Largest request body, bytes."""

CLOSING: Final = web.AppKey("closing", asyncio.Event)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def create_app(database: Path, clock: Clock | None = None) -> web.Application:
    """Return the service over the books in `database`; a new file is filled with the demo's people.

    `clock` is real time if not given. Raises sqlite3.Error if the file cannot be used.
    """
    app = web.Application(client_max_size=MOST_BODY)
    app[DESK] = Desk(database, clock or Clock())
    app[BOARD] = Board()
    app[CLOSING] = asyncio.Event()
    app[NIGHT] = asyncio.Event()
    for operation in OPERATIONS:
        app.router.add_route(operation.method, operation.path, _handler(app, operation))
    add_admin_routes(app)
    app.cleanup_ctx.append(_nights)
    app.on_shutdown.append(_stop_waiting)
    app.on_cleanup.append(_close)
    return app


def _handler(app: web.Application, operation: Operation) -> Handler:
    desk, board, closing = app[DESK], app[BOARD], app[CLOSING]

    async def answer(request: web.Request) -> web.StreamResponse:
        parameter = next(iter(request.match_info.values()), "")
        body = await request.read() if operation.method == "POST" else b""
        order = Request(operation, parameter, request.headers.get("Idempotency-Key"), body)
        faults = board.choose(operation.name, parameter)
        if faults:
            return await _spoilt(request, desk, order, faults, closing)
        done = desk.perform(order)
        return web.Response(status=done.status, body=done.body, content_type=JSON)

    return answer


async def _spoilt(
    request: web.Request, desk: Desk, order: Request, faults: tuple[Fault, ...], closing: asyncio.Event
) -> web.StreamResponse:
    kinds = {fault.kind for fault in faults}
    await pause(sum(fault.delay for fault in faults), closing)
    status, body = 200, b"{}"
    if all(fault.works for fault in faults):
        done = desk.perform(order, forget="forget_keys" in kinds, store_refusals="store_refusals" in kinds)
        desk.blame(", ".join(sorted(kinds)))
        status, body = done.status, done.body
    else:
        desk.not_done(order, ", ".join(sorted(kinds)))
    await pause(sum(fault.after for fault in faults if fault.kind != "slow"), closing)
    worst = next(
        (fault for fault in faults if fault.kind not in ("forget_keys", "store_refusals", "delay")), faults[0]
    )
    return await spoil(request, worst, status, body, closing)


async def _nights(app: web.Application) -> AsyncIterator[None]:
    """Run the fee job at midnight of the clock even if nobody asks for anything."""
    task = asyncio.create_task(_watch(app[DESK], app[NIGHT]))
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _watch(desk: Desk, moved: asyncio.Event) -> None:
    while True:
        moved.clear()
        wait = None if desk.clock.frozen else desk.milliseconds_to_midnight() / 1000 + 0.001
        try:
            await asyncio.wait_for(moved.wait(), wait)
        except TimeoutError:
            desk.catch_up()


async def _stop_waiting(app: web.Application) -> None:
    app[CLOSING].set()


async def _close(app: web.Application) -> None:
    app[DESK].book.close()


@dataclass(slots=True)
class Running:
    """A service that runs inside this program; `desk` and `board` may be used directly."""

    url: str
    port: int
    desk: Desk
    board: Board
    runner: web.AppRunner

    async def close(self) -> None:
        """Stop listening, end what is still waiting, close the books."""
        await self.runner.cleanup()


async def start(database: Path, clock: Clock | None = None, *, port: int = 0) -> Running:
    """Start the service on 127.0.0.1; port 0 takes a free one. Raises OSError if the port is taken."""
    app = create_app(database, clock)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    try:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
    except BaseException:
        await runner.cleanup()
        raise
    taken = int(runner.addresses[0][1])
    return Running(f"http://127.0.0.1:{taken}", taken, app[DESK], app[BOARD], runner)
