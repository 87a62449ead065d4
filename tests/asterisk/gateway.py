"""A gateway of a few lines: what a FastAGI server does with a call is a function of the test."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from ivr.agi import command as agi
from ivr.fastagi import FastAgiServer, Line
from ivr.voice import VoiceLine, VoiceSettings
from tests.asterisk.place import LIMIT_S, TOKEN

TRUSTED = ("CALLERID(num)", "CHANNEL(name)", "UNIQUEID")
LATER = ("IVR_SESSION", "QUEUESTATUS", "QEHOLDTIME", "MEMBERINTERFACE", "QUEUENAME", "ANSWEREDTIME")

Script = Callable[["Visit"], Awaitable[None]]


def clock() -> int:
    """Milliseconds."""
    return time.monotonic_ns() // 1_000_000


@dataclass
class Visit:
    """One FastAGI connection, as far as the script needs it."""

    line: Line
    voice: VoiceLine
    path: str
    number: str
    status: str
    variables: Mapping[str, str]

    async def get(self, name: str) -> str:
        """Read a variable."""
        return (await self.voice.trusted((name,)))[name]

    async def do(self, name: str, *arguments: str | int) -> str:
        """Send any command and return the whole reply."""
        return (await self.line.execute(agi.command(name, *arguments))).text


@dataclass
class Gateway:
    """What came, and what came of it."""

    server: FastAgiServer
    visits: list[Visit] = field(default_factory=list)
    faults: list[BaseException] = field(default_factory=list)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def visited(self, path: str, times: int = 1, within: float = 10.0) -> Visit:
        """Wait until that many connections of a path have come; return the last of them."""
        async with asyncio.timeout(within), self._news:
            await self._news.wait_for(lambda: len(self.paths(path)) >= times)
        return self.paths(path)[-1]

    def paths(self, path: str) -> list[Visit]:
        """Return the connections of a path so far."""
        return [one for one in self.visits if one.path == path]

    async def _take(self, visit: Visit) -> None:
        async with self._news:
            self.visits.append(visit)
            self._news.notify_all()


@contextlib.asynccontextmanager
async def serve(port: int, token: str = TOKEN, /, **scripts: Script) -> AsyncIterator[Gateway]:
    """Run a gateway: one script for each path, others are only heard. What one raises, we raise."""

    async def handle(line: Line) -> None:
        voice = VoiceLine(line, VoiceSettings(), clock)
        if line.path == "flow":
            await line.execute(agi.set_variable("TIMEOUT(absolute)", str(LIMIT_S)))
            found = await voice.open(TRUSTED)
        else:
            found = await voice.trusted(TRUSTED + LATER)
        status = line.query.get("status", "")
        visit = Visit(line, voice, line.path, line.dialled, status, found)
        await gateway._take(visit)
        await scripts.get(line.path, nothing)(visit)

    def report(event: str, detail: str, error: BaseException | None) -> None:
        if error is not None:
            gateway.faults.append(error)

    server = FastAgiServer("127.0.0.1", port, handle, clock=clock, token=token, report=report)
    gateway = Gateway(server)
    async with server:
        yield gateway
    if gateway.faults:
        raise gateway.faults[0]


async def nothing(visit: Visit) -> None:
    """Only hear what is reported."""
