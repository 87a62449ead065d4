"""Where the time of a turn goes: every stage of the real gateway measured inside one process.

    python benchmarks/stages.py [--in-flight 256] [--turns 4000] [--rounds 7]

The functions that make up a turn are wrapped with a clock of CPU time for this run only. The time of a stage
is its own, without that of the stages it calls, and the cost of the clock is measured and taken off; medians
of the rounds. `fsync_ms` is the COMMIT on the writer's thread, beside the loop. `process_us` is all CPU time
of the process without the clocks: with the event loop, the sockets and the centre that plays the dialogues.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

import centre as loopback  # noqa: E402 - a neighbour of this script, found by its folder

from engine.reading.diagnostic import Report  # noqa: E402 - after the path is set
from gateway import log  # noqa: E402
from gateway.app import Gateway  # noqa: E402
from gateway.garbage import keep_quiet  # noqa: E402
from gateway.host import conversation, host, inbound, stepper, ussd, ussd_known, ussd_page  # noqa: E402
from gateway.journal import detail  # noqa: E402
from gateway.settings import read_settings  # noqa: E402
from gateway.store import sqlite, transaction, writer  # noqa: E402
from smpp import links, session, stream  # noqa: E402
from ussd import centre as ussd_centre  # noqa: E402
from ussd import short_way  # noqa: E402

FLOW = Path(__file__).parent / "flow"
STAGES: tuple[tuple[str, object, str], ...] = (
    ("frame", stream.Stream, "read"),
    ("session", session.Session, "receive_data"),
    ("decode", inbound, "decode_sm"),
    ("correlate", ussd_centre.UssdChannel, "receive"),
    ("advance", stepper, "advance"),
    ("correlate", short_way.ShortWay, "find"),
    ("correlate", short_way.ShortWay, "take"),
    ("correlate", short_way.ShortWay, "go_on"),
    ("correlate", short_way.ShortWay, "dial"),
    ("correlate", short_way.ShortWay, "open"),
    ("advance", ussd_known, "key_turn"),
    ("advance", ussd_known, "first_turn"),
    ("record", detail.Details, "record"),
    ("dump", conversation.Conversation, "record"),
    ("dump", conversation.Conversation, "is_secret"),
    ("rows", conversation.Conversation, "journal"),
    ("rows", host.Host, "_put_sessions"),
    ("statements", transaction.Change, "run"),
    ("commit", sqlite.SqliteStore, "_start"),
    ("commit", sqlite.SqliteStore, "_landed"),
    ("respond", links.Link, "respond"),
    ("respond", links.Link, "accept_all"),
    ("page", ussd_centre.UssdChannel, "reply"),
    ("page", ussd_centre.UssdChannel, "question"),
    ("page", ussd_centre.UssdChannel, "last_page"),
    ("submit", links.Link, "submit"),
    ("submit", links.Link, "submit_pages"),
    ("flush", links.Link, "flush"),
    ("answered", links.Link, "_events"),
    ("answered", ussd_page.Pages, "confirmed"),
    ("answered", ussd_page.Pages, "arrived"),
    ("lane", inbound.Inbounds, "_take"),
    ("lane", ussd.UssdLane, "receive"),
    ("lane", ussd_known.KnownMessages, "receive"),
    ("lane", ussd_known.KnownMessages, "_message"),
    ("lane", ussd_known.KnownMessages, "_dialled"),
    ("lane", ussd_known.KnownMessages, "_end"),
    ("lane", ussd_page.Pages, "_submit"),
    ("step", stepper.Stepper, "step"),
    ("host", host.Host, "_run"),
    ("leave", host.Host, "_leave"),
)


class Meter:
    """Own times of nested stages, in nanoseconds."""

    def __init__(self) -> None:
        self.spent: dict[str, int] = defaultdict(int)
        self.calls: dict[str, int] = defaultdict(int)
        self.inside: dict[str, int] = defaultdict(int)
        self._stack: list[tuple[str, list[int]]] = []
        self._own = self._around = 0.0

    def wrap(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function with a clock round it."""
        clock, stack = time.thread_time_ns, self._stack
        spent, calls, inside = self.spent, self.calls, self.inside

        def timed(*arguments: Any, **named: Any) -> Any:
            below = [0]
            stack.append((stage, below))
            start = clock()
            try:
                return function(*arguments, **named)
            finally:
                whole = clock() - start
                stack.pop()
                spent[stage] += whole - below[0]
                calls[stage] += 1
                if stack:
                    outer, total = stack[-1]
                    total[0] += whole
                    inside[outer] += 1

        return timed

    def calibrate(self) -> None:
        """Measure what the clock adds to a stage and to the stage round it."""
        empty = self.wrap("clock", lambda: None)
        outer = self.wrap("outer", lambda: [empty() for _ in range(20_000)])
        outer()
        self._own, self._around = self.spent["clock"] / 20_000, self.spent["outer"] / 20_000
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self.spent.clear()
        self.calls.clear()
        self.inside.clear()

    def result(self, turns: int) -> dict[str, float]:
        """Return the microseconds a turn of every stage, without the clock's own."""
        return {
            name: max(0.0, ns - self._own * self.calls[name] - self._around * self.inside[name])
            / turns
            / 1000
            for name, ns in self.spent.items()
        }


@contextmanager
def measured(meter: Meter) -> Iterator[dict[str, int]]:
    """Wrap the stages while the body runs; what is yielded gathers the commits."""
    saved = [(owner, name, getattr(owner, name)) for _, owner, name in STAGES]
    for stage, owner, name in STAGES:
        setattr(owner, name, meter.wrap(stage, getattr(owner, name)))
    commits = {"number": 0, "ns": 0}
    commit = writer.commit

    def timed(connection: sqlite3.Connection, flight: writer.Flight) -> None:
        start = time.perf_counter_ns()
        commit(connection, flight)
        commits["ns"] += time.perf_counter_ns() - start
        commits["number"] += 1

    writer.commit = timed
    try:
        yield commits
    finally:
        writer.commit = commit
        for owner, name, function in saved:
            setattr(owner, name, function)


async def serve(folder: Path, in_flight: int, turns: int, meter: Meter | None, rounds: int) -> dict[str, Any]:
    """Run the gateway against the centre of this process and return what was measured."""
    loop = asyncio.get_running_loop()
    peer = loopback.Centre(in_flight, turns)
    server = await loop.create_server(lambda: peer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    report = Report()
    text = (folder / "config/gateway.yaml").read_text(encoding="utf-8").replace("2790", str(port))
    settings = read_settings(text, {}, report)
    assert settings is not None, report.diagnostics
    gateway = Gateway(folder, settings, {}, web=False)
    await gateway.start()
    keep_quiet()
    await asyncio.wait_for(peer.bound.wait(), 10)
    peer.go_on(max(in_flight, 2_000))
    await asyncio.wait_for(peer.done.wait(), 60)
    commits, done = gateway.store.commits, 0
    process: list[float] = []
    stages: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        if meter is not None:
            meter.clear()
        started = time.process_time()
        peer.go_on(turns)
        await asyncio.wait_for(peer.done.wait(), 60)
        process.append((time.process_time() - started) / peer.turns * 1e6)
        done += peer.turns
        if meter is not None:
            for name, us in meter.result(peer.turns).items():
                stages[name].append(us)
    result = {
        "turns": done,
        "wrong": peer.wrong,
        "process_us": statistics.median(process),
        "commits": gateway.store.commits - commits,
        "stages_us": {name: statistics.median(each) for name, each in stages.items()},
    }
    await gateway.close()
    server.close()
    return result


def run(in_flight: int, turns: int, rounds: int) -> dict[str, Any]:
    """Measure once with clocks and once without."""
    log.configure(level="error")
    with tempfile.TemporaryDirectory(prefix="gudok-stages-") as place:
        folder = Path(place) / "flow"
        shutil.copytree(FLOW, folder, ignore=shutil.ignore_patterns("data"))
        meter = Meter()
        meter.calibrate()
        with measured(meter) as commits:
            clocked = asyncio.run(serve(folder, in_flight, turns, meter, rounds))
        plain = asyncio.run(serve(folder, in_flight, turns, None, rounds))
    stages = clocked["stages_us"]
    return {
        "in_flight": in_flight,
        "turns": clocked["turns"],
        "wrong": clocked["wrong"] + plain["wrong"],
        "stages_us": {name: round(us, 2) for name, us in sorted(stages.items(), key=lambda one: -one[1])},
        "sum_us": round(sum(stages.values()), 2),
        "process_us": round(plain["process_us"], 2),
        "turns_per_commit": round(clocked["turns"] / max(1, clocked["commits"]), 1),
        "fsync_ms": round(commits["ns"] / max(1, commits["number"]) / 1e6, 3),
    }


def main() -> None:
    """Print the breakdown as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--in-flight", type=int, default=256)
    parser.add_argument("--turns", type=int, default=4_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    sys.stdout.write(json.dumps(run(options.in_flight, options.turns, options.rounds), indent=1) + "\n")


if __name__ == "__main__":
    main()
