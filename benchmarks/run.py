"""`make bench`: the gateway beside three echoes in one interleaved run, as ratios.

    python benchmarks/run.py [--rounds 5] [--seconds 2] [--in-flight 1,16,256] [--json FILE]

Every round runs every ESME once, so that whatever else the machine does falls on all of them alike; the
medians are printed. The echoes answer from a fixed menu; the gateway runs `benchmarks/flow` with every turn
committed to SQLite (synchronous=FULL) before its page leaves. Nothing here passes or fails by the time it
took; a wrong or lost reply does fail.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import timeit
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
NODE_FOLDER = ROOT / "tests/peers"
FLOW_PORT = "2790"
SERVE = "from gateway.cli import main; main()"

Command = Callable[[int, Path], list[str]]
Figures = dict[str, Any]


def build(folder: Path) -> None:
    """Compile the two C programs."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        sys.exit("benchmarks: a C compiler is needed (Debian: apt-get install gcc libc6-dev)")
    for name in ("generator", "echo"):
        subprocess.run([compiler, "-O2", "-o", folder / name, HERE / f"{name}.c"], check=True)


def gateway(port: int, folder: Path) -> list[str]:
    """Lay the project of the benchmark out anew and return the command that serves it."""
    project = folder / "flow"
    shutil.rmtree(project, ignore_errors=True)
    shutil.copytree(HERE / "flow", project, ignore=shutil.ignore_patterns("data"))
    settings = project / "config/gateway.yaml"
    settings.write_text(settings.read_text(encoding="utf-8").replace(FLOW_PORT, str(port)), encoding="utf-8")
    return [sys.executable, "-c", SERVE, "serve", str(project)]


def systems(folder: Path) -> dict[str, Command]:
    """Return the commands of all ESMEs that can run here."""
    found: dict[str, Command] = {
        "C echo": lambda port, _: [str(folder / "echo"), str(port)],
        "asyncio echo": lambda port, _: [sys.executable, str(HERE / "asyncio_echo.py"), str(port)],
    }
    node = shutil.which("node")
    if node is not None and (NODE_FOLDER / "node_modules/smpp").is_dir():
        found["node-smpp"] = lambda port, _: [node, str(HERE / "node_echo.js"), str(port), str(NODE_FOLDER)]
    found["gudok"] = gateway
    return found


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def pin(core: int) -> list[str]:
    """Return what keeps a program on one core, if that is possible here."""
    tool = shutil.which("taskset")
    return [tool, "-c", str(core)] if tool and (os.cpu_count() or 1) > 1 else []


def measure(name: str, command: Command, in_flight: int, seconds: float, folder: Path) -> Figures:
    """Run one ESME against the generator and return what the generator has printed."""
    port = free_port()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    esme = subprocess.Popen(
        [*pin(1), *command(port, folder)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        done = subprocess.run(
            [
                *pin(0), str(folder / "generator"), "--port", str(port), "--in-flight", str(in_flight),
                "--seconds", str(seconds), "--warm", "1", "--pid", str(esme.pid), "--label", name,
                "--script", str(HERE / "script.txt"),
            ],
            capture_output=True, text=True, timeout=90, check=False,
        )  # fmt: skip
    finally:
        esme.send_signal(signal.SIGTERM)
        try:
            esme.wait(20)
        except subprocess.TimeoutExpired:
            esme.kill()
            esme.wait()
    if done.returncode:
        sys.exit(f"benchmarks: {name}, {in_flight} in flight: {done.stderr.strip()}")
    figures: Figures = json.loads(done.stdout)
    if any(figures["errors"].values()):
        sys.exit(f"benchmarks: {name}, {in_flight} in flight: wrong answers: {figures['errors']}")
    return figures


def loop_ns() -> float:
    """Return the best time of a round of a plain loop: how well this Python was built shows here."""
    rounds = 200_000
    code = "total = 0\nfor number in numbers:\n    total = total + number & 0xFFFF"
    return min(timeit.repeat(code, "numbers = range(200_000)", number=1, repeat=9)) / rounds * 1e9


def medians(runs: list[Figures]) -> Figures:
    """Return the median of every figure of the rounds."""
    names = ("turns_per_s", "cpu_us_per_turn", "p50_ms", "p99_ms")
    return {name: statistics.median(run[name] for run in runs) for name in names}


def table(results: Mapping[tuple[str, int], Figures], names: list[str], levels: list[int]) -> str:
    """Return the results as a table of Markdown, with the ratios to the C echo."""
    lines = [
        "| ESME | in flight | CPU us/turn | times the C echo | turns/s | p50 ms | p99 ms |",
        "|---|---|---|---|---|---|---|",
    ]
    for level in levels:
        floor = results["C echo", level]["cpu_us_per_turn"]
        for name in names:
            one = results[name, level]
            ratio = one["cpu_us_per_turn"] / floor if floor else 0.0
            lines.append(
                f"| {name} | {level} | {one['cpu_us_per_turn']:.2f} | {ratio:.1f} |"
                f" {one['turns_per_s']:,.0f} | {one['p50_ms']:.2f} | {one['p99_ms']:.2f} |"
            )
    return "\n".join(lines)


def main() -> None:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--in-flight", default="1,16,256")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    levels = [int(one) for one in options.in_flight.split(",")]
    say = sys.stdout.write
    with tempfile.TemporaryDirectory(prefix="gudok-bench-") as place:
        folder = Path(place)
        build(folder)
        commands = systems(folder)
        runs: dict[tuple[str, int], list[Figures]] = {(name, n): [] for name in commands for n in levels}
        for number in range(1, options.rounds + 1):
            say(f"round {number} of {options.rounds}\n")
            sys.stdout.flush()
            for level in levels:
                for name, command in commands.items():
                    runs[name, level].append(measure(name, command, level, options.seconds, folder))
    results = {key: medians(each) for key, each in runs.items()}
    machine = (
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
        f" of {sys.base_prefix} ({platform.python_compiler()}), {loop_ns():.0f} ns a round of a plain loop"
    )
    say(f"\n{machine}; medians of {options.rounds} rounds of {options.seconds:g} s; every reply checked\n\n")
    say(table(results, list(commands), levels) + "\n")
    top = max(levels)
    ours, plain = results["gudok", top]["cpu_us_per_turn"], results["asyncio echo", top]["cpu_us_per_turn"]
    say(f"\nat {top} in flight the gateway costs {ours / plain:.1f} times the asyncio echo")
    if "node-smpp" in commands:
        rate = results["gudok", top]["turns_per_s"] / results["node-smpp", top]["turns_per_s"]
        say(f" and does {rate:.2f} times the turns of node-smpp")
    say("\n")
    if options.json is not None:
        options.json.write_text(
            json.dumps({f"{name}@{level}": one for (name, level), one in results.items()}, indent=1) + "\n",
            encoding="utf-8",
        )


if __name__ == "__main__":
    main()
