"""Asterisk's side of FastAGI without Asterisk: calls at an even rate, each with one key in its prompt.

    python benchmarks/agi_load.py PORT [--calls 2000] [--rate 100] [--key-after 0.3] [--pid PID]

It answers as Asterisk 22 does and leaves the machine to the server. A call is lost if the server ends it
without `IVR_NEXT=done`, or not within ten seconds. Prints one JSON object; with --pid also the CPU time of
that process a call.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import statistics
import sys
import time
from pathlib import Path
from typing import Any, cast

TOKEN = "Xo4"
PATIENCE_S = 10.0
TICKS = os.sysconf("SC_CLK_TCK")
_NAMES = re.compile(r"\$\{(?:FILTER\(0-9\+,\$\{)?([A-Za-z_]+(?:\([a-z]+\))?)\}?\)?\}")


def cpu_ms(pid: int) -> float:
    """Return the CPU time of a process so far, its own and the kernel's for it."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1_000 / TICKS


class Channel(asyncio.Protocol):
    """One call. `commands` are the lines that came, `gaps` the milliseconds from a reply to the next one."""

    def __init__(self, number: int, key_after: float) -> None:
        self._key_after = key_after
        self._variables = {
            "CALLERID(num)": f"7916{number:07}",
            "CHANNEL(name)": f"PJSIP/network-{number:08x}",
            "UNIQUEID": f"1790000000.{number}",
            "READSTATUS": "OK",
        }
        self._rest = b""
        self._replied = 0.0
        self.commands: list[bytes] = []
        self.gaps: list[float] = []
        self.ended: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        lines = {
            "network": "yes",
            "network_script": "flow?number=0890",
            "request": "agi://127.0.0.1/flow?number=0890",
            "channel": self._variables["CHANNEL(name)"],
            "language": "en",
            "type": "PJSIP",
            "uniqueid": self._variables["UNIQUEID"],
            "version": "22.10.1",
            "callerid": self._variables["CALLERID(num)"],
            "calleridname": "unknown",
            "callingpres": "0",
            "callingani2": "0",
            "callington": "0",
            "callingtns": "0",
            "dnid": "0890",
            "rdnis": "unknown",
            "context": "gudok-agi",
            "extension": "s",
            "priority": "5",
            "enhanced": "0.0",
            "accountcode": "",
            "threadid": "140000000000000",
            "arg_1": TOKEN,
        }
        text = "".join(f"agi_{name}: {value}\n" for name, value in lines.items())
        self._transport.write(text.encode() + b"\n")

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if self._replied:
                self.gaps.append((time.perf_counter() - self._replied) * 1_000)
            self.commands.append(line + b"\n")
            reply = self._reply(line.decode())
            if b"Read" in line[:12]:
                asyncio.get_running_loop().call_later(self._key_after, self._press, reply)
            else:
                self._write(reply)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(self._variables.get("IVR_NEXT") == "done")

    def _press(self, reply: str) -> None:
        self._variables["IVR_READ"] = "1"
        self._variables["IVR_TYPED"] = self._variables.get("IVR_TYPED", "") + "1"
        self._write(reply)

    def _write(self, reply: str) -> None:
        self._transport.write(reply.encode())
        self._replied = time.perf_counter()

    def _reply(self, line: str) -> str:
        if line.startswith("GET FULL VARIABLE"):
            text = _NAMES.sub(lambda found: self._variables.get(found[1], ""), line[19:-1])
            return f"200 result=1 ({text})\n"
        if line.startswith("GET VARIABLE"):
            value = self._variables.get(line[13:].strip('"'))
            return "200 result=0\n" if value is None else f"200 result=1 ({value})\n"
        if line.startswith("SET VARIABLE"):
            _, name, _, value, _ = line.split('"')
            self._variables[name] = value
            return "200 result=1\n"
        return "200 result=0\n"


async def probe(port: int) -> list[bytes]:
    """Make one call and return the commands of the server. Raises RuntimeError if the call is lost."""
    _, channel = await asyncio.get_running_loop().create_connection(
        lambda: Channel(0, 0.05), "127.0.0.1", port
    )
    async with asyncio.timeout(PATIENCE_S):
        if not await channel.ended:
            raise RuntimeError("the call of a probe was lost")
    return channel.commands


async def _one(port: int, number: int, key_after: float) -> Channel:
    _, channel = await asyncio.get_running_loop().create_connection(
        lambda: Channel(number, key_after), "127.0.0.1", port
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.shield(channel.ended)
    except TimeoutError:
        channel.ended.set_result(False)
    return channel


async def load(port: int, calls: int, rate: float, key_after: float) -> dict[str, Any]:
    """Make the calls; returns how many, how many were lost, commands a call and the server's times."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    tasks = []
    for number in range(1, calls + 1):
        await asyncio.sleep(max(0.0, begun + number / rate - loop.time()))
        tasks.append(asyncio.ensure_future(_one(port, number, key_after)))
    done = await asyncio.gather(*tasks)
    gaps = sorted(gap for one in done for gap in one.gaps)
    return {
        "calls": len(done),
        "lost": sum(not one.ended.result() for one in done),
        "commands_a_call": round(sum(len(one.commands) for one in done) / len(done), 2),
        "gap_p50_ms": round(statistics.median(gaps), 3),
        "gap_p99_ms": round(gaps[int(len(gaps) * 0.99)], 3),
        "gap_longest_ms": round(gaps[-1], 3),
    }


def main() -> None:
    """Make the calls and print what came of them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("port", type=int)
    parser.add_argument("--calls", type=int, default=2_000)
    parser.add_argument("--rate", type=float, default=100.0)
    parser.add_argument("--key-after", type=float, default=0.3)
    parser.add_argument("--pid", type=int, default=0)
    options = parser.parse_args()
    before = cpu_ms(options.pid) if options.pid else 0.0
    found = asyncio.run(load(options.port, options.calls, options.rate, options.key_after))
    if options.pid:
        found["cpu_ms_a_call"] = round((cpu_ms(options.pid) - before) / found["calls"], 3)
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
