"""The buttons that break things: a slow billing, a lost answer, an outage, duplicates, a lost bind, midnight.

Each is a fault of the demo billing or of the test centre, both of which misbehave on order; the gateway is
not told. It knows no page.
"""

from __future__ import annotations

import time
from typing import Any

import aiohttp

from gateway.demo.billing import Fault, Running
from gateway.demo.billing.operation import OPERATIONS
from smpp.pdu.status import Status
from smpp.testing.centre import Centre

SLOW_MS = 5_000
AWAY_MS = 1_000
"""A centre that dropped its binds takes no new ones for so long."""
LOST_ANSWERS = 2
"""The gateway repeats a lost charge once under the same key; both answers must be lost to be felt."""
LATE = "23:59:30"
SHIFTED_MS = 2_000
"""The billing's clock counts as moved when it is further than this from the real time."""

_CHARGES = tuple(one.name for one in OPERATIONS if one.keyed and one.name.startswith("billing."))

NAMES = ("slow", "lost_answer", "down", "duplicate", "midnight", "drop_bind")


class Troubles:
    """The faults that the page can order."""

    def __init__(self, centre: Centre, billing: Running, client: aiohttp.ClientSession) -> None:
        self._centre = centre
        self._billing = billing
        self._client = client
        self._standing: dict[str, list[int]] = {}

    async def set(self, name: str, *, on: bool) -> None:
        """Switch a fault on or off; `drop_bind` only happens. Raises KeyError for an unknown name."""
        if name not in NAMES:
            raise KeyError(name)
        match name:
            case "duplicate":
                self._centre.faults.duplicate = 1.0 if on else 0.0
            case "drop_bind":
                self._centre.faults.refuse_bind = int(Status.RSYSERR)
                self._centre.later(AWAY_MS, self._take_binds)
                self._centre.reset()
            case "midnight":
                await self._admin("clock", {"to": LATE} if on else {"real": True})
            case _:
                self._take_down(name)
                if on:
                    self._standing[name] = [self._billing.board.add(fault) for fault in _faults(name)]

    def _take_binds(self) -> None:
        self._centre.faults.refuse_bind = 0

    def look(self) -> None:
        """One order loses its answers; after it the billing behaves again."""
        board = self._billing.board
        for number in self._standing.get("lost_answer", ()):
            standing = board.standing.get(number)
            if standing is not None and standing.fired >= LOST_ANSWERS:
                self._take_down("lost_answer")
                return

    def state(self) -> dict[str, Any]:
        """Return which faults stand, and how far the billing's clock is from the real time (ms)."""
        shift = self._billing.desk.clock.now() - time.time_ns() // 1_000_000
        moved = abs(shift) > SHIFTED_MS
        return {
            "slow": "slow" in self._standing,
            "lost_answer": "lost_answer" in self._standing,
            "down": "down" in self._standing,
            "duplicate": self._centre.faults.duplicate > 0,
            "midnight": moved,
            "clock_shift": round(shift, -2) if moved else 0,
        }

    async def clear(self) -> None:
        """Let everything behave, and start the billing's books over."""
        self._standing.clear()
        self._centre.faults.duplicate = 0.0
        await self._admin("reset", {})

    def _take_down(self, name: str) -> None:
        for number in self._standing.pop(name, ()):
            self._billing.board.remove(number)

    async def _admin(self, what: str, body: dict[str, Any]) -> None:
        async with self._client.post(f"{self._billing.url}/admin/{what}", json=body) as response:
            response.raise_for_status()


def _faults(name: str) -> list[Fault]:
    if name == "slow":
        return [Fault(operation="*", kind="delay", delay=SLOW_MS)]
    if name == "down":
        return [Fault(operation="*", kind="reset")]
    return [Fault(operation=operation, kind="take_and_lose", count=LOST_ANSWERS) for operation in _CHARGES]
