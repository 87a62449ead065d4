"""Faults on order: which request is to be spoilt, and how. Pure choice; the spoiling itself is elsewhere.

A fault names an operation (`billing.refresh_package`, `billing.*` or `*`), a kind, and when it fires: the
first `skip` matching requests pass, then `count` requests are spoilt (or all), each with `probability`
from its own seeded source.
"""

from __future__ import annotations

from random import Random
from typing import Literal

import msgspec

from gateway.demo.billing.charge import normal

Kind = Literal[
    "delay",
    "status",
    "reset",
    "hang",
    "lose",
    "take_and_lose",
    "take_and_hang",
    "garbage",
    "wrong_fields",
    "truncated",
    "huge",
    "bomb",
    "redirect",
    "slow",
    "forget_keys",
    "store_refusals",
]

WORKS: frozenset[str] = frozenset(
    (
        "take_and_lose",
        "take_and_hang",
        "garbage",
        "wrong_fields",
        "truncated",
        "huge",
        "bomb",
        "redirect",
        "slow",
    )
)
"""Kinds that do the work before they spoil the answer, unless the fault says `work: false`."""

MODES: frozenset[str] = frozenset(("delay", "forget_keys", "store_refusals"))
"""Kinds that leave the answer whole and may act together with another fault."""


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One order to misbehave.

    kind        delay: only wait; status: answer `status`; reset / lose: close the connection unanswered;
                hang: never answer; take_and_lose, take_and_hang: do the work first; garbage: a body that
                is no JSON; wrong_fields: JSON that fits nothing; truncated: half of the promised body;
                huge: `size` bytes; bomb: the same, gzipped; redirect: 302 to `location`; slow: a byte at
                a time; forget_keys: as if the key were new; store_refusals: keep refusals under the key.
    delay       milliseconds to wait before the work.
    after       milliseconds to wait between the work and the answer.
    work        do the work or not; not given: as the kind says (`status` and `reset` do not).
    phone       only this subscriber; "" means all.
    """

    operation: str = "*"
    kind: Kind = "delay"
    probability: float = 1.0
    seed: int = 0
    skip: int = 0
    count: int | None = None
    delay: int = 0
    after: int = 0
    status: int = 500
    size: int = 8 * 1024 * 1024
    location: str = "http://169.254.169.254/"
    work: bool | None = None
    phone: str = ""

    def __post_init__(self) -> None:
        """Refuse orders that could not be carried out."""
        if not 0 <= self.probability <= 1:
            raise ValueError("probability is 0 to 1")
        if not (0 <= self.delay <= 600_000 and 0 <= self.after <= 600_000):
            raise ValueError("a delay is 0 to 600000 milliseconds")
        if self.skip < 0 or (self.count is not None and self.count < 0):
            raise ValueError("skip and count are not negative")
        if not 400 <= self.status <= 599:
            raise ValueError("status is 400 to 599")
        if not 0 <= self.size <= 256 * 1024 * 1024:
            raise ValueError("size is at most 256 MiB")
        if not self.location.isascii() or any(c < "!" for c in self.location):
            raise ValueError("location is an address")
        if self.phone and not normal(self.phone):
            raise ValueError("phone is a Russian number")

    @property
    def works(self) -> bool:
        """True if the operation is carried out."""
        return self.work if self.work is not None else self.kind in WORKS or self.kind in MODES

    def concerns(self, operation: str, phone: str) -> bool:
        """Tell whether a request is one this fault is meant for."""
        name = self.operation
        meant = name in ("*", operation) or (name.endswith(".*") and operation.startswith(name[:-1]))
        return meant and (not self.phone or normal(self.phone) == normal(phone))


class Standing:
    """A fault on the board, with what is left of it."""

    def __init__(self, number: int, fault: Fault, place: int) -> None:
        """Put the fault up; `number` names it, `place` keeps faults of one seed from acting in step."""
        self.number = number
        self.fault = fault
        self.seen = 0
        self.fired = 0
        self._source = Random(f"{fault.seed}/{place}")  # noqa: S311 - reproducible misbehaviour

    def fires(self) -> bool:
        """Count a matching request; return whether this one is spoilt."""
        self.seen += 1
        fault = self.fault
        if self.seen <= fault.skip or (fault.count is not None and self.fired >= fault.count):
            return False
        if fault.probability < 1 and self._source.random() >= fault.probability:
            return False
        self.fired += 1
        return True


class Board:
    """All faults in force, in the order in which they were put up."""

    def __init__(self) -> None:
        """Start without faults."""
        self.standing: dict[int, Standing] = {}
        self._last = 0

    def add(self, fault: Fault) -> int:
        """Put up a fault; returns its number."""
        self._last += 1
        self.standing[self._last] = Standing(self._last, fault, len(self.standing))
        return self._last

    def remove(self, number: int) -> bool:
        """Take a fault down; returns whether it was there."""
        return self.standing.pop(number, None) is not None

    def clear(self) -> None:
        """Take all faults down."""
        self.standing.clear()

    def choose(self, operation: str, phone: str) -> tuple[Fault, ...]:
        """Return the faults that spoil this request: any of the MODES, and at most one other."""
        if not self.standing:
            return ()
        chosen: list[Fault] = []
        spoilt = False
        for standing in self.standing.values():
            fault = standing.fault
            whole = fault.kind in MODES
            if (spoilt and not whole) or not fault.concerns(operation, phone) or not standing.fires():
                continue
            chosen.append(fault)
            spoilt = spoilt or not whole
        return tuple(chosen)
