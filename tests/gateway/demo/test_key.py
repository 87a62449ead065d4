"""Idempotency keys: one effect for one key, one after another, at once, over restarts, as long as kept."""

import asyncio
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from gateway.demo.billing.desk import Request

RICH, POOR = "79160000001", "79160000002"


def test_a_repeat_gets_the_first_answer_and_takes_nothing(till: Any) -> None:
    first = till.ask("billing.top_up", POOR, "k", code="12345678901234")
    till.read("billing.charge_priority", POOR, fee="100.00")
    second = till.ask("billing.top_up", POOR, "k", code="12345678901234")
    assert (second.status, second.body, second.repeated) == (200, first.body, True)
    assert len(till.ledger(POOR, "top_up")) == 1


@pytest.mark.parametrize("same", ["50", 50, 50.0, "50.00", "5e1"])
def test_the_same_sum_written_otherwise_is_the_same_request(till: Any, same: Any) -> None:
    till.ask("billing.charge_priority", RICH, "k", fee="50.00")
    assert till.ask("billing.charge_priority", RICH, "k", fee=same).repeated
    assert len(till.ledger(RICH, "priority")) == 1


@pytest.mark.parametrize(
    ("name", "phone", "takes"),
    [
        ("billing.charge_priority", RICH, {"fee": "51.00"}),
        ("billing.charge_priority", POOR, {"fee": "50.00"}),
        ("billing.give_back", RICH, {"fee": "50.00"}),
    ],
)
def test_a_key_for_another_request_is_refused(
    till: Any, name: str, phone: str, takes: dict[str, Any]
) -> None:
    till.ask("billing.charge_priority", RICH, "k", fee="50.00")
    answer = till.ask(name, phone, "k", **takes)
    assert (answer.status, msgspec.json.decode(answer.body)) == (422, {"error": "key_reused"})
    assert till.one(RICH).balance == 1450
    assert till.one(POOR).balance == Decimal("120.50")


@pytest.mark.parametrize("key", ["", "x" * 201, "with space", "кот", "line\nbreak"])
def test_a_key_that_is_none_is_refused(till: Any, key: str) -> None:
    answer = till.ask("billing.charge_priority", RICH, key, fee="50.00")
    assert answer.status == 400
    assert b"Idempotency-Key" in answer.body
    assert till.one(RICH).balance == 1500


def test_a_refusal_is_not_remembered(till: Any) -> None:
    assert till.ask("billing.charge_priority", POOR, "k", fee="200.00").status == 402
    till.read("billing.top_up", POOR, code="12345678901234")
    assert till.ask("billing.charge_priority", POOR, "k", fee="200.00").status == 200


def test_a_refusal_is_remembered_where_billing_does_so(till: Any) -> None:
    till.desk.book.settings["store_refusals"] = "yes"
    assert till.ask("billing.charge_priority", POOR, "k", fee="200.00").status == 402
    till.read("billing.top_up", POOR, code="12345678901234")
    again = till.ask("billing.charge_priority", POOR, "k", fee="200.00")
    assert (again.status, again.repeated) == (402, True)
    assert till.read("billing.charged", "k") == {"status": 404, "error": "not_charged"}
    assert till.ask("billing.charge_priority", POOR, "fresh", fee="200.00").status == 200


@pytest.mark.parametrize(("hours", "charges"), [(23, 1), (24, 1), (25, 2)])
def test_a_key_is_remembered_a_day(till: Any, hours: int, charges: int) -> None:
    till.ask("billing.charge_priority", RICH, "k", fee="50.00")
    assert till.read("billing.charged", "k") == {"status": 200, "done": True}
    till.clock.advance(hours * 3_600_000)
    assert till.read("billing.charged", "k")["status"] == (200 if charges == 1 else 404)
    till.ask("billing.charge_priority", RICH, "k", fee="50.00")
    assert len(till.ledger(RICH, "priority")) == charges


def test_old_keys_are_cleared_away_by_night(till: Any) -> None:
    till.ask("billing.charge_priority", RICH, "k", fee="50.00")
    till.clock.advance(3 * 86_400_000)
    till.desk.catch_up()
    assert till.desk.book.remembered("k", 0) is None


def test_keys_and_money_survive_a_restart(open_till: Any) -> None:
    first = open_till()
    first.ask("billing.charge_priority", RICH, "k", fee="50.00")
    first.ask("billing.top_up", RICH, "card", code="12345678901234")
    first.desk.book.close()
    second = open_till()
    assert second.one(RICH).balance == 1750
    assert second.ask("billing.charge_priority", RICH, "k", fee="50.00").repeated
    assert second.read("billing.top_up", POOR, code="12345678901234")["error"] == "used_code"
    assert second.sound()


def test_a_transaction_that_cannot_be_written_changes_nothing(till: Any) -> None:
    till.desk.book._db.execute(
        "CREATE TRIGGER broken BEFORE INSERT ON remembered BEGIN SELECT RAISE(ABORT, 'full'); END"
    )
    before = till.one(RICH)
    answer = till.ask("billing.refresh_package", RICH, "k", fee="490.00")
    assert (answer.status, answer.body) == (500, b'{"error":"internal"}')
    assert till.one(RICH) == before
    assert till.sound()
    till.desk.book._db.execute("DROP TRIGGER broken")
    assert till.ask("billing.refresh_package", RICH, "k", fee="490.00").status == 200


def test_the_code_of_a_card_is_nowhere_in_the_books(open_till: Any, tmp_path: Any) -> None:
    till = open_till()
    till.ask("billing.top_up", RICH, "k", code="50050050050050")
    till.ask("billing.top_up", RICH, "k2", code="77777777777777")
    till.desk.book.close()
    for file in tmp_path.glob("billing.db*"):
        assert b"50050050050050" not in file.read_bytes()
        assert b"77777777777777" not in file.read_bytes()
    assert "50050050050050" not in str(list(till.desk.log))


async def test_requests_with_one_key_at_once_charge_once(wire: Any) -> None:
    await wire.fault(operation="billing.charge_priority", kind="delay", delay=20, after=20)
    answers = await asyncio.gather(*(wire.charge("same") for _ in range(10)))
    assert {status for status, _ in answers} == {200}
    assert len(await wire.ledger("phone=79160000001&kind=priority")) == 1


async def test_requests_with_keys_of_their_own_charge_each(wire: Any) -> None:
    answers = await asyncio.gather(*(wire.charge(f"key-{n}", fee="100.00") for n in range(20)))
    assert sorted(status for status, _ in answers) == [200] * 15 + [402] * 5
    assert (await wire.call("GET", "/subscribers/79160000001/account"))[1]["balance"] == "0.00"


def test_a_body_that_is_no_json_is_refused(till: Any) -> None:
    operation = till.ask.__globals__["BY_NAME"]["billing.charge_priority"]
    for body in (b"", b"{", b"\xff\xfe", b"[]", b"null", b'{"fee":' + b"[" * 5000):
        answer = till.desk.perform(Request(operation, RICH, "k", body))
        assert answer.status == 400, body[:20]
