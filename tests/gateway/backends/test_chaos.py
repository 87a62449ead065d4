"""Orders and client against a billing that fails at random (B1): its ledger is compared with ours."""

from __future__ import annotations

import asyncio
import json
import random
from decimal import Decimal
from itertools import count

from aiohttp import web

from engine.types import MONEY, Record
from gateway.backends.order import Fresh, Orders
from gateway.backends.settling import Way
from gateway.store.record import OrderState
from tests.gateway.backends.conftest import Bench
from tests.gateway.backends.declared import charging

CHARGES = 400
PAY = charging("billing.pay", timeout_ms=150, returns=Record((("fee", MONEY),)), settle_within_ms=3_600_000)


class Billing:
    """30 % 5xx, 10 % time-outs, 5 % garbage, 10 % resets, half of them after the work was done."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.charged: dict[str, int] = {}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        key = request.headers["Idempotency-Key"]
        fate, after = self.rng.random(), self.rng.random() < 0.5
        if fate >= 0.55 or after:
            self.charged.setdefault(key, 0)
            self.charged[key] = 1
        if fate < 0.3:
            return web.Response(status=500)
        if fate < 0.4:
            await asyncio.sleep(1)
        if fate < 0.5:
            assert request.transport is not None
            request.transport.abort()
            raise asyncio.CancelledError
        if fate < 0.55:
            return web.Response(body=b"<html>")
        return web.Response(text=json.dumps({"fee": "490.00"}))


async def test_every_charge_happens_once_and_is_known_in_the_end(bench: Bench) -> None:
    rng = random.Random(929)
    billing = Billing(rng)
    bench.answers = [billing.handle]
    numbers = count(1)
    orders = Orders({PAY.name: PAY}, new_key=lambda: f"k{next(numbers)}", pepper=bytes(32))
    told: dict[str, str] = {}

    async def pay(caller: str) -> None:
        asked = orders.ask(caller, PAY, {"fee": Decimal(490)}, None, bench.now)
        assert isinstance(asked, Fresh)
        outcome = await bench.client.call(
            PAY,
            asked.order.arguments,
            phone=caller,
            lang="ru",
            channel="ussd",
            key=asked.order.key,
            within_ms=None,
        )
        bench.now += 10
        told[asked.order.key] = orders.finish(asked.order.key, outcome, bench.now).outcome.name

    for first in range(0, CHARGES, 40):
        await asyncio.gather(*(pay(f"7916{first + number:07d}") for number in range(40)))
    assert set(told.values()) <= {"done", "unknown", "unavailable"}
    assert "unknown" in told.values()
    for _ in range(60):
        bench.now += 60_000
        attempts = orders.due(bench.now)
        assert all(attempt.how is Way.REPEAT for attempt in attempts)
        for attempt in attempts:
            outcome = await bench.client.call(
                attempt.operation,
                attempt.arguments,
                phone=attempt.order.caller,
                lang="ru",
                channel="ussd",
                key=attempt.key,
                within_ms=None,
            )
            bench.now += 10
            orders.settled(attempt, outcome, bench.now)
    for key, name in told.items():
        order = orders.get(key)
        assert order is not None
        assert order.state in {OrderState.DONE, OrderState.REFUSED}
        assert (key in billing.charged) == (order.state is OrderState.DONE), name
        if name == "unavailable":
            assert key not in billing.charged
    assert len(orders.events()) == sum(name == "unknown" for name in told.values())
