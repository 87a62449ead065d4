"""The write-ahead log brought into the database file, beside the commits and not inside them.

SQLite would do it within every so many COMMITs, and the turns of those would wait for tens of milliseconds.
Here a thread with a connection of its own copies what is committed while commits go on. Only a log that has
been copied to its end is begun anew, so when it is long, the writer is asked to copy the last few pages
itself, between two commits. Knows no table.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading

EVERY = 4 * 1024 * 1024
"""Octets written between two rounds, about."""
LONG = 4_096
"""Pages of a log that is to be begun anew."""

_COPY = "PRAGMA wal_checkpoint(PASSIVE)"


class Checkpoint:
    """Copies the log of one database; `connection` is used by nobody else. Errors leave the log as it is."""

    __slots__ = ("_closing", "_connection", "_thread", "_wake", "wants_end")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._wake = threading.Event()
        self._closing = False
        self.wants_end = False
        """The log is long: whoever commits is to call `copy_end` after it."""
        self._thread = threading.Thread(target=self._run, name="gudok-checkpoint", daemon=True)
        self._thread.start()

    def begin(self) -> None:
        """Much has been written: copy it. May be called from any thread."""
        self._wake.set()

    def copy_end(self, writer: sqlite3.Connection) -> None:
        """Copy what is left, on the writer's connection and thread: the next commit begins the log anew."""
        self.wants_end = False
        with contextlib.suppress(sqlite3.Error):
            writer.execute(_COPY).fetchone()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            if self._closing:
                return
            self._wake.clear()
            with contextlib.suppress(sqlite3.Error):
                _, pages, _ = self._connection.execute(_COPY).fetchone()
                self.wants_end = pages >= LONG

    def close(self) -> None:
        """End the thread; the connection stays its owner's."""
        self._closing = True
        self._wake.set()
        self._thread.join()
