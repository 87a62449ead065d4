"""Calls over real HTTP on loopback: the table of flow-language 2.5 row by row, and hostile answers."""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl
import zlib
from collections.abc import Mapping
from decimal import Decimal

import pytest
from aiohttp import web

from engine.types import BOOL, DATE, INT, MONEY, PII, SECRET, TEXT, Choice, ListOf, Record, Type
from engine.values import Secret, Value
from gateway.backends.client import BackendUrlError, Endpoint, HttpBackends, check_url
from gateway.backends.outcome import Outcome
from tests.gateway.backends.conftest import Bench, Handler
from tests.gateway.backends.declared import Declared, charging

PACKAGE = Declared(
    "billing.package",
    path="/subscribers/{phone}/package",
    returns=Record(
        (
            ("tariff", TEXT),
            ("fee", MONEY),
            ("blocked", BOOL),
            ("period", Type(Choice(("month", "day")))),
            ("until", Type(DATE.shape, optional=True)),
            ("options", Type(ListOf(Type(Record((("id", TEXT), ("fee", MONEY))))))),
        )
    ),
    errors={404: "unknown_subscriber"},
    retry=2,
)
GOOD = {
    "tariff": "MAXI",
    "fee": "490.10",
    "blocked": False,
    "period": "month",
    "options": [{"id": "a", "fee": 0.1, "colour": "red"}],
    "unknown": {"field": 1},
}
REPORT = Declared("network.report", "post", "/reports", takes={"area": TEXT}, retry=2)
BLOCK = Declared(
    "billing.block_sim", "post", "/block", once_ms=600_000, retry=1, returns=Record((("ok", BOOL),))
)
REFRESH = charging(retry=1)


def answer(status: int = 200, data: object = None, **options: object) -> Handler:
    async def handler(_: web.Request) -> web.StreamResponse:
        if "body" in options or data is None:
            return web.Response(status=status, **options)  # type: ignore[arg-type]
        return web.Response(status=status, text=json.dumps(data), **options)  # type: ignore[arg-type]

    return handler


async def drop(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    raise asyncio.CancelledError


async def silence(_: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


async def half(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"tariff": ')
    assert request.transport is not None
    request.transport.close()
    return response


async def call(
    bench: Bench,
    operation: Declared,
    arguments: Mapping[str, Value] | None = None,
    *,
    key: str | None = None,
    within_ms: int | None = None,
    client: HttpBackends | None = None,
) -> Outcome:
    if key is None and (operation.charge or operation.once_ms):
        key = "k-1"
    return await (client or bench.client).call(
        operation,
        arguments if arguments is not None else ({"fee": Decimal("490.00")} if operation.takes else {}),
        phone="79161234567",
        lang="ru",
        channel="ussd",
        key=key,
        within_ms=within_ms,
    )


async def test_a_typed_answer_becomes_values_without_float_errors(bench: Bench) -> None:
    bench.answers = [answer(data=GOOD)]
    outcome = await call(bench, PACKAGE)
    assert outcome == Outcome(
        "done",
        {
            "tariff": "MAXI",
            "fee": Decimal("490.10"),
            "blocked": False,
            "period": "month",
            "until": None,
            "options": [{"id": "a", "fee": Decimal("0.1")}],
        },
    )
    method, path, headers, body = bench.requests[0]
    assert (method, path, body) == ("GET", "/subscribers/79161234567/package", b"")
    assert headers["X-Gudok-Lang"] == "ru"
    assert headers["X-Gudok-Channel"] == "ussd"
    assert headers["Authorization"] == "Bearer t0ken"
    assert "Idempotency-Key" not in headers


async def test_a_charge_carries_its_key_and_its_money_as_text(bench: Bench) -> None:
    bench.answers = [answer(204)]
    assert await call(bench, REFRESH, key="opaque-1") == Outcome("done")
    method, path, headers, body = bench.requests[0]
    assert (method, path) == ("POST", "/subscribers/79161234567/package/refresh")
    assert headers["Idempotency-Key"] == "opaque-1"
    assert json.loads(body) == {"fee": "490.00"}


async def test_the_phone_goes_in_the_body_where_the_path_has_none(bench: Bench) -> None:
    bench.answers = [answer()]
    await call(bench, REPORT, {"area": "Центр"})
    assert json.loads(bench.requests[0][3]) == {"area": "Центр", "phone": "79161234567"}


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("a/b", "a%2Fb"),
        ("a?b#c", "a%3Fb%23c"),
        ("a b&c=d", "a%20b%26c%3Dd"),
        ("%2e%2e", "%252e%252e"),
        ("ООО Гудок", "%D0%9E%D0%9E%D0%9E%20%D0%93%D1%83%D0%B4%D0%BE%D0%BA"),
        ("..%2f..", "..%252f.."),
    ],
)
async def test_what_a_subscriber_types_never_changes_the_path(bench: Bench, text: str, sent: str) -> None:
    bench.answers = [answer()]
    look = Declared("billing.look", path="/contracts/{contract}/state", takes={"contract": TEXT, "q": TEXT})
    assert (await call(bench, look, {"contract": text, "q": text})).name == "done"
    path, query = bench.requests[0][1].split("?")
    assert path == f"/contracts/{sent}/state"
    assert query.count("=") == 1
    assert "\n" not in query


@pytest.mark.parametrize("text", ["", ".", "..", "\ud800", "a\r\nX-Evil: 1", "a\x00b"])
async def test_an_argument_that_would_climb_the_path_is_not_sent(bench: Bench, text: str) -> None:
    look = Declared("billing.look", path="/contracts/{contract}/state", takes={"contract": TEXT})
    assert (await call(bench, look, {"contract": text})).name == "bad_answer"
    assert bench.requests == []
    assert len(bench.alarms) == 1


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        (Declared("a.b", path="/x/{pin}", takes={"pin": SECRET}), {"pin": Secret("c4nary")}),
        (Declared("a.b", path="/x", takes={"pin": SECRET}), {"pin": Secret("c4nary")}),
        (Declared("a.b", path="/x", takes={"pin": TEXT}), {"pin": Secret("c4nary")}),
        (Declared("a.b", "post", path="/x", takes={"pin": TEXT}), {"pin": Secret("c4nary")}),
        (Declared("a.b", "post", path="/x", takes={"fee": MONEY}), {"fee": "c4nary"}),
        (Declared("a.b", "post", path="/x", takes={"fee": MONEY}), {}),
        (Declared("a.b", "post", path="/x", takes={"fee": MONEY}), {"fee": Decimal("NaN")}),
    ],
)
async def test_secrets_in_an_address_and_ill_typed_arguments_are_not_sent(
    bench: Bench, operation: Declared, arguments: dict[str, Value]
) -> None:
    client = bench.make(a=Endpoint(bench.url))
    async with client:
        outcome = await call(
            bench, Declared(**{**operation.__dict__, "backend": "a"}), arguments, client=client
        )
    assert outcome.name == "bad_answer"
    assert bench.requests == []
    assert "c4nary" not in outcome.detail + "".join(bench.alarms)


async def test_a_declared_secret_goes_in_the_body(bench: Bench) -> None:
    bench.answers = [answer()]
    top_up = Declared("billing.top_up", "post", "/top-up", takes={"code": SECRET, "name": PII})
    assert (await call(bench, top_up, {"code": Secret("1234"), "name": "Ян"})).name == "done"
    assert json.loads(bench.requests[0][3])["code"] == "1234"


# The table of outcomes: what the other side does, per kind of operation: outcome and number of requests.
READ, PLAIN, ONCE, CHARGE = PACKAGE, REPORT, BLOCK, REFRESH
RETURNING = charging("billing.pay", returns=Record((("id", INT),)), retry=1)
NO_KEYS = charging("billing.old", keys_ms=None, retry=1)
OUTCOMES: list[tuple[str, Handler, Declared, str, int]] = [
    ("mapped 404", answer(404), READ, "unknown_subscriber", 1),
    ("mapped 402", answer(402), CHARGE, "low_balance", 1),
    ("unmapped 400", answer(400), READ, "bad_answer", 1),
    ("unmapped 400", answer(400), PLAIN, "bad_answer", 1),
    ("unmapped 400", answer(400), CHARGE, "bad_answer", 1),
    ("500", answer(500), READ, "timeout", 3),
    ("500", answer(500), PLAIN, "timeout", 1),
    ("500", answer(500), ONCE, "unknown", 2),
    ("500", answer(500), CHARGE, "unknown", 2),
    ("500", answer(500), NO_KEYS, "unknown", 1),
    ("503", answer(503), CHARGE, "unknown", 2),
    ("408", answer(408), READ, "timeout", 3),
    ("408", answer(408), CHARGE, "unknown", 2),
    ("429", answer(429), READ, "unavailable", 1),
    ("429", answer(429), CHARGE, "unavailable", 1),
    ("garbage", answer(body=b"<html>"), READ, "bad_answer", 1),
    ("garbage", answer(body=b"<html>"), RETURNING, "unknown", 2),
    ("garbage", answer(body=b"<html>"), ONCE, "unknown", 2),
    ("garbage, nothing to read", answer(body=b"<html>"), CHARGE, "unknown", 2),
    ("no body, nothing to read", answer(body=b""), CHARGE, "done", 1),
    ("wrong type", answer(data={"id": "seven"}), RETURNING, "unknown", 2),
    ("missing field", answer(data={}), READ, "bad_answer", 1),
    ("redirect", answer(302, headers={"Location": "http://169.254.169.254/"}), READ, "bad_answer", 1),
    ("redirect", answer(307, headers={"Location": "/again"}), CHARGE, "unknown", 2),
    ("dropped", drop, PLAIN, "timeout", 1),
    ("dropped", drop, ONCE, "unknown", 2),
    ("dropped", drop, CHARGE, "unknown", 2),
    ("dropped", drop, NO_KEYS, "unknown", 1),
    ("cut off", half, READ, "timeout", 3),
    ("cut off", half, RETURNING, "unknown", 2),
    ("cut off, nothing to read", half, CHARGE, "unknown", 2),
]


@pytest.mark.parametrize(
    ("told", "handler", "operation", "outcome", "requests"),
    OUTCOMES,
    ids=[f"{told} {operation.name}" for told, _, operation, _, _ in OUTCOMES],
)
async def test_outcomes(
    bench: Bench, told: str, handler: Handler, operation: Declared, outcome: str, requests: int
) -> None:
    bench.answers = [handler]
    arguments: dict[str, Value] = {"area": "Центр"} if operation is REPORT else {}
    if "fee" in operation.takes:
        arguments["fee"] = Decimal(490)
    operation = Declared(**{**operation.__dict__, "backend": "billing"})
    assert (await call(bench, operation, arguments)).name == outcome
    assert len(bench.requests) == requests
    if outcome == "bad_answer":
        assert len(bench.alarms) == 1


async def test_no_answer_in_time(bench: Bench) -> None:
    bench.answers = [silence]
    quick = {"timeout_ms": 60}
    assert (await call(bench, charging(**quick))).name == "unknown"
    assert len(bench.requests) == 2
    keys = {headers["Idempotency-Key"] for _, _, headers, _ in bench.requests}
    assert keys == {"k-1"}
    assert (await call(bench, Declared("billing.x", **quick))).name == "timeout"
    post = Declared("billing.x", "post", timeout_ms=60, retry=3)
    before = len(bench.requests)
    assert (await call(bench, post)).name == "timeout"
    assert len(bench.requests) == before + 1


async def test_all_attempts_together_keep_the_time_of_the_caller(bench: Bench) -> None:
    bench.answers = [silence]
    started = asyncio.get_running_loop().time()
    outcome = await call(bench, PACKAGE, within_ms=150)
    assert outcome.name == "timeout"
    assert asyncio.get_running_loop().time() - started < 1.5
    assert len(bench.requests) == 1


async def test_a_charge_that_was_lost_and_is_refused_at_the_second_try(bench: Bench) -> None:
    told = {204: "done", 402: "low_balance", 400: "unknown", 429: "unknown", 409: "not_allowed"}
    for status, name in told.items():
        bench.requests.clear()
        bench.answers = [drop, answer(status)]
        assert (await call(bench, REFRESH)).name == name
        assert len(bench.requests) == 2


async def test_a_read_that_failed_once_is_read_again(bench: Bench) -> None:
    bench.answers = [answer(500), answer(data=GOOD)]
    assert (await call(bench, PACKAGE)).name == "done"
    assert bench.pauses == [0.05]


async def test_what_was_not_sent_is_unavailable_and_tried_again(unused_tcp_port: int, bench: Bench) -> None:
    async with bench.make(billing=Endpoint(f"http://127.0.0.1:{unused_tcp_port}")) as client:
        assert (await call(bench, REFRESH, client=client)).name == "unavailable"
        assert len(bench.pauses) == 1
    assert (await call(bench, REFRESH, client=client)).name == "unavailable"


async def test_a_charge_without_a_key_never_leaves(bench: Bench) -> None:
    outcome = await bench.client.call(
        REFRESH, {"fee": Decimal(1)}, phone="7916", lang="ru", channel="ussd", key=None, within_ms=None
    )
    assert outcome.name == "bad_answer"
    assert bench.requests == []


async def test_a_dead_back_end_is_left_alone_and_found_again(bench: Bench) -> None:
    bench.answers = [answer(500)]
    once = Declared("billing.x")
    for _ in range(5):
        await call(bench, once)
    assert bench.client.breakers["billing"].is_open
    assert (await call(bench, once)).name == "unavailable"
    assert (await call(bench, REFRESH)).name == "unavailable"
    assert len(bench.requests) == 5
    bench.now = 1_000
    assert (await call(bench, once)).name == "timeout"
    assert len(bench.requests) == 6
    assert (await call(bench, once)).name == "unavailable"
    bench.now = 2_000
    bench.answers = [answer()]
    assert (await call(bench, once)).name == "done"
    assert (await call(bench, once)).name == "done"


async def test_a_caller_in_a_hurry_does_not_open_the_breaker(bench: Bench) -> None:
    bench.answers = [silence]
    for _ in range(6):
        await call(bench, Declared("billing.x"), within_ms=30)
    assert not bench.client.breakers["billing"].is_open


async def test_an_answer_is_kept_for_its_time(bench: Bench) -> None:
    bench.answers = [answer(data={"n": 1}), answer(data={"n": 2}), answer(404), answer(data={"n": 3})]
    cached = Declared(
        "billing.n", path="/n/{phone}", returns=Record((("n", INT),)), cache_ms=10_000, errors={404: "none"}
    )
    assert (await call(bench, cached)).value == {"n": 1}
    bench.now = 9_999
    assert (await call(bench, cached)).value == {"n": 1}
    bench.now = 10_000
    assert (await call(bench, cached)).value == {"n": 2}
    bench.now = 20_000
    assert (await call(bench, cached)).name == "none"
    assert (await call(bench, cached)).value == {"n": 3}


async def test_secrets_are_never_kept(bench: Bench) -> None:
    bench.answers = [answer(data={"p": "one"}), answer(data={"p": "two"})]
    secret = Declared("billing.p", returns=Record((("p", SECRET),)), cache_ms=10_000)
    assert (await call(bench, secret)).value == {"p": Secret("one")}
    assert (await call(bench, secret)).value == {"p": Secret("two")}


BIG = b'{"tariff": "' + b"x" * 300_000 + b'"}'
BOMB = gzip.compress(b" " * 200_000_000)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (BIG, None),
        (BOMB, "gzip"),
        (zlib.compress(BIG), "deflate"),
        (gzip.compress(json.dumps(GOOD).encode())[:-9], "gzip"),
        (b"no gzip at all", "gzip"),
        (json.dumps(GOOD).encode(), "br"),
        (b"[" * 100_000, None),
        (b'{"fee": 1e999999999}', None),
        (b'{"fee": NaN}', None),
        (b'{"tariff": "\\ud800"}', None),
        (b"9" * 5_000, None),
        (b"\xff\xfe", None),
    ],
    ids=[
        "big",
        "bomb",
        "big deflate",
        "cut gzip",
        "no gzip",
        "brotli",
        "deep",
        "huge",
        "nan",
        "surrogate",
        "digits",
        "utf",
    ],
)
async def test_hostile_bodies_are_bad_answers(bench: Bench, body: bytes, encoding: str | None) -> None:
    headers = {"Content-Encoding": encoding} if encoding else {}
    bench.answers = [answer(body=body, headers=headers)]
    assert (await call(bench, PACKAGE)).name == "bad_answer"
    assert (
        await call(bench, Declared(**{**RETURNING.__dict__, "keys_ms": None}), {"fee": Decimal(1)})
    ).name == "unknown"


async def test_a_body_without_end_is_left_at_the_cap(bench: Bench) -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" " * 65_536)
            sent += 65_536

    bench.answers = [endless]
    assert (await call(bench, PACKAGE)).name == "bad_answer"
    assert sent < 20_000_000


async def test_compressed_answers_are_read(bench: Bench) -> None:
    body = json.dumps(GOOD).encode()
    for packed, encoding in ((gzip.compress(body), "gzip"), (zlib.compress(body), "deflate")):
        bench.answers = [answer(body=packed, headers={"Content-Encoding": encoding})]
        assert (await call(bench, PACKAGE)).name == "done"


async def test_a_certificate_nobody_signed_is_not_trusted(bench: Bench, self_signed: ssl.SSLContext) -> None:
    server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0, ssl=self_signed)
    port = server.sockets[0].getsockname()[1]
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    async with bench.make(billing=Endpoint(f"https://127.0.0.1:{port}")) as client:
        assert (await call(bench, REFRESH, client=client)).name == "unavailable"
    server.close()
    await server.wait_closed()
    assert any("certificate" in text for text in bench.alarms)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://billing/",
        "billing:8080",
        "http://",
        "http://user:pass@billing/",
        "http://billing/?a=b",
        "http://billing/#a",
        "http://169.254.169.254/",
        "http://[fe80::1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://0.0.0.0/",
        "http://224.0.0.1/",
        "http://billing/../admin",
    ],
)
def test_urls_that_no_back_end_may_have(url: str) -> None:
    with pytest.raises(BackendUrlError):
        check_url(url)


def test_plain_urls() -> None:
    assert check_url("https://billing.example:8443/api/") == "https://billing.example:8443/api"
    assert check_url("http://127.0.0.1:9000") == "http://127.0.0.1:9000"


async def test_a_back_end_without_a_url_is_unavailable_and_alarmed(bench: Bench) -> None:
    outcome = await call(bench, Declared("shop.x", backend="shop"))
    assert outcome.name == "unavailable"
    assert bench.alarms == ["shop: shop.x: the back end has no URL"]


async def test_the_token_is_in_no_alarm_and_no_repr(bench: Bench) -> None:
    bench.answers = [answer(400)]
    outcome = await call(bench, PACKAGE)
    assert "t0ken" not in repr((outcome, bench.alarms, bench.client._endpoints))
