"""What a running gateway does by the clock: quick looks, housekeeping, and the sweep of the store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from gateway.clock import WallClock
from gateway.journal.writer import DetailWriter
from gateway.store.record import Retention
from gateway.store.retention import Sweeper
from gateway.store.sqlite import SqliteStore

TEND_EVERY_S = 1.0
PACE_EVERY_S = 0.1
SWEEP_EVERY_S = 60.0


class Upkeep:
    """`pace` is called ten times a second and `tend` once, with the moment (UTC ms).

    `details` writes the records of sessions out, `sweep` deletes old sounds; records of sessions stay in the
    store for `keep_ms`.
    """

    def __init__(
        self,
        store: SqliteStore,
        clock: WallClock,
        *,
        pace: Callable[[int], None],
        tend: Callable[[int], None],
        details: DetailWriter | None,
        sweep: Callable[[], Awaitable[None]],
        keep_ms: int,
    ) -> None:
        self._store = store
        self._clock = clock
        self._pace = pace
        self._tend = tend
        self._details = details
        self._sweep = sweep
        self._sweeper = Sweeper({Retention.DETAIL: keep_ms})
        self._log = structlog.get_logger()

    async def watch_pace(self) -> None:
        """Ten times a second let go what is sent and begun at a pace."""
        while True:
            await asyncio.sleep(PACE_EVERY_S)
            try:
                self._pace(self._clock.now())
            except Exception:
                # A fault of ours in one look must not end the looking.
                self._log.error("pace_fault", exc_info=True)

    async def watch(self) -> None:
        """Once a second look after the disk, once a minute (or until it is gone) delete what is too old."""
        since_sweep = 0.0
        while True:
            await asyncio.sleep(TEND_EVERY_S)
            since_sweep += TEND_EVERY_S
            try:
                self._store.tend(self._clock.now())
                self._tend(self._clock.now())
                if self._details is not None:
                    await self._details.tend()
                if since_sweep >= SWEEP_EVERY_S or self._store.behind:
                    since_sweep = 0.0
                    await self._sweep()
                    batch = self._store.batch()
                    self._sweeper.plan(batch, self._clock.now())
                    self._store.commit(batch, lambda lost, error: None)
            except Exception:
                # A fault of ours in one look must not end the looking.
                self._log.error("tend_fault", exc_info=True)
