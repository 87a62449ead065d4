"""Everything misbehaves at once, from a printed seed: the ledgers agree and everybody knows the truth."""

import asyncio
import os
import sys
from pathlib import Path
from random import Random, SystemRandom

from smpp.testing.faults import Faults
from tests.end_to_end.stage import ALREADY, CHECKING, DONE, UNAVAILABLE, Stage, staged

SEED = int(os.environ.get("GUDOK_CHAOS_SEED", "0")) or SystemRandom().randrange(1, 1 << 31)
SUBSCRIBERS = 150
BILLING = (
    ("billing.refresh_package", {"kind": "status", "probability": 0.15, "work": True}),
    ("billing.refresh_package", {"kind": "status", "probability": 0.15, "work": False}),
    ("billing.refresh_package", {"kind": "take_and_lose", "probability": 0.15}),
    ("billing.refresh_package", {"kind": "reset", "probability": 0.1}),
    ("billing.refresh_package", {"kind": "hang", "probability": 0.03}),
    ("billing.refresh_package", {"kind": "redirect", "probability": 0.05}),
    ("billing.package", {"kind": "status", "probability": 0.05}),
    ("billing.package", {"kind": "wrong_fields", "probability": 0.03}),
    ("billing.*", {"kind": "delay", "delay": 10, "probability": 0.3}),
)
CENTRE = {"duplicate": 0.1, "duplicate_same": 0.1, "malformed": 0.1, "throttle": 0.05, "reorder": 0.2}


async def test_with_everything_misbehaving_everybody_is_charged_once_and_told_the_truth(tmp_path: Path):
    sys.stdout.write(f"GUDOK_CHAOS_SEED={SEED}\n")
    changes = {"config/backends.yaml": {"timeout: 3s": "timeout: 400ms"}}
    async with staged(tmp_path, changes=changes, faults=Faults(**CENTRE), seed=SEED) as stage:
        rng = Random(SEED)
        for number, (operation, fault) in enumerate(BILLING):
            stage.fault(operation=operation, seed=SEED % 1_000_000 + number, **fault)
        phones = [f"7916500{n:04d}" for n in range(SUBSCRIBERS)]
        for phone in phones:
            stage.person(phone, "800.00")
        heard: dict[str, list[str]] = {phone: [] for phone in phones}

        async def once(phone: str) -> None:
            dialog = stage.centre.call(phone, "*929#")
            if rng.random() < 0.2:
                await asyncio.sleep(0)
                dialog.hang_up()
                return
            heard[phone].append((await dialog.shown(1)).text)

        for _ in range(3):
            await asyncio.gather(*(once(phone) for phone in phones))
            stage.jump(6_000)
            await stage.until(lambda: not stage.gateway.calls._tasks, "the calls to end")
        stage.billing.board.clear()
        await settled(stage)
        stage.centre.faults = Faults()
        for phone in phones:
            charges, told = len(stage.charges(phone)), [*heard[phone], *stage.inbox(phone)]
            assert charges <= 1, phone
            if {DONE, ALREADY} & set(told):
                assert charges == 1, (phone, told)
            if charges:
                assert {DONE, ALREADY} & set(told), (phone, told)
            else:
                assert set(told) <= {UNAVAILABLE, CHECKING}, (phone, told)
        assert len(stage.charges()) > SUBSCRIBERS // 2
        states = dict(stage.gateway.store._read.execute("SELECT state, count(*) FROM ledger GROUP BY state"))
        assert states.get("running", 0) == states.get("unknown", 0) == 0, states


async def settled(stage: Stage) -> None:
    """Let the time pass in which unknown orders are cleared up."""
    orders = stage.gateway.orders
    for _ in range(12):
        stage.jump(61_000)
        stage.gateway.settling.look()
        await stage.until(lambda: not orders._settling, "the attempts to end")
        await stage.quiet(20.0)
