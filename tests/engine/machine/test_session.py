"""A stored session is equal to the one that was written, and tells whether it must be sealed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from engine.session import Frame, Session, Waiting, dump, is_secret, load
from engine.values import Secret

PLAIN = Session(build="b", channel="ussd", caller="79161234567", called="*1#", lang="ru", started=1)
VALUES: dict[str, Any] = {
    "nothing": None,
    "truth": True,
    "number": -5,
    "money": Decimal("400.50"),
    "text": "слово 😀",
    "day": date(2026, 12, 1),
    "hour": time(18, 30),
    "moment": datetime(2026, 12, 1, 18, 30, tzinfo=UTC),
    "term": timedelta(minutes=5),
    "list": [Decimal(1), {"inner": [date(2026, 1, 1)]}],
    "record": {"fee": Decimal("1.00"), "items": 3},
}


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("field", ["frames", "asked", "first", "farewell", "by_ahead"])
def test_every_kind_of_value_comes_back(name: str, field: str) -> None:
    stack = (Frame("m", 3, {"a": 1}), Frame("n", 7, {name: VALUES[name]}, {7: 2, -1: 4}))
    session = msgspec.structs.replace(PLAIN, **{field: stack}, waiting=Waiting.ANSWER)
    restored = load(dump(session))
    assert restored == session
    value = getattr(restored, field)[1].variables[name]
    assert type(value) is type(VALUES[name])


def test_the_history_and_what_came_in_come_back() -> None:
    stack = (Frame("m", 3, VALUES),)
    session = msgspec.structs.replace(
        PLAIN,
        frames=stack,
        history=(stack, (Frame("m", 1, {}),)),
        looked={"recent:b.x:1": "done", "workdays:2:": timedelta(days=2)},
        event={"fee": Decimal(5)},
        said=(("текст", True),),
        ahead=("1", "2"),
        memory={"known": 2},
    )
    assert load(dump(session)) == session


SECRETS: list[dict[str, Any]] = [
    {"frames": (Frame("m", 0, {"a": Secret("x")}),)},
    {"history": ((Frame("m", 0, {"a": {"b": [Secret("x")]}}),),)},
    {"first": (Frame("m", 0, {"a": Secret("x")}),)},
    {"by_ahead": (Frame("m", 0, {"a": Secret("x")}),)},
    {"farewell": (Frame("m", 0, {"a": Secret("x")}),)},
    {"said": (("пароль", True),)},
    {"ahead": ("12345678901234",)},
    {"event": {"code": Secret("x")}},
]


@pytest.mark.parametrize("fields", SECRETS, ids=[next(iter(fields)) for fields in SECRETS])
def test_a_secret_anywhere_means_sealing(fields: dict[str, Any]) -> None:
    session = msgspec.structs.replace(PLAIN, **fields)
    assert is_secret(session)
    assert load(dump(session)) == session


def test_without_a_secret_nothing_is_sealed() -> None:
    session = msgspec.structs.replace(PLAIN, frames=(Frame("m", 0, VALUES),), ahead=("1", "12"))
    assert not is_secret(session)


@pytest.mark.parametrize("data", [b"", b"\xc1", dump(PLAIN)[:-3], b"\x93\x01\x02\x03"])
def test_damage_is_an_error(data: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        load(data)
