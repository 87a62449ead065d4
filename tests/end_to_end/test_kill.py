"""A few rounds of kill -9 under load; `make kill` runs fifty."""

import os
import sys
from pathlib import Path
from random import SystemRandom

from tests.end_to_end.kill import run

FEW = 4
ROUNDS = int(os.environ.get("GUDOK_KILL_ROUNDS", FEW))
SEED = int(os.environ.get("GUDOK_KILL_SEED", "0")) or SystemRandom().randrange(1, 1_000_000)
BOUND_S = 3.0
"""Of the median; asked of a run of its own, for among other tests the machine has other things to do."""


async def test_kill_under_load_loses_nothing_and_charges_once(tmp_path: Path):
    report = await run(tmp_path, ROUNDS, SEED)
    sys.stdout.write(f"\n{report}\n")
    assert report.wrong == [], str(report)
    assert report.rounds == ROUNDS
    assert report.counts["dialogs_continued"] >= 4 * ROUNDS
    assert ROUNDS == FEW or sorted(report.bound_s)[len(report.bound_s) // 2] < BOUND_S, str(report)
