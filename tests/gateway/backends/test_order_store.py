"""Orders over the real store: what a crash between any two commits leaves, nothing is asked or told twice."""

from __future__ import annotations

from decimal import Decimal
from itertools import count
from pathlib import Path

from engine.types import MONEY, SECRET, TEXT
from engine.values import Secret
from gateway.backends.order import Fresh, Orders, Stored
from gateway.backends.outcome import Outcome
from gateway.store.record import OrderRow, OrderState
from gateway.store.sealing import Sealer
from gateway.store.sqlite import SqliteStore
from tests.gateway.backends.declared import charging

NOW = 1_795_345_200_000
TOP_UP = charging("billing.top_up", takes={"code": SECRET, "note": TEXT, "fee": MONEY})
ARGUMENTS = {"code": Secret("12345678901234"), "note": "карта", "fee": Decimal("100.50")}
_numbers = count(1)


class Node:
    """A store and the orders over it, opened again after each crash."""

    def __init__(self, folder: Path, now: int) -> None:
        sealer = Sealer(bytes(32))
        self.store = SqliteStore(folder / "gudok.db", sealer, reserve_size=0)
        self.orders = Orders(
            {TOP_UP.name: TOP_UP},
            new_key=lambda: f"k{next(_numbers)}",
            pepper=sealer.derive("orders"),
            find=self.store.find_order,
        )
        self.orders.load(self.store.load(now).orders)
        for change in self.orders.recover(now):
            self.put(change.order)

    def put(self, row: OrderRow) -> None:
        batch = self.store.batch()
        batch.group().order(row)
        assert self.store.commit_now(batch) == []


def test_an_order_through_crash_after_every_step(tmp_path: Path) -> None:
    node = Node(tmp_path, NOW)
    asked = node.orders.ask("7916", TOP_UP, ARGUMENTS, None, NOW, lang="ru", channel="ussd")
    assert isinstance(asked, Fresh)
    node.put(asked.order)
    node.store.close()

    node = Node(tmp_path, NOW + 1_000)
    again = node.orders.ask("7916", TOP_UP, ARGUMENTS, None, NOW + 1_001)
    assert isinstance(again, Stored)
    assert again.outcome == "unknown"
    (attempt,) = node.orders.due(NOW + 1_001)
    assert attempt.key == asked.order.key
    assert attempt.arguments == ARGUMENTS
    node.store.close()

    node = Node(tmp_path, NOW + 2_000)
    (attempt,) = node.orders.due(NOW + 2_000)
    change = node.orders.settled(attempt, Outcome("done", {"balance": Decimal(3)}), NOW + 2_000)
    node.put(change.order)
    node.store.close()

    node = Node(tmp_path, NOW + 3_000)
    (event,) = node.orders.events()
    assert event.fields["fee"] == Decimal("100.50")
    assert "code" not in event.fields
    node.put(node.orders.fired(event.order.key))
    node.store.close()

    node = Node(tmp_path, NOW + 4_000)
    assert node.orders.events() == []
    found = node.orders.ask("7916", TOP_UP, ARGUMENTS, None, NOW + 4_000)
    assert isinstance(found, Stored)
    assert (found.outcome, found.value) == ("done", {"balance": Decimal(3)})
    node.store.close()
    assert b"12345678901234" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


def test_a_business_order_is_known_for_as_long_as_the_ledger_is_kept(tmp_path: Path) -> None:
    node = Node(tmp_path, NOW)
    asked = node.orders.ask("7916", TOP_UP, ARGUMENTS, "order-17", NOW)
    assert isinstance(asked, Fresh)
    node.put(asked.order)
    node.put(node.orders.finish(asked.order.key, Outcome("done"), NOW).order)
    node.store.close()
    later = NOW + 400 * 86_400_000
    node = Node(tmp_path, later)
    assert len(node.orders) == 0
    found = node.orders.ask("7900", TOP_UP, {}, "order-17", later)
    assert isinstance(found, Stored)
    assert found.order.state is OrderState.DONE
    node.store.close()
