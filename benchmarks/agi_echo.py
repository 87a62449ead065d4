"""The plain way to answer a call over FastAGI in Python: asyncio streams, nothing stored, nothing checked.

    python benchmarks/agi_echo.py PORT FILE

FILE has the commands of a call, one a line; each is sent when the reply to the one before it is here. What
the gateway costs above it is what flows, checks and the durable record of every input cost.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, commands: list[bytes]) -> None:
    """Lead one call."""
    environment = {}
    while line := (await reader.readline()).decode().strip():
        name, _, value = line.partition(": ")
        environment[name] = value
    for command in commands:
        writer.write(command)
        reply = (await reader.readline()).decode().strip()
        if not reply.startswith("200"):
            break
    writer.close()
    await writer.wait_closed()


async def main(port: int, commands: list[bytes]) -> None:
    """Serve until the end."""
    server = await asyncio.start_server(lambda r, w: answer(r, w, commands), "127.0.0.1", port, backlog=1_024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2]).read_bytes().splitlines(keepends=True)))
