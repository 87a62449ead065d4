"""A file that only takes up room, given back to a full disk: SQLite cannot even delete without space."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

DEFAULT_SIZE = 32 * 1024 * 1024


class Reserve:
    """`size` octets held beside the database; `held` tells whether they are there now."""

    __slots__ = ("_path", "_size", "held")

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._size = size
        self.held = False

    def make(self) -> bool:
        """Take the room; False when the disk has not got twice as much free."""
        if self._size == 0:
            self.held = True
            return True
        try:
            if self._path.exists() and self._path.stat().st_blocks * 512 >= self._size:
                self.held = True
                return True
            disk = os.statvfs(self._path.parent)
            if disk.f_bavail * disk.f_frsize < 2 * self._size:
                return False
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, self._size)
            finally:
                os.close(descriptor)
        except OSError:
            self.free()
            return False
        self.held = True
        return True

    def free(self) -> None:
        """Give the room back."""
        with contextlib.suppress(OSError):
            self._path.unlink()
        self.held = False
