"""Commits for ever and says each time what is acknowledged; the parent kills it at a random moment."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from gateway.store.batch import Group
from gateway.store.record import JournalRow
from gateway.store.sealing import Sealer
from gateway.store.sqlite import SqliteStore


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def main(path: Path) -> None:
    store = SqliteStore(path, Sealer(bytes(32)), reserve_size=0)
    numbers = [number for number, _ in store.journal_after(0, 10**9)]
    gapless = numbers == list(range(1, len(numbers) + 1))
    say(f"start {len(numbers)} {gapless} {store.check()}")
    versions = {key: (store.get_session(key) or (0, b""))[0] for key in map(str, range(8))}
    total = len(numbers)
    while True:
        batch = store.batch()
        for key in versions:
            group = batch.group()
            total += 1
            versions[key] = group.put_session(key, versions[key], str(total).encode(), None, False)
            group.journal(JournalRow(total, key, "turn", str(total).encode()))
        finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def done(
            lost: list[Group], error: Exception | None, finished: asyncio.Future[None] = finished
        ) -> None:
            assert not lost
            assert error is None
            finished.set_result(None)

        store.commit(batch, done)
        await finished
        say(f"acked {total}")


asyncio.run(main(Path(sys.argv[1])))
