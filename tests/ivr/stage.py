"""A line whose other end is a scripted Asterisk, and the prompts that its tests play."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

from ivr.fastagi import FastAgiServer, Line
from ivr.prompt import Prompt
from ivr.testing.call import Call
from ivr.voice import VoiceLine, VoiceSettings

MENU = Prompt(("menu/main", "menu/press"))
NUMBER = Prompt(("number",), max_digits=4, terminator="#", first_s=6, between_s=3)
PIN = Prompt(("pin",), max_digits=4, terminator="#", first_s=6, between_s=6, secret=True)
NOW = 1_795_000_000_000
NAMES = ("CALLERID(num)", "CHANNEL(name)", "UNIQUEID")


class Clock:
    """Every look takes a second, so that keys are always looked for anew."""

    def __init__(self, step_ms: int = 1_000):
        self.now = NOW
        self.step = step_ms

    def __call__(self) -> int:
        self.now += self.step
        return self.now


class Stage:
    """A server, a call to it and the voice line of that call; the handler ends when the test does."""

    def __init__(self, call: Call, line: Line, voice: VoiceLine):
        self.call, self.line, self.voice = call, line, voice

    async def during(self, work, act=None, *acts):
        """Do `work` and at each of its prompts one of the acts; return what came of it."""
        task = asyncio.ensure_future(work)
        for one in [act, *acts] if act else []:
            await self.call.prompt()
            one()
        return await task


@asynccontextmanager
async def stage(*, answered=True, opened=True, settings=None, clock=None, made=Call, **call):
    lines: asyncio.Queue[Line] = asyncio.Queue()
    leave = asyncio.Event()

    async def handler(line: Line) -> None:
        lines.put_nowait(line)
        await leave.wait()

    server = FastAgiServer("127.0.0.1", 0, handler, clock=lambda: NOW)
    async with server, made(server.port, **call) as one:
        line = await lines.get()
        voice = VoiceLine(line, settings or VoiceSettings(reaction_s=0), clock or Clock(), answered=answered)
        if opened:
            await voice.open(NAMES)
        yield Stage(one, line, voice)
        leave.set()
