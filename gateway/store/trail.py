"""The states of the sessions as a log: one row for each transaction, and what is done with old rows.

Most sessions end before anybody would have to read them, so a row in `session` for every turn is work for
nothing. A transaction appends the sessions it has changed to `state`; a session is what its latest entry
there says. When rows of the log get old, or many, what is still true of the oldest is put into `session`, in
the transactions that come by, and the rows go. Knows SQL, but neither commits nor what a session is.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Collection, Iterator
from itertools import islice

import msgspec

from gateway.store.form import GONE, INLINE, Columns, State

AGE_MS = 30_000
"""Entries older than this are put into `session`."""
KEPT = 64 * 1024 * 1024
"""Octets of the log that are kept at most: what has to be read again after a crash."""
ROWS_AT_ONCE = 4
"""Rows of the log that one transaction clears up at most."""

_LOG = "INSERT INTO state (number, data) VALUES (?, ?)"
_PUT = (
    "INSERT INTO session (key, version, due, sealed, data) VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE"
    " SET version = excluded.version, due = excluded.due, sealed = excluded.sealed, data = excluded.data"
)
_FIND = "SELECT key, version, due, sealed, data FROM session WHERE key = ?"
_DROP = "DELETE FROM session WHERE key = ?"
_READ = "SELECT data FROM state WHERE number = ?"

_encode = msgspec.msgpack.Encoder().encode
_entries = msgspec.msgpack.Decoder(list[tuple[str, int, int | None, int, msgspec.Raw]]).decode
_octets = msgspec.msgpack.Decoder(bytes).decode


def _columns(key: str, version: int, due: int | None, kind: int, data: msgspec.Raw) -> Columns:
    """Return an entry as the columns of a row in `session`."""
    if kind == INLINE:
        return key, version, due, 0, bytes(data)
    return key, version, due, kind, _octets(data)


class Step:
    """What one transaction does to the log; nothing counts before `Trail.stored`."""

    __slots__ = ("cleared", "gone", "keys", "now", "number", "put", "removed", "size")

    def __init__(self, now: int) -> None:
        self.now = now
        self.number = 0
        self.size = 0
        self.keys: Collection[str] = ()
        self.gone: Collection[str] = ()
        self.cleared = 0
        self.put: list[str] = []
        self.removed: list[str] = []


class Trail:
    """The log of one database. `latest` says in which row a session was written last, if not in `session`."""

    __slots__ = ("_latest", "_number", "_rows", "_size", "_stored")

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Read what the log holds after the last stop, however that came about."""
        self._stored: set[str] = {key for (key,) in connection.execute("SELECT key FROM session")}
        self._latest: dict[str, int] = {}
        self._rows: deque[tuple[int, int, int]] = deque()
        self._size = 0
        self._number = 0
        for number, data in connection.execute("SELECT number, data FROM state ORDER BY number"):
            self._rows.append((number, len(data), 0))
            self._size += len(data)
            self._number = number
            for key, _, _, kind, _ in _entries(data):
                self._note(key, number, gone=kind == GONE)

    def _note(self, key: str, number: int, *, gone: bool) -> None:
        if gone and key not in self._stored:
            self._latest.pop(key, None)
        else:
            self._latest[key] = number

    @property
    def size(self) -> int:
        """Octets in the log."""
        return self._size

    def is_due(self, now: int) -> bool:
        """Tell whether rows wait to be cleared up at `now` (UTC ms)."""
        rows = self._rows
        return bool(rows) and (self._size > KEPT or rows[0][2] + AGE_MS <= now)

    # Reading

    def find(self, connection: sqlite3.Connection, key: str) -> Columns | None:
        """Return the columns of a session as committed, None if there is none."""
        number = self._latest.get(key)
        row = None if number is None else connection.execute(_READ, (number,)).fetchone()
        if row is None:  # also while the commit that clears its row up is still to be noted here
            found: Columns | None = connection.execute(_FIND, (key,)).fetchone()
            return found
        for entry in _entries(row[0]):
            if entry[0] == key:
                return None if entry[3] == GONE else _columns(*entry)
        return None

    def all(self, connection: sqlite3.Connection) -> Iterator[Columns]:
        """Return the columns of every session, each as committed last."""
        latest = self._latest
        for row in connection.execute("SELECT key, version, due, sealed, data FROM session"):
            if row[0] not in latest:
                yield row
        for number, data in connection.execute("SELECT number, data FROM state ORDER BY number"):
            for entry in _entries(data):
                if latest.get(entry[0]) == number and entry[3] != GONE:
                    yield _columns(*entry)

    # Writing

    def write(
        self, connection: sqlite3.Connection, sessions: dict[str, State], gone: dict[str, State], now: int
    ) -> Step:
        """Append what a transaction makes of sessions, and clear up what is due; call `stored` after it.

        `gone` are those that have ended.
        """
        step = Step(now)
        entries = list(sessions.values())
        if gone:  # of what was never stored nothing need be said
            latest, stored = self._latest, self._stored
            entries += [state for key, state in gone.items() if key in latest or key in stored]
        if entries:
            data = _encode(entries)
            step.number = self._number + 1
            step.size = len(data)
            step.keys, step.gone = sessions, gone
            connection.execute(_LOG, (step.number, data))
        if self.is_due(now):
            self._clear(connection, step, ROWS_AT_ONCE)
        return step

    def write_all(self, connection: sqlite3.Connection) -> Step:
        """Clear the whole log up in one transaction: at the end, when nothing else runs."""
        step = Step(0)
        self._clear(connection, step, len(self._rows))
        return step

    def _clear(self, connection: sqlite3.Connection, step: Step, limit: int) -> None:
        latest, stored = self._latest, self._stored
        puts: list[Columns] = []
        last = 0
        for number, _, _ in islice(self._rows, limit):
            (data,) = connection.execute(_READ, (number,)).fetchone()
            for key, version, due, kind, octets in _entries(data):
                if latest.get(key) != number:
                    continue
                if kind == GONE:
                    step.removed.append(key)
                else:
                    puts.append(_columns(key, version, due, kind, octets))
                    step.put.append(key)
            step.cleared += 1
            last = number
        if puts:
            connection.executemany(_PUT, puts)
        gone = [(key,) for key in step.removed if key in stored]
        if gone:
            connection.executemany(_DROP, gone)
        if step.cleared:
            connection.execute("DELETE FROM state WHERE number <= ?", (last,))

    def stored(self, step: Step) -> None:
        """The transaction of a step is on the disk."""
        latest, stored = self._latest, self._stored
        for _ in range(step.cleared):
            self._size -= self._rows.popleft()[1]
        for key in step.put:
            del latest[key]
            stored.add(key)
        for key in step.removed:
            del latest[key]
            stored.discard(key)
        if step.number:
            self._number = step.number
            self._rows.append((step.number, step.size, step.now))
            self._size += step.size
            latest.update(dict.fromkeys(step.keys, step.number))
            for key in step.gone:
                if key in stored:
                    latest[key] = step.number
                else:
                    latest.pop(key, None)
