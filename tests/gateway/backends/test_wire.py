"""Values as JSON and back, breaker, cache and resolver: rules as tables."""

from __future__ import annotations

import contextlib
import json
import socket
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.types import (
    ANY,
    BOOL,
    DATE,
    DURATION,
    INT,
    MOMENT,
    MONEY,
    PHONE,
    SECRET,
    TEXT,
    TIME,
    Choice,
    ListOf,
    Record,
    Type,
)
from engine.values import Secret, Value
from gateway.backends.answer_cache import CAPACITY, AnswerCache
from gateway.backends.breaker import Breaker
from gateway.backends.outcome import Outcome
from gateway.backends.resolver import CheckedResolver
from gateway.backends.wire import MisfitError, parse_json, read, write

FITS: list[tuple[Type, str, Value]] = [
    (TEXT, '"Гудок"', "Гудок"),
    (INT, "-7", -7),
    (BOOL, "true", True),
    (MONEY, '"490.00"', Decimal("490.00")),
    (MONEY, "0.1", Decimal("0.1")),
    (MONEY, "1e3", Decimal(1000)),
    (MONEY, "-12", Decimal(-12)),
    (DATE, '"2026-02-28"', date(2026, 2, 28)),
    (TIME, '"18:00"', time(18)),
    (TIME, '"18:00:30"', time(18, 0, 30)),
    (MOMENT, '"2026-11-22T10:00:00Z"', datetime(2026, 11, 22, 10, tzinfo=UTC)),
    (MOMENT, '"2026-11-22T13:00+03:00"', datetime(2026, 11, 22, 10, tzinfo=UTC)),
    (DURATION, "90", timedelta(seconds=90)),
    (PHONE, '"+79161234567"', "79161234567"),
    (SECRET, '"1234"', Secret("1234")),
    (Type(TEXT.shape, optional=True), "null", None),
    (Type(Choice(("month", "day"))), '"day"', "day"),
    (Type(ListOf(INT)), "[1, 2]", [1, 2]),
    (
        Type(Record((("a", INT), ("b", Type(TEXT.shape, optional=True))))),
        '{"a": 1, "c": 2}',
        {"a": 1, "b": None},
    ),
    (ANY, '{"a": [1, 0.1, null, "x"]}', {"a": [1, Decimal("0.1"), None, "x"]}),
]

MISFITS: list[tuple[Type, str]] = [
    (TEXT, "null"),
    (TEXT, "1"),
    (TEXT, '"\\udfff"'),
    (INT, "1.0"),
    (INT, "true"),
    (INT, '"1"'),
    (INT, "9223372036854775808"),
    (BOOL, "1"),
    (BOOL, '"yes"'),
    (MONEY, '"490,00"'),
    (MONEY, '"1e3"'),
    (MONEY, '"٤٩٠"'),
    (MONEY, '" 490"'),
    (MONEY, '"NaN"'),
    (MONEY, "true"),
    (MONEY, "1e99"),
    (MONEY, "1e-30"),
    (MONEY, "1234567890123456"),
    (DATE, '"2026-02-30"'),
    (DATE, '"20260228"'),
    (DATE, '"2026-W07-1"'),
    (TIME, '"24:00"'),
    (TIME, '"18"'),
    (TIME, '"18:00+03:00"'),
    (MOMENT, '"2026-11-22T10:00:00"'),
    (MOMENT, '"2026-11-22"'),
    (MOMENT, "1795345200"),
    (DURATION, '"90"'),
    (PHONE, '"7916"'),
    (PHONE, '"7916123456789012"'),
    (PHONE, '"+7 916 123-45-67"'),
    (PHONE, '"٧٩١٦١٢٣٤٥٦٧"'),
    (PHONE, "79161234567"),
    (SECRET, "1234"),
    (Type(Choice(("month", "day"))), '"year"'),
    (Type(Choice(("month", "day"))), "[]"),
    (Type(ListOf(INT)), "{}"),
    (Type(ListOf(INT)), '["1"]'),
    (Type(ListOf(INT)), json.dumps([1] * 1_001)),
    (Type(Record((("a", INT),))), "[]"),
    (Type(Record((("a", INT),))), "{}"),
    (ANY, "[" * 40 + "]" * 40),
]


@pytest.mark.parametrize(("type_", "text", "value"), FITS)
def test_what_fits_is_read(type_: Type, text: str, value: Value) -> None:
    found = read(parse_json(text.encode()), type_)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(("type_", "text"), MISFITS)
def test_what_does_not_fit_is_refused_and_not_repeated(type_: Type, text: str) -> None:
    with pytest.raises(MisfitError) as caught:
        read(parse_json(text.encode()), type_, "answer.field")
    assert text.strip('"') not in str(caught.value) or len(text) < 3


SCALARS: st.SearchStrategy[tuple[Type, Value]] = st.one_of(
    st.tuples(st.just(TEXT), st.text(st.characters(exclude_categories=["Cs"]), max_size=20)),
    st.tuples(st.just(INT), st.integers(-(2**63), 2**63 - 1)),
    st.tuples(st.just(BOOL), st.booleans()),
    st.tuples(st.just(MONEY), st.decimals(-(10**14), 10**14, places=2)),
    st.tuples(st.just(DATE), st.dates()),
    st.tuples(st.just(TIME), st.times().map(lambda at: at.replace(microsecond=0))),
    st.tuples(st.just(MOMENT), st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.just(UTC))),
    st.tuples(st.just(DURATION), st.integers(0, 10**8).map(lambda seconds: timedelta(seconds=seconds))),
    st.tuples(st.just(SECRET), st.text("0123456789", min_size=1, max_size=9).map(Secret)),
)


@settings(derandomize=True, max_examples=300)
@given(SCALARS)
def test_every_value_comes_back_as_it_was_sent(pair: tuple[Type, Any]) -> None:
    type_, value = pair
    assert read(parse_json(json.dumps(write(value, type_, "it")).encode()), type_) == value


@settings(derandomize=True, max_examples=300)
@given(st.binary(max_size=60), st.sampled_from([type_ for type_, _, _ in FITS]))
def test_garbage_is_a_misfit_and_nothing_else(body: bytes, type_: Type) -> None:
    with contextlib.suppress(MisfitError):
        read(parse_json(body), type_)


def test_the_breaker_opens_after_five_failures_in_a_row_and_probes_once_a_second() -> None:
    breaker = Breaker()
    for now in range(4):
        breaker.failed(now)
    breaker.succeeded(4)
    for now in range(5, 9):
        breaker.failed(now)
    assert breaker.allows(9)
    breaker.failed(10)
    allowed = [now for now in range(10, 5_000) if breaker.allows(now)]
    assert allowed == [1_010, 2_010, 3_010, 4_010]
    breaker.succeeded(5_000)
    assert all(breaker.allows(now) for now in range(5_000, 5_010))


def test_the_breaker_opens_on_a_bad_share_of_many_calls() -> None:
    breaker = Breaker()
    for number in range(20):
        (breaker.succeeded if number % 3 == 2 else breaker.failed)(number)
    assert breaker.is_open
    calm = Breaker()
    for number in range(200):
        (calm.succeeded if number % 2 else calm.failed)(number)
    assert not calm.is_open


def test_the_cache_is_bounded() -> None:
    cache = AnswerCache()
    for number in range(CAPACITY + 10):
        cache.put(number, Outcome("done", number), 100)
    assert cache.get(0, 0) is None
    assert cache.get(10, 0) == Outcome("done", 10)
    assert cache.get(10, 100) is None


class Names(AbstractResolver):
    def __init__(self) -> None:
        self.address: str | None = "10.0.0.7"
        self.closed = False

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if self.address is None:
            raise OSError("SERVFAIL")
        entry: ResolveResult = {
            "hostname": host,
            "host": self.address,
            "port": port,
            "family": family,
            "proto": 0,
            "flags": 0,
        }
        return [entry]

    async def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "127.0.0.1", "::1", "fe80::1%eth0", "0.0.0.0", "224.0.0.1", "::ffff:127.0.0.1"],
)
async def test_a_name_that_turns_to_this_machine_or_to_metadata_is_refused(address: str) -> None:
    names = Names()
    names.address = address
    with pytest.raises(OSError, match=r"address|machine"):
        await CheckedResolver(names).resolve("billing.example", 443)


async def test_the_last_good_address_serves_while_dns_is_down() -> None:
    names = Names()
    resolver = CheckedResolver(names)
    first = await resolver.resolve("billing.example", 443)
    names.address = None
    assert await resolver.resolve("billing.example", 443) == first
    with pytest.raises(OSError, match="SERVFAIL"):
        await resolver.resolve("crm.example", 443)
    names.address = "127.0.0.1"
    assert await resolver.resolve("localhost", 80)
    await resolver.close()
    assert names.closed
