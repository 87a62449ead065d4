"""The embedded store: one SQLite file, one process, every commit on the disk before it is acknowledged.

Theory of operation. The host gathers a batch; `commit` runs its statements at once on the loop's thread and
hands COMMIT to a writer thread, so the loop never waits for the disk. The usual turns of a batch are written
as two rows together (`gateway.store.turns`, `gateway.store.trail`), all else row by row. One commit is in
flight; batches that come meanwhile wait and go together in the next transaction. What is committed is read
by a second connection (`gateway.store.reader`). A full disk fails the commit, gives the reserve file back
and raises `alarm`.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, TypeAlias

from gateway.store.batch import Group, StoreBatch
from gateway.store.checkpoint import Checkpoint
from gateway.store.error import StoreDamagedError, StoreError, StoreLockedError
from gateway.store.form import Form
from gateway.store.memory import MemoryCount
from gateway.store.migration import migrate
from gateway.store.reader import Reader
from gateway.store.reserve import DEFAULT_SIZE, Reserve
from gateway.store.sealing import Sealer
from gateway.store.transaction import UNFIT, Change, mark_unfit
from gateway.store.writer import Flight, Writer, commit

Done: TypeAlias = Callable[[list[Group], Exception | None], None]

_SWITCH_INTERVAL_S = 0.0005
_SETTINGS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA busy_timeout = 5000",
    "PRAGMA wal_autocheckpoint = 0",
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -65536",
)


class SqliteStore(Reader):
    """The store of one gateway: it commits, and reads what is committed (`Reader`).

    Call it on the loop's thread only. `done` of a commit is called there too, never from inside `commit`,
    with the groups that were lost and the error that stopped everything (then nothing was stored).
    """

    atomic_commit = True
    power_safe = True
    survives_node_loss = False

    def __init__(self, path: Path, sealer: Sealer, *, reserve_size: int = DEFAULT_SIZE) -> None:
        """Open or create the database at `path`; raises StoreLockedError, StoreDamagedError, StoreError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._lock = _lock(path)
        try:
            self._write = _connect(path)
            self.form_number = migrate(self._write)
            super().__init__(_connect(path), Form(sealer))
        except sqlite3.Error as error:
            self._lock.close()
            raise StoreDamagedError(f"{path} cannot be opened: {error}") from error
        except StoreError:
            self._lock.close()
            raise
        self._memory = MemoryCount(self.ends_of_memory)
        self._versions: dict[str, int] = {row[0]: row[1] for row in self._trail.all(self._read)}
        self._journal = self.last_journal()
        self._flight: tuple[Flight, Change, list[Done]] | None = None
        self._waiting: list[tuple[StoreBatch, Done]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._reserve = Reserve(path.with_name(path.name + ".reserve"), reserve_size)
        self.alarm: str | None = None if self._reserve.make() else "the disk is nearly full"
        self.commits = 0
        self.behind = False
        """True when the last sweep has left something to be swept."""
        sys.setswitchinterval(min(sys.getswitchinterval(), _SWITCH_INTERVAL_S))
        self._copy = _connect(path)
        self._checkpoint = Checkpoint(self._copy)
        self._writer: Writer | None = Writer(self._write, self._checkpoint)

    def count_memory(self, subject: str, name: str, now: int) -> int:
        """Return how many of `name` are remembered of `subject` at `now`, open batches included."""
        return self._memory.count(subject, name, now)

    @property
    def full(self) -> bool:
        """Tell whether the disk has run full: take no new sessions and messages until this is over."""
        return not self._reserve.held

    @property
    def busy(self) -> bool:
        """Tell whether a commit is in flight; a batch committed now waits for it."""
        return self._flight is not None

    def batch(self, now: int = 0) -> StoreBatch:
        """Open a new batch; `now` is its moment (UTC ms), if it is of any."""
        return StoreBatch(self._form, self._memory, now)

    def commit(self, batch: StoreBatch, done: Done) -> None:
        """Store a batch; `done(lost groups, error)` comes on this loop once it is on the disk or failed."""
        if self._writer is None:
            raise StoreError("the store is closed")
        self._loop = asyncio.get_running_loop()
        if self._flight is not None:
            self._waiting.append((batch, done))
        else:
            self._start([(batch, done)])

    def commit_now(self, batch: StoreBatch) -> list[Group]:
        """Store a batch before returning, blocking this thread; returns the lost groups.

        For the start, the end and tools: nothing else may run meanwhile. Raises StoreError.
        """
        self.drain()
        results: list[tuple[list[Group], Exception | None]] = []
        self._start([(batch, lambda lost, error: results.append((lost, error)))], inline=True)
        lost, error = results[0]
        if error is not None:
            raise StoreError(f"nothing was stored: {error}") from error
        return lost

    def drain(self) -> None:
        """Wait, blocking this thread, until every commit has ended and its `done` was called."""
        while self._flight is not None:
            flight = self._flight[0]
            flight.finished.wait()
            self._landed(flight)

    def tend(self, now: int = 0) -> bool:
        """Take the reserve again if the disk has room; call it about once a second. True: all is well.

        At `now` (UTC ms) sessions that nothing has happened to for a while are put into their table, if
        nobody else commits.
        """
        if not self._reserve.held and self._reserve.make():
            self.alarm = None
        if self._reserve.held and self._flight is None and self._writer is not None:
            self._clear_up(now)
        return self._reserve.held

    def _clear_up(self, now: int, error: Exception | None = None) -> None:
        if error is None and self._flight is None and self._trail.is_due(now):
            self.commit(self.batch(now), lambda _, failed: self._clear_up(now, failed))

    def close(self) -> None:
        """Finish every commit, then give the file up. Calling it again does nothing."""
        if self._writer is None:
            return
        self.drain()
        self._writer.close()
        self._writer = None
        self._checkpoint.close()
        self._put_sessions()
        with contextlib.suppress(sqlite3.Error):
            self._copy.close()
            self._read.close()
            self._write.close()
        self._lock.close()

    def _put_sessions(self) -> None:
        """At the end: all sessions into their table, so that the next start need not read the log."""
        try:
            self._write.execute("BEGIN IMMEDIATE")
            self._trail.write_all(self._write)
            self._write.execute("COMMIT")
        except sqlite3.Error:  # the log says it all the same
            with contextlib.suppress(sqlite3.Error):
                self._write.execute("ROLLBACK")

    def _start(self, orders: list[tuple[StoreBatch, Done]], *, inline: bool = False) -> None:
        batches = [batch for batch, _ in orders]
        change = Change(self._write, self._versions, self._journal, batches, self._trail)
        flight = Flight()
        try:
            try:
                change.run()
            except UNFIT:
                self._write.execute("ROLLBACK")
                change.undo()
                mark_unfit(self._write, self._versions, self._journal, batches, self._trail)
                change = Change(self._write, self._versions, self._journal, batches, self._trail)
                change.run()
        except (sqlite3.Error, *UNFIT) as error:
            flight.error = error
            flight.finished.set()
        flight.size = change.size
        self._flight = (flight, change, [done for _, done in orders])
        if flight.error is not None:
            if not inline:
                assert self._loop is not None
                self._loop.call_soon(self._landed, flight)
        else:
            if inline:
                commit(self._write, flight)
            else:
                assert self._writer is not None
                self._writer.submit(flight, self._report)
        if inline:
            self._landed(flight)

    def _report(self, flight: Flight) -> None:
        loop = self._loop
        assert loop is not None
        with contextlib.suppress(RuntimeError):  # the loop is closed: `drain` finds the result
            loop.call_soon_threadsafe(self._landed, flight)

    def _landed(self, flight: Flight) -> None:
        if flight.landed or self._flight is None:
            return
        flight.landed = True
        _, change, callbacks = self._flight
        self._flight = None
        if flight.error is not None:
            self._failed(change, flight.error)
        else:
            self._journal = change.journal
            self.commits += 1
            if any(batch.swept for batch in change.batches):
                self.behind = change.behind
            if self.alarm is not None and (self._reserve.held or self._reserve.make()):
                self.alarm = None
        change.end(flight.error is None)
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            self._start(waiting)
        for done, lost in zip(callbacks, change.lost or [[] for _ in callbacks], strict=True):
            self._call(done, lost, flight.error)

    def _failed(self, change: Change, error: Exception) -> None:
        if self._write.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self._write.execute("ROLLBACK")
        change.undo()
        change.lost = []
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            self._reserve.free()
            self.alarm = "the disk is full"
        else:
            self.alarm = f"the store cannot be written: {error}"

    def _call(self, done: Done, lost: list[Group], error: Exception | None) -> None:
        try:
            done(lost, error)
        except Exception as problem:
            if self._loop is None or self._loop.is_closed():
                raise
            self._loop.call_exception_handler({"message": "a commit's callback failed", "exception": problem})


def _lock(path: Path) -> IO[str]:
    name = path.with_name(path.name + ".lock")
    descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    file = os.fdopen(descriptor, "r+", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise StoreLockedError(f"{path} is in use by another process") from None
    return file


def _connect(path: Path) -> sqlite3.Connection:
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600))
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    for setting in _SETTINGS:
        connection.execute(setting)
    return connection
