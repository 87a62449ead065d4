"""«Обнови пакет» in the demo billing: every combination of refusals, every effect, the night guard."""

import itertools
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from gateway.demo.billing.catalogue import TARIFFS, Bucket
from gateway.demo.billing.package import FEE_LINE, REFUSALS, spend

RICH = "79160000001"

SPOILT: tuple[tuple[str, dict[str, Any]], ...] = (
    ("no_service", {"service": False}),
    ("blocked", {"blocks": ("voluntary",)}),
    ("unpaid", {"unpaid": True}),
    ("daily_period", {"period": "day"}),
    ("no_fee", {"discount": 100}),
    ("low_balance", {}),
)
"""The six refusals in their order, each with what brings it about."""

CASES = [
    (tariff, set(chosen))
    for tariff in ("smart", "smart_2014", "per_second")
    for count in range(7)
    for chosen in itertools.combinations([reason for reason, _ in SPOILT], count)
]


def test_the_rules_stand_in_the_order_of_the_law() -> None:
    assert [rule for rule, _, _ in REFUSALS] == ["G1", "R4", "R2", "R6", "R3", "R5", "R1"]


def test_fourteen_families_are_listed() -> None:
    assert len({t.family for t in TARIFFS.values() if t.listed}) == 14


@pytest.mark.parametrize(
    ("tariff", "chosen"), CASES, ids=[f"{t}-{'+'.join(sorted(c)) or 'fine'}" for t, c in CASES]
)
def test_the_first_rule_that_holds_refuses(till: Any, tariff: str, chosen: set[str]) -> None:
    fields: dict[str, Any] = {"tariff": tariff}
    for reason, spoils in SPOILT:
        if reason in chosen:
            fields |= spoils
    s = till.set(RICH, **fields)
    if "low_balance" in chosen:
        till.desk.book.subscribers[RICH] = s = msgspec.structs.replace(s, balance=Decimal("0.50"))
    expected = next((reason for reason, _ in SPOILT if reason in chosen), "")
    if expected == "low_balance" and s.fee == 0:
        expected = "no_fee"
    if tariff == "per_second":
        expected = "tariff_not_listed"
    lines = len(till.ledger(RICH))

    answer = till.read("billing.refresh_package", RICH, fee=str(s.fee))

    if not expected:
        assert answer == {"status": 200}
        assert till.one(RICH).balance == s.balance - s.fee
        return
    wanted = (402, "low_balance") if expected == "low_balance" else (409, "not_allowed")
    assert (answer["status"], answer["error"]) == wanted
    assert answer["reason"] == expected if wanted[0] == 409 else "reason" not in answer
    assert till.one(RICH) == s
    assert len(till.ledger(RICH)) == lines


def test_a_renewal_has_all_its_effects(till: Any) -> None:
    before = till.one(RICH)
    assert till.read("billing.refresh_package", RICH, key="k1", fee="490.00") == {"status": 200}
    after = till.one(RICH)
    assert after.balance == before.balance - Decimal(490)  # E1
    assert (after.period_start, after.next_fee, after.anchor) == (
        date(2026, 11, 22),
        date(2026, 12, 22),
        22,
    )  # E2
    (line,) = till.desk.book.bill(RICH)  # E3
    assert (line.text, line.amount) == (FEE_LINE, Decimal("490.00"))
    assert (line.first, line.last) == (date(2026, 11, 22), date(2026, 12, 21))
    assert after.main == TARIFFS["smart"].full  # E4
    assert after.carried == before.main  # C1
    (movement,) = till.ledger(RICH, "refresh_fee")
    assert (movement.amount, movement.balance, movement.key) == (Decimal("-490.00"), Decimal("1010.00"), "k1")
    assert till.read("billing.packages", RICH) == {
        "status": 200,
        "minutes": 550 + 220,
        "sms": 550 + 220,
        "mb": 5120 + 2048,
        "until": "2026-12-22",
    }
    assert till.sound()


def test_the_remainder_is_carried_once(till: Any) -> None:
    saved = "79160000010"
    assert till.one(saved).carried == Bucket(120, 30, 900)
    main = till.one(saved).main
    till.read("billing.refresh_package", saved, fee=490)
    assert till.one(saved).carried == main, "the older carried bucket expires, the main one is carried whole"
    till.read("billing.refresh_package", saved, fee=490)
    assert till.one(saved).carried == TARIFFS["smart"].full


@pytest.mark.parametrize(
    ("used", "main", "carried", "missing"),
    [
        (Bucket(5, 1, 10), Bucket(100, 10, 1000), Bucket(15, 4, 90), Bucket()),
        (Bucket(20, 5, 100), Bucket(100, 10, 1000), Bucket(), Bucket()),
        (Bucket(50, 6, 300), Bucket(70, 9, 800), Bucket(), Bucket()),
        (Bucket(125, 20, 2000), Bucket(), Bucket(), Bucket(5, 5, 900)),
        (Bucket(), Bucket(100, 10, 1000), Bucket(20, 5, 100), Bucket()),
    ],
)
def test_the_saved_remainder_is_spent_first(
    till: Any, used: Bucket, main: Bucket, carried: Bucket, missing: Bucket
) -> None:
    s = till.set(RICH, main=Bucket(100, 10, 1000), carried=Bucket(20, 5, 100))
    spent, short = spend(s, used)
    assert (spent.main, spent.carried, short) == (main, carried, missing)


@pytest.mark.parametrize(
    ("day", "dates"),
    [
        ("2027-01-31", ["2027-02-28", "2027-03-31", "2027-04-30"]),
        ("2027-11-30", ["2027-12-30", "2028-01-30", "2028-02-29", "2028-03-30"]),
    ],
)
def test_the_anchor_day_survives_short_months(open_till: Any, day: str, dates: list[str]) -> None:
    till = open_till(f"{day}T12:00:00+03:00")
    phone = "79160000020"
    till.read("billing.refresh_package", phone, fee="250.00")
    assert till.one(phone).next_fee.isoformat() == dates[0]
    for this, following in itertools.pairwise(dates):
        till.at(f"{this}T00:00:00+03:00")
        till.desk.catch_up()
        assert till.one(phone).next_fee.isoformat() == following


def test_a_price_that_has_changed_is_not_taken(till: Any) -> None:
    answer = till.read("billing.refresh_package", RICH, fee="450.00")
    assert answer == {"status": 409, "error": "not_allowed", "reason": "fee_changed"}
    assert not till.ledger(RICH, "refresh_fee")


def test_a_balance_that_equals_the_fee_is_enough(till: Any) -> None:
    assert till.read("billing.refresh_package", "79160000017", fee="490.00")["status"] == 200
    assert till.one("79160000017").balance == 0


def test_an_archived_tariff_is_called_by_its_family(till: Any) -> None:
    package = till.read("billing.package", "79160000009")
    assert (package["tariff"], package["fee"]) == ("Smart", "450.00")


@pytest.mark.parametrize(("seconds", "fees"), [(0, 0), (1, 0), (120, 0), (121, 1)])
def test_a_renewal_ordered_before_midnight_is_paid_once(till: Any, seconds: int, fees: int) -> None:
    tonight = "79160000015"
    remainder = till.one(tonight).main
    till.at("2026-11-23T00:00:00+03:00")
    till.clock.advance(seconds * 1000)
    if fees:
        till.desk.catch_up()
        assert till.one(tonight).balance == 10
        assert till.read("billing.refresh_package", tonight, fee="490.00")["status"] == 402
        return
    assert till.read("billing.refresh_package", tonight, key="late", fee="490.00")["status"] == 200
    s = till.one(tonight)
    assert (s.balance, s.main, s.carried) == (Decimal("10.00"), TARIFFS["smart"].full, remainder)
    assert s.next_fee == date(2026, 12, 23)
    assert len(till.ledger(tonight, "monthly_fee")) == 1
    assert [m.key for m in till.ledger(tonight, "refresh_paid_at_night")] == ["late"]
    assert till.read("billing.refresh_package", tonight, fee="490.00")["status"] == 402, "only once"


def test_a_renewal_at_2359_spares_the_nightly_fee(till: Any) -> None:
    tonight = "79160000015"
    till.at("2026-11-22T23:59:00+03:00")
    assert till.read("billing.refresh_package", tonight, fee="490.00")["status"] == 200
    till.at("2026-11-23T00:00:00+03:00")
    till.desk.catch_up()
    assert till.one(tonight).balance == 10
    assert not till.ledger(tonight, "monthly_fee")[1:]
    assert till.one(tonight).next_fee == date(2026, 12, 22)
