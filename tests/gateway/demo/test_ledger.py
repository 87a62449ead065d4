"""Whatever happens, every balance is the sum of its ledger and no charge happens twice."""

import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.demo.billing import Clock
from gateway.demo.billing.desk import Desk, Request
from gateway.demo.billing.operation import OPERATIONS
from gateway.demo.billing.period import milliseconds

START = milliseconds(datetime.fromisoformat("2026-01-29T12:00:00+03:00"))
BY_NAME = {operation.name: operation for operation in OPERATIONS}
PHONES = [f"7916000{n:04d}" for n in (1, 2, 5, 12, 14, 15, 16, 18, 20)]

ORDERS: list[tuple[str, dict[str, Any]]] = [
    ("billing.refresh_package", {"fee": "490.00"}),
    ("billing.refresh_package", {"fee": "250.00"}),
    ("billing.charge_priority", {"fee": "50.00"}),
    ("billing.charge_priority", {"fee": "777.77"}),
    ("billing.give_back", {"fee": "50.00"}),
    ("billing.change_tariff", {"tariff": "ultra"}),
    ("billing.change_tariff", {"tariff": "x"}),
    ("billing.option_on", {"option": "travel", "fee": "150.00"}),
    ("billing.option_off", {"option": "travel"}),
    ("billing.promise", {"sum": "200.00", "fee": "10.00"}),
    ("billing.top_up", {"code": "12345678901234"}),
    ("billing.top_up", {"code": "50050050050050"}),
    ("billing.set_auto_payment", {"on": True, "sum": "500.00", "below": "100.00"}),
]

STEP = st.one_of(
    st.tuples(st.sampled_from(PHONES), st.sampled_from(ORDERS), st.integers(0, 8)),
    st.integers(1, 45 * 24).map(lambda hours: hours * 3_600_000),
)


@settings(derandomize=True, max_examples=25, deadline=None)
@given(st.lists(STEP, max_size=40))
def test_balances_are_the_sums_of_their_ledgers(steps: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        clock = Clock(lambda: START)
        desk = Desk(Path(folder) / "billing.db", clock)
        for step in steps:
            if isinstance(step, int):
                clock.advance(step)
                continue
            phone, (name, takes), key = step
            request = Request(BY_NAME[name], phone, f"{name}-{key}", msgspec.json.encode(takes))
            before = desk.book.movements(phone=phone)
            answer = desk.perform(request)
            assert answer.status in {200, 402, 404, 409, 422}
            if answer.repeated or answer.status != 200:
                after = desk.book.movements(phone=phone)
                assert [m for m in after if m[1].operation == name] == [
                    m for m in before if m[1].operation == name
                ]
        desk.catch_up()
        totals = desk.book.totals()
        for phone, subscriber in desk.book.subscribers.items():
            assert totals[phone][0] == int(subscriber.balance * 100)
        for phone in PHONES:
            balance = 0
            for _, movement in desk.book.movements(phone=phone):
                balance += movement.amount
                assert movement.balance == balance
        desk.book.close()
        again = Desk(Path(folder) / "billing.db", clock)
        assert again.book.subscribers == desk.book.subscribers
        again.book.close()


def test_the_people_are_the_same_at_every_start(open_till: Any) -> None:
    one, other = open_till(file="one.db"), open_till(file="other.db")
    assert one.desk.book.subscribers == other.desk.book.subscribers
    assert len(one.desk.book.subscribers) == 320
    assert one.sound()
