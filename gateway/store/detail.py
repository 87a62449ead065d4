"""Records of sessions: all those of one transaction in one row of the table `details`.

A row holds so many records, numbered from `first` on without gaps; what an older version has stored lies in
the table `detail`, a record to the row, with lower numbers. Knows neither commits nor what is in a record.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import islice

import msgspec

_LAST = (
    "SELECT coalesce((SELECT first + count - 1 FROM details ORDER BY first DESC LIMIT 1),"
    " (SELECT max(number) FROM detail), 0)"
)
_PUT = "INSERT INTO details (first, count, at, data) VALUES (?, ?, ?, ?)"
_SINGLY = "SELECT number, data FROM detail WHERE number > ? ORDER BY number LIMIT ?"
_TOGETHER = (
    "SELECT first, data FROM details WHERE first + count - 1 > ? AND first >= coalesce("
    "(SELECT max(first) FROM details WHERE first <= ?), 0) ORDER BY first"
)
_SINGLY_BETWEEN = "SELECT number, data FROM detail WHERE at >= ? AND at < ? ORDER BY number"
_TOGETHER_SINCE = "SELECT first, data FROM details WHERE at >= ? ORDER BY first"
_SWEEP_SINGLY = (
    "DELETE FROM detail WHERE number IN (SELECT number FROM detail WHERE at < ?"
    " AND (number < (SELECT max(number) FROM detail) OR EXISTS (SELECT 1 FROM details)) LIMIT ?)"
)
_SWEEP_TOGETHER = (
    "DELETE FROM details WHERE first IN (SELECT first FROM (SELECT first,"
    " sum(count) OVER (ORDER BY at, first ROWS UNBOUNDED PRECEDING) - count AS before"
    " FROM (SELECT first, count, at FROM details WHERE at < ? AND first < (SELECT max(first) FROM details)"
    " ORDER BY at, first LIMIT ?)) WHERE before < ?)"
)
"""The row with the highest numbers stays, so that no number is used twice."""
ENTRIES = 10
"""How many times as many records are swept at once as rows of other tables."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[tuple[int, msgspec.Raw]]).decode


def write_details(connection: sqlite3.Connection, records: list[tuple[int, object]]) -> int:
    """Write records (time as UTC ms, what JSON makes of it) with the numbers after the highest there is.

    Raises what a record that cannot be encoded raises. Returns the octets that they take.
    """
    data = _encode(records)
    (last,) = connection.execute(_LAST).fetchone()
    connection.execute(_PUT, (last + 1, len(records), max(at for at, _ in records), data))
    return len(data)


def details_after(connection: sqlite3.Connection, number: int, limit: int) -> list[tuple[int, bytes]]:
    """Return at most `limit` records with numbers above `number`, in order, each as JSON."""
    found: list[tuple[int, bytes]] = connection.execute(_SINGLY, (number, limit)).fetchall()
    rows = connection.execute(_TOGETHER, (number, number + 1))
    together = (one for first, data in rows for one in enumerate(_decode(data), first) if one[0] > number)
    found.extend((own, bytes(record)) for own, (_, record) in islice(together, limit - len(found)))
    rows.close()
    return found


def details_between(connection: sqlite3.Connection, since: int, until: int) -> Iterator[tuple[int, bytes]]:
    """Yield the records of sessions that ended from `since` on and before `until` (UTC ms), as above."""
    yield from connection.execute(_SINGLY_BETWEEN, (since, until))
    for first, data in connection.execute(_TOGETHER_SINCE, (since,)):
        for number, (at, record) in enumerate(_decode(data), first):
            if since <= at < until:
                yield number, bytes(record)


def sweep_details(connection: sqlite3.Connection, before: int, limit: int) -> bool:
    """Delete what is older than `before` (UTC ms), at most `limit` rows of a table.

    Returns whether some of it may be left.
    """
    singly = connection.execute(_SWEEP_SINGLY, (before, limit)).rowcount
    connection.execute(_SWEEP_TOGETHER, (before, limit, ENTRIES * limit))
    left = "SELECT 1 FROM details WHERE at < ? AND first < (SELECT max(first) FROM details) LIMIT 1"
    return singly >= limit or connection.execute(left, (before,)).fetchone() is not None
