"""The thread that makes commits durable: it runs COMMIT (the fsync) and no statement of a batch.

`sqlite3` gives the interpreter lock up at every one of them and gets it back
late when the loop is busy.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from queue import SimpleQueue

from gateway.store.checkpoint import EVERY, Checkpoint


class Flight:
    """One commit under way. `error` is None once `finished` is set and it went well.

    `size` are the octets it writes, about.
    """

    __slots__ = ("error", "finished", "landed", "size")

    def __init__(self) -> None:
        self.size = 0
        self.finished = threading.Event()
        self.error: Exception | None = None
        self.landed = False


class Writer:
    """Commits transactions of one connection, one after the other."""

    __slots__ = ("_checkpoint", "_connection", "_queue", "_size", "_thread")

    def __init__(self, connection: sqlite3.Connection, checkpoint: Checkpoint) -> None:
        self._connection = connection
        self._checkpoint = checkpoint
        self._size = 0
        self._queue: SimpleQueue[tuple[Flight, Callable[[Flight], None]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="gudok-store", daemon=True)
        self._thread.start()

    def submit(self, flight: Flight, then: Callable[[Flight], None]) -> None:
        """Commit what the connection has begun; `then(flight)` is called on the writer's thread."""
        self._queue.put((flight, then))

    def _run(self) -> None:
        while (order := self._queue.get()) is not None:
            flight, then = order
            commit(self._connection, flight)
            self._size += flight.size
            if self._checkpoint.wants_end:
                self._checkpoint.copy_end(self._connection)
            then(flight)
            if self._size >= EVERY:
                self._size = 0
                self._checkpoint.begin()

    def close(self) -> None:
        """Finish what was submitted and end the thread."""
        self._queue.put(None)
        self._thread.join()


def commit(connection: sqlite3.Connection, flight: Flight) -> None:
    """Run COMMIT on this thread and note how it went."""
    try:
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        flight.error = error
    flight.finished.set()
