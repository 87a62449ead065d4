"""The folders of sounds: the project's recordings, and a cache of what was synthesised.

The cache is bounded by size and age; what is played again stays. A name is made here or comes from the
project's files, and is checked before it becomes a path.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from ivr.sounds import VALUES

ENDING = ".wav"
MOST_RECORDINGS = 20_000
_LANG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{1,8})?\Z", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}\Z", re.ASCII)


def listed(*roots: Path) -> frozenset[str]:
    """Return the names of the recordings in folders such as `flows/sounds`, without their ending.

    `ru/greeting` and `ru/values/100`; links, hidden files and anything with an odd name are passed over.
    """
    found: set[str] = set()
    for root in roots:
        for lang in _folders(root):
            found.update(f"{lang}/{name}" for name in _sounds(root / lang))
            found.update(f"{lang}/{VALUES}/{name}" for name in _sounds(root / lang / VALUES))
    return frozenset(sorted(found)[:MOST_RECORDINGS])


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _folders(root: Path) -> list[str]:
    return [
        entry.name
        for entry in _entries(root)
        if entry.is_dir(follow_symlinks=False) and _LANG.match(entry.name)
    ]


def _sounds(folder: Path) -> list[str]:
    return [
        entry.name.removesuffix(ENDING)
        for entry in _entries(folder)
        if entry.name.endswith(ENDING)
        and _NAME.match(entry.name.removesuffix(ENDING))
        and entry.is_file(follow_symlinks=False)
    ]


def write_sound(path: Path, data: bytes) -> None:
    """Write a file so that nobody ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_bytes(data)
    part.chmod(0o644)
    part.replace(path)


class Made:
    """The cache of synthesised speech, bounded in size and by `keep_s`, seconds since it was last played."""

    def __init__(self, root: Path, most_bytes: int = 256 << 20, keep_s: float = 30 * 86_400.0) -> None:
        self.root = root
        self.most_bytes = most_bytes
        self.keep_s = keep_s

    def path(self, lang: str, name: str) -> Path:
        """Return where a sound is kept. Raises ValueError for what cannot be a name."""
        if not (_LANG.match(lang) and _NAME.match(name)):
            raise ValueError("this cannot be the name of a sound")
        return self.root / lang / f"{name}{ENDING}"

    def has(self, path: Path, now_s: float) -> bool:
        """Tell whether a sound is there, and note that it is played."""
        try:
            os.utime(path, (now_s, now_s), follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True

    def sweep(self, now_s: float) -> int:
        """Delete what is old, then what was not played for longest, until the rest has room.

        Returns how many files are gone.
        """
        found = []
        for lang in _folders(self.root):
            for entry in _entries(self.root / lang):
                if entry.is_file(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)
                    found.append((status.st_mtime, status.st_size, Path(entry.path)))
        found.sort()
        size = sum(item[1] for item in found)
        gone = 0
        for played, bytes_, path in found:
            if played >= now_s - self.keep_s and size <= self.most_bytes:
                break
            with contextlib.suppress(OSError):
                path.unlink()
            size -= bytes_
            gone += 1
        return gone
