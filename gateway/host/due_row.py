"""Rows of the schedule by their time, so that a look costs nothing while none is due."""

from __future__ import annotations

import heapq

import msgspec

from gateway.store.record import ScheduleRow

AGAIN_MS = 5_000


class DueRows:
    """What waits for its time; a row that is kept again under its id takes the place of the old one."""

    def __init__(self) -> None:
        self.by_id: dict[str, ScheduleRow] = {}
        """For those who only ask whether there is any; everybody else calls the methods."""
        self._order: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self.by_id)

    def __contains__(self, name: str) -> bool:
        return name in self.by_id

    def get(self, name: str) -> ScheduleRow | None:
        """Return the row of an id."""
        return self.by_id.get(name)

    def keep(self, row: ScheduleRow) -> None:
        """Have a row come out of `expired` at its time."""
        self.by_id[row.id] = row
        heapq.heappush(self._order, (row.due, row.id))

    def again(self, row: ScheduleRow, now: int) -> None:
        """What was to be done with a row was not stored, or met with a fault of ours: a little later."""
        self.keep(msgspec.structs.replace(row, due=now + AGAIN_MS))

    def forget(self, name: str) -> None:
        """The row is gone."""
        self.by_id.pop(name, None)

    def waits(self, row: ScheduleRow) -> bool:
        """Tell whether this very row is still to be dealt with."""
        return self.by_id.get(row.id) is row

    def expired(self, now: int, limit: int) -> list[ScheduleRow]:
        """Return at most `limit` rows whose time has come; each stays until it is forgotten or kept anew."""
        due: list[ScheduleRow] = []
        while self._order and self._order[0][0] <= now and len(due) < limit:
            at, name = heapq.heappop(self._order)
            row = self.by_id.get(name)
            if row is not None and row.due == at:
                due.append(row)
        return due
