"""What durability costs: a commit of the store beside the disk's own fsync, and beside a busy event loop.

    python benchmarks/commit.py [--commits 300]

A lone commit is to cost the fsync and about a millisecond more; a commit while the loop computes all the time
is to take at most five times as long as beside an idle loop (the statements run on the loop's thread, only
COMMIT on the writer's). Medians; nothing here passes or fails by the time it took.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from gateway.store.batch import Group  # noqa: E402 - after the path is set
from gateway.store.record import JournalRow  # noqa: E402
from gateway.store.sealing import Sealer  # noqa: E402
from gateway.store.sqlite import SqliteStore  # noqa: E402

ROW = bytes(600)
PAGE = bytes(120)
BUSY_SLICE_S = 0.001


def fsync_ms(folder: Path, times: int) -> float:
    """Return the median time that appending a page and fsync take on the disk of the store."""
    spent = []
    with (folder / "probe").open("wb", buffering=0) as file:
        for _ in range(times):
            started = time.perf_counter()
            file.write(bytes(8192))
            os.fsync(file.fileno())
            spent.append(time.perf_counter() - started)
    return statistics.median(spent) * 1000


async def commits_ms(store: SqliteStore, name: str, times: int, groups: int) -> float:
    """Return the median time from `commit` to its callback, for transactions of so many turns."""
    loop = asyncio.get_running_loop()
    spent = []
    versions = [0] * groups
    for number in range(times):
        batch = store.batch()
        for turn in range(groups):
            group = batch.group()
            key = f"u:{name}:{turn}"
            versions[turn] = group.put_session(key, versions[turn], ROW, None, sealed=False)
            group.journal(JournalRow(number, key, "turn", ROW[:60], None, PAGE))
        ended: asyncio.Future[Exception | None] = loop.create_future()

        def done(
            _: list[Group], error: Exception | None, ended: asyncio.Future[Exception | None] = ended
        ) -> None:
            ended.set_result(error)

        started = time.perf_counter()
        store.commit(batch, done)
        error = await ended
        spent.append(time.perf_counter() - started)
        if error is not None:
            raise error
        await asyncio.sleep(0)
    return statistics.median(spent) * 1000


async def busy(stop: asyncio.Event) -> None:
    """Keep the loop computing, in slices as long as those of a full batch."""
    while not stop.is_set():
        end = time.perf_counter() + BUSY_SLICE_S
        while time.perf_counter() < end:
            sum(range(200))
        await asyncio.sleep(0)


async def measure(folder: Path, times: int) -> dict[str, float]:
    """Measure everything in one folder."""
    probe = fsync_ms(folder, times)
    store = SqliteStore(folder / "data/bench.db", Sealer(bytes(32)), reserve_size=1 << 20)
    lone = await commits_ms(store, "lone", times, 1)
    idle = await commits_ms(store, "idle", times, 64)
    stop = asyncio.Event()
    noise = asyncio.create_task(busy(stop))
    loaded = await commits_ms(store, "busy", times, 64)
    stop.set()
    await noise
    store.close()
    return {
        "fsync_ms": round(probe, 3),
        "lone_commit_ms": round(lone, 3),
        "lone_above_fsync_ms": round(lone - probe, 3),
        "commit_of_64_idle_loop_ms": round(idle, 3),
        "commit_of_64_busy_loop_ms": round(loaded, 3),
        "busy_to_idle": round(loaded / idle, 2),
    }


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--commits", type=int, default=300)
    parser.add_argument("--folder", type=Path, help="where to write (default: a temporary folder)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gudok-commit-", dir=options.folder) as place:
        figures = asyncio.run(measure(Path(place), options.commits))
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
