"""The files of records: CSV and JSON lines beside each other, closed by size and age, never torn.

A file that grows is called `edr-<number of its first record>.csv.part`; when it is closed it loses `.part` in
one rename, so whoever collects files takes only whole ones. What is in the files up to where is a `Position`,
which the caller stores after every `write`; after a crash `restore` cuts off what was written beyond it, so
that nothing is missing and nothing is there twice.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from gateway.journal.detail import FIELDS
from gateway.journal.safe_csv import line
from gateway.journal.stencil import Lines
from gateway.store.detail import Row, opened

CSV, JSON = ".csv", ".jsonl"
PART = ".part"
BUFFER = 1 << 17
"""Octets gathered before they are written."""


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


class DetailFiles:
    """The files in `folder`. Every method may raise OSError; then the position of before still holds."""

    def __init__(self, folder: Path, *, size: int, every_ms: int) -> None:
        self._folder = folder
        self._size = size
        self._every_ms = every_ms
        self._lines = Lines()

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

    def write(self, position: Position, rows: Sequence[Row], now: int) -> Position:
        """Append the records of `rows` that have higher numbers than `position`, durably.

        Returns the position to store.
        """
        if not rows:
            return position
        number = max(rows[0][0], position.number + 1)
        new = not position.first
        first = number if new else position.first
        with (
            self._open(file_name(first, CSV) + PART, position.csv) as table,
            self._open(file_name(first, JSON) + PART, position.json) as objects,
        ):
            if new:
                table.write(line(FIELDS).encode())
            for row in rows:
                portion = opened(row, position.number)
                cells, lines = self._lines.of(portion)
                table.write(cells)
                objects.write(lines)
                number = portion.first + len(portion.entries)
            return Position(
                number=number - 1,
                first=first,
                csv=_kept(table),
                json=_kept(objects),
                opened_at=now if new else position.opened_at,
            )

    def _open(self, name: str, at: int) -> BinaryIO:
        """Open a file to go on at `at`; what is in it from there on is cut off."""
        descriptor = os.open(self._folder / name, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        file = os.fdopen(descriptor, "wb", buffering=BUFFER)
        file.truncate(at)
        file.seek(at)
        return file

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


def _kept(file: BinaryIO) -> int:
    """Have on the disk what was written; returns the length of the file."""
    file.flush()
    os.fsync(file.fileno())
    return file.tell()
