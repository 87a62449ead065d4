"""The AMI, as bare as it is: blocks out, blocks in, nothing understood."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from tests.asterisk.place import SECRET

Block = dict[str, str]


class Manager:
    """One connection, logged in."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._number = 0
        self.events: list[Block] = []
        self.login: Block = {}

    async def ask(self, action: str, *lines: str) -> Block:
        """Send an action; return its first reply. Events that come before it are kept."""
        self._number += 1
        mark = f"a{self._number}"
        self.send(f"Action: {action}", f"ActionID: {mark}", *lines)
        while True:
            block = await self.read()
            if "Response" in block and block.get("ActionID") == mark:
                return block
            self.events.append(block)

    async def event(self, name: str, within: float = 10.0) -> Block:
        """Wait for the next event of a name."""
        async with asyncio.timeout(within):
            while True:
                for block in self.events:
                    if block.get("Event") == name:
                        self.events.remove(block)
                        return block
                self.events.append(await self.read())

    def send(self, *lines: str) -> None:
        """Send one block."""
        self._writer.write("".join(f"{line}\r\n" for line in (*lines, "")).encode())

    async def read(self) -> Block:
        """Read one block; of repeated names the last line stands."""
        async with asyncio.timeout(10):
            text = (await self._reader.readuntil(b"\r\n\r\n")).decode("utf-8", "replace")
        return dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)

    async def banner(self) -> str:
        """Read the first line."""
        return (await self._reader.readline()).decode()


@contextlib.asynccontextmanager
async def log_in(port: int, user: str = "gudok", secret: str = SECRET) -> AsyncIterator[Manager]:
    """Connect and log in."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        manager = Manager(reader, writer)
        await manager.banner()
        manager.login = await manager.ask("Login", f"Username: {user}", f"Secret: {secret}")
        yield manager
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
