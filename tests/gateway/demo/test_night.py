"""The nightly fee job: at 00:00 of the clock, each fee once, unpaid periods, promises, options."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from gateway.demo.billing.catalogue import TARIFFS, Bucket

TONIGHT = "79160000015"
MIDNIGHT = "2026-11-23T00:00:00+03:00"


def test_nothing_happens_before_midnight(till: Any) -> None:
    before = till.one(TONIGHT)
    till.at("2026-11-22T23:59:59.999+03:00")
    assert till.desk.catch_up() == 0
    assert till.one(TONIGHT) == before


def test_the_fee_is_taken_at_midnight_and_once(till: Any) -> None:
    till.set(TONIGHT, carried=Bucket(1, 2, 3))
    till.at(MIDNIGHT)
    assert till.desk.catch_up() == 1
    assert till.desk.catch_up() == 0
    s = till.one(TONIGHT)
    assert (s.balance, s.main, s.carried) == (Decimal("10.00"), TARIFFS["smart"].full, Bucket())
    assert (s.period_start, s.next_fee) == (date(2026, 11, 23), date(2026, 12, 23))
    assert [m.amount for m in till.ledger(TONIGHT, "monthly_fee")] == [Decimal("-490.00")]
    till.desk.run_night(date(2026, 11, 23))
    assert till.one(TONIGHT) == s
    assert till.sound()


def test_the_first_request_after_midnight_finds_the_job_done(till: Any) -> None:
    till.at(MIDNIGHT)
    assert till.read("billing.account", TONIGHT)["balance"] == "10.00"


def test_a_night_that_was_missed_is_run_at_the_next_start(open_till: Any) -> None:
    first = open_till()
    first.desk.book.close()
    later = open_till("2026-12-24T09:00:00+03:00")
    s = later.one(TONIGHT)
    assert s.unpaid, "the second fee was not covered"
    assert s.balance == 10
    assert len(later.ledger(TONIGHT, "monthly_fee")) == 1
    assert later.sound()


def test_too_little_money_blocks_and_leaves_the_period_unpaid(till: Any) -> None:
    poor = "79160000002"
    till.set(poor, next_fee=date(2026, 11, 23))
    till.at(MIDNIGHT)
    package = till.read("billing.package", poor)
    assert (package["blocked"], package["unpaid"], package["balance"]) == (True, True, "120.50")
    assert till.read("billing.packages", poor)["minutes"] == 0
    till.read("billing.top_up", poor, code="50050050050050")
    package = till.read("billing.package", poor)
    assert (package["blocked"], package["unpaid"]) == (False, True)
    refused = till.read("billing.refresh_package", poor, fee="490.00")
    assert refused["reason"] == "unpaid"
    till.at("2026-11-24T00:00:00+03:00")
    package = till.read("billing.package", poor)
    assert (package["unpaid"], package["balance"]) == (False, "130.50")
    assert till.one(poor).next_fee == date(2026, 12, 24), "the period begins when it is paid"


def test_a_small_payment_lifts_no_block(till: Any) -> None:
    financial = "79160000016"
    till.read("billing.top_up", financial, code="12345678901234")
    assert till.one(financial).blocks == ("financial",)
    till.read("billing.top_up", financial, code="50050050050050")
    assert till.one(financial).blocks == ()


def test_a_blocked_number_pays_no_fee(till: Any) -> None:
    blocked = "79160000003"
    till.set(blocked, next_fee=date(2026, 11, 23))
    till.at(MIDNIGHT)
    till.desk.catch_up()
    s = till.one(blocked)
    assert (s.balance, s.unpaid, s.blocks) == (Decimal("900.00"), True, ("voluntary",))


def test_a_daily_period_pays_every_night(till: Any) -> None:
    daily = "79160000005"
    fee = till.one(daily).fee
    till.at("2026-11-25T10:00:00+03:00")
    till.desk.catch_up()
    assert till.one(daily).balance == Decimal(800) - 3 * fee
    assert till.one(daily).next_fee == date(2026, 11, 26)
    assert len(till.ledger(daily, "daily_fee")) == 3


def test_a_full_discount_renews_for_nothing(till: Any) -> None:
    free = "79160000006"
    till.set(free, next_fee=date(2026, 11, 23))
    till.at(MIDNIGHT)
    till.desk.catch_up()
    s = till.one(free)
    assert (s.balance, s.main, s.next_fee) == (Decimal("300.00"), TARIFFS["smart"].full, date(2026, 12, 10))


def test_a_promised_payment_goes_back_in_its_night(till: Any) -> None:
    promised = "79160000018"
    till.at("2026-11-23T23:59:59+03:00")
    assert till.read("billing.promise_terms", promised)["allowed"] is False
    till.at("2026-11-24T00:00:00+03:00")
    assert till.read("billing.account", promised)["balance"] == "60.00"
    assert till.read("billing.promise_terms", promised)["allowed"] is True


def test_a_promise_spent_meanwhile_blocks(till: Any) -> None:
    poor = "79160000002"
    till.read("billing.promise", poor, sum="200.00", fee="10.00")
    till.read("billing.charge_priority", poor, fee="300.00")
    till.at("2026-11-25T00:00:00+03:00")
    till.desk.catch_up()
    s = till.one(poor)
    assert (s.balance, s.blocks) == (Decimal("-189.50"), ("financial",))
    till.read("billing.top_up", poor, code="12345678901234")
    assert till.one(poor).blocks == ()


@pytest.mark.parametrize(("balance_left", "on"), [("200.00", True), ("100.00", False)])
def test_an_option_is_paid_monthly_or_switched_off(till: Any, balance_left: str, on: bool) -> None:
    poor = "79160000002"
    till.read("billing.top_up", poor, code="50050050050050")
    assert till.read("billing.option_on", poor, option="travel", fee="150.00") == {"status": 200}
    surplus = till.one(poor).balance - Decimal(balance_left)
    till.read("billing.charge_priority", poor, fee=str(surplus))
    till.set(poor, next_fee=date(2027, 6, 1))
    till.at("2026-12-22T00:00:00+03:00")
    till.desk.catch_up()
    assert any(o.id == "travel" for o in till.one(poor).options) is on
    assert till.one(poor).balance == (Decimal("50.00") if on else Decimal("100.00"))


def test_a_clock_put_back_repeats_no_night(till: Any) -> None:
    till.at(MIDNIGHT)
    till.desk.catch_up()
    lines = len(till.ledger(TONIGHT))
    till.at("2026-11-22T12:00:00+03:00")
    till.desk.catch_up()
    till.at(MIDNIGHT)
    till.desk.catch_up()
    assert len(till.ledger(TONIGHT)) == lines


def test_a_year_of_nights_leaves_the_books_right(till: Any) -> None:
    till.at("2027-11-22T12:00:00+03:00")
    assert till.desk.catch_up() == 365
    assert till.sound()
    month_end = [line.first.isoformat() for line in till.desk.book.bill("79160000020")]
    assert month_end[:4] == ["2026-11-30", "2026-12-31", "2027-01-31", "2027-02-28"]
    assert month_end[4] == "2027-03-31"
