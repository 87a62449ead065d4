"""Orders: what a back end must do at most once for a caller, and what the next request for it gets.

The state machine of reliability.md 2.1, pure: time, new keys and the look into the store are arguments. The
ledger rows it returns must be committed before a request leaves (`ask`) or an outcome is shown (`finish`);
it knows neither how a back end is reached nor how a row is stored.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import TypeAlias

import msgspec

from engine.types import Scalar
from engine.values import Secret, Value, pack
from gateway.backends.operation import Operation
from gateway.backends.outcome import DONE, TIMEOUT, UNKNOWN, Outcome
from gateway.backends.settling import Way, judge, next_at, repeatable_until, way
from gateway.store.record import OrderRow, OrderState

_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_OPEN = (OrderState.RUNNING, OrderState.UNKNOWN)


class Fresh(msgspec.Struct, frozen=True):
    """A new order: commit its row, then send the request with `order.key`."""

    order: OrderRow


class Running(msgspec.Struct, frozen=True):
    """The same order is being carried out: wait for its outcome (within the asker's own time)."""

    order: OrderRow


class Stored(msgspec.Struct, frozen=True):
    """The outcome is known already; nothing is sent."""

    outcome: str
    value: Value
    order: OrderRow


Asked: TypeAlias = Fresh | Running | Stored


class Change(msgspec.Struct, frozen=True):
    """An order that has changed: commit `order`, then tell `outcome` to those who wait for it.

    `people` asks for a task: no automatic attempt is left. `before` is for `Orders.put_back`.
    """

    order: OrderRow
    outcome: Outcome
    before: OrderRow
    people: bool = False


class Attempt(msgspec.Struct, frozen=True):
    """An unknown order to be cleared up now: call `operation` with `arguments`, then `Orders.settled`.

    A repeat carries the key of the order and the arguments first sent; a question carries no key of its own.
    """

    order: OrderRow
    how: Way
    operation: Operation
    arguments: Mapping[str, Value]
    key: str | None


class SettledEvent(msgspec.Struct, frozen=True):
    """The event that tells the end of an order that was unknown."""

    name: str
    fields: Mapping[str, Value]
    order: OrderRow


def _nothing(_: str) -> OrderRow | None:
    return None


class Orders:
    """All orders that may still matter.

    `operations` may be replaced when the flows are reloaded. `new_key` makes opaque keys that nobody can
    guess or repeat; `pepper` (32 octets, the same after a restart) keeps arguments out of the identity;
    `find` looks an old order with a business key up in the store.
    """

    def __init__(
        self,
        operations: Mapping[str, Operation],
        *,
        new_key: Callable[[], str],
        pepper: bytes,
        find: Callable[[str], OrderRow | None] = _nothing,
    ) -> None:
        self.operations = operations
        self._new_key = new_key
        self._pepper = pepper
        self._find = find
        self._by_key: dict[str, OrderRow] = {}
        self._latest: dict[str, str] = {}
        self._of_caller: dict[tuple[str, str], list[str]] = {}
        self._expiry: list[tuple[int, str]] = []
        self._running: dict[str, None] = {}
        self._unknown: dict[str, None] = {}
        self._untold: dict[str, None] = {}
        self._settling: set[str] = set()

    def __len__(self) -> int:
        return len(self._by_key)

    def load(self, rows: Iterable[OrderRow]) -> None:
        """Take the orders of the store over after a start; then call `recover`."""
        for row in sorted(rows, key=lambda row: row.asked_at):
            self._keep(row)

    def get(self, key: str) -> OrderRow | None:
        """Return an order that is still kept."""
        return self._by_key.get(key)

    # Asking.

    def identity(
        self, caller: str, operation: Operation, arguments: Mapping[str, Value], business_key: str | None
    ) -> str:
        """Return what makes two requests the same order: hexadecimal, it shows no argument."""
        told: object
        if business_key is not None:
            told = ("key", operation.name, business_key)
        else:
            kept = {
                name: pack(value)
                for name, value in arguments.items()
                if not _is_money(operation, name, value) and value is not None
            }
            told = ("order", operation.name, caller, kept)
        return hashlib.blake2b(_encode(told), key=self._pepper, digest_size=20).hexdigest()

    def ask(
        self,
        caller: str,
        operation: Operation,
        arguments: Mapping[str, Value],
        business_key: str | None,
        now: int,
        *,
        lang: str = "",
        channel: str = "",
    ) -> Asked:
        """Decide what a request of `caller` gets at `now` (UTC ms).

        After `Fresh`, commit the row before sending; if the commit fails, call `withdraw`.
        """
        self._prune(now)
        identity = self.identity(caller, operation, arguments, business_key)
        present = self._present(identity, business_key)
        if present is not None:
            if present.state is OrderState.RUNNING:
                return Running(present)
            if present.state is OrderState.UNKNOWN:
                return Stored(UNKNOWN, None, present)
            if present.state is OrderState.DONE and (business_key is not None or _is_recent(present, now)):
                return Stored(DONE, present.value, present)
        order = OrderRow(
            key=self._new_key(),
            identity=identity,
            caller=caller,
            operation=operation.name,
            state=OrderState.RUNNING,
            arguments=dict(arguments),
            asked_at=now,
            window_ms=operation.once_ms or 0,
            sent_at=now,
            lang=lang,
            channel=channel,
            business_key=business_key,
        )
        self._keep(order)
        return Fresh(order)

    def withdraw(self, key: str) -> None:
        """The intent was never committed and nothing was sent: forget the order."""
        order = self._by_key.get(key)
        if order is not None:
            self._drop(order)

    def recent(self, caller: str, operation: str, now: int) -> str | Running | None:
        """Answer `recent(operation)`: `done`, `unknown`, None, or Running when the asker has to wait.

        It tells how the caller's last order inside `once` ended. An order that is still being cleared up
        counts even when it is older.
        """
        known = [self._by_key[key] for key in self._of_caller.get((caller, operation), ())]
        running = next((order for order in known if order.state is OrderState.RUNNING), None)
        if running is not None:
            return Running(running)
        for order in reversed(known):
            if order.state is OrderState.UNKNOWN:
                if order.settle_at is not None or now < order.asked_at + order.window_ms:
                    return UNKNOWN
            elif _is_recent(order, now):
                return DONE if order.state is OrderState.DONE else None
        return None

    # Outcomes.

    def finish(self, key: str, outcome: Outcome, now: int) -> Change:
        """Take the outcome of the order's own request. Raises KeyError for an order that is not kept.

        A second outcome for a closed order changes nothing. If the commit of the row fails, `put_back` and
        finish again.
        """
        order = self._by_key[key]
        if order.state is OrderState.UNKNOWN:
            return self._conclude(order, self._late(order, outcome), now)
        if order.state is not OrderState.RUNNING:
            return Change(order, _told(order), order)
        if outcome.name == TIMEOUT:
            outcome = Outcome(UNKNOWN, detail=outcome.detail)
        return self._conclude(order, outcome, now)

    def recover(self, now: int, idle_ms: int = 0) -> list[Change]:
        """Make unknown what has been running for `idle_ms` with nobody left to hear the answer.

        After a start that is every order that was running: its request may have left.
        """
        running = [self._by_key[key] for key in self._running]
        overdue = [order for order in running if order.sent_at <= now - idle_ms]
        changes = []
        for order in overdue:
            change = self._conclude(order, Outcome(UNKNOWN, detail="the answer was not heard"), now)
            if change.order.settle_at is not None:
                row = msgspec.structs.replace(change.order, settle_at=now)
                self._keep(row)
                change = msgspec.structs.replace(change, order=row)
            changes.append(change)
        return changes

    def due(self, now: int) -> list[Attempt]:
        """Return the unknown orders to be cleared up now; each comes once until `settled` is called."""
        attempts = []
        for order in self._overdue(now):
            attempt = self._attempt(order, now)
            if attempt is not None:
                self._settling.add(order.key)
                attempts.append(attempt)
        return attempts

    def given_up(self, now: int) -> list[Change]:
        """Return unknown orders that are due but can no longer be cleared up automatically: for people."""
        changes = []
        for order in self._overdue(now):
            if self._attempt(order, now) is None:
                row = msgspec.structs.replace(order, settle_at=None)
                self._keep(row)
                changes.append(Change(row, Outcome(UNKNOWN), order, people=True))
        return changes

    def settled(self, attempt: Attempt, outcome: Outcome, now: int) -> Change:
        """Take the answer to a repeat or a question."""
        self._settling.discard(attempt.order.key)
        order = self._by_key[attempt.order.key]
        if order.state is not OrderState.UNKNOWN:
            return Change(order, _told(order), order)
        operation = self.operations.get(order.operation)
        if operation is None:
            return self._conclude(order, Outcome(UNKNOWN), now)
        return self._conclude(order, judge(order, operation, attempt.how, outcome, now), now)

    def resolve(self, key: str, done: bool, now: int, *, error: str = "people") -> Change:
        """People have found out what happened. Raises KeyError; a closed order stays as it is."""
        order = self._by_key[key]
        if order.state is not OrderState.UNKNOWN:
            return Change(order, _told(order), order)
        self._settling.discard(key)
        return self._conclude(order, Outcome(DONE if done else error), now)

    def put_back(self, change: Change) -> None:
        """The commit of a change failed: the order is again what the store holds."""
        self._keep(change.before)

    # Telling.

    def events(self) -> list[SettledEvent]:
        """Return the settled events that have not been fired, oldest first; also right after a start.

        Commit the start of the event (or its note for later) and the row of `fired` in one group.
        """
        waiting = sorted((self._by_key[key] for key in self._untold), key=_by_settled)
        return [settled_event(row, self.operations.get(row.operation)) for row in waiting]

    def fired(self, key: str) -> OrderRow:
        """Return the row of an order whose event is being fired. Raises KeyError."""
        row = msgspec.structs.replace(self._by_key[key], event_due=False)
        self._keep(row)
        return row

    def not_fired(self, key: str) -> None:
        """The group of `fired` was not committed: the event is still due."""
        order = self._by_key.get(key)
        if order is not None:
            self._keep(msgspec.structs.replace(order, event_due=True))

    # Inside.

    def _overdue(self, now: int) -> list[OrderRow]:
        unknown = [self._by_key[key] for key in self._unknown if key not in self._settling]
        return [order for order in unknown if order.settle_at is not None and order.settle_at <= now]

    def _present(self, identity: str, business_key: str | None) -> OrderRow | None:
        key = self._latest.get(identity)
        if key is not None:
            return self._by_key[key]
        return self._find(identity) if business_key is not None else None

    def _late(self, order: OrderRow, outcome: Outcome) -> Outcome:
        operation = self.operations.get(order.operation)
        mapped = operation is not None and outcome.name in operation.errors.values()
        return outcome if outcome.name == DONE or mapped else Outcome(UNKNOWN, detail=outcome.detail)

    def _conclude(self, order: OrderRow, outcome: Outcome, now: int) -> Change:
        if outcome.name == UNKNOWN:
            return self._stay_unknown(order, outcome, now)
        done = outcome.name == DONE
        row = msgspec.structs.replace(
            order,
            state=OrderState.DONE if done else OrderState.REFUSED,
            value=outcome.value if done else None,
            error="" if done else outcome.name,
            settled_at=now,
            settle_at=None,
            event_due=order.doubtful,
        )
        self._keep(row)
        return Change(row, outcome, order)

    def _stay_unknown(self, order: OrderRow, outcome: Outcome, now: int) -> Change:
        operation = self.operations.get(order.operation)
        was_unknown = order.state is OrderState.UNKNOWN
        row = msgspec.structs.replace(
            order,
            state=OrderState.UNKNOWN,
            doubtful=True,
            unknown_since=order.unknown_since if was_unknown else now,
            attempts=order.attempts + 1 if was_unknown else order.attempts,
        )
        row = msgspec.structs.replace(
            row, settle_at=next_at(row, operation, way(operation, self.operations), now)
        )
        self._keep(row)
        people = row.settle_at is None and (not was_unknown or order.settle_at is not None)
        return Change(row, outcome, order, people=people)

    def _attempt(self, order: OrderRow, now: int) -> Attempt | None:
        operation = self.operations.get(order.operation)
        how = way(operation, self.operations)
        if operation is None or how is Way.PEOPLE:
            return None
        if how is Way.REPEAT:
            if now > repeatable_until(order, operation):
                return None
            return Attempt(order, how, operation, order.arguments, order.key)
        question = self.operations[operation.settle_operation or ""]
        arguments = {name: value for name, value in order.arguments.items() if name in question.takes}
        return Attempt(order, how, question, {**arguments, "key": order.key}, None)

    def _keep(self, order: OrderRow) -> None:
        if order.key not in self._by_key:
            self._of_caller.setdefault((order.caller, order.operation), []).append(order.key)
            self._latest[order.identity] = order.key
        self._by_key[order.key] = order
        _mark(self._running, order.key, order.state is OrderState.RUNNING)
        _mark(self._unknown, order.key, order.state is OrderState.UNKNOWN)
        _mark(self._untold, order.key, order.event_due)
        if order.settled_at is not None and order.state not in _OPEN:
            heapq.heappush(self._expiry, (order.settled_at + order.window_ms, order.key))

    def _drop(self, order: OrderRow) -> None:
        del self._by_key[order.key]
        for marks in (self._running, self._unknown, self._untold):
            marks.pop(order.key, None)
        if self._latest.get(order.identity) == order.key:
            del self._latest[order.identity]
        owner = (order.caller, order.operation)
        keys = self._of_caller[owner]
        keys.remove(order.key)
        if not keys:
            del self._of_caller[owner]

    def _prune(self, now: int) -> None:
        while self._expiry and self._expiry[0][0] <= now:
            _, key = heapq.heappop(self._expiry)
            order = self._by_key.get(key)
            if order is None or order.state in _OPEN or _is_recent(order, now):
                continue
            if order.event_due:
                heapq.heappush(self._expiry, (now + 60_000, key))
                continue
            self._drop(order)


def settled_event(order: OrderRow, operation: Operation | None) -> SettledEvent:
    """Return the event `<operation>_settled` of an order that is done or refused (flow-language 2.5)."""
    secret = frozenset[str]() if operation is None else operation.secret_args
    fields: dict[str, Value] = {
        name: value
        for name, value in order.arguments.items()
        if name not in secret and not isinstance(value, Secret)
    }
    done = order.state is OrderState.DONE
    if done and isinstance(order.value, Mapping):
        fields.update({name: value for name, value in order.value.items() if not isinstance(value, Secret)})
    fields.update(
        done=done,
        operation=order.operation,
        phone=order.caller,
        lang=order.lang,
        error=None if done else order.error,
    )
    return SettledEvent(order.operation + "_settled", fields, order)


def _is_money(operation: Operation, name: str, value: Value) -> bool:
    declared = operation.takes.get(name)
    return declared.shape is Scalar.MONEY if declared is not None else isinstance(value, Decimal)


def _is_recent(order: OrderRow, now: int) -> bool:
    return order.settled_at is not None and now < order.settled_at + order.window_ms


def _mark(marks: dict[str, None], key: str, wanted: bool) -> None:
    if wanted:
        marks[key] = None
    else:
        marks.pop(key, None)


def _told(order: OrderRow) -> Outcome:
    if order.state is OrderState.DONE:
        return Outcome(DONE, order.value)
    return Outcome(order.error if order.state is OrderState.REFUSED else UNKNOWN)


def _by_settled(order: OrderRow) -> int:
    return order.settled_at or 0
