"""Faults on order: which requests they spoil, what the client sees, and whether the money was taken."""

import asyncio
from typing import Any

import aiohttp
import msgspec
import pytest

from gateway.demo.billing import Fault
from gateway.demo.billing.fault import MODES, Board

RICH = "79160000001"

LOST = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)


async def charges(wire: Any) -> int:
    return len(await wire.ledger("kind=priority"))


@pytest.mark.parametrize(("kind", "taken"), [("reset", 0), ("lose", 0), ("take_and_lose", 1)])
async def test_a_connection_is_lost_before_or_after_the_work(wire: Any, kind: str, taken: int) -> None:
    await wire.fault(operation="billing.charge_priority", kind=kind, count=1)
    with pytest.raises(LOST):
        await wire.charge("k")
    assert await charges(wire) == taken
    assert (await wire.call("GET", "/charges/k"))[0] == (200 if taken else 404)
    assert (await wire.charge("k"))[0] == 200
    assert await charges(wire) == 1


@pytest.mark.parametrize(("kind", "taken"), [("hang", 0), ("take_and_hang", 1)])
async def test_an_answer_that_never_comes(wire: Any, kind: str, taken: int) -> None:
    await wire.fault(operation="billing.*", kind=kind, count=1)
    waiting = asyncio.create_task(wire.charge("k"))
    while not (await wire.call("GET", "/admin/requests"))[1]["requests"]:
        pass
    assert await charges(wire) == taken
    assert not waiting.done()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert (await wire.charge("k"))[0] == 200
    assert await charges(wire) == 1


@pytest.mark.parametrize("status", [400, 408, 429, 500, 503, 504])
async def test_a_status_without_the_work(wire: Any, status: int) -> None:
    await wire.fault(kind="status", status=status, count=1, operation="billing.charge_priority")
    assert await wire.charge("k") == (status, {"error": "fault"})
    assert await charges(wire) == 0


async def test_a_status_after_the_work(wire: Any) -> None:
    await wire.fault(kind="status", status=502, work=True, count=1)
    assert (await wire.charge("k"))[0] == 502
    assert await charges(wire) == 1
    assert (await wire.charge("k"))[0] == 200
    assert await charges(wire) == 1


async def raw(wire: Any, **options: Any) -> tuple[int, bytes, Any]:
    async with wire.http.post(
        f"{wire.running.url}/subscribers/{RICH}/charge",
        json={"fee": "50.00"},
        headers={"Idempotency-Key": "k"},
        allow_redirects=False,
        **options,
    ) as answer:
        return answer.status, await answer.read(), answer.headers


@pytest.mark.parametrize("work", [None, False])
async def test_garbage_is_no_json(wire: Any, work: bool | None) -> None:
    await wire.fault(kind="garbage", work=work)
    status, body, _ = await raw(wire)
    assert status == 200
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        msgspec.json.decode(body)
    assert await charges(wire) == (1 if work is None else 0)


async def test_wrong_fields_are_json_that_fits_nothing(wire: Any) -> None:
    await wire.fault(kind="wrong_fields")
    assert isinstance(msgspec.json.decode((await raw(wire))[1]), list)


async def test_a_body_breaks_off(wire: Any) -> None:
    await wire.fault(kind="truncated")
    with pytest.raises(aiohttp.ClientPayloadError):
        await raw(wire)
    assert await charges(wire) == 1


async def test_a_huge_body(wire: Any) -> None:
    await wire.fault(kind="huge", size=2_000_000)
    status, body, headers = await raw(wire)
    assert (status, len(body) > 1_900_000) == (200, True)
    assert "Content-Length" not in headers, "the reader cannot see it coming"


async def test_a_huge_body_that_the_client_leaves(wire: Any) -> None:
    await wire.fault(kind="huge", size=64_000_000, count=1)
    async with wire.http.get(f"{wire.running.url}/subscribers/{RICH}/account") as answer:
        assert await answer.content.read(10)
        answer.close()
    assert (await wire.call("GET", f"/subscribers/{RICH}/account"))[0] == 200


async def test_a_compressed_bomb(wire: Any) -> None:
    await wire.fault(kind="bomb", size=3_000_000)
    status, packed, headers = await raw(wire)
    assert (status, headers["Content-Encoding"]) == (200, "gzip")
    assert len(packed) > 3_000_000, "the client of the test unpacks it"
    assert int(headers["Content-Length"]) < 10_000


async def test_a_redirect(wire: Any) -> None:
    await wire.fault(kind="redirect", location="http://127.0.0.1:1/elsewhere")
    status, _, headers = await raw(wire)
    assert (status, headers["Location"]) == (302, "http://127.0.0.1:1/elsewhere")


async def test_a_slow_body_comes_byte_by_byte(wire: Any) -> None:
    await wire.fault(operation="billing.account", kind="slow", after=1)
    status, answer = await wire.call("GET", f"/subscribers/{RICH}/account")
    assert (status, answer["balance"]) == (200, "1500.00")


async def test_a_delay_leaves_the_answer_whole(wire: Any) -> None:
    await wire.fault(kind="delay", delay=30, after=30)
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert (await wire.charge("k"))[0] == 200
    assert loop.time() - began >= 0.055


async def test_keys_forgotten_early_charge_twice(wire: Any) -> None:
    await wire.charge("k")
    await wire.fault(operation="billing.charge_priority", kind="forget_keys", count=1)
    assert (await wire.charge("k"))[0] == 200
    assert (await wire.charge("k"))[0] == 200
    assert await charges(wire) == 2
    assert len(await wire.ledger("key=k")) == 2


async def test_a_refusal_stored_by_key(wire: Any) -> None:
    poor = "79160000002"
    await wire.fault(operation="billing.charge_priority", kind="store_refusals", count=1)
    assert (await wire.charge("k", poor, "200.00"))[0] == 402
    await wire.call("POST", f"/admin/subscribers/{poor}/payment", {"sum": "500.00"})
    assert (await wire.charge("k", poor, "200.00"))[0] == 402
    assert (await wire.charge("k2", poor, "200.00"))[0] == 200


async def test_a_fault_and_forgotten_keys_act_together(wire: Any) -> None:
    await wire.charge("k")
    await wire.fault(kind="forget_keys")
    await wire.fault(kind="take_and_lose", count=1)
    with pytest.raises(LOST):
        await wire.charge("k")
    assert await charges(wire) == 2


async def test_waiting_faults_do_not_hold_the_service(wire: Any) -> None:
    await wire.fault(kind="take_and_hang")
    waiting = asyncio.create_task(wire.charge("k"))
    while await charges(wire) == 0:
        pass
    await asyncio.wait_for(wire.running.runner.shutdown(), 5)
    with pytest.raises(LOST):
        await waiting


async def test_a_storm_of_faults_charges_each_key_once(wire: Any) -> None:
    await wire.call("PATCH", f"/admin/subscribers/{RICH}", {"balance": "1000.00"})
    for kind, probability in (("status", 0.3), ("take_and_lose", 0.1), ("garbage", 0.1), ("lose", 0.1)):
        await wire.fault(operation="billing.charge_priority", kind=kind, probability=probability)
    await wire.fault(operation="billing.charge_priority", kind="status", work=True, probability=0.2)

    async def insist(key: str) -> None:
        for _ in range(100):
            try:
                if await wire.charge(key, fee="1.00") == (200, {}):
                    return
            except (*LOST, ValueError):
                continue
        raise AssertionError(f"{key} was never answered")

    await asyncio.gather(*(insist(f"storm-{n}") for n in range(150)))
    keys = [line["key"] for line in await wire.ledger("kind=priority")]
    assert sorted(keys) == sorted(f"storm-{n}" for n in range(150))
    assert (await wire.call("GET", f"/subscribers/{RICH}/account"))[1]["balance"] == "850.00"


# --- which requests a fault is for ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "spoilt"),
    [
        (Fault(), "1111111111"),
        (Fault(count=3), "1110000000"),
        (Fault(skip=2, count=3), "0011100000"),
        (Fault(count=0), "0000000000"),
        (Fault(probability=0.0), "0000000000"),
        (Fault(operation="billing.*"), "1111111111"),
        (Fault(operation="billing.account"), "1111111111"),
        (Fault(operation="crm.*"), "0000000000"),
        (Fault(operation="billing"), "0000000000"),
        (Fault(phone="+79160000001"), "1111111111"),
        (Fault(phone="79160000002"), "0000000000"),
    ],
)
def test_the_next_requests_are_counted(fault: Fault, spoilt: str) -> None:
    board = Board()
    board.add(fault)
    assert "".join(str(len(board.choose("billing.account", RICH))) for _ in range(10)) == spoilt


def test_chance_is_reproducible() -> None:
    def run(seed: int) -> list[int]:
        board = Board()
        board.add(Fault(probability=0.3, seed=seed))
        return [len(board.choose("billing.account", "")) for _ in range(1000)]

    assert run(1) == run(1)
    assert run(1) != run(2)
    assert 250 < sum(run(1)) < 350


def test_faults_do_not_share_their_chance() -> None:
    board = Board()
    board.add(Fault(kind="delay", probability=0.5))
    board.add(Fault(kind="forget_keys", probability=0.5))
    together = sum(len(board.choose("billing.account", "")) == 2 for _ in range(1000))
    assert 200 < together < 300


def test_of_two_faults_the_older_spoils_and_the_younger_keeps_its_count() -> None:
    board = Board()
    board.add(Fault(kind="status", count=1))
    board.add(Fault(kind="garbage", count=1))
    kinds = [[fault.kind for fault in board.choose("billing.account", "")] for _ in range(3)]
    assert kinds == [["status"], ["garbage"], []]


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "explode"},
        {"probability": 1.5},
        {"count": -1},
        {"delay": -5},
        {"delay": 700_000},
        {"status": 200},
        {"size": 10**10},
        {"location": "a\r\nSet-Cookie: x"},
        {"phone": "911"},
        {"propability": 1},
        {"count": "two"},
    ],
)
async def test_an_order_that_makes_no_sense_is_refused(wire: Any, fields: dict[str, Any]) -> None:
    status, answer = await wire.call("POST", "/admin/faults", fields)
    assert (status, answer["error"]) == (400, "bad_request")
    assert (await wire.call("GET", "/admin/faults"))[1] == {"faults": []}


async def test_faults_are_listed_and_taken_down(wire: Any) -> None:
    first = await wire.fault(kind="status", status=503, count=2)
    second = await wire.fault(kind="garbage", operation="crm.*")
    await wire.charge("k")
    (one, other) = (await wire.call("GET", "/admin/faults"))[1]["faults"]
    assert (one["number"], one["seen"], one["fired"], one["work"]) == (first, 1, 1, False)
    assert (other["number"], other["kind"], other["work"]) == (second, "garbage", True)
    assert (await wire.call("DELETE", f"/admin/faults/{first}"))[0] == 200
    assert (await wire.call("DELETE", f"/admin/faults/{first}"))[0] == 404
    assert (await wire.charge("k"))[0] == 200
    await wire.call("DELETE", "/admin/faults")
    assert (await wire.call("GET", "/admin/faults"))[1] == {"faults": []}


async def test_the_request_log_names_the_fault(wire: Any) -> None:
    await wire.fault(kind="status", operation="billing.charge_priority", count=1)
    await wire.charge("k")
    await wire.charge("k")
    (latest, spoilt) = (await wire.call("GET", "/admin/requests"))[1]["requests"]
    assert (spoilt["fault"], spoilt["status"], spoilt["phone"]) == ("status", 0, "7916***0001")
    assert (latest["fault"], latest["status"]) == ("", 200)


def test_every_kind_of_fault_has_a_test() -> None:
    source = __import__("pathlib").Path(__file__).read_text()
    kinds = Fault.__annotations__["kind"]
    assert kinds == "Kind"
    names = __import__("gateway.demo.billing.fault", fromlist=["Kind"]).Kind.__args__
    assert set(names) >= MODES
    assert [name for name in names if f'"{name}"' not in source] == []
