"""Run the demo billing alone: `python -m gateway.demo.billing --port 8090 --data billing.db`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sqlite3
import sys
from pathlib import Path

import msgspec

from gateway.demo.billing.app import start


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m gateway.demo.billing", description=__doc__)
    parser.add_argument("--port", type=int, default=8090, help="TCP port on 127.0.0.1 (0: a free one)")
    parser.add_argument("--data", type=Path, default=Path("billing.db"), help="SQLite file of the books")
    given = parser.parse_args(arguments)
    try:
        asyncio.run(_serve(given.data, given.port))
    except (OSError, sqlite3.Error, msgspec.MsgspecError) as fault:
        sys.stderr.write(f"the demo billing cannot start: {fault}\n")
        return 1
    return 0


async def _serve(data: Path, port: int) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(name, stopped.set)
    running = await start(data, port=port)
    sys.stdout.write(f"demo billing on {running.url}, books in {data}\n")
    sys.stdout.flush()
    try:
        await stopped.wait()
    finally:
        await running.close()


if __name__ == "__main__":
    sys.exit(main())
