"""What is kept of the places of callbacks: a row of the store for each, so that a restart loses none."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from gateway.host.batch import Batch
from gateway.store.batch import Group
from gateway.store.record import ScheduleRow

PLACE = "callback_place"
"""Kind of the rows."""
STANDS, AGAIN, PEOPLE = "stands", "again", "people"


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """What is stored of an order: `stands` in an Asterisk, is put there `again` from `at` on, or `people`'s.

    `agent` tells that one has taken it; `since` is when it was put there (UTC ms).
    """

    state: str
    asterisk: str = ""
    identity: str = ""
    since: int = 0
    at: int = 0
    tries: int = 0
    agent: bool = False


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Kept).decode


class KeptPlaces:
    """All of them by the number of the task; `number_of` is the task of a placeholder by its identity.

    `asked` and `withdrawn` are when Asterisk was last asked about it and told to take it out (UTC ms).
    """

    def __init__(self) -> None:
        self.by_number: dict[int, Kept] = {}
        self.number_of: dict[str, int] = {}
        self.asked: dict[int, int] = {}
        self.withdrawn: dict[int, int] = {}

    def load(self, rows: Iterable[ScheduleRow]) -> None:
        """Take over what the store holds."""
        for row in rows:
            if row.kind == PLACE:
                self._keep(int(row.id.removeprefix(f"{PLACE}:")), _decode(row.data))

    def put(self, batch: Batch, group: Group, number: int, kept: Kept) -> None:
        """Store what is known of an order now."""
        before = self.by_number.get(number)
        group.schedule(ScheduleRow(_name(number), kept.at, PLACE, _encode(kept)))
        self._keep(number, kept)
        batch.on_failure(lambda: self._keep(number, before))

    def drop(self, batch: Batch, group: Group, number: int) -> None:
        """Forget an order."""
        before = self.by_number.get(number)
        group.unschedule(_name(number))
        self._keep(number, None)
        batch.on_failure(lambda: self._keep(number, before))

    def _keep(self, number: int, kept: Kept | None) -> None:
        before = self.by_number.pop(number, None)
        if before is not None:
            self.number_of.pop(before.identity, None)
        if before is None or kept is None or before.identity != kept.identity:
            self.asked.pop(number, None)
            self.withdrawn.pop(number, None)
        if kept is not None:
            self.by_number[number] = kept
            if kept.identity:
                self.number_of[kept.identity] = number


def _name(number: int) -> str:
    return f"{PLACE}:{number}"
