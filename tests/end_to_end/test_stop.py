"""STOP in the middle of a bulk: what is still to come to that subscriber does not come any more."""

import asyncio
from pathlib import Path

from gateway.settings import EventSettings
from tests.end_to_end.stage import RICH, Stage, staged
from tests.end_to_end.test_services import DESK, KEY, at, next_working, post, tend

ALL, MINE = 500, 20
FAST = EventSettings((KEY,), pace=100_000.0)


async def go_on(stage: Stage, ms: int) -> None:
    """Let some time of the gateway pass, and what is on the wire arrive."""
    stage.jump(ms)
    await tend(stage)
    await asyncio.sleep(0)


async def bulk(stage: Stage) -> None:
    """Have the gateway take 500 notices, every 25th of them for one subscriber, and let the first leave."""
    await at(stage, next_working(stage, 11))
    every = ALL // MINE
    reports = [{"number": n, "phone": RICH if n % every == 0 else f"7917{n:07d}"} for n in range(1, ALL + 1)]
    assert await post(stage, "network.repaired", "r1", area="Мира", reports=reports) == 202
    while stage.counted("sms_unasked") < ALL:
        await go_on(stage, 20)


def notices(stage: Stage, phone: str) -> int:
    return sum("выполнена" in text for text in stage.inbox(phone))


async def test_nothing_of_a_bulk_leaves_to_a_subscriber_whose_stop_was_answered(tmp_path: Path):
    async with staged(tmp_path, events=FAST, link={"rate": 50.0}) as stage:
        await bulk(stage)
        while not notices(stage, RICH):
            await go_on(stage, 100)
        await stage.centre.sms(RICH, DESK, "СТОП")
        said, before = stage.clock.now(), notices(stage, RICH)
        assert 1 <= before < MINE // 2, "the bulk was over before it began"
        while len(stage.gateway.outbox):
            await go_on(stage, 200)
        await stage.quiet()
        assert stage.clock.now() - said > 5_000
        assert notices(stage, RICH) == before
        assert stage.counted("sms_cancelled") == MINE - before
        assert len(stage.centre.received) == ALL - MINE + before + 1, "everybody else has got his"


async def test_a_stop_holds_over_a_restart_in_the_middle_of_the_bulk(tmp_path: Path):
    async with staged(tmp_path, events=FAST, link={"rate": 50.0}) as stage:
        await bulk(stage)
        await stage.centre.sms(RICH, DESK, "стоп")
        before = notices(stage, RICH)
        cancelled = stage.counted("sms_cancelled")
        assert cancelled == MINE - before > 0
        await stage.restart()
        while len(stage.gateway.outbox):
            await go_on(stage, 200)
        await stage.quiet()
        assert notices(stage, RICH) == before
