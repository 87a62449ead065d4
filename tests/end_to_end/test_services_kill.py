"""SIGKILL at a random moment while subscribers complain and ask: each gets one task, and is told of it.

GUDOK_KILL_SEED repeats a run.
"""

import asyncio
import os
import sys
import time
from pathlib import Path
from random import Random, SystemRandom

from gateway.demo.billing import start
from gateway.store.record import TaskKind, TaskRow
from gateway.store.sealing import Sealer, load_or_make_key
from gateway.store.sqlite import SqliteStore
from smpp.testing.centre import Centre
from tests.end_to_end.child import Child
from tests.end_to_end.stage import lay_out

SEED = int(os.environ.get("GUDOK_KILL_SEED", "0")) or SystemRandom().randrange(1, 1 << 31)
DESK = "000500"
ACTORS = 12
LIMIT_S = 40.0


async def complain(centre: Centre, phone: str) -> str:
    """Complain as a person does: the word, and when asked, what has happened; returns what he was told."""
    await centre.sms(phone, DESK, "жалоба", limit_s=LIMIT_S)
    await heard(centre, phone, "Опишите")
    await centre.sms(phone, DESK, f"Списали лишнее, {phone}", limit_s=LIMIT_S)
    return await heard(centre, phone, "Жалоба")


async def ask(centre: Centre, phone: str) -> str:
    """Ask what only people know; returns what he was told."""
    await centre.sms(phone, DESK, f"Почему небо синее, {phone}?", limit_s=LIMIT_S)
    return await heard(centre, phone, "Вопрос передан")


async def heard(centre: Centre, phone: str, beginning: str) -> str:
    """Wait for a message with this beginning."""

    def found() -> list[str]:
        return [one.text for one in centre.messages(phone) if one.text.startswith(beginning)]

    await centre.wait_for(lambda: bool(found()), what=f"«{beginning}…» for a handset", limit_s=LIMIT_S)
    return found()[0]


def stored_tasks(root: Path) -> list[TaskRow]:
    """Return the open tasks that the store holds."""
    data = root / "data"
    store = SqliteStore(data / "gudok.db", Sealer(load_or_make_key(data / "secret.key")))
    try:
        return list(store.load(int(time.time() * 1000)).tasks)
    finally:
        store.close()


async def test_one_task_for_each_however_the_gateway_dies(tmp_path: Path):
    rng = Random(SEED)
    sys.stdout.write(f"GUDOK_KILL_SEED={SEED}\n")
    lay_out(tmp_path)
    billing = await start(tmp_path / "billing" / "billing.db")
    phones = [f"7916777{number:04d}" for number in range(ACTORS)]
    async with Centre() as centre:
        child = Child(tmp_path, centre, billing.url)
        try:
            await child.start()
            acting = [
                asyncio.create_task((complain if number % 2 else ask)(centre, phone))
                for number, phone in enumerate(phones)
            ]
            await asyncio.sleep(rng.random() * 0.4)  # the moment of the kill is what the seed chooses
            await child.kill()
            await child.start()
            told = await asyncio.gather(*acting)
            await child.stop()
        finally:
            child.end()
            await billing.close()
    tasks = stored_tasks(tmp_path)
    assert sorted(row.subscriber for row in tasks) == phones
    of = {row.subscriber: row for row in tasks}
    for number, phone in enumerate(phones):
        row = of[phone]
        assert row.kind is (TaskKind.CALLBACK if number % 2 else TaskKind.QUESTION)
        assert sum(phone in line.text for line in row.lines) == 1
        if number % 2:
            assert told[number].startswith(f"Жалоба {row.number} принята")
