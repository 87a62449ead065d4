"""Orders row by row: what the next request gets, what is repeated, asked or left to people, what is told."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import count

import pytest

from engine.types import BOOL, MONEY, SECRET, TEXT, Record
from engine.values import Secret, Value
from gateway.backends.order import Fresh, Orders, Running, Stored
from gateway.backends.outcome import Outcome
from gateway.backends.settling import Way
from gateway.store.record import OrderRow, OrderState
from tests.gateway.backends.declared import Declared, charging

NOW = 1_795_345_200_000
MINUTE = 60_000
CALLER = "79161234567"
FEE = {"fee": Decimal("490.00")}

REFRESH = charging()
PRIORITY = charging(
    "billing.charge_priority",
    once_ms=15 * MINUTE,
    settle="ask",
    settle_operation="billing.charged",
    errors={402: "low_balance"},
)
CHARGED = Declared(
    "billing.charged", path="/charges/{key}", returns=Record((("done", BOOL),)), errors={404: "not_charged"}
)
TARIFF = charging("billing.change_tariff", takes={"tariff": TEXT, "price": MONEY})
BLOCK = Declared("billing.block_sim", "post", once_ms=10 * MINUTE, settle="people")
OPERATIONS = {operation.name: operation for operation in (REFRESH, PRIORITY, CHARGED, TARIFF, BLOCK)}


def orders(known: Mapping[str, Declared] = OPERATIONS, **options: object) -> Orders:
    numbers = count(1)
    return Orders(known, new_key=lambda: f"k{next(numbers)}", pepper=bytes(32), **options)  # type: ignore[arg-type]


def fresh(
    book: Orders,
    operation: Declared = REFRESH,
    arguments: Mapping[str, Value] = FEE,
    at: int = NOW,
    key: str | None = None,
) -> OrderRow:
    asked = book.ask(CALLER, operation, arguments, key, at, lang="ru", channel="ussd")
    assert isinstance(asked, Fresh), asked
    return asked.order


def test_a_second_dial_waits_for_the_first() -> None:
    book = orders()
    order = fresh(book)
    assert order.state is OrderState.RUNNING
    assert book.ask(CALLER, REFRESH, FEE, None, NOW + 1) == Running(order)
    assert book.recent(CALLER, REFRESH.name, NOW + 1) == Running(order)


def test_inside_once_a_redial_gets_the_first_outcome_and_after_it_a_new_order() -> None:
    book = orders()
    order = fresh(book)
    change = book.finish(order.key, Outcome("done", {"balance": Decimal(10)}), NOW + 5)
    assert change.order.state is OrderState.DONE
    again = book.ask(CALLER, REFRESH, FEE, None, NOW + 4 + 10 * MINUTE)
    assert isinstance(again, Stored)
    assert (again.outcome, again.value) == ("done", {"balance": Decimal(10)})
    assert book.recent(CALLER, REFRESH.name, NOW + 4 + 10 * MINUTE) == "done"
    assert book.recent(CALLER, REFRESH.name, NOW + 5 + 10 * MINUTE) is None
    assert fresh(book, at=NOW + 5 + 10 * MINUTE).key != order.key


def test_a_changed_price_is_the_same_order_and_another_tariff_is_not() -> None:
    book = orders()
    order = fresh(book, TARIFF, {"tariff": "MAXI", "price": Decimal(100)})
    same = book.ask(CALLER, TARIFF, {"tariff": "MAXI", "price": Decimal(120)}, None, NOW + 1)
    assert same == Running(order)
    assert order.arguments["price"] == Decimal(100)
    fresh(book, TARIFF, {"tariff": "VIP", "price": Decimal(100)})
    assert isinstance(book.ask("79160000000", REFRESH, FEE, None, NOW), Fresh)


@pytest.mark.parametrize("refusal", ["low_balance", "not_allowed", "unavailable", "bad_answer"])
def test_a_refusal_closes_the_order_and_who_topped_up_is_asked_for_with_a_new_key(refusal: str) -> None:
    book = orders()
    order = fresh(book)
    change = book.finish(order.key, Outcome(refusal), NOW + 5)
    assert change.order.state is OrderState.REFUSED
    assert change.order.error == refusal
    assert book.recent(CALLER, REFRESH.name, NOW + 6) is None
    assert fresh(book, at=NOW + 6).key != order.key


@pytest.mark.parametrize("name", ["unknown", "timeout"])
def test_unknown_answers_the_next_request_until_it_is_cleared_up(name: str) -> None:
    book = orders()
    order = fresh(book)
    change = book.finish(order.key, Outcome(name), NOW + 3_000)
    assert change.order.state is OrderState.UNKNOWN
    assert not change.people
    asked = book.ask(CALLER, REFRESH, FEE, None, NOW + 30 * MINUTE)
    assert isinstance(asked, Stored)
    assert asked.outcome == "unknown"
    assert book.recent(CALLER, REFRESH.name, NOW + 5_000) == "unknown"


def test_a_business_key_is_the_order_whoever_asks_and_however_late() -> None:
    stored: dict[str, OrderRow] = {}
    book = orders(find=stored.get)
    order = fresh(book, key="order-17")
    stored[order.identity] = book.finish(order.key, Outcome("done"), NOW + 5).order
    for at in (NOW + 6, NOW + 10**10):
        for caller in (CALLER, "79160000000"):
            asked = book.ask(caller, REFRESH, {"fee": Decimal(1)}, "order-17", at)
            assert isinstance(asked, Stored), at
            assert asked.outcome == "done"
    assert len(book) == 0
    assert isinstance(book.ask(CALLER, REFRESH, FEE, "order-18", NOW), Fresh)


def test_an_identity_shows_no_argument() -> None:
    book = orders()
    assert "MAXI" not in book.identity(CALLER, TARIFF, {"tariff": "MAXI"}, None)
    other = Orders({}, new_key=str, pepper=b"x" * 32)
    assert book.identity(CALLER, TARIFF, {"tariff": "MAXI"}, None) != other.identity(
        CALLER, TARIFF, {"tariff": "MAXI"}, None
    )


def test_an_intent_that_was_not_committed_leaves_nothing() -> None:
    book = orders()
    order = fresh(book)
    book.withdraw(order.key)
    assert len(book) == 0
    assert book.recent(CALLER, REFRESH.name, NOW) is None
    fresh(book)


def test_repeat_sends_the_same_key_and_the_first_arguments_at_growing_pauses() -> None:
    book = orders()
    order = fresh(book)
    book.finish(order.key, Outcome("unknown"), NOW)
    at, times = NOW, []
    while at < NOW + 20 * MINUTE:
        at += 1_000
        for attempt in book.due(at):
            assert (attempt.how, attempt.key, attempt.arguments) == (Way.REPEAT, order.key, FEE)
            assert book.due(at) == []
            times.append((at - NOW) // 1_000)
            change = book.settled(attempt, Outcome("unavailable"), at)
    assert times[:6] == [5, 15, 35, 75, 135, 195]
    assert times[-1] <= 600
    assert change.people
    assert change.order.settle_at is None
    assert change.order.state is OrderState.UNKNOWN


def test_a_repeat_never_leaves_after_the_back_end_forgot_the_key() -> None:
    short = charging(keys_ms=60_000, settle_within_ms=3_600_000)
    book = orders({short.name: short})
    order = fresh(book, short)
    book.finish(order.key, Outcome("unknown"), NOW)
    assert book.due(NOW + 54_001) == []
    changes = book.given_up(NOW + 54_001)
    assert [change.people for change in changes] == [True]
    assert book.given_up(NOW + 54_001) == []
    assert book.due(NOW + 10**9) == []


@pytest.mark.parametrize(
    ("operation", "known"),
    [
        (charging(keys_ms=None), {}),
        (charging(settle=None), {}),
        (charging(settle="people"), {}),
        (charging(settle="ask", settle_operation="billing.gone"), {}),
    ],
)
def test_what_cannot_be_cleared_up_goes_to_people_at_once(
    operation: Declared, known: dict[str, Declared]
) -> None:
    book = orders({operation.name: operation, **known})
    order = fresh(book, operation)
    change = book.finish(order.key, Outcome("unknown"), NOW)
    assert change.people
    assert book.due(NOW + 10**9) == []
    resolved = book.resolve(order.key, True, NOW + 10**8)
    assert resolved.order.state is OrderState.DONE
    assert [event.fields["done"] for event in book.events()] == [True]


def test_a_once_operation_without_money_is_repeated_by_its_key() -> None:
    visit = Declared("crm.book_visit", "post", once_ms=600_000, settle="repeat")
    book = orders({visit.name: visit})
    order = fresh(book, visit, {})
    book.finish(order.key, Outcome("unknown"), NOW)
    assert [attempt.key for attempt in book.due(NOW + 5_000)] == [order.key]


@pytest.mark.parametrize(
    ("answer", "after_ms", "state", "error"),
    [
        (Outcome("done", {"done": True}), 5_000, OrderState.DONE, ""),
        (Outcome("done", {"done": False}), 5_000, OrderState.REFUSED, "not_done"),
        (Outcome("not_charged"), 5_000, OrderState.REFUSED, "not_charged"),
        (Outcome("timeout"), 5_000, OrderState.UNKNOWN, ""),
        (Outcome("bad_answer"), 5_000, OrderState.UNKNOWN, ""),
        (Outcome("unavailable"), 5_000, OrderState.UNKNOWN, ""),
    ],
)
def test_a_question_by_key_decides(answer: Outcome, after_ms: int, state: OrderState, error: str) -> None:
    book = orders()
    order = fresh(book, PRIORITY)
    book.finish(order.key, Outcome("unknown"), NOW)
    (attempt,) = book.due(NOW + after_ms)
    assert attempt.operation is CHARGED
    assert attempt.arguments == {"key": order.key}
    assert attempt.key is None
    change = book.settled(attempt, answer, NOW + after_ms)
    assert (change.order.state, change.order.error) == (state, error)


def test_not_found_counts_only_when_every_request_is_older_than_the_time_out() -> None:
    slow = charging(
        "billing.charge_priority", timeout_ms=8_000, settle="ask", settle_operation="billing.charged"
    )
    book = orders({slow.name: slow, CHARGED.name: CHARGED})
    order = fresh(book, slow)
    book.finish(order.key, Outcome("unknown"), NOW)
    (attempt,) = book.due(NOW + 5_000)
    assert book.settled(attempt, Outcome("not_charged"), NOW + 5_000).order.state is OrderState.UNKNOWN
    (attempt,) = book.due(NOW + 15_000)
    assert book.settled(attempt, Outcome("not_charged"), NOW + 15_000).order.state is OrderState.REFUSED


def test_the_end_of_an_unknown_is_told_once_also_after_a_restart() -> None:
    book = orders()
    order = fresh(book)
    rows = {order.key: book.finish(order.key, Outcome("unknown"), NOW).order}
    assert book.events() == []
    (attempt,) = book.due(NOW + 5_000)
    rows[order.key] = book.settled(attempt, Outcome("done", {"balance": Decimal(10)}), NOW + 5_000).order

    book = orders()
    book.load(rows.values())
    assert book.recover(NOW + 6_000) == []
    (event,) = book.events()
    assert event.name == "billing.refresh_package_settled"
    assert event.fields == {
        "done": True,
        "operation": "billing.refresh_package",
        "phone": CALLER,
        "lang": "ru",
        "fee": Decimal("490.00"),
        "balance": Decimal(10),
        "error": None,
    }
    rows[order.key] = book.fired(order.key)
    assert book.events() == []
    book.not_fired(order.key)
    assert len(book.events()) == 1
    book = orders()
    book.load(rows.values())
    assert book.events() == []


def test_a_plain_success_or_refusal_fires_no_event() -> None:
    book = orders()
    book.finish(fresh(book).key, Outcome("low_balance"), NOW)
    book.finish(fresh(book).key, Outcome("done"), NOW)
    assert book.events() == []


def test_secrets_are_not_in_the_event() -> None:
    card = charging("billing.top_up", takes={"code": SECRET, "fee": MONEY})
    book = orders({card.name: card})
    order = fresh(book, card, {"code": Secret("12345678901234"), "fee": Decimal(1), "note": Secret("x")})
    book.finish(order.key, Outcome("unknown"), NOW)
    (attempt,) = book.due(NOW + 5_000)
    book.settled(attempt, Outcome("done", {"pin": Secret("1")}), NOW + 5_000)
    (event,) = book.events()
    assert set(event.fields) == {"done", "operation", "phone", "lang", "fee", "error"}


def test_after_a_crash_what_was_running_is_unknown_and_repeated_at_once() -> None:
    before = orders()
    order = fresh(before)
    book = orders()
    book.load([order])
    (change,) = book.recover(NOW + 1_000)
    assert change.outcome.name == "unknown"
    assert change.order.settle_at == NOW + 1_000
    (attempt,) = book.due(NOW + 1_000)
    change = book.settled(attempt, Outcome("low_balance"), NOW + 1_100)
    assert (change.order.state, change.order.error) == (OrderState.REFUSED, "low_balance")
    (event,) = book.events()
    assert (event.fields["done"], event.fields["error"]) == (False, "low_balance")


def test_an_order_whose_call_was_forgotten_does_not_run_for_ever() -> None:
    book = orders()
    order = fresh(book)
    assert book.recover(NOW + 119_000, idle_ms=120_000) == []
    assert [change.order.key for change in book.recover(NOW + 120_000, idle_ms=120_000)] == [order.key]


def test_a_late_answer_to_an_order_that_became_unknown_counts_if_it_is_certain() -> None:
    book = orders()
    order = fresh(book)
    book.recover(NOW)
    assert book.finish(order.key, Outcome("unavailable"), NOW + 1).order.state is OrderState.UNKNOWN
    assert book.finish(order.key, Outcome("done"), NOW + 2).order.state is OrderState.DONE
    change = book.finish(order.key, Outcome("unknown"), NOW + 3)
    assert change.order.state is OrderState.DONE
    assert change.outcome.name == "done"
    assert len(book.events()) == 1


def test_a_change_that_was_not_committed_can_be_made_again() -> None:
    book = orders()
    order = fresh(book)
    book.put_back(book.finish(order.key, Outcome("done"), NOW + 1))
    assert isinstance(book.ask(CALLER, REFRESH, FEE, None, NOW + 2), Running)
    assert book.finish(order.key, Outcome("done"), NOW + 3).order.state is OrderState.DONE


def test_closed_orders_are_forgotten_after_once() -> None:
    book = orders()
    for number in range(50):
        caller = f"7916{number:07d}"
        asked = book.ask(caller, REFRESH, FEE, None, NOW + number)
        assert isinstance(asked, Fresh)
        book.finish(asked.order.key, Outcome("done"), NOW + number)
    assert len(book) == 50
    book.ask(CALLER, REFRESH, FEE, None, NOW + 11 * MINUTE)
    assert len(book) == 1
