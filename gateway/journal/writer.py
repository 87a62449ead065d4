"""Takes the records of sessions from the store to the files, a little behind the sessions, never before them.

The order is: files, then the position in the store. A crash between the two leaves octets in the files that
the position does not know; they are cut off at the next start.
"""

from __future__ import annotations

import asyncio

import msgspec
import structlog

from gateway.host.host import Clock
from gateway.journal.file import DetailFiles, Position
from gateway.store.batch import Group
from gateway.store.sqlite import SqliteStore

POSITION = "edr"
"""Name of the stored position."""
AT_ONCE = 10_000
"""Records written in one go, and the rest of the last row."""

_decode = msgspec.json.Decoder(Position).decode


class DetailWriter:
    """Owns the files while the gateway runs. `written` counts records, `problem` says why they stop."""

    def __init__(self, store: SqliteStore, files: DetailFiles, clock: Clock) -> None:
        self._store = store
        self._files = files
        self._clock = clock
        self._position: Position | None = None
        self._lock = asyncio.Lock()
        self.written = 0
        self.problem = ""
        self._log = structlog.get_logger()

    async def tend(self) -> None:
        """About once a second: write what has ended since, close what is full. Never raises."""
        async with self._lock:
            try:
                while await self._step():
                    pass
                self.problem = ""
            except (OSError, UnwrittenError) as error:
                self._position = None
                if self.problem != str(error):
                    self.problem = str(error)
                    self._log.error("edr_unwritten", reason=str(error))

    async def _step(self) -> bool:
        """Write one portion; True while there may be more."""
        position = self._position
        if position is None:
            stored = self._store.get_meta(POSITION)
            position = Position() if stored is None else _decode(stored)
            position = await asyncio.to_thread(self._files.restore, position)
        now = self._clock.now()
        rows = self._store.details_after(position.number, AT_ONCE)
        count = 0
        if rows:
            before = max(position.number, rows[0][0] - 1)
            position = await asyncio.to_thread(self._files.write, position, rows, now)
            await self._keep(position)
            count = position.number - before
            self.written += count
        if self._files.is_full(position, now):
            position = self._files.closing(position)
            await self._keep(position)
            position = await asyncio.to_thread(self._files.close, position)
            await self._keep(position)
        self._position = position
        return count >= AT_ONCE

    async def _keep(self, position: Position) -> None:
        """Store a position. Raises UnwrittenError; then the files are brought back to the stored one."""
        self._position = None
        batch = self._store.batch()
        batch.group().meta(POSITION, msgspec.json.encode(position))
        done: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

        def settle(_: list[Group], error: Exception | None) -> None:
            if not done.done():
                done.set_result(error)

        self._store.commit(batch, settle)
        error = await done
        if error is not None:
            raise UnwrittenError(str(error))


class UnwrittenError(Exception):
    """The position could not be stored."""
