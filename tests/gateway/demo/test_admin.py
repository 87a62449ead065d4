"""The administrator's side: people, payments, usage, ledger, clock, settings; and who is kept out."""

import asyncio
import signal
import socket
import sys
from datetime import date
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.demo.billing import Clock, start
from gateway.demo.billing.__main__ import main
from gateway.demo.billing.key import NIGHT

RICH = "79160000001"


async def test_people_are_listed(wire: Any) -> None:
    _, everyone = await wire.call("GET", "/admin/subscribers")
    assert (everyone["total"], len(everyone["subscribers"])) == (320, 320)
    _, named = await wire.call("GET", "/admin/subscribers?persona=yes")
    assert [s["persona"] for s in named["subscribers"]][:4] == ["rich", "poor", "blocked", "unpaid"]
    assert named["total"] == 20
    _, page = await wire.call("GET", "/admin/subscribers?offset=20&limit=2")
    assert [s["phone"] for s in page["subscribers"]] == ["79161000001", "79161000002"]
    assert (await wire.call("GET", "/admin/subscribers?limit=many"))[0] == 400
    assert (await wire.call("GET", "/admin/subscribers/79169999999"))[0] == 404


async def test_passwords_and_passports_are_not_shown(wire: Any) -> None:
    _, one = await wire.call("GET", f"/admin/subscribers/{RICH}")
    assert (one["passport"], one["contract"]["password"]) == ("••••", "••••")
    async with wire.http.get(f"{wire.running.url}/admin/subscribers") as answer:
        assert "pass-7919" not in await answer.text()


async def test_any_field_can_be_set(wire: Any) -> None:
    fields = {
        "balance": "12.34",
        "tariff": "x",
        "blocks": ["voluntary"],
        "unpaid": True,
        "service": False,
        "period": "day",
        "discount": 50,
        "next_fee": "2026-12-31",
        "main": {"minutes": 1, "sms": 2, "mb": 3},
        "carried": {"minutes": 4},
        "options": [{"id": "travel", "anchor": 1, "next_fee": "2026-12-01"}],
        "contract": None,
    }
    status, answer = await wire.call("PATCH", f"/admin/subscribers/{RICH}", fields)
    assert status == 200, answer
    assert (answer["balance"], answer["family"], answer["fee"]) == ("12.34", "X", "6.00")
    assert answer["carried"] == {"minutes": 4, "sms": 0, "mb": 0}
    (line,) = await wire.ledger(f"phone={RICH}&kind=correction")
    assert (line["amount"], line["balance"]) == ("-1487.66", "12.34")
    assert (await wire.call("GET", "/admin/audit"))[1]["wrong"] == []
    _, package = await wire.call("GET", f"/subscribers/{RICH}/package")
    assert (package["tariff"], package["blocked"], package["balance"]) == ("X", True, "12.34")


@pytest.mark.parametrize("balance", ["-50.00", 0, 120.5, "0.01"])
async def test_a_balance_is_set_as_told(wire: Any, balance: Any) -> None:
    automatic = "79160000014"
    _, answer = await wire.call("PATCH", f"/admin/subscribers/{automatic}", {"balance": balance})
    assert float(answer["balance"]) == float(balance), "no automatic payment spoils it"
    assert (answer["card"], answer["auto"]["on"]) == (True, True)
    assert (await wire.call("GET", "/admin/audit"))[1]["wrong"] == []


@pytest.mark.parametrize(
    "fields",
    [
        {"balence": "1"},
        {"phone": "79160000002"},
        {"balance": "lots"},
        {"balance": "NaN"},
        {"balance": "1e9"},
        {"balance": "0.001"},
        {"tariff": "none"},
        {"discount": 101},
        {"anchor": 0},
        {"period": "week"},
        {"next_fee": "31.12.2026"},
        {"main": {"minutes": -1}},
        {"segment": "gold"},
        [],
    ],
)
async def test_a_field_that_does_not_fit_is_refused(wire: Any, fields: Any) -> None:
    before = (await wire.call("GET", f"/admin/subscribers/{RICH}"))[1]
    status, answer = await wire.call("PATCH", f"/admin/subscribers/{RICH}", fields)
    assert (status, answer["error"]) == (400, "bad_request")
    assert (await wire.call("GET", f"/admin/subscribers/{RICH}"))[1] == before


async def test_a_payment_comes_in(wire: Any) -> None:
    financial = "79160000016"
    path = f"/admin/subscribers/{financial}/payment"
    _, answer = await wire.call("POST", path, {"sum": 500})
    assert (answer["balance"], answer["blocks"], answer["unpaid"]) == ("510.00", [], True)
    for wrong in ("0", "-5", "x", "2000000"):
        assert (await wire.call("POST", path, {"sum": wrong}))[0] == 400


async def test_usage_spends_the_saved_remainder_first(wire: Any) -> None:
    path = "/admin/subscribers/79160000010/usage"
    _, answer = await wire.call("POST", path, {"minutes": 130, "mb": 5000})
    assert answer["carried"] == {"minutes": 0, "sms": 30, "mb": 0}
    assert answer["main"] == {"minutes": 210, "sms": 220, "mb": 0}
    assert answer["missing"] == {"minutes": 0, "sms": 0, "mb": 5000 - 900 - 2048}
    assert (await wire.call("POST", path, {"minutes": -1}))[0] == 400


async def test_the_ledger_shows_every_movement_with_its_key(wire: Any) -> None:
    await wire.charge("order-7")
    (line,) = await wire.ledger("key=order-7")
    assert line["phone"] == RICH
    assert (line["kind"], line["amount"], line["balance"]) == ("priority", "-50.00", "1450.00")
    assert (line["operation"], line["time"]) == ("billing.charge_priority", "2026-11-22T12:00:00.000+03:00")
    assert await wire.ledger(f"after={line['id']}") == []
    assert (await wire.ledger("newest=yes&limit=1"))[0]["id"] == line["id"]
    assert await wire.ledger("phone=nobody") == []
    assert len(await wire.ledger("phone=89160000001&kind=payment")) == 3


async def test_the_bill_shows_the_renewal(wire: Any) -> None:
    await wire.call("POST", f"/subscribers/{RICH}/package/refresh", {"fee": "490.00"}, Idempotency_Key="k")
    (line,) = (await wire.call("GET", f"/admin/subscribers/{RICH}/bill"))[1]["bill"]
    assert line["text"] == "Списание ежемесячной платы по Тарифному плану"
    assert (line["amount"], line["first"], line["last"]) == ("490.00", "2026-11-22", "2026-12-21")


async def test_the_clock_is_put_to_2359_and_over_midnight(wire: Any) -> None:
    _, clock = await wire.call("POST", "/admin/clock", {"to": "23:59"})
    assert (clock["time"], clock["nights"]) == ("2026-11-22T23:59:00.000+03:00", 0)
    assert (await wire.call("GET", "/subscribers/79160000015/account"))[1]["balance"] == "500.00"
    _, clock = await wire.call("POST", "/admin/clock", {"advance": 60})
    assert (clock["time"], clock["nights"]) == ("2026-11-23T00:00:00.000+03:00", 1)
    assert (await wire.call("GET", "/subscribers/79160000015/account"))[1]["balance"] == "10.00"
    _, clock = await wire.call("POST", "/admin/clock", {"set": "2026-12-31T12:00:00", "freeze": True})
    assert (clock["frozen"], clock["nights"]) == (True, 38)
    _, clock = await wire.call("POST", "/admin/clock", {"real": True})
    assert (clock["frozen"], clock["time"]) == (False, "2026-11-22T12:00:00.000+03:00")
    assert (await wire.call("GET", "/admin/clock"))[1]["now"] == clock["now"]


@pytest.mark.parametrize(
    "move",
    [
        {"to": "25:00"},
        {"to": "noon"},
        {"set": "yesterday"},
        {"set": "0001-01-01T00:00:00"},
        {"set": "2099-01-01T00:00:00"},
        {"advance": 1e12},
        {"advance": "1h"},
    ],
)
async def test_a_clock_is_not_moved_by_nonsense(wire: Any, move: dict[str, Any]) -> None:
    before = (await wire.call("GET", "/admin/clock"))[1]
    assert (await wire.call("POST", "/admin/clock", move))[0] == 400
    assert (await wire.call("GET", "/admin/clock"))[1] == before


async def test_the_job_can_be_run_by_hand(wire: Any) -> None:
    unpaid = "79160000004"
    _, answer = await wire.call("POST", "/admin/night")
    assert answer["charged"] > 0
    assert (await wire.call("GET", f"/subscribers/{unpaid}/package"))[1]["unpaid"] is False
    assert (await wire.call("POST", "/admin/night"))[1] == {"charged": 0}
    assert (await wire.call("GET", "/admin/audit"))[1]["wrong"] == []


async def test_the_job_runs_at_midnight_though_nobody_asks(wire: Any) -> None:
    desk = wire.running.desk
    ran: asyncio.Future[date] = asyncio.get_running_loop().create_future()
    desk.run_night = ran.set_result
    moment = [desk.clock.now()]
    desk.clock._source = lambda: moment[0]
    moment[0] += desk.milliseconds_to_midnight()
    wire.running.runner.app[NIGHT].set()
    assert (await asyncio.wait_for(ran, 5)).isoformat() == "2026-11-23"


async def test_settings_are_kept_over_a_restart(wire: Any, tmp_path: Path) -> None:
    assert (await wire.call("GET", "/admin/settings"))[1] == {"keys_kept": 86_400, "store_refusals": False}
    wanted = {"keys_kept": 300, "store_refusals": True}
    assert (await wire.call("POST", "/admin/settings", wanted))[1] == wanted
    assert (await wire.call("POST", "/admin/settings", {"keys_kept": -1}))[0] == 400
    await wire.running.close()
    running = await start(tmp_path / "books" / "billing.db", Clock())
    assert (running.desk.book.keys_kept, running.desk.book.store_refusals) == (300_000, True)
    await running.close()


async def test_a_short_memory_for_keys(wire: Any) -> None:
    await wire.call("POST", "/admin/settings", {"keys_kept": 300})
    await wire.charge("k")
    await wire.call("POST", "/admin/clock", {"advance": 301})
    await wire.charge("k")
    assert len(await wire.ledger("key=k")) == 2


async def test_counters_and_log_tell_what_happened(wire: Any) -> None:
    await wire.charge("a")
    await wire.charge("a")
    await wire.charge("b", "79160000011", "999.00")
    counters = (await wire.call("GET", "/admin/counters"))[1]["counters"]
    found = {c["outcome"]: c["count"] for c in counters if c["operation"] == "billing.charge_priority"}
    assert found == {"done": 1, "repeated": 1, "low_balance": 1}
    newest = (await wire.call("GET", "/admin/requests?limit=1"))[1]["requests"]
    assert (newest[0]["phone"], newest[0]["error"], newest[0]["key"]) == ("7916***0011", "low_balance", "b")


async def test_everything_starts_over(wire: Any) -> None:
    before = (await wire.call("GET", "/admin/subscribers"))[1]
    await wire.charge("a")
    await wire.fault(kind="status")
    await wire.call("POST", "/admin/clock", {"advance": 86_400 * 40})
    await wire.call("POST", "/admin/reset")
    assert (await wire.call("GET", "/admin/subscribers"))[1] == before
    assert (await wire.call("GET", "/admin/faults"))[1] == {"faults": []}
    assert (await wire.charge("a"))[0] == 200
    assert (await wire.call("GET", "/admin/audit"))[1]["wrong"] == []


async def test_the_catalogue_tells_what_is_sold(wire: Any) -> None:
    _, answer = await wire.call("GET", "/admin/catalogue")
    assert {"id": "card-300", "code": "12345678901234", "sum": "300.00"} in answer["cards"]
    assert len(answer["options"]) == 12


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "billing.example.com"},
        {"Host": "[::1"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_foreign_pages_and_names_are_kept_out(wire: Any, headers: dict[str, str]) -> None:
    async with wire.http.get(f"{wire.running.url}/admin/subscribers", headers=headers) as answer:
        assert answer.status in {400, 403}
        assert "7916" not in await answer.text()


async def test_a_form_of_another_page_changes_nothing(wire: Any) -> None:
    url = f"{wire.running.url}/admin/subscribers/{RICH}/payment"
    async with wire.http.post(url, data=b'{"sum": 5}', headers={"Content-Type": "text/plain"}) as answer:
        assert answer.status == 415
    assert (await wire.call("GET", f"/subscribers/{RICH}/account"))[1]["balance"] == "1500.00"


async def test_a_body_that_is_too_long_is_refused(wire: Any) -> None:
    url = f"{wire.running.url}/subscribers/{RICH}/charge"
    async with wire.http.post(url, data=b" " * 70_000, headers={"Idempotency-Key": "k"}) as answer:
        assert answer.status == 413


async def test_it_runs_alone(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "gateway.demo.billing", "--port", "0", "--data", str(tmp_path / "b.db")),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    async with (
        aiohttp.ClientSession() as http,
        http.get(line.split()[3].rstrip(",") + "/admin/audit") as answer,
    ):
        assert (await answer.json())["wrong"] == []
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0


def test_a_port_that_is_taken_is_told(tmp_path: Path, capsys: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["--port", port, "--data", str(tmp_path / "b.db")]) == 1
    assert "cannot start" in capsys.readouterr().err


def test_a_file_that_is_no_database_is_told(tmp_path: Path, capsys: Any) -> None:
    file = tmp_path / "b.db"
    file.write_bytes(b"this is no database at all, but a text" * 100)
    assert main(["--port", "0", "--data", str(file)]) == 1
    assert "not a database" in capsys.readouterr().err
