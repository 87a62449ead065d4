"""Clearing up orders whose outcome is unknown: repeat or ask when due, then tell (reliability 2.1)."""

from __future__ import annotations

import asyncio

import structlog

from gateway.backends.client import Backend
from gateway.backends.order import Attempt, Orders
from gateway.backends.outcome import UNKNOWN, Outcome
from gateway.host.batch import Batch
from gateway.host.call import RETRY_COMMIT_S, Calls
from gateway.host.host import Host

LOOK_EVERY_S = 0.25


class Settling:
    """Looks for orders that are due a few times a second, and carries their attempts out."""

    def __init__(self, host: Host, backend: Backend, orders: Orders, calls: Calls) -> None:
        self._host = host
        self._backend = backend
        self._orders = orders
        self._calls = calls
        self._tasks: set[asyncio.Task[None]] = set()
        self._log = structlog.get_logger()

    async def watch(self) -> None:
        """Look again and again; cancel it to stop."""
        while True:
            try:
                self.look()
            except Exception as fault:
                # A fault of ours in one look must not end the looking.
                self._host.counters["faults"] += 1
                self._log.error("settle_fault", kind=type(fault).__name__, exc_info=True)
            await asyncio.sleep(LOOK_EVERY_S)

    def look(self) -> None:
        """Start the attempts that are due now, and hand to people what can only be cleared up by them."""
        now = self._host.clock.now()
        for attempt in self._orders.due(now):
            task = asyncio.get_running_loop().create_task(self._carry_out(attempt))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        for change in self._orders.given_up(now):
            self._host.take(self._calls.take_change, change)

    async def _carry_out(self, attempt: Attempt) -> None:
        order = attempt.order
        try:
            outcome = await self._backend.call(
                attempt.operation,
                attempt.arguments,
                phone=order.caller,
                lang=order.lang,
                channel=order.channel,
                key=attempt.key,
                within_ms=None,
            )
        except Exception as fault:
            self._host.counters["faults"] += 1
            self._log.error(
                "settle_fault", operation=order.operation, kind=type(fault).__name__, exc_info=True
            )
            outcome = Outcome(UNKNOWN)
        self._host.counters[f"settle.{order.operation}.{outcome.name}"] += 1
        self._host.take(self._settled, (attempt, outcome))

    def _settled(self, batch: Batch, item: tuple[Attempt, Outcome]) -> None:
        attempt, outcome = item
        change = self._orders.settled(attempt, outcome, batch.now)
        loop = asyncio.get_running_loop()
        batch.refuse(loop.call_later, RETRY_COMMIT_S, self._host.take, self._settled, item)
        self._calls.take_change(batch, change)

    async def close(self) -> None:
        """Cancel the attempts under way: they are made again after the next start."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
