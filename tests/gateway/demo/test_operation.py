"""Every operation of the back ends `billing` and `crm`: shape of the answer, effects, refusals."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from gateway.demo.billing.operation import OPERATIONS

RICH, POOR, BLOCKED, MANY, NOTHING = (f"7916000{n:04d}" for n in (1, 2, 3, 12, 11))

ANSWERS: list[tuple[str, str, dict[str, Any]]] = [
    (
        "billing.package",
        RICH,
        {
            "tariff": "Smart",
            "service": True,
            "fee": "490.00",
            "balance": "1500.00",
            "blocked": False,
            "unpaid": False,
            "period": "month",
        },
    ),
    ("billing.package", "79160000005", {"period": "day"}),
    ("billing.package", "79160000006", {"fee": "0.00"}),
    ("billing.package", "79160000004", {"unpaid": True, "blocked": False}),
    ("billing.package", "79160000007", {"service": False}),
    ("billing.package", "79160000019", {"tariff": "Красный"}),
    ("billing.packages", RICH, {"minutes": 220, "sms": 220, "mb": 2048, "until": "2026-12-10"}),
    ("billing.account", RICH, {"balance": "1500.00", "tariff": "Smart"}),
    ("billing.account", "+79160000001", {"balance": "1500.00"}),
    ("billing.account", "89160000001", {"balance": "1500.00"}),
    ("billing.promise_terms", RICH, {"allowed": True, "sum": "200.00", "fee": "10.00", "days": 3}),
    ("billing.promise_terms", BLOCKED, {"allowed": False}),
    ("billing.promise_terms", "79160000016", {"allowed": True}),
    ("billing.auto_payment", RICH, {"on": False, "sum": "0.00", "below": "0.00"}),
    ("billing.auto_payment", "79160000014", {"on": True, "sum": "500.00", "below": "100.00"}),
    ("billing.payments", NOTHING, {"payments": []}),
    ("billing.options", NOTHING, {"options": []}),
    ("billing.tariffs", BLOCKED, {"current": "Smart", "others": []}),
    ("crm.customer", RICH, {"segment": "premium", "region": "msk", "balance": "1500.00"}),
    ("crm.employee", "79160000013", {"office": "Тверская 5"}),
    (
        "crm.account",
        RICH,
        {"contract": "780000001", "balance": "1500.00", "pay_by": "2026-12-10", "login": "gudok01"},
    ),
]

REFUSED: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("billing.package", "79169999999", {}, 404, "unknown_subscriber"),
    ("billing.package", "not-a-phone", {}, 404, "unknown_subscriber"),
    ("billing.package", "٧٩١٦٠٠٠٠٠٠١", {}, 404, "unknown_subscriber"),
    ("billing.refresh_package", POOR, {"fee": "490.00"}, 402, "low_balance"),
    ("billing.refresh_package", BLOCKED, {"fee": "490.00"}, 409, "not_allowed"),
    ("billing.charge_priority", NOTHING, {"fee": "50.01"}, 402, "low_balance"),
    ("billing.charged", "no-such-key", {}, 404, "not_charged"),
    ("billing.give_back", RICH, {"fee": "50.00"}, 409, "nothing_to_give_back"),
    ("billing.change_tariff", POOR, {"tariff": "ultra"}, 402, "low_balance"),
    ("billing.change_tariff", RICH, {"tariff": "smart"}, 409, "not_allowed"),
    ("billing.change_tariff", RICH, {"tariff": "red_2008"}, 409, "not_allowed"),
    ("billing.change_tariff", RICH, {"tariff": "../etc"}, 409, "not_allowed"),
    ("billing.change_tariff", BLOCKED, {"tariff": "x"}, 409, "not_allowed"),
    ("billing.option_on", POOR, {"option": "travel", "fee": "150.00"}, 402, "low_balance"),
    ("billing.option_on", RICH, {"option": "roaming", "fee": "499.00"}, 409, "not_allowed"),
    ("billing.option_on", RICH, {"option": "travel", "fee": "1.00"}, 409, "not_allowed"),
    ("billing.option_on", BLOCKED, {"option": "travel", "fee": "150.00"}, 409, "not_allowed"),
    ("billing.promise", "79160000018", {"sum": "200.00", "fee": "10.00"}, 409, "not_allowed"),
    ("billing.promise", RICH, {"sum": "2000.00", "fee": "0.00"}, 409, "not_allowed"),
    ("billing.promise", BLOCKED, {"sum": "200.00", "fee": "10.00"}, 409, "not_allowed"),
    ("billing.set_auto_payment", POOR, {"on": True, "sum": "500", "below": "100"}, 409, "no_card"),
    ("billing.set_auto_payment", POOR, {"on": False, "sum": "0", "below": "0"}, 409, "no_card"),
    ("billing.top_up", RICH, {"code": "00000000000000"}, 404, "wrong_code"),
    ("billing.top_up", RICH, {"code": "99999999999999"}, 409, "used_code"),
    ("billing.block_sim", "", {"number": "79169999999"}, 404, "unknown_number"),
    ("crm.customer", "79169999999", {}, 404, "unknown_subscriber"),
    ("crm.account", NOTHING, {}, 404, "no_contract"),
    ("crm.account", "79169999999", {}, 404, "no_contract"),
    ("crm.check_identity", "", {"number": "79169999999", "passport": "0001"}, 404, "unknown_number"),
    ("crm.employee", RICH, {}, 404, "not_staff"),
    ("crm.employee", "79169999999", {}, 404, "not_staff"),
]

BROKEN: list[tuple[str, dict[str, Any]]] = [
    ("billing.charge_priority", {}),
    ("billing.charge_priority", {"fee": "NaN"}),
    ("billing.charge_priority", {"fee": "-1"}),
    ("billing.charge_priority", {"fee": -1}),
    ("billing.charge_priority", {"fee": "0.001"}),
    ("billing.charge_priority", {"fee": "1e999999"}),
    ("billing.charge_priority", {"fee": "1e-999999"}),
    ("billing.charge_priority", {"fee": True}),
    ("billing.charge_priority", {"fee": "1000000.01"}),
    ("billing.charge_priority", {"fee": "fifty"}),
    ("billing.option_on", {"option": 5, "fee": "1"}),
    ("billing.set_auto_payment", {"on": True, "sum": "99.99", "below": "1"}),
    ("billing.set_auto_payment", {"on": True, "sum": "5000.01", "below": "1"}),
    ("billing.set_auto_payment", {"on": "yes", "sum": "500", "below": "1"}),
    ("billing.promise", {"sum": None, "fee": "10.00"}),
    ("billing.top_up", {"code": 12345678901234}),
    ("crm.check_identity", {"number": RICH}),
]


@pytest.mark.parametrize(("name", "phone", "expected"), ANSWERS)
def test_what_an_operation_answers(till: Any, name: str, phone: str, expected: dict[str, Any]) -> None:
    answer = till.read(name, phone)
    assert answer["status"] == 200
    assert {field: answer[field] for field in expected} == expected


@pytest.mark.parametrize(("name", "parameter", "takes", "status", "error"), REFUSED)
def test_what_an_operation_refuses(
    till: Any, name: str, parameter: str, takes: dict[str, Any], status: int, error: str
) -> None:
    before = dict(till.desk.book.subscribers)
    answer = till.read(name, parameter, **takes)
    assert (answer["status"], answer["error"]) == (status, error)
    assert till.desk.book.subscribers == before
    assert till.sound()


@pytest.mark.parametrize(("name", "takes"), BROKEN)
def test_arguments_that_do_not_fit_are_refused(till: Any, name: str, takes: dict[str, Any]) -> None:
    before = dict(till.desk.book.subscribers)
    answer = till.read(name, RICH, **takes)
    assert (answer["status"], answer["error"]) == (400, "bad_request")
    assert till.desk.book.subscribers == before


def test_every_operation_that_can_be_refused_is_tried() -> None:
    tried = {name for name, *_ in REFUSED}
    never = {"billing.packages", "billing.account", "billing.tariffs", "billing.options", "billing.payments"}
    never |= {"billing.promise_terms", "billing.auto_payment", "billing.option_off"}
    here = ("billing.", "crm.")  # the others are tried over HTTP, in test_services.py
    assert tried | never == {operation.name for operation in OPERATIONS if operation.name.startswith(here)}


@pytest.mark.parametrize(
    "name", ["billing.packages", "billing.options", "billing.payments", "billing.tariffs"]
)
def test_an_unknown_number_is_unknown_everywhere(till: Any, name: str) -> None:
    assert till.read(name, "79169999999")["error"] == "unknown_subscriber"


@pytest.mark.parametrize("fee", ["50.00", "50", 50, 50.0])
def test_money_comes_as_text_or_number(till: Any, fee: Any) -> None:
    assert till.read("billing.charge_priority", RICH, fee=fee) == {"status": 200}
    assert till.read("billing.account", RICH)["balance"] == "1450.00"


def test_a_charge_is_given_back_once(till: Any) -> None:
    till.read("billing.charge_priority", RICH, fee="50.00")
    assert till.read("billing.give_back", RICH, fee="49.00")["status"] == 409
    assert till.read("billing.give_back", RICH, fee="50.00") == {"status": 200}
    assert till.read("billing.give_back", RICH, fee="50.00")["error"] == "nothing_to_give_back"
    assert till.one(RICH).balance == 1500


def test_a_tariff_change_takes_the_new_fee_and_begins_a_period(till: Any) -> None:
    others = till.read("billing.tariffs", RICH)["others"]
    assert {"id": "ultra", "name": "Ultra", "fee": "990.00"} in others
    assert "smart" not in [offer["id"] for offer in others]
    till.read("billing.option_on", RICH, option="unlim_net", fee="300.00")
    assert till.read("billing.change_tariff", RICH, tariff="ultra") == {"status": 200}
    s = till.one(RICH)
    assert (s.balance, s.next_fee, s.main.minutes) == (Decimal("210.00"), date(2026, 12, 22), 3000)
    assert till.read("billing.account", RICH)["tariff"] == "Ultra"


def test_options_go_on_and_off(till: Any) -> None:
    states = {o["id"]: o for o in till.read("billing.options", MANY)["options"]}
    assert len(states) == 12
    assert (states["travel"]["on"], states["roaming"]["on"]) == (True, False)
    assert till.read("billing.option_on", MANY, option="roaming", fee=499) == {"status": 200}
    assert till.read("billing.option_on", MANY, option="roaming", fee=499) == {"status": 200}
    assert till.one(MANY).balance == 3000 - 499, "an option that is on costs nothing again"
    assert till.read("billing.option_off", MANY, option="roaming") == {"status": 200}
    assert till.read("billing.option_off", MANY, option="roaming") == {"status": 200}
    assert not {o["id"]: o["on"] for o in till.read("billing.options", MANY)["options"]}["roaming"]


def test_a_tariff_that_conflicts_refuses_its_option(till: Any) -> None:
    till.set(RICH, tariff="smart_unlim")
    assert "unlim_net" in [o["id"] for o in till.read("billing.options", RICH)["options"]]
    refused = till.read("billing.option_on", RICH, option="unlim_net", fee="300.00")
    assert (refused["error"], refused["reason"]) == ("not_allowed", "not_with_this_tariff")


def test_a_promised_payment_comes_less_its_fee(till: Any) -> None:
    assert till.read("billing.promise", POOR, sum="200.00", fee="10.00") == {"status": 200}
    assert till.one(POOR).balance == Decimal("310.50")
    assert till.read("billing.promise_terms", POOR)["allowed"] is False
    assert till.read("billing.promise", POOR, sum="200.00", fee="10.00")["reason"] == "promise_running"


def test_a_card_works_once_and_shows_in_the_payments(till: Any) -> None:
    paid = till.read("billing.top_up", POOR, code="12345678901234")
    assert paid == {"status": 200, "sum": "300.00", "balance": "420.50"}
    assert till.read("billing.top_up", RICH, code="12345678901234")["error"] == "used_code"
    days = till.read("billing.payments", POOR)["payments"]
    assert days[0] == {"day": "2026-11-22", "sum": "300.00"}
    assert [p["day"] for p in days] == sorted((p["day"] for p in days), reverse=True)


def test_payments_older_than_three_months_are_left_out(till: Any) -> None:
    assert len(till.read("billing.payments", RICH)["payments"]) == 3
    till.at("2027-01-15T12:00:00+03:00")
    assert len(till.read("billing.payments", RICH)["payments"]) == 1


def test_an_automatic_payment_comes_when_the_balance_falls(till: Any) -> None:
    automatic = "79160000014"
    till.read("billing.charge_priority", automatic, fee="450.00")
    assert till.one(automatic).balance == 100
    till.read("billing.charge_priority", automatic, fee="0.01")
    assert till.one(automatic).balance == Decimal("599.99")
    assert till.read("billing.set_auto_payment", automatic, on=False, sum="0", below="0") == {"status": 200}
    till.read("billing.charge_priority", automatic, fee="550.00")
    assert till.one(automatic).balance == Decimal("49.99")
    assert till.sound()


def test_a_lost_sim_is_blocked_once(till: Any) -> None:
    assert till.read("billing.block_sim", number="9160000001") == {"status": 200}
    assert till.read("billing.package", RICH)["blocked"] is True
    assert till.read("billing.block_sim", number="79160000001")["error"] == "already_blocked"


@pytest.mark.parametrize(("passport", "same"), [("0001", True), ("0002", False), ("", False), ("ёё", False)])
def test_identity_is_the_right_digits(till: Any, passport: str, same: bool) -> None:
    assert till.read("crm.check_identity", number=RICH, passport=passport) == {"status": 200, "same": same}


def test_a_number_without_a_passport_is_never_identified(till: Any) -> None:
    till.set(RICH, passport="")
    assert till.read("crm.check_identity", number=RICH, passport="")["same"] is False


def test_further_fields_of_a_body_do_no_harm(till: Any) -> None:
    answer = till.read("billing.charge_priority", RICH, fee="1.00", phone=RICH, lang="ru", channel="ussd")
    assert answer == {"status": 200}
