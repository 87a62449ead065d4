"""The embedded store: one SQLite file, one process, every commit on the disk before it is acknowledged.

Theory of operation. The host gathers a batch; `commit` runs its statements at once on the loop's thread and
hands COMMIT to a writer thread, so the loop never waits for the disk. The usual turns of a batch are written
as two rows together (`gateway.store.turns`, `gateway.store.trail`), all else row by row. One commit is in
flight; batches that come meanwhile wait and go together in the next transaction. Readers use a second
connection and see what is committed. A full disk fails the commit, gives the reserve file back and raises
`alarm`.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import heapq
import os
import sqlite3
import sys
from collections.abc import Callable
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import IO, TypeAlias

from gateway.store.batch import Group, StoreBatch
from gateway.store.checkpoint import Checkpoint
from gateway.store.detail import Row, details_after
from gateway.store.error import StoreDamagedError, StoreError, StoreLockedError
from gateway.store.form import Form
from gateway.store.memory import MemoryCount
from gateway.store.migration import migrate
from gateway.store.record import (
    AuditRow,
    JournalRow,
    Loaded,
    OrderRow,
    RatingRow,
    Retention,
    StoredSession,
    SwitchRow,
    TaskRow,
    WaitRow,
)
from gateway.store.reserve import DEFAULT_SIZE, Reserve
from gateway.store.sealing import Sealer
from gateway.store.trail import Trail
from gateway.store.transaction import UNFIT, Change, mark_unfit
from gateway.store.turns import oldest_turn, turns_after, turns_since
from gateway.store.writer import Flight, Writer, commit

Done: TypeAlias = Callable[[list[Group], Exception | None], None]

SLOT_MS = 600_000
"""Contacts are counted in slots of ten minutes."""
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
_OLDEST_JOURNAL = "SELECT min(at) FROM journal WHERE retention = ?"
_OLDEST_ROW = {
    Retention.ONCE: "SELECT min(at) FROM once",
    Retention.TASK: "SELECT min(closed_at) FROM task WHERE open = 0",
    Retention.RATING: "SELECT min(at) FROM rating WHERE data IS NOT NULL",
    Retention.CONTACT: "SELECT min(at) FROM contact",
    Retention.DETAIL: (
        "SELECT min(at) FROM (SELECT at FROM rating UNION ALL SELECT at FROM detail"
        " UNION ALL SELECT at FROM details)"
    ),
    Retention.AUDIT: "SELECT min(at) FROM audit",
    Retention.WAIT: "SELECT min(arrival) FROM wait",
}


class SqliteStore:
    """The store of one gateway.

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
        self._form = Form(sealer)
        try:
            self._write = _connect(path)
            self.form_number = migrate(self._write)
            self._read = _connect(path)
            self._read.execute("PRAGMA query_only = 1")
        except sqlite3.Error as error:
            self._lock.close()
            raise StoreDamagedError(f"{path} cannot be opened: {error}") from error
        except StoreError:
            self._lock.close()
            raise
        self._memory = MemoryCount(self._committed_memory)
        self._trail = Trail(self._read)
        self._versions: dict[str, int] = {row[0]: row[1] for row in self._trail.all(self._read)}
        (last,) = self._read.execute("SELECT max(id) FROM journal").fetchone()
        (plain,) = self._read.execute(
            "SELECT max(first + count - 1) FROM turns WHERE first = (SELECT max(first) FROM turns)"
        ).fetchone()
        self._journal: int = max(last or 0, plain or 0, int(self.get_meta("journal") or b"0"))
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

    # Reading: what is committed.

    def load(self, now: int) -> Loaded:
        """Return what must be known again after a start at `now` (UTC ms)."""
        read, form = self._read.execute, self._form
        return Loaded(
            sessions=tuple(StoredSession(*row[:3]) for row in self._trail.all(self._read)),
            outbox=tuple(
                map(form.open_outbox, read("SELECT * FROM outbox WHERE final = 0 ORDER BY next_at, id"))
            ),
            orders=tuple(
                map(
                    form.open_order,
                    read(
                        "SELECT * FROM ledger WHERE open = 1 UNION SELECT * FROM ledger WHERE useful_to > ?"
                        " ORDER BY asked_at",
                        (now,),
                    ),
                )
            ),
            schedule=tuple(map(form.open_schedule, read("SELECT * FROM schedule ORDER BY due, id"))),
            tasks=tuple(map(form.open_task, read("SELECT * FROM task WHERE open = 1 ORDER BY number"))),
        )

    def get_session(self, key: str) -> tuple[int, bytes] | None:
        """Return the committed version and data of a session; raises SealError."""
        row = self._trail.find(self._read, key)
        return None if row is None else (row[1], self._form.open_session(key, row[3], row[4]))

    def find_turn(self, source: str) -> tuple[int, JournalRow] | None:
        """Return number and journal row of the message that came as `source`, for answering its repeat."""
        row = self._read.execute(
            "SELECT id, at, session, kind, retention, source, sealed, data, answer FROM journal"
            " WHERE source = ? ORDER BY id DESC LIMIT 1",
            (source,),
        ).fetchone()
        return None if row is None else (row[0], self._form.open_journal(row[1:]))

    def journal_after(self, number: int, limit: int) -> list[tuple[int, JournalRow]]:
        """Return at most `limit` journal rows with numbers above `number`, in order."""
        rows = self._read.execute(
            "SELECT id, at, session, kind, retention, source, sealed, data, answer FROM journal"
            " WHERE id > ? ORDER BY id LIMIT ?",
            (number, limit),
        )
        singly = ((row[0], self._form.open_journal(row[1:])) for row in rows)
        together = turns_after(self._read, number, limit)
        return list(islice(heapq.merge(singly, together, key=itemgetter(0)), limit))

    def journal_since(self, kind: str, at: int) -> list[JournalRow]:
        """Return the rows of one kind of class `session` that are not older than `at` (UTC ms), in order."""
        rows = self._read.execute(
            "SELECT id, at, session, kind, retention, source, sealed, data, answer FROM journal"
            " WHERE retention = ? AND at >= ? AND kind = ?",
            (Retention.SESSION.value, at, kind),
        )
        found = [(row[0], self._form.open_journal(row[1:])) for row in rows]
        found.extend(turns_since(self._read, kind, at))
        found.sort(key=lambda item: (item[1].at, item[0]))
        return [row for _, row in found]

    def find_order(self, identity: str) -> OrderRow | None:
        """Return the latest order with this identity, however old."""
        row = self._read.execute(
            "SELECT * FROM ledger WHERE identity = ? ORDER BY asked_at DESC, key DESC LIMIT 1", (identity,)
        ).fetchone()
        return None if row is None else self._form.open_order(row)

    def find_message(self, link: str, message_id: str) -> tuple[str, int] | None:
        """Return outbox id and part of the message that the centre of `link` calls `message_id`."""
        row = self._read.execute(
            "SELECT outbox_id, part FROM message WHERE link = ? AND message_id = ?", (link, message_id)
        ).fetchone()
        return None if row is None else (row[0], row[1])

    def count_memory(self, subject: str, name: str, now: int) -> int:
        """Return how many of `name` are remembered of `subject` at `now`, open batches included."""
        return self._memory.count(subject, name, now)

    def seen(self, kind: str, id: str) -> bool:  # noqa: A002 - the name of the column
        """Tell whether an outside id was taken by a committed group."""
        found = self._read.execute("SELECT 1 FROM once WHERE kind = ? AND id = ?", (kind, id)).fetchone()
        return found is not None

    def last_task(self) -> int:
        """Return the highest number a task has had, 0 if there was none."""
        (number,) = self._read.execute("SELECT max(number) FROM task").fetchone()
        return number or 0

    def find_task(self, number: int) -> TaskRow | None:
        """Return a task, open or closed; raises SealError."""
        row = self._read.execute("SELECT * FROM task WHERE number = ?", (number,)).fetchone()
        return None if row is None else self._form.open_task(row)

    def find_task_of(self, key: str) -> TaskRow | None:
        """Return the latest task with this key, open or closed; raises SealError."""
        row = self._read.execute(
            "SELECT * FROM task WHERE key = ? ORDER BY number DESC LIMIT 1", (key,)
        ).fetchone()
        return None if row is None else self._form.open_task(row)

    def closed_tasks(self, since: int, limit: int) -> list[TaskRow]:
        """Return at most `limit` tasks closed at or after `since` (UTC ms), the latest first."""
        rows = self._read.execute(
            "SELECT * FROM task WHERE open = 0 AND closed_at >= ? ORDER BY closed_at DESC LIMIT ?",
            (since, limit),
        )
        return [self._form.open_task(row) for row in rows]

    def ratings(self, since: int, limit: int) -> list[RatingRow]:
        """Return at most `limit` ratings given at or after `since` (UTC ms), the oldest first."""
        rows = self._read.execute(
            "SELECT at, flow, topic, score, low, high, channel, data FROM rating"
            " WHERE at >= ? ORDER BY at, id LIMIT ?",
            (since, limit),
        )
        return [self._form.open_rating(row) for row in rows]

    def was_here(self, who: bytes, topic: str, since: int) -> bool:
        """Tell whether a session of `who` (keyed hash) about `topic` has ended at or after `since`."""
        found = self._read.execute(
            "SELECT 1 FROM contact WHERE who = ? AND topic = ? AND at >= ? LIMIT 1", (who, topic, since)
        ).fetchone()
        return found is not None

    def contacts_by_slot(self, since: int) -> list[tuple[str, int, int]]:
        """Return (topic, number of the slot since 1970, sessions) of all slots from `since` (UTC ms)."""
        return self._read.execute(
            "SELECT topic, at / ?, count(*) FROM contact WHERE at >= ? GROUP BY 1, 2", (SLOT_MS, since)
        ).fetchall()

    def waits(self, since: int, limit: int) -> list[WaitRow]:
        """Return at most `limit` waits that began at or after `since` (UTC ms), in the order they ended.

        If there are more, the latest are returned.
        """
        rows = self._read.execute(
            "SELECT queue, arrival, waited, how, talk FROM wait WHERE arrival >= ? ORDER BY id DESC LIMIT ?",
            (since, limit),
        )
        return [WaitRow(*row) for row in rows][::-1]

    def switches(self) -> list[SwitchRow]:
        """Return everything that is switched by hand."""
        rows = self._read.execute("SELECT kind, name, value, at, who FROM switch ORDER BY kind, name")
        return [SwitchRow(*row) for row in rows]

    def audit(self, limit: int) -> list[AuditRow]:
        """Return the last `limit` acts of staff, the latest first."""
        rows = self._read.execute(
            "SELECT at, who, act, object, detail FROM audit ORDER BY id DESC LIMIT ?", (limit,)
        )
        return [AuditRow(*row) for row in rows]

    def details_after(self, number: int, limit: int) -> list[Row]:
        """Return rows with records of sessions with numbers above `number`, for `gateway.store.detail`.

        These are at least `limit` records, if there are so many.
        """
        return details_after(self._read, number, limit)

    def get_meta(self, name: str) -> bytes | None:
        """Return a small value of the gateway's own."""
        row = self._read.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else row[0]

    def oldest(self) -> dict[str, int]:
        """Return per retention class the time (UTC ms) of the oldest row that is subject to it."""
        found: dict[str, int] = {}
        for retention in Retention:
            times = [self._read.execute(_OLDEST_JOURNAL, (retention.value,)).fetchone()[0]]
            if retention is Retention.SESSION:
                times.append(oldest_turn(self._read))
            elif retention is Retention.SMS:
                times.append(self._read.execute("SELECT min(at) FROM outbox WHERE final = 1").fetchone()[0])
                times.append(self._read.execute("SELECT min(at) FROM message").fetchone()[0])
            elif retention is Retention.ORDER:
                times.append(self._read.execute("SELECT min(asked_at) FROM ledger").fetchone()[0])
            elif retention in _OLDEST_ROW:
                times.append(self._read.execute(_OLDEST_ROW[retention]).fetchone()[0])
            known = [at for at in times if at is not None]
            if known:
                found[retention.value] = min(known)
        return found

    def check(self) -> str:
        """Return `ok`, or what SQLite finds wrong with the file (reads all of it)."""
        (verdict,) = self._read.execute("PRAGMA integrity_check(1)").fetchone()
        return str(verdict)

    def _committed_memory(self, subject: str, name: str) -> list[int | None]:
        rows = self._read.execute("SELECT until FROM memory WHERE subject = ? AND name = ?", (subject, name))
        return [until for (until,) in rows]

    # Writing.

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
