"""A project folder on disk: which files belong to it, read safely.

Only regular files below the folder are read, never through a symbolic link, each at most 1 MiB; how they are
understood is `engine.reading`'s business.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

MAX_FILE = 1 << 20
MAX_FILES = 20_000
SETTINGS = "config/gateway.yaml"
_FOLDERS = ("flows", "config", "texts", "flows/texts")
_SOUNDS = ("sounds", "flows/sounds")
TEST_ENDING = ".test.yaml"
RECORDING_ENDING = ".wav"
_NOTES = frozenset({".md", ".bak", ".orig", ".rej", ".swp", ".tmp"})
"""Endings of notes and of what editors leave behind: nobody takes these for flows."""


class ProjectError(Exception):
    """The folder is no project, or a file in it cannot be read; the message says which and what to do."""


@dataclass(frozen=True, slots=True)
class ProjectFiles:
    """The texts of a project by their path in it (`flows/top_up.yaml`), tests apart."""

    root: Path
    texts: Mapping[str, str]
    tests: Mapping[str, str]
    unread: tuple[str, ...] = ()
    """Files in `flows/` that somebody may take for flows and that are not read: another ending, a link."""
    recordings: tuple[str, ...] = ()
    """The sounds of calls by language and name, `ru/greeting`; they are not read."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What changes when somebody saves a file: enough to notice, cheap to take."""

    files: tuple[tuple[str, int, int, int], ...]


def stamp(root: Path) -> Stamp:
    """Return the names, sizes, times and inodes of all files that a report may speak of."""
    found = []
    for name in (*_names(root), *_unread(root)):
        status = os.lstat(root / name)
        found.append((name, status.st_size, status.st_mtime_ns, status.st_ino))
    return Stamp(tuple(found))


def read_project(root: Path) -> ProjectFiles:
    """Read the YAML files of a project. Raises ProjectError."""
    if not (root / "flows").is_dir():
        raise ProjectError(f"{root} is no project: it has no folder flows/ (gudok init makes one)")
    texts: dict[str, str] = {}
    tests: dict[str, str] = {}
    for name in _names(root):
        if name == SETTINGS or name.startswith("config/dialects/"):
            continue
        (tests if name.endswith(TEST_ENDING) else texts)[name] = read_text(root / name)
    return ProjectFiles(root, texts, tests, tuple(_unread(root)), tuple(_recordings(root)))


def read_text(path: Path) -> str:
    """Read one file as UTF-8; a byte that is none becomes U+FFFD, which the loader reports with its place.

    Raises ProjectError for a link, a special file, or one that is too large.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise ProjectError(f"{path} cannot be read: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ProjectError(f"{path} is not a regular file")
        data = file.read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise ProjectError(f"{path} is larger than {MAX_FILE >> 20} MiB")
    return data.decode("utf-8", errors="replace")


def _names(root: Path) -> list[str]:
    """Return the YAML files of the project in a fixed order; links and hidden files are passed over."""
    names = [
        f"{folder}/{entry.name}"
        for folder in _FOLDERS
        for entry in _entries(root / folder)
        if entry.name.endswith(".yaml") and not entry.name.startswith(".")
    ]
    if len(names) > MAX_FILES:
        raise ProjectError(f"{root} has {len(names)} files, at most {MAX_FILES} are read")
    return sorted(names)


def _recordings(root: Path) -> list[str]:
    """Return the names of the sounds in `flows/sounds/<lang>` and `sounds/<lang>`, without their ending."""
    return sorted(
        {
            f"{language.name}/{entry.name.removesuffix(RECORDING_ENDING)}"
            for folder in _SOUNDS
            for language in _all_entries(root / folder)
            if language.is_dir(follow_symlinks=False)
            for entry in _entries(root / folder / language.name)
            if entry.name.endswith(RECORDING_ENDING) and not entry.name.startswith(".")
        }
    )[:MAX_FILES]


def _unread(root: Path) -> list[str]:
    """Return the files of `flows/` and its folders that are no flows to us, hidden files and notes apart."""
    found = []
    for folder, deep in _flow_folders(root):
        for entry in _all_entries(root / folder):
            ending = Path(entry.name).suffix
            if entry.name.startswith(".") or entry.name.endswith("~") or ending in _NOTES:
                continue
            read = not deep and ending == ".yaml" and entry.is_file(follow_symlinks=False)
            flow_like = ending.casefold() in (".yaml", ".yml") or not deep
            if flow_like and not read and not entry.is_dir():
                found.append(f"{folder}/{entry.name}")
    return sorted(found)[:MAX_FILES]


def _flow_folders(root: Path) -> Iterator[tuple[str, bool]]:
    """Yield `flows`, and the folders in it that nobody reads, with whether it is such a one."""
    yield "flows", False
    for entry in _all_entries(root / "flows"):
        name = f"flows/{entry.name}"
        if entry.is_dir(follow_symlinks=False) and name not in _FOLDERS and not entry.name.startswith("."):
            yield name, True


def _all_entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    return [entry for entry in _all_entries(folder) if entry.is_file(follow_symlinks=False)]
