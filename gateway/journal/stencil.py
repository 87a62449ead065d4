"""The lines of records: as CSV and as JSON, many at a time.

Theory of operation. Records that share their common part have lines that differ in a few places only. A
`Stencil` has both lines of such records with gaps, which `%` fills; it is cut from the common part once and
kept. What goes into a gap is digits, a moment, or a text that means itself in both forms; a record with any
other text of its own, and one that an older version has stored, is written field by field (`as_csv`,
`as_json`), which gives the same lines.
"""

from __future__ import annotations

import re
from binascii import hexlify
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from gateway.journal.detail import FIELDS, OWN, moment, own_values
from gateway.journal.safe_csv import line
from gateway.store.detail import Own, Portion

KEPT_MAX = 4_096
"""Stencils, and texts of seconds, that are kept."""

_means_itself = re.compile(rb"[0-9A-Za-z*#]*").fullmatch
"""A text of such octets begins no formula and needs no escape."""
_MILLISECONDS = tuple(b".%03d+00:00" % ms for ms in range(1_000))
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
                number = name == "number" or name.endswith("_ms")
                named.append(b'"%b":%b' % (name.encode(), b"%d" if number else b'"%b"'))
                cells.append(b'"%d"' if number else b'"%b"')
                continue
            if name in shared:
                named.append(b'"%b":%b' % (name.encode(), _encode(shared[name]).replace(b"%", b"%%")))
            cells.append(line([shared.get(name)]).rstrip("\r\n").encode().replace(b"%", b"%%"))
        self.csv = b",".join(cells) + b"\r\n"
        self.json = b"{" + b",".join(named) + b"}\n"


class Lines:
    """Makes the lines of portions; not for two threads at once."""

    def __init__(self) -> None:
        self._stencils: dict[bytes, Stencil] = {}
        self._seconds: dict[int, bytes] = {}

    def of(self, portion: Portion) -> tuple[bytes, bytes]:
        """Return the lines of CSV, and those of JSON."""
        common = portion.common
        stencils = [self._stencil(one) for one in common]
        table, objects = [], []
        last, ended_at = -1, b""
        for number, (place, ended, own) in enumerate(portion.entries, portion.first):
            if own:
                session, started, handed, subscriber, key, called = own
                caller, dialled = subscriber.encode(), called.encode()
                if _means_itself(caller + dialled):
                    if ended != last:
                        last, ended_at = ended, self._moment(ended)
                    filling = (
                        number,
                        hexlify(session),
                        self._moment(started),
                        ended_at,
                        ended - started if ended > started else 0,
                        handed - started if handed > started else 0,
                        caller,
                        hexlify(key),
                        dialled,
                    )
                    stencil = stencils[place]
                    table.append(stencil.csv % filling)
                    objects.append(stencil.json % filling)
                    continue
            record = as_record(number, ended, common[place], own)
            table.append(as_csv(record).encode())
            objects.append(as_json(record).encode())
        return b"".join(table), b"".join(objects)

    def _stencil(self, common: bytes) -> Stencil:
        found = self._stencils.get(common)
        if found is None:
            if len(self._stencils) >= KEPT_MAX:
                self._stencils.clear()
            found = self._stencils[common] = Stencil(common)
        return found

    def _moment(self, at: int) -> bytes:
        """As `moment`; the text of a second is kept, for many sessions begin in it."""
        text = self._seconds.get(at // 1000)
        if text is None:
            if len(self._seconds) >= KEPT_MAX:
                self._seconds.clear()
            text = moment(at // 1000 * 1000).partition(".")[0].encode()
            self._seconds[at // 1000] = text
        return text + _MILLISECONDS[at % 1000]
