"""Values that flows compute with, and their form in a stored session.

A value is None, bool, int, str, Decimal (money), date, time, datetime (moment, always with an offset),
timedelta (duration), Secret, or a list or dict of values. MessagePack knows only some of them: `pack` tags
the others as extension types, so that a session read back is equal to the one written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TypeAlias

import msgspec


class Secret:
    """A text that must not be seen in a log, trace, record or URL; `str()` shows only dots.

    Two secrets are equal when their texts are. Use `reveal()` only where the text leaves for the place
    that may have it (flow-language 2.8).
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(("secret", self._text))

    def __len__(self) -> int:
        return len(self._text)

    def __repr__(self) -> str:
        return "Secret(••••)"

    def __str__(self) -> str:
        return "••••"


Value: TypeAlias = (
    bool
    | int
    | str
    | Decimal
    | date
    | time
    | datetime
    | timedelta
    | Secret
    | Sequence["Value"]
    | Mapping[str, "Value"]
    | None
)

_MONEY, _DATE, _TIME, _MOMENT, _DURATION, _SECRET = 1, 2, 3, 4, 5, 6
_PLAIN = frozenset({str, int, bool, type(None)})
_WITHOUT_SECRET = _PLAIN | {Decimal, date, time, datetime, timedelta}
_MICROSECOND = timedelta(microseconds=1)


def pack(value: Value) -> object:
    """Return the value in a form MessagePack can write; plain values come back as they are."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if isinstance(value, Mapping):
        return {key: item if type(item) in _PLAIN else pack(item) for key, item in value.items()}
    if isinstance(value, Decimal):
        return msgspec.msgpack.Ext(_MONEY, str(value).encode())
    if isinstance(value, Secret):
        return msgspec.msgpack.Ext(_SECRET, value.reveal().encode())
    if isinstance(value, datetime):
        return msgspec.msgpack.Ext(_MOMENT, value.isoformat().encode())
    if isinstance(value, date):
        return msgspec.msgpack.Ext(_DATE, value.isoformat().encode())
    if isinstance(value, time):
        return msgspec.msgpack.Ext(_TIME, value.isoformat().encode())
    if isinstance(value, timedelta):
        return msgspec.msgpack.Ext(_DURATION, str(value // _MICROSECOND).encode())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [item if type(item) in _PLAIN else pack(item) for item in value]
    raise TypeError(f"a flow cannot hold a value of type {kind.__name__}")


def unpack_extension(code: int, data: memoryview) -> Value:
    """Read one tagged value back; hand it to a MessagePack decoder as `ext_hook`.

    Raises ValueError for a tag that no version of ours has written.
    """
    text = bytes(data).decode()
    match code:
        case 1:
            return Decimal(text)
        case 2:
            return date.fromisoformat(text)
        case 3:
            return time.fromisoformat(text)
        case 4:
            return datetime.fromisoformat(text)
        case 5:
            return timedelta(microseconds=int(text))
        case 6:
            return Secret(text)
    raise ValueError(f"unknown value tag {code} in a stored session")


def holds_secret(value: Value) -> bool:
    """Tell whether a Secret is anywhere inside the value."""
    kind = type(value)
    if kind in _WITHOUT_SECRET:
        return False
    if isinstance(value, Secret):
        return True
    if isinstance(value, Mapping):
        return any(holds_secret(item) for item in value.values())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return any(holds_secret(item) for item in value)
    return False


def is_plain(values: Iterable[Value]) -> bool:
    """Tell whether all values are of kinds that MessagePack writes as they are; none of them is secret."""
    return _PLAIN.issuperset(map(type, values))
