"""Any interleaving of dials, losses, late requests, refusals, failed commits, crashes and repeats.

The billing keeps its own ledger; ours is compared with it: no order is charged twice, and what the
subscriber is told in the end is the truth.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import count

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from engine.types import BOOL, Record
from gateway.backends.order import Attempt, Change, Fresh, Orders, Stored
from gateway.backends.outcome import Outcome
from gateway.backends.settling import Way
from gateway.store.record import OrderRow, OrderState
from tests.gateway.backends.declared import Declared, charging

FEE = Decimal(490)
ONCE_MS = 600_000
TIMEOUT_MS = 3_000
CALLERS = ("79160000001", "79160000002")
CHARGED = Declared(
    "billing.charged", path="/charges/{key}", returns=Record((("done", BOOL),)), errors={404: "not_charged"}
)
FATES = ("answered", "lost before", "lost after", "late", "not sent")
FATE = st.sampled_from(FATES)


class Billing:
    """Charges once per key; refusals are not remembered, or are, as some back ends do."""

    def __init__(self, keeps_refusals: bool) -> None:
        self.keeps_refusals = keeps_refusals
        self.balance = dict.fromkeys(CALLERS, Decimal(490))
        self.answers: dict[str, str] = {}
        self.charges: list[tuple[str, str, int]] = []

    def charge(self, key: str, caller: str, now: int) -> str:
        if key in self.answers:
            return self.answers[key]
        if self.balance[caller] < FEE:
            if self.keeps_refusals:
                self.answers[key] = "low_balance"
            return "low_balance"
        self.balance[caller] -= FEE
        self.charges.append((key, caller, now))
        self.answers[key] = "done"
        return "done"

    def charged(self, key: str) -> bool:
        return any(charge[0] == key for charge in self.charges)


class Money(RuleBasedStateMachine):
    """A host that commits, crashes and recovers around `Orders`."""

    settle = "repeat"

    @initialize(keeps_refusals=st.booleans())
    def start(self, keeps_refusals: bool) -> None:
        settle_operation = CHARGED.name if self.settle == "ask" else None
        self.operation = charging(settle=self.settle, settle_operation=settle_operation)
        self.operations = {self.operation.name: self.operation, CHARGED.name: CHARGED}
        self.billing = Billing(keeps_refusals)
        self.numbers = count(1)
        self.now = 1_000_000
        self.disk: dict[str, OrderRow] = {}
        self.flying: list[OrderRow] = []
        self.late: list[tuple[int, OrderRow]] = []
        self.events: dict[str, list[bool]] = {}
        self.tasks: set[str] = set()
        self.orders = self._orders()

    def _orders(self) -> Orders:
        return Orders(self.operations, new_key=lambda: f"k{next(self.numbers)}", pepper=bytes(32))

    def _commit(self, change: Change) -> None:
        self.disk[change.order.key] = change.order
        if change.people:
            self.tasks.add(change.order.key)

    @rule(caller=st.sampled_from(CALLERS), fate=st.sampled_from([None, "withdrawn", *FATES]))
    def dial(self, caller: str, fate: str | None) -> None:
        asked = self.orders.ask(caller, self.operation, {"fee": FEE}, None, self.now)
        if isinstance(asked, Stored) and asked.outcome == "done":
            assert self.billing.charged(asked.order.key)
        if not isinstance(asked, Fresh):
            return
        if fate == "withdrawn":
            self.orders.withdraw(asked.order.key)
            return
        self.disk[asked.order.key] = asked.order
        self.flying.append(asked.order)
        if fate is not None:
            self.reply(fate, commit_fails=False, which=len(self.flying) - 1)

    @rule(caller=st.sampled_from(CALLERS), fate=FATE)
    def top_up_and_dial(self, caller: str, fate: str) -> None:
        self.billing.balance[caller] += FEE
        self.dial(caller, fate)

    def _send(self, order: OrderRow, fate: str) -> Outcome:
        match fate:
            case "not sent":
                return Outcome("unavailable")
            case "lost before":
                return Outcome("unknown")
            case "lost after":
                self.billing.charge(order.key, order.caller, self.now)
                return Outcome("unknown")
            case "late":
                self.late.append((self.now + TIMEOUT_MS, order))
                return Outcome("unknown")
        return Outcome(self.billing.charge(order.key, order.caller, self.now))

    @precondition(lambda self: self.flying)
    @rule(fate=FATE, commit_fails=st.booleans(), which=st.integers(0, 9))
    def reply(self, fate: str, commit_fails: bool, which: int) -> None:
        order = self.flying.pop(which % len(self.flying))
        outcome = self._send(order, fate)
        change = self.orders.finish(order.key, outcome, self.now)
        if commit_fails:
            self.orders.put_back(change)
            change = self.orders.finish(order.key, outcome, self.now)
        self._commit(change)

    @rule(seconds=st.sampled_from([1, 6, 60, 599, 700]))
    def wait(self, seconds: int) -> None:
        self.now += seconds * 1_000
        for at, order in list(self.late):
            if at <= self.now:
                self.late.remove((at, order))
                self.billing.charge(order.key, order.caller, at)

    @rule(fates=st.lists(FATE, min_size=4, max_size=4))
    def settle_some(self, fates: list[str]) -> None:
        for change in self.orders.given_up(self.now):
            self._commit(change)
        for attempt, fate in zip(self.orders.due(self.now), fates, strict=False):
            self._commit(self.orders.settled(attempt, self._try(attempt, fate), self.now))

    def _try(self, attempt: Attempt, fate: str) -> Outcome:
        if attempt.how is Way.REPEAT:
            assert attempt.key == attempt.order.key
            return self._send(attempt.order, fate)
        if fate != "answered":
            return Outcome("timeout")
        return (
            Outcome("done", {"done": True})
            if self.billing.charged(attempt.order.key)
            else Outcome("not_charged")
        )

    @rule(fates=st.lists(FATE, min_size=4, max_size=4), then=FATE)
    def crash(self, fates: list[str], then: str) -> None:
        """The process dies with requests on their way, starts again and looks at what is due."""
        for order, fate in zip(self.flying, fates, strict=False):
            self._send(order, fate)
        self.flying = []
        self.orders = self._orders()
        self.orders.load(self.disk.values())
        for change in self.orders.recover(self.now):
            self._commit(change)
        self.settle_some([then] * 4)

    @rule(caller=st.sampled_from(CALLERS), fate=FATE, then=FATE)
    def crash_during_a_charge(self, caller: str, fate: str, then: str) -> None:
        self.dial(caller, None)
        self.crash([fate] * 4, then)

    @rule(fails=st.booleans())
    def tell(self, fails: bool) -> None:
        for event in self.orders.events():
            row = self.orders.fired(event.order.key)
            if fails:
                self.orders.not_fired(event.order.key)
            else:
                self.disk[row.key] = row
                self.events.setdefault(row.key, []).append(event.fields["done"] is True)

    @invariant()
    def never_two_charges_for_one_order(self) -> None:
        if not hasattr(self, "billing"):
            return
        for number, (_, caller, at) in enumerate(self.billing.charges):
            for other, owner, _ in self.billing.charges[number + 1 :]:
                if owner == caller:
                    assert self.disk[other].asked_at >= at + ONCE_MS

    @invariant()
    def what_is_known_is_true(self) -> None:
        if not hasattr(self, "billing"):
            return
        for order in self.disk.values():
            if order.state is OrderState.DONE:
                assert self.billing.charged(order.key)
            if order.state is OrderState.REFUSED:
                assert not self.billing.charged(order.key)
        assert all(len(told) == 1 for told in self.events.values())

    def teardown(self) -> None:
        if not hasattr(self, "billing"):
            return
        self.crash(["lost after"] * 4, "answered")
        for _ in range(40):
            self.wait(60)
            self.settle_some(["answered"] * 4)
        for order in list(self.disk.values()):
            if order.state is OrderState.UNKNOWN:
                assert order.key in self.tasks
                self._commit(self.orders.resolve(order.key, self.billing.charged(order.key), self.now))
        self.tell(fails=False)
        self.what_is_known_is_true()
        self.never_two_charges_for_one_order()
        for order in self.disk.values():
            assert order.state in {OrderState.DONE, OrderState.REFUSED}
            told = [self.billing.charged(order.key)] if order.doubtful else None
            assert self.events.get(order.key) == told


@pytest.mark.parametrize("settle", ["repeat", "ask", "people"])
def test_never_two_charges_and_the_truth_is_told(settle: str) -> None:
    machine = type("Money_" + settle, (Money,), {"settle": settle})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=200, stateful_step_count=25, deadline=None, derandomize=True)
    )
