"""The files of records: CSV and JSON lines beside each other, closed by size and age, never torn.

A file that grows is called `edr-<number of its first record>.csv.part`; when it is closed it loses `.part` in
one rename, so whoever collects files takes only whole ones. What is in the files up to where is a `Position`,
which the caller stores after every `write`; after a crash `restore` cuts off what was written beyond it, so
that nothing is missing and nothing is there twice.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from gateway.journal.detail import FIELDS
from gateway.journal.safe_csv import line

CSV, JSON = ".csv", ".jsonl"
PART = ".part"


class Position(msgspec.Struct, frozen=True):
    """How far the files go: the last record written, the files being written, those being closed.

    `first` is the first record of the present files, 0 if there are none; `csv` and `json` their lengths in
    octets, `opened_at` when they were begun (UTC ms). `closing` names files whose rename may be due.
    """

    number: int = 0
    first: int = 0
    csv: int = 0
    json: int = 0
    opened_at: int = 0
    closing: int = 0


def file_name(first: int, suffix: str) -> str:
    """Return the name of a closed file."""
    return f"edr-{first:012d}{suffix}"


def rows(records: Iterable[tuple[int, bytes]]) -> list[dict[str, object]]:
    """Return records of the store with their numbers, as their columns."""
    return [{"number": number, **msgspec.json.decode(data)} for number, data in records]


def as_csv(record: dict[str, object]) -> str:
    """Return the line of a record; a column it does not have is empty."""
    return line(record.get(name) for name in FIELDS)


def as_json(record: dict[str, object]) -> str:
    """Return the JSON line of a record."""
    return msgspec.json.encode(record).decode() + "\n"


def as_line(number: int, data: bytes) -> bytes:
    """As `as_json` of a record as the store has it: an object without blanks, which gets its number."""
    if data[:2] == b'{"':
        return b'{"number":%d,%b\n' % (number, data[1:])
    return as_json(rows([(number, data)])[0]).encode()


class DetailFiles:
    """The files in `folder`. Every method may raise OSError; then the position of before still holds."""

    def __init__(self, folder: Path, *, size: int, every_ms: int) -> None:
        self._folder = folder
        self._size = size
        self._every_ms = every_ms

    def restore(self, position: Position) -> Position:
        """Bring the files to where `position` says; returns it, or one from which they are written anew."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if position.closing:
            self._close(position.closing)
            position = msgspec.structs.replace(position, closing=0)
        if not position.first:
            return position
        kept = ((CSV, position.csv), (JSON, position.json))
        if all(self._cut(file_name(position.first, suffix) + PART, length) for suffix, length in kept):
            return position
        # Somebody has taken a file that was not whole: it is written again from the store.
        return Position(number=position.first - 1)

    def _cut(self, name: str, length: int) -> bool:
        path = self._folder / name
        try:
            if path.stat().st_size < length:
                return False
            with path.open("r+b") as file:
                file.truncate(length)
                os.fsync(file.fileno())
        except FileNotFoundError:
            return False
        return True

    def write(self, position: Position, records: Sequence[tuple[int, bytes]], now: int) -> Position:
        """Append records with the numbers that follow `position`, durably; returns the position to store."""
        if not records:
            return position
        first = position.first or records[0][0]
        new = not position.first
        table = (line(FIELDS) if new else "") + "".join(map(as_csv, rows(records)))
        lines = b"".join([as_line(number, data) for number, data in records])
        lengths = [
            self._append(file_name(first, suffix) + PART, at, octets)
            for suffix, at, octets in ((CSV, position.csv, table.encode()), (JSON, position.json, lines))
        ]
        return Position(
            number=records[-1][0],
            first=first,
            csv=lengths[0],
            json=lengths[1],
            opened_at=now if new else position.opened_at,
        )

    def _append(self, name: str, at: int, data: bytes) -> int:
        descriptor = os.open(self._folder / name, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.truncate(at)
            file.seek(at)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        return at + len(data)

    def is_full(self, position: Position, now: int) -> bool:
        """Tell whether the present files are to be closed."""
        if not position.first:
            return False
        return max(position.csv, position.json) >= self._size or now - position.opened_at >= self._every_ms

    @staticmethod
    def closing(position: Position) -> Position:
        """Return the position to be stored before the present files are closed."""
        return Position(number=position.number, closing=position.first)

    def close(self, position: Position) -> Position:
        """Rename the files that `position` is closing; returns the position to store."""
        self._close(position.closing)
        return msgspec.structs.replace(position, closing=0)

    def _close(self, first: int) -> None:
        for suffix in (CSV, JSON):
            name = file_name(first, suffix)
            part = self._folder / (name + PART)
            if part.exists():
                part.replace(self._folder / name)
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
