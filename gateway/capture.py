"""A capture of a link: every PDU as one line of a file, to be read with `gudok link decode`.

    2026-11-02T10:00:00.123Z main 0/17 > 0000002100000004...

Time, link, bind and connection, `>` for what we sent and `<` for what came, the octets; `!` marks octets that
are no PDU. Passwords, numbers and texts are masked before they are written (`smpp.masking`). The file is
bounded: at its size it becomes `.1`, the older ones move up, the oldest goes. For finding faults with an
operator, not for every day: each PDU is written by the process that serves.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import structlog

from smpp.masking import masked_octets, masked_pdu
from smpp.pdu.wire import HEADER, HEADER_LENGTH, Framer, PduError

SIZE = 16 << 20
"""Octets of one file."""
FILES = 4
"""Files kept, the one being written included."""
CONNECTIONS = 256
"""Connections whose unfinished PDUs are remembered; the oldest are forgotten."""


class Capture:
    """The capture of one link; it is the `tap` of a `Link`. When the disk refuses, it stops, and says so."""

    def __init__(
        self, path: Path, link: str, now: Callable[[], int], *, size: int = SIZE, files: int = FILES
    ) -> None:
        self._path = path
        self._link = link
        self._now = now
        self._size = size
        self._files = files
        self._file: TextIO | None = None
        self._written = 0
        self._stopped = False
        self._framers: dict[tuple[int, int, bool], Framer] = {}

    def __call__(self, bind: int, connection: int, sent: bool, data: bytes) -> None:
        """Take octets of a connection; see `Link.tap`. Never raises."""
        if self._stopped:
            return
        key = (bind, connection, sent)
        framer = self._framers.get(key)
        if framer is None:
            if len(self._framers) >= 2 * CONNECTIONS:
                del self._framers[next(iter(self._framers))]
            framer = self._framers[key] = Framer()
        moment = datetime.fromtimestamp(self._now() / 1000, UTC)
        time = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        head = f"{time} {self._link} {bind}/{connection} "
        lines = []
        try:
            for command_id, status, sequence, body in framer.feed(data):
                pdu = HEADER.pack(HEADER_LENGTH + len(body), command_id, status, sequence) + body
                lines.append(f"{head}{'>' if sent else '<'} {masked_pdu(pdu).hex()}\n")
        except PduError:
            lines.append(f"{head}! {masked_octets(data).hex()}\n")
        if lines:
            self._write("".join(lines))

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, text: str) -> None:
        try:
            if self._file is not None and self._written + len(text) > self._size:
                self._rotate()
            if self._file is None:
                self._open()
            assert self._file is not None
            self._file.write(text)
            self._file.flush()
            self._written += len(text)
        except OSError as error:
            self._stopped = True
            structlog.get_logger().error("capture_stopped", link=self._link, reason=str(error))

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._file = os.fdopen(handle, "a", encoding="ascii")
        self._written = self._path.stat().st_size

    def _rotate(self) -> None:
        self.close()
        for number in range(self._files - 1, 0, -1):
            older = self._path if number == 1 else self._numbered(number - 1)
            if older.exists():
                older.replace(self._numbered(number))
        if self._files == 1:
            self._path.unlink(missing_ok=True)

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")
