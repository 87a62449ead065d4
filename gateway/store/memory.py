"""How much is remembered of a subscriber, right even while a commit is under way.

The file holds what is committed. What open batches add or remove is kept here as well, from the moment the
step ran until its commit has ended, so that five tries over five channels at once still count as five.
Knows no SQL: the committed rows come from the function it is given.
"""

from __future__ import annotations

from collections.abc import Callable

Committed = Callable[[str, str], list[int | None]]


class _Entry:
    __slots__ = ("pins", "untils")

    def __init__(self, untils: list[int | None]) -> None:
        self.untils = untils
        self.pins = 0


class MemoryCount:
    """Counts per (subject, name). `committed` reads the end times stored for one pair."""

    __slots__ = ("_committed", "_entries")

    def __init__(self, committed: Committed) -> None:
        self._committed = committed
        self._entries: dict[tuple[str, str], _Entry] = {}

    def count(self, subject: str, name: str, now: int) -> int:
        """Return how many are alive at `now` (UTC ms)."""
        entry = self._entries.get((subject, name))
        untils = self._committed(subject, name) if entry is None else entry.untils
        return sum(1 for until in untils if until is None or until > now)

    def _pinned(self, subject: str, name: str) -> _Entry:
        entry = self._entries.get((subject, name))
        if entry is None:
            entry = self._entries[subject, name] = _Entry(self._committed(subject, name))
        entry.pins += 1
        return entry

    def add(self, subject: str, name: str, until: int | None) -> None:
        """Count one more, to be released or taken back when its group has ended."""
        self._pinned(subject, name).untils.append(until)

    def clear(self, subject: str, name: str) -> list[int | None]:
        """Count none any more; returns what was there, for taking it back."""
        entry = self._pinned(subject, name)
        before, entry.untils = entry.untils, []
        return before

    def take_back(self, subject: str, name: str, added: list[int | None], cleared: list[int | None]) -> None:
        """Undo one `add` or `clear` of a group that was not stored."""
        untils = self._entries[subject, name].untils
        for until in added:
            if until in untils:
                untils.remove(until)
        untils.extend(cleared)

    def release(self, subject: str, name: str) -> None:
        """The group of one `add` or `clear` has ended, stored or taken back."""
        entry = self._entries[subject, name]
        entry.pins -= 1
        if entry.pins == 0:
            del self._entries[subject, name]
