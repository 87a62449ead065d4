"""The lines of records: as CSV and as JSON, many at a time.

Theory of operation. Records that share their common part have lines that differ in a few places only. A
`Stencil` has both lines of such records with gaps, which `%` fills; it is cut from the common part once and
kept. What goes into a gap is digits, a moment, or a text that means itself in both forms; a record with any
other text of its own, and one that an older version has stored, is written field by field (`as_csv`,
`as_json`), which gives the same lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from gateway.journal.detail import FIELDS, OWN, moment, own_values
from gateway.journal.safe_csv import line
from gateway.store.detail import Own, Portion

KEPT_MAX = 4_096
"""Stencils, and texts of seconds, that are kept."""

_means_itself = re.compile(r"[0-9A-Za-z*#]*", re.ASCII).fullmatch
"""A text of such characters begins no formula and needs no escape."""
_MILLISECONDS = tuple(f".{ms:03d}+00:00" for ms in range(1_000))
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_GAPS = frozenset({"number", *OWN})


def as_csv(record: Mapping[str, object]) -> str:
    """Return the line of a record; a column it does not have is empty."""
    return line(record.get(name) for name in FIELDS)


def as_json(record: Mapping[str, object]) -> str:
    """Return the JSON line of a record."""
    return _encode(record).decode() + "\n"


def as_record(number: int, ended: int, common: bytes, own: Own) -> dict[str, object]:
    """Return the columns of a record as the store has it, in their order."""
    shared = _decode(common)
    if not own:
        return {"number": number, **shared}
    record = {"number": number, **shared, **own_values(ended, own)}
    return {name: record[name] for name in FIELDS if name in record}


def records(portion: Portion) -> Iterator[dict[str, object]]:
    """Yield the records of a portion, each as its columns."""
    for number, (place, ended, own) in enumerate(portion.entries, portion.first):
        yield as_record(number, ended, portion.common[place], own)


class Stencil:
    """The lines of the records that have `common`, with gaps for the number and what `OWN` names."""

    __slots__ = ("csv", "json")

    def __init__(self, common: bytes) -> None:
        shared = _decode(common)
        named, cells = [], []
        for name in FIELDS:
            if name in _GAPS:
                named.append(f'"{name}":%s' if name == "number" or name.endswith("_ms") else f'"{name}":"%s"')
                cells.append('"%s"')
            else:
                if name in shared:
                    named.append(f'"{name}":{_encode(shared[name]).decode()}'.replace("%", "%%"))
                cells.append(line([shared.get(name)]).rstrip("\r\n").replace("%", "%%"))
        self.csv = ",".join(cells) + "\r\n"
        self.json = "{" + ",".join(named) + "}\n"


class Lines:
    """Makes the lines of portions; not for two threads at once."""

    def __init__(self) -> None:
        self._stencils: dict[bytes, Stencil] = {}
        self._seconds: dict[int, str] = {}

    def of(self, portion: Portion) -> tuple[str, str]:
        """Return the lines of CSV, and those of JSON."""
        common = portion.common
        stencils = [self._stencil(one) for one in common]
        table, objects = [], []
        last, ended_at = -1, ""
        for number, (place, ended, own) in enumerate(portion.entries, portion.first):
            stencil = stencils[place]
            if not own or not _means_itself(own[3]) or not _means_itself(own[5]):
                record = as_record(number, ended, common[place], own)
                table.append(as_csv(record))
                objects.append(as_json(record))
                continue
            session, started, handed, subscriber, key, called = own
            if ended != last:
                last, ended_at = ended, self._moment(ended)
            filling = (
                number,
                session.hex(),
                self._moment(started),
                ended_at,
                max(0, ended - started),
                max(0, handed - started),
                subscriber,
                key.hex(),
                called,
            )
            table.append(stencil.csv % filling)
            objects.append(stencil.json % filling)
        return "".join(table), "".join(objects)

    def _stencil(self, common: bytes) -> Stencil:
        found = self._stencils.get(common)
        if found is None:
            if len(self._stencils) >= KEPT_MAX:
                self._stencils.clear()
            found = self._stencils[common] = Stencil(common)
        return found

    def _moment(self, at: int) -> str:
        """As `moment`; the text of a second is kept, for many sessions begin in it."""
        second, ms = divmod(at, 1000)
        text = self._seconds.get(second)
        if text is None:
            if len(self._seconds) >= KEPT_MAX:
                self._seconds.clear()
            text = self._seconds[second] = moment(second * 1000).partition(".")[0]
        return text + _MILLISECONDS[ms]
