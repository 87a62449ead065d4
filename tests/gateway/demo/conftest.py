"""Fixtures: the desk of the demo billing with a hand clock, the service on loopback, the whole demo."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from gateway.demo.billing import Clock, Running, start
from gateway.demo.billing.desk import Answer, Desk, Request
from gateway.demo.billing.operation import OPERATIONS
from gateway.demo.billing.period import milliseconds
from gateway.demo.billing.subscriber import Movement, Subscriber
from gateway.demo.exchange import call as ringing
from gateway.demo.show import Show
from tests.gateway.demo.caller import RICH, Phone
from tests.gateway.demo.playing import lay_out, playing

NOON = milliseconds(datetime.fromisoformat("2026-11-22T12:00:00+03:00"))
BY_NAME = {operation.name: operation for operation in OPERATIONS}


@dataclass
class Till:
    """A desk with short words for tests; every request has a fresh key unless it names one."""

    desk: Desk
    clock: Clock
    keys: Iterator[int] = field(default_factory=itertools.count)

    def ask(self, name: str, parameter: str = "", key: str | None = None, **takes: Any) -> Answer:
        operation = BY_NAME[name]
        if key is None and operation.keyed:
            key = f"key-{next(self.keys)}"
        return self.desk.perform(Request(operation, parameter, key, msgspec.json.encode(takes)))

    def read(self, name: str, parameter: str = "", **takes: Any) -> Any:
        answer = self.ask(name, parameter, **takes)
        return {"status": answer.status, **msgspec.json.decode(answer.body)}

    def one(self, phone: str) -> Subscriber:
        return self.desk.book.subscribers[phone]

    def set(self, phone: str, **fields: Any) -> Subscriber:
        """Change a subscriber behind the books' back (not its balance)."""
        assert "balance" not in fields
        changed = msgspec.structs.replace(self.one(phone), **fields)
        self.desk.book.subscribers[phone] = changed
        return changed

    def at(self, text: str) -> None:
        """Put the clock to a Moscow date and time."""
        self.clock.set(milliseconds(datetime.fromisoformat(text)))

    def ledger(self, phone: str, *kinds: str) -> list[Movement]:
        return [m for _, m in self.desk.book.movements(phone=phone, kinds=kinds)]

    def sound(self) -> bool:
        """True if every balance is the sum of its ledger."""
        totals = self.desk.book.totals()
        return all(totals[p][0] == int(s.balance * 100) for p, s in self.desk.book.subscribers.items())


@pytest.fixture
def open_till(tmp_path: Path) -> Iterator[Callable[..., Till]]:
    """Open a till on a file of its own; the date can be chosen."""
    opened: list[Till] = []

    def opener(when: str = "", file: str = "billing.db") -> Till:
        clock = Clock(lambda: NOON)
        if when:
            clock.set(milliseconds(datetime.fromisoformat(when)))
        till = Till(Desk(tmp_path / file, clock), clock)
        opened.append(till)
        return till

    yield opener
    for till in opened:
        till.desk.book.close()


@pytest.fixture
def till(open_till: Callable[..., Till]) -> Till:
    return open_till()


@dataclass
class Wire:
    """The service on loopback and a client for it."""

    running: Running
    http: aiohttp.ClientSession

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.http.request(
            method, self.running.url + path, json=body, headers=names, allow_redirects=False
        ) as answer:
            return answer.status, await answer.json()

    async def charge(self, key: str, phone: str = "79160000001", fee: Any = "50.00") -> tuple[int, Any]:
        return await self.call("POST", f"/subscribers/{phone}/charge", {"fee": fee}, Idempotency_Key=key)

    async def fault(self, **fields: Any) -> int:
        status, answer = await self.call("POST", "/admin/faults", fields)
        assert status == 200, answer
        return int(answer["number"])

    async def ledger(self, query: str) -> list[dict[str, Any]]:
        _, answer = await self.call("GET", f"/admin/ledger?{query}")
        return list(answer["ledger"])


@pytest.fixture
async def wire(tmp_path: Path) -> AsyncIterator[Wire]:
    running = await start(tmp_path / "books" / "billing.db", Clock(lambda: NOON))
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http:
            yield Wire(running, http)
    finally:
        await running.close()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return lay_out(tmp_path)


@pytest.fixture
async def show(project: Path, tmp_path: Path) -> AsyncIterator[Show]:
    async with playing(project, tmp_path / "data") as one:
        yield one


@pytest.fixture
def phone(show: Show) -> Phone:
    return Phone(show, RICH)


@pytest.fixture
def rings_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ringing, "RINGS_S", 0.0)
