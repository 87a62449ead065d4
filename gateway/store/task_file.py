"""The tasks of a store, read from its file without taking it over: for tools, while a gateway runs or not.

Nothing is written, nothing is locked for longer than a look. What is sealed needs the key of the store.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import msgspec

from gateway.store.error import StoreDamagedError, StoreError
from gateway.store.form import Form
from gateway.store.record import TaskRow
from gateway.store.sealing import Sealer

_OPEN = (
    "SELECT number, kind, queue, state, at, due, subscriber, topic FROM task"
    " WHERE open = 1 ORDER BY queue, arrival, number"
)
_CLOSED = (
    "SELECT number, kind, queue, state, at, due, subscriber, topic FROM task"
    " WHERE open = 0 ORDER BY closed_at DESC LIMIT 1000"
)


class TaskLine(msgspec.Struct, frozen=True):
    """What is known of a task without the key; times are UTC ms."""

    number: int
    kind: str
    queue: str
    state: str
    at: int
    due: int
    subscriber: str
    topic: str


class TaskFile:
    """One store file at `path`. Every method raises StoreError when it cannot be read."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def lines(self, *, closed: bool = False) -> list[TaskLine]:
        """Return the open tasks in the order of their queues; with `closed` the others, the latest first."""
        statement = _CLOSED if closed else _OPEN
        with self._opened() as connection:
            rows = connection.execute(statement)
            return [TaskLine(*row) for row in rows]

    def task(self, number: int, sealer: Sealer) -> TaskRow | None:
        """Return one task whole; raises SealError with another key."""
        with self._opened() as connection:
            row = connection.execute("SELECT * FROM task WHERE number = ?", (number,)).fetchone()
        return None if row is None else Form(sealer).open_task(row)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        if not self._path.is_file():
            raise StoreError(f"there is no store at {self._path}")
        try:
            connection = sqlite3.connect(f"file:{quote(str(self._path))}?mode=ro", uri=True, timeout=5)
        except sqlite3.Error as error:
            raise StoreDamagedError(f"{self._path} cannot be opened: {error}") from error
        try:
            yield connection
        except sqlite3.Error as error:
            raise StoreDamagedError(f"{self._path} cannot be read: {error}") from error
        finally:
            connection.close()
