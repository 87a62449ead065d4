"""A process is killed while it commits: everything it had acknowledged is there, whole groups only."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

from gateway.store.sealing import Sealer
from gateway.store.sqlite import SqliteStore

ROUNDS = 6
CHILD = Path(__file__).with_name("kill_child.py")


def test_every_acknowledged_row_survives_sigkill(tmp_path: Path) -> None:
    rng = random.Random(7)
    path = tmp_path / "gudok.db"
    acked = 0
    for _ in range(ROUNDS):
        with subprocess.Popen(
            [sys.executable, str(CHILD), str(path)], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
        ) as child:
            assert child.stdout is not None
            start = child.stdout.readline().split()
            assert start[0] == "start"
            assert int(start[1]) >= acked
            assert start[2:] == ["True", "ok"]
            kill_after = rng.randrange(1, 120)
            for number, line in enumerate(child.stdout):
                word, count = line.split()
                assert word == "acked"
                acked = int(count)
                if number == kill_after:
                    child.send_signal(signal.SIGKILL)
                    break
            rest = child.stdout.read().split("\n")
            acked = max(
                [
                    acked,
                    *(
                        int(line.split()[1])
                        for line in rest
                        if line.startswith("acked ") and len(line.split()) == 2
                    ),
                ]
            )

    store = SqliteStore(path, Sealer(bytes(32)), reserve_size=0)
    rows = store.journal_after(0, 10**9)
    assert len(rows) >= acked > 0
    assert len(rows) % 8 == 0
    latest = {row.session: row.data for _, row in rows}
    assert {key: (store.get_session(key) or (0, b""))[1] for key in latest} == latest
    assert store.check() == "ok"
    store.close()
