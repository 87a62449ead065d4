"""Journal rows of plain turns: all those of one transaction in one row of the table `turns`.

A row holds so many entries, numbered from `first` on; other rows of the journal have their own numbers in
the table `journal`, and together there are no gaps. An answer that is a part of the data is not written
again: the entry says where it stands (`Place`). Knows neither commits nor what a turn is.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

import msgspec

from engine.values import unpack_extension
from gateway.store.batch import Place, Turn
from gateway.store.record import JournalRow

_PUT = "INSERT INTO turns (first, count, at, data) VALUES (?, ?, ?, ?)"

_SWEEP = (
    "DELETE FROM turns WHERE first IN (SELECT first FROM (SELECT first,"
    " sum(count) OVER (ORDER BY at, first ROWS UNBOUNDED PRECEDING) - count AS before"
    " FROM (SELECT first, count, at FROM turns WHERE at < ? ORDER BY at, first LIMIT ?)) WHERE before < ?)"
)
ROWS, ENTRIES = 4, 40
"""How many times as many rows, and entries in them, are swept at once as rows of other tables."""

_at = itemgetter(0)
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[tuple[int, str, str, msgspec.Raw, bytes | Place | None]]).decode
_decode_data = msgspec.msgpack.Decoder(ext_hook=unpack_extension).decode


def write_turns(connection: sqlite3.Connection, first: int, turns: list[Turn]) -> int:
    """Write entries numbered from `first` on; raises what an entry that cannot be encoded raises.

    Returns the octets that they take.
    """
    data = _encode(turns)
    connection.execute(_PUT, (first, len(turns), max(map(_at, turns)), data))
    return len(data)


def _rows(first: int, data: bytes) -> Iterator[tuple[int, JournalRow]]:
    for number, (at, session, kind, octets, answer) in enumerate(_decode(data), first):
        if isinstance(answer, tuple):
            answer = _found(octets, answer)
        yield number, JournalRow(at, session, kind, bytes(octets), None, answer)


def _found(octets: msgspec.Raw, place: Place) -> bytes:
    """Return what stands at a place of data."""
    there: Any = _decode_data(octets)
    for index in place:
        there = there[index]
    return bytes(there)


def turns_after(connection: sqlite3.Connection, number: int, limit: int) -> Iterator[tuple[int, JournalRow]]:
    """Return journal rows with numbers above `number` in order, at least `limit` if there are so many."""
    found = 0
    for first, data in connection.execute(
        "SELECT first, data FROM turns WHERE first + count - 1 > ? AND first >= coalesce("
        "(SELECT max(first) FROM turns WHERE first <= ?), 0) ORDER BY first",
        (number, number + 1),
    ):
        for row in _rows(first, data):
            if row[0] > number:
                yield row
                found += 1
        if found >= limit:
            return


def turns_since(connection: sqlite3.Connection, kind: str, at: int) -> Iterator[tuple[int, JournalRow]]:
    """Return the journal rows of a kind that are not older than `at` (UTC ms), in order."""
    for first, data in connection.execute(
        "SELECT first, data FROM turns WHERE at >= ? ORDER BY first", (at,)
    ):
        for number, row in _rows(first, data):
            if row.kind == kind and row.at >= at:
                yield number, row


def sweep_turns(connection: sqlite3.Connection, before: int, limit: int) -> bool:
    """Delete what is older than `before` (UTC ms), as much as costs about what `limit` rows do.

    Returns whether some of it is left.
    """
    connection.execute(_SWEEP, (before, ROWS * limit, ENTRIES * limit))
    return connection.execute("SELECT 1 FROM turns WHERE at < ? LIMIT 1", (before,)).fetchone() is not None


def oldest_turn(connection: sqlite3.Connection) -> int | None:
    """Return the time (UTC ms) of the oldest of the rows, as far as the sweeper is concerned."""
    (at,) = connection.execute("SELECT min(at) FROM turns").fetchone()
    return None if at is None else int(at)
