"""Records of sessions: all those of one transaction in one row of the table `details`.

A row holds so many records, numbered from `first` on without gaps. A record is what it has in common with
many others, a JSON object, and what only it has; a row holds the first once for all its records, so that a
record takes a tenth of what it says. What older versions have stored is read as records with nothing of
their own: rows of `details` without `common`, and the table `detail`, a record to the row, with lower
numbers. Knows neither commits nor what is in a record.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any, TypeAlias

import msgspec

Own: TypeAlias = Sequence[Any]
"""What only this record has, as MessagePack can write it."""
Ended: TypeAlias = tuple[int, bytes, Own]
"""A record to be written: when the session ended (UTC ms), the common part as JSON, its own part."""
Row: TypeAlias = tuple[int, bytes | None, bytes]
"""Number of the first record, common parts, records: as the database has them, see `opened`."""

_LAST = (
    "SELECT coalesce((SELECT first + count - 1 FROM details ORDER BY first DESC LIMIT 1),"
    " (SELECT max(number) FROM detail), 0)"
)
_PUT = "INSERT INTO details (first, count, at, common, data) VALUES (?, ?, ?, ?, ?)"
_SINGLY = "SELECT number, at, CAST(data AS BLOB) FROM detail WHERE number > ? ORDER BY number LIMIT ?"
_TOGETHER = (
    "SELECT first, common, data, count FROM details WHERE first + count - 1 > ? AND first >= coalesce("
    "(SELECT max(first) FROM details WHERE first <= ?), 0) ORDER BY first"
)
_SINGLY_BETWEEN = "SELECT number, at, CAST(data AS BLOB) FROM detail WHERE at >= ? AND at < ? ORDER BY number"
_TOGETHER_SINCE = "SELECT first, common, data FROM details WHERE at >= ? ORDER BY first"
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

_at = itemgetter(0)
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[tuple[int, int, list[Any]]]).decode
_decode_common = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_whole = msgspec.json.Decoder(list[tuple[int, msgspec.Raw]]).decode


class Portion(msgspec.Struct, frozen=True):
    """The records of one row: `entries` are numbered from `first` on.

    An entry says which of `common` it has, when the session ended (UTC ms) and what only it has.
    """

    first: int
    common: list[bytes]
    entries: list[tuple[int, int, list[Any]]]


def write_details(connection: sqlite3.Connection, records: list[Ended]) -> int:
    """Write records with the numbers after the highest there is.

    Raises what a record that cannot be encoded raises. Returns the octets that they take.
    """
    places: dict[bytes, int] = {}
    data = _encode([(places.setdefault(common, len(places)), at, own) for at, common, own in records])
    common = b"[%b]" % b",".join(places)
    (last,) = connection.execute(_LAST).fetchone()
    latest = max(map(_at, records))
    connection.execute(_PUT, (last + 1, len(records), latest, common, data))
    return len(common) + len(data)


def details_after(connection: sqlite3.Connection, number: int, limit: int) -> list[Row]:
    """Return the rows of records with numbers above `number`, in order.

    These are at least `limit` records, if there are so many; the first row may begin at or below `number`.
    """
    found = [_single(*row) for row in connection.execute(_SINGLY, (number, limit))]
    count = len(found)
    if count < limit:
        rows = connection.execute(_TOGETHER, (number, number + 1))
        for first, common, data, records in rows:
            found.append((first, common, data))
            count += min(records, first + records - 1 - number)
            if count >= limit:
                break
        rows.close()
    return found


def opened(row: Row, after: int = 0) -> Portion:
    """Return the records of a row that have numbers above `after`."""
    first, common, data = row
    if common is None:
        whole = _decode_whole(data)
        found = Portion(
            first,
            [bytes(record) for _, record in whole],
            [(place, at, []) for place, (at, _) in enumerate(whole)],
        )
    else:
        found = Portion(first, [bytes(one) for one in _decode_common(common)], _decode(data))
    if first > after:
        return found
    return Portion(after + 1, found.common, found.entries[after + 1 - first :])


def details_between(connection: sqlite3.Connection, since: int, until: int) -> Iterator[Portion]:
    """Yield the records of sessions that ended from `since` on and before `until` (UTC ms), in order."""
    for row in connection.execute(_SINGLY_BETWEEN, (since, until)):
        yield opened(_single(*row))
    for row in connection.execute(_TOGETHER_SINCE, (since,)):
        portion = opened(row)
        for number, entry in enumerate(portion.entries, portion.first):
            if since <= entry[1] < until:
                yield Portion(number, portion.common, [entry])


def _single(number: int, at: int, data: bytes) -> Row:
    """Return a record of the table `detail` as a row of one."""
    return number, None, b"[[%d,%b]]" % (at, data)


def sweep_details(connection: sqlite3.Connection, before: int, limit: int) -> bool:
    """Delete what is older than `before` (UTC ms), at most `limit` rows of a table.

    Returns whether some of it may be left.
    """
    singly = connection.execute(_SWEEP_SINGLY, (before, limit)).rowcount
    connection.execute(_SWEEP_TOGETHER, (before, limit, ENTRIES * limit))
    left = "SELECT 1 FROM details WHERE at < ? AND first < (SELECT max(first) FROM details) LIMIT 1"
    return singly >= limit or connection.execute(left, (before,)).fetchone() is not None
