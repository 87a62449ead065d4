"""`make bench-calls`: calls to a real Asterisk, the gateway beside a bare FastAGI echo, as ratios.

    python -m benchmarks.calls [--rounds 3] [--seconds 20] [--rate 100] [--at-once 300] [--hold 60]
                               [--without]

Every round makes the same short calls to each server in turn, on the same Asterisk with the shipped dialplan:
answer, one prompt, one key, hang-up. The CPU time of the server's process is divided by its calls. There are
two echoes: one sends the commands that the gateway sends, one the fewest that such a call needs. Then many
calls at once ask for their menu again and again, through a relay that takes the time from each reply to the
next command. `--without` does the short calls without Asterisk: its side of FastAGI is played
(benchmarks/agi_load.py), so that the servers have the machine to themselves.

A lost call makes the run fail; no figure does. `--rounds 0` and `--at-once 0` leave a part out.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks.agi_load import cpu_ms, load, probe
from gateway.library import Library
from gateway.speech.script import script
from tests.asterisk.place import Place
from tests.asterisk.server import Asterisk, missing, ports

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SERVE = "from gateway.cli import main; main()"
PORT = "4573"
PROMPT_S = 4
WARM_S = 2.0
KEY_AFTER_S = 0.3
RAMP = 50
EVERY_S = 3.0
"""A caller of the crowd asks for the menu again so often."""
LISTENS = "0A"
NEEDED = (b"ANSWER", b'EXEC "Read"', b'SET VARIABLE "IVR_NEXT"')

Figures: TypeAlias = dict[str, Any]


def say(text: str) -> None:
    """Print at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def build(folder: Path) -> None:
    """Compile the telephones and the relay."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        sys.exit("benchmarks: a C compiler is needed (Debian: apt-get install gcc libc6-dev)")
    for name in ("calls", "calls_relay"):
        subprocess.run([compiler, "-O2", "-o", folder / name, HERE / f"{name}.c"], check=True)


def silence(path: Path) -> None:
    """Write a prompt of silence."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(bytes(2 * 8_000 * PROMPT_S))


def project(folder: Path, port: int) -> Path:
    """Lay the project of the benchmark out anew with all its recordings."""
    root = folder / "voice"
    shutil.copytree(HERE / "voice", root, ignore=shutil.ignore_patterns("data"))
    settings = root / "config/gateway.yaml"
    settings.write_text(settings.read_text("utf-8").replace(PORT, str(port)), encoding="utf-8")
    for line in script(Library(root).current):
        silence(root / "flows/sounds" / f"{line.name}.wav")
    return root


def started(command: list[str], port: int, *, told: bool = False) -> subprocess.Popen[str]:
    """Start a server and wait until it listens; `told`: what it prints is read at the end."""
    process = subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE if told else subprocess.DEVNULL,
        start_new_session=True,
        text=True,
    )
    for _ in range(600):
        if process.poll() is not None:
            break
        sockets = (line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:])
        if (f"0100007F:{port:04X}", LISTENS) in {(one[1], one[3]) for one in sockets}:
            return process
        time.sleep(0.05)
    raise SystemExit(f"benchmarks: {command[0]} does not listen")


def ended(process: subprocess.Popen[str]) -> str:
    """Ask a process to end and wait for it; returns what it has printed."""
    process.send_signal(signal.SIGTERM)
    try:
        told, _ = process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        told, _ = process.communicate()
    return told or ""


def gateway(root: Path, port: int) -> subprocess.Popen[str]:
    """Start the gateway as it ships."""
    return started([sys.executable, "-c", SERVE, "serve", str(root)], port)


@contextlib.contextmanager
def servers(root: Path, place: Place) -> Iterator[dict[str, tuple[int, subprocess.Popen[str]]]]:
    """Run the gateway and both echoes; gives port and process of each."""
    running: dict[str, tuple[int, subprocess.Popen[str]]] = {}
    try:
        ours = gateway(root, place.first)
        running["gudok"] = (place.first, ours)
        commands = asyncio.run(probe(place.first))
        least = [one for one in commands if one.startswith(NEEDED)]
        least.insert(-1, b'GET VARIABLE "IVR_READ"\n')
        for name, given, port in (
            ("bare asyncio, the same commands", commands, place.second),
            ("bare asyncio, the fewest commands", least, place.network),
        ):
            file = root / f"commands-{port}"
            file.write_bytes(b"".join(given))
            echo = started([sys.executable, str(HERE / "agi_echo.py"), str(port), str(file)], port)
            running[name] = (port, echo)
            say(f"{name} ({len(given)}):\n  " + b"  ".join(given).decode().rstrip())
        say("")
        yield running
    finally:
        for _, process in running.values():
            ended(process)


def telephones(folder: Path, sip: int, **options: float) -> Figures:
    """Make calls and return what came of them."""
    given = [str(part) for name, value in options.items() for part in (f"--{name}", value)]
    done = subprocess.run(
        [str(folder / "calls"), "--port", str(sip), *given],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"benchmarks: {done.stderr.strip()}")
    figures: Figures = json.loads(done.stdout)
    return figures


def asterisk_ms(asterisk: Asterisk) -> float:
    """Return the CPU time of Asterisk so far."""
    config = str(asterisk.folder / "etc/asterisk.conf").encode()
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            given = (place / "cmdline").read_bytes().split(b"\0")
            if config in given and b"-f" in given:
                return cpu_ms(int(place.name))
    raise SystemExit("benchmarks: Asterisk has gone")


def short(
    options: argparse.Namespace, port: int, asterisk: Asterisk | None, folder: Path, sip: int
) -> Figures:
    """Make short calls to one server, with Asterisk or without."""
    calls = round(options.rate * options.seconds)
    if asterisk is None:
        return asyncio.run(load(port, calls, options.rate, KEY_AFTER_S))
    asterisk.cli(f"dialplan set global GUDOK_FIRST 127.0.0.1:{port}")
    before = asterisk_ms(asterisk)
    told = telephones(folder, sip, calls=calls, rate=options.rate, after=KEY_AFTER_S)
    told["asterisk_ms"] = (asterisk_ms(asterisk) - before) / told["calls"]
    return told


def rounds(
    options: argparse.Namespace, asterisk: Asterisk | None, place: Place, root: Path, folder: Path
) -> None:
    """Measure short calls against all servers in turn."""
    lost, warm = 0, min(WARM_S, options.seconds)
    with servers(root, place) as running:
        found: dict[str, list[float]] = {name: [] for name in running}
        for number in range(options.rounds + 1):
            for name, (port, process) in running.items():
                given = options if number else argparse.Namespace(**{**vars(options), "seconds": warm})
                before = cpu_ms(process.pid)
                told = short(given, port, asterisk, folder, place.sip)
                spent = (cpu_ms(process.pid) - before) / told["calls"]
                if number:  # the first one only warms up
                    found[name].append(spent)
                    lost += told["lost"]
                    say(f"round {number}, {name}: {spent:.3f} ms CPU a call; {told}")
    middle = {name: statistics.median(each) for name, each in found.items()}
    ours = middle["gudok"]
    say("\n| server | CPU ms a call | gudok is |\n|---|---|---|")
    for name, each in middle.items():
        say(f"| {name} | {each:.2f} | {ours / each if each else 0:.2f} times |")
    say(f"\n{lost} calls lost")
    if lost:
        raise SystemExit(f"benchmarks: {lost} calls were lost")


def crowd(options: argparse.Namespace, asterisk: Asterisk, place: Place, root: Path, folder: Path) -> None:
    """Hold many calls through the relay and print how long the gateway takes for a command."""
    ours = gateway(root, place.first)
    relay = started(
        [str(folder / "calls_relay"), str(place.second), str(place.first)], place.second, told=True
    )
    count = options.at_once
    printed = ""
    try:
        asterisk.cli(f"dialplan set global GUDOK_FIRST 127.0.0.1:{place.second}")
        before, theirs = cpu_ms(ours.pid), asterisk_ms(asterisk)
        # The last one comes when the ramp is over, and from then on all are there for `hold`.
        told = telephones(
            folder, place.sip, calls=count, rate=RAMP, hold=options.hold + count / RAMP, every=EVERY_S
        )
        cores = [(cpu_ms(ours.pid) - before), (asterisk_ms(asterisk) - theirs)]
    finally:
        printed = ended(relay)
        ended(ours)
    times: Figures = json.loads(printed)
    share = [ms / 10 / told["seconds"] for ms in cores]
    say(f"{told['most_at_once']} calls at once for {options.hold:g} s: {told}")
    say(f"gudok {share[0]:.0f} % of a core, Asterisk {share[1]:.0f} %")
    say(f"our part of a command: {times}; p99 is {times['p99_ms'] / times['p50_ms']:.1f} times the median")
    if told["lost"]:
        raise SystemExit(f"benchmarks: {told['lost']} calls were lost")


def with_asterisk(options: argparse.Namespace, place: Place, root: Path, folder: Path) -> None:
    """Start Asterisk and run both parts with it."""
    if (reason := missing()) is not None:
        raise SystemExit(f"benchmarks: {reason}")
    build(folder)
    asterisk = Asterisk(folder / "asterisk", place.site(), place.ami, place.rtp)
    asterisk.start()
    try:
        (asterisk.folder / "data/sounds/gudok").symlink_to(root / "flows/sounds")
        asterisk.cli("dialplan set global GUDOK_SECOND 127.0.0.1:1")
        asterisk.cli("dialplan set global GUDOK_PATIENCE 300")
        if options.rounds:
            rounds(options, asterisk, place, root, folder)
        if options.at_once:
            crowd(options, asterisk, place, root, folder)
    finally:
        asterisk.stop()


def main() -> None:
    """Run both parts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rate", type=float, default=100.0)
    parser.add_argument("--at-once", type=int, default=300)
    parser.add_argument("--hold", type=float, default=60.0)
    parser.add_argument("--without", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gudok-calls-") as name, ports() as base:
        place, folder = Place(base), Path(name)
        root = project(folder, place.first)
        say(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
        if options.without:
            rounds(options, None, place, root, folder)
        else:
            with_asterisk(options, place, root, folder)


if __name__ == "__main__":
    main()
