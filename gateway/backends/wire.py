"""Values of flows as JSON and back, by declared type. Nothing passes that does not fit its type exactly.

JSON has fewer types than flows: `money` is a string ("490.00") or a number without exponent tricks, `date`
is `2026-11-22`, `time` is `18:00` or `18:00:30`, `moment` ISO 8601 with an offset, `duration` whole seconds,
`phone` 5 to 15 digits with or without a plus. Numbers never pass through binary floating point.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from engine.types import Choice, ListOf, Privacy, Record, Scalar, Type
from engine.values import Secret, Value

MAX_ELEMENTS = 1_000
MAX_MONEY_DIGITS = 15
MAX_DECIMALS = 6
MAX_DEPTH = 32

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(r"\d{2}:\d{2}(:\d{2})?", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})", re.ASCII)
_PHONE = re.compile(r"\+?(\d{5,15})", re.ASCII)
_MONEY = re.compile(r"-?\d{1,15}(\.\d{1,6})?", re.ASCII)
_SECOND = timedelta(seconds=1)


class MisfitError(Exception):
    """A value does not fit its type. The message names the place and the type, never the value."""


def parse_json(body: bytes) -> Any:
    """Parse JSON in UTF-8 with exact decimals; raises MisfitError for anything else."""
    try:
        return json.loads(body.decode("utf-8"), parse_float=_decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError, InvalidOperation):
        raise MisfitError("the answer is no JSON") from None


def _decimal(text: str) -> Decimal:
    number = Decimal(text)
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or number.adjusted() > MAX_MONEY_DIGITS or exponent < -40:
        raise ValueError("number out of range")
    return number


def _no_constant(_: str) -> Any:
    raise ValueError("NaN and Infinity are no JSON")


def read(data: Any, type_: Type, place: str = "answer") -> Value:
    """Return parsed JSON as a value of `type_`; raises MisfitError. Unknown fields are left out."""
    if data is None:
        if type_.optional:
            return None
        raise MisfitError(f"{place} is empty")
    shape = type_.shape
    if isinstance(shape, Record):
        return read_record(data, shape, place)
    if isinstance(shape, ListOf):
        if not isinstance(data, list):
            raise MisfitError(f"{place} is no list")
        if len(data) > MAX_ELEMENTS:
            raise MisfitError(f"{place} has more than {MAX_ELEMENTS} elements")
        return [read(item, shape.element, f"{place}[{number}]") for number, item in enumerate(data)]
    if isinstance(shape, Choice):
        if not isinstance(data, str) or data not in shape.values:
            raise MisfitError(f"{place} is none of {' | '.join(shape.values)}")
        return data
    value = _read_scalar(data, shape, place)
    if type_.privacy is Privacy.SECRET:
        if not isinstance(value, str):
            raise MisfitError(f"{place} is no text")
        return Secret(value)
    return value


def read_record(data: Any, record: Record, place: str = "answer") -> dict[str, Value]:
    """Return parsed JSON as a record; a missing field is empty where its type allows it."""
    if not isinstance(data, dict):
        raise MisfitError(f"{place} is no object")
    return {name: read(data.get(name), type_, f"{place}.{name}") for name, type_ in record.fields}


def _read_scalar(data: Any, shape: Scalar, place: str) -> Value:
    try:
        value = _scalar(data, shape)
    except (ValueError, InvalidOperation, OverflowError):
        value = None
    if value is None:
        raise MisfitError(f"{place} is no {shape.value}")
    return value


def _scalar(data: Any, shape: Scalar) -> Value:
    match shape:
        case Scalar.TEXT | Scalar.QUEUE:
            return _text(data)
        case Scalar.INT:
            return data if type(data) is int and -(2**63) <= data < 2**63 else None
        case Scalar.BOOL:
            return data if type(data) is bool else None
        case Scalar.MONEY:
            return _money(data)
        case Scalar.DURATION:
            return timedelta(seconds=data) if type(data) is int and abs(data) < 10**9 else None
        case Scalar.ANY:
            return _any(data, 0)
        case Scalar.PHONE:
            found = _PHONE.fullmatch(data) if isinstance(data, str) else None
            return found[1] if found else None
        case Scalar.DATE:
            return date.fromisoformat(data) if isinstance(data, str) and _DATE.fullmatch(data) else None
        case Scalar.TIME:
            return time.fromisoformat(data) if isinstance(data, str) and _TIME.fullmatch(data) else None
        case Scalar.MOMENT:
            return datetime.fromisoformat(data) if isinstance(data, str) and _MOMENT.fullmatch(data) else None


def _text(data: Any) -> str | None:
    if not isinstance(data, str) or any("\ud800" <= letter <= "\udfff" for letter in data):
        return None
    return data


def _money(data: Any) -> Decimal | None:
    if type(data) is int:
        return Decimal(data) if abs(data) < 10**MAX_MONEY_DIGITS else None
    if isinstance(data, Decimal):
        data = format(data, "f")
    if isinstance(data, str) and _MONEY.fullmatch(data):
        return Decimal(data)
    return None


def _any(data: Any, depth: int) -> Value:
    if depth > MAX_DEPTH:
        raise ValueError("nested too deep")
    if isinstance(data, dict):
        return {str(_text(name) or ""): _any(item, depth + 1) for name, item in data.items()}
    if isinstance(data, list):
        if len(data) > MAX_ELEMENTS:
            raise ValueError("too many elements")
        return [_any(item, depth + 1) for item in data]
    if isinstance(data, str):
        return _text(data)
    if type(data) is int and not -(2**63) <= data < 2**63:
        raise ValueError("number out of range")
    return data  # type: ignore[no-any-return]


def write(value: Value, type_: Type, place: str) -> Any:
    """Return a value of `type_` as what JSON can hold; raises MisfitError.

    A Secret is revealed only where the type is declared `secret`.
    """
    if value is None:
        if type_.optional:
            return None
        raise MisfitError(f"{place} is empty")
    if isinstance(value, Secret):
        if type_.privacy is not Privacy.SECRET:
            raise MisfitError(f"{place} is secret and may not be sent")
        return value.reveal()
    shape = type_.shape
    if isinstance(shape, Record):
        if not isinstance(value, Mapping):
            raise MisfitError(f"{place} is no object")
        return {name: write(value.get(name), inner, f"{place}.{name}") for name, inner in shape.fields}
    if isinstance(shape, ListOf):
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise MisfitError(f"{place} is no list")
        return [write(item, shape.element, f"{place}[{number}]") for number, item in enumerate(value)]
    if isinstance(shape, Choice):
        if value not in shape.values:
            raise MisfitError(f"{place} is none of {' | '.join(shape.values)}")
        return value
    if shape is Scalar.ANY:
        return _plain(value, place)
    if not _fits(value, shape):
        raise MisfitError(f"{place} is no {shape.value}")
    return _plain(value, place)


def _fits(value: Value, shape: Scalar) -> bool:
    match shape:
        case Scalar.TEXT | Scalar.QUEUE:
            return _text(value) is not None
        case Scalar.PHONE:
            return isinstance(value, str) and _PHONE.fullmatch(value) is not None
        case Scalar.INT:
            return type(value) is int
        case Scalar.BOOL:
            return type(value) is bool
        case Scalar.MONEY:
            return type(value) is int or (isinstance(value, Decimal) and value.is_finite())
        case Scalar.DATE:
            return type(value) is date
        case Scalar.TIME:
            return type(value) is time
        case Scalar.MOMENT:
            return isinstance(value, datetime) and value.tzinfo is not None
        case Scalar.DURATION:
            return isinstance(value, timedelta)
        case Scalar.ANY:
            return True


def _plain(value: Value, place: str) -> Any:
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, timedelta):
        return value // _SECOND
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: _plain(item, place) for name, item in value.items()}
    if isinstance(value, Secret):
        raise MisfitError(f"{place} is secret and may not be sent")
    return [_plain(item, place) for item in value]
