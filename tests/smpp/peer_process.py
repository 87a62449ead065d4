"""A peer in another process that is told what to do, and tells what happens, in lines of JSON."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

PEERS = Path(__file__).parents[1] / "peers"


class PeerProcess:
    """The process and what it has told so far."""

    def __init__(self, process) -> None:
        self.process = process
        self.events: list[dict] = []

    def tell(self, **order) -> None:
        self.process.stdin.write(json.dumps(order).encode() + b"\n")

    async def next(self) -> dict | None:
        """Wait for the next event, whatever it is and however long it takes; None when the peer has ended."""
        line = await self.process.stdout.readline()
        if not line:
            return None
        told = json.loads(line)
        self.events.append(told)
        return told

    async def hear(self, event: str, limit_s: float = 10.0, **fields) -> dict:
        """Wait for the next event of this name (and these fields); all are kept in `events`."""
        async with asyncio.timeout(limit_s):
            while True:
                told = await self.next()
                assert told is not None, f"the peer ended while {event} was awaited: {self.events}"
                if told["event"] == event and fields.items() <= told.items():
                    return told


@asynccontextmanager
async def peer_process(*command: str, **environment: str) -> AsyncIterator[PeerProcess]:
    """Run a peer until the end of a test; its standard input is closed, then it has five seconds."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
    )
    try:
        yield PeerProcess(process)
    finally:
        process.stdin.close()
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
