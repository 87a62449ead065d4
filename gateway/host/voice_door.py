"""Where calls come in: a FastAGI connection becomes a call of the lane, or news of one.

A caller enters (`flow`), is brought back by the dialplan (`after`), or is told to have gone (`hangup`). This
module does not know what a flow makes of it.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Mapping

from gateway.host.call import RETRY_COMMIT_S
from gateway.host.host import Host
from gateway.host.voice import VoiceLane
from gateway.host.voice_call import KEY, Arrival, NotStoredError, VoiceCall
from gateway.host.voice_sound import Sounds
from gateway.host.voice_wait import Report
from ivr.agi.command import set_variable
from ivr.fastagi import Line
from ivr.voice import VoiceLine, VoiceSettings

WHO = ("CALLERID(num)", "CHANNEL(name)", "UNIQUEID")
TOLD = (
    "IVR_SESSION",
    "QUEUESTATUS",
    "DIALSTATUS",
    "QEHOLDTIME",
    "MEMBERINTERFACE",
    "ANSWEREDTIME",
    "IVR_RESULT",
)
"""What is read again from the channel: the lines at the beginning of a connection prove nothing."""
GRACE_MS = 60_000
"""Asterisk's own limit of a call lies so far behind ours."""

_SESSION = re.compile(r"[0-9a-f]{32}", re.ASCII)


class VoiceDoor:
    """`serve` is the handler of the FastAGI server.

    `sounds` gives the sounds of texts, None while nobody is let in; `limit_ms` is the longest a call may talk
    to flows at a stretch.
    """

    def __init__(self, host: Host, lane: VoiceLane) -> None:
        self._host = host
        self._lane = lane
        self.sounds: Sounds | None = None
        self.limit_ms = 1_800_000
        self.settings = VoiceSettings()

    async def serve(self, line: Line) -> None:
        """Take a FastAGI connection; `IVR_NEXT` stays empty where the dialplan has to help itself."""
        match line.path:
            case "flow":
                await self._entered(line)
            case "after":
                await self._returned(line)
            case "hangup":
                await self._reported(line)
            case _:
                self._lane.count("strange")

    async def _entered(self, line: Line) -> None:
        host, lane = self._host, self._lane
        if host.draining or host.store.full or self.sounds is None:
            lane.count("refused")
            return
        await self._bound(line)
        voice = VoiceLine(line, self.settings, lane.now)
        who = await voice.open(WHO)
        arrival = self._arrival(f"{KEY}{secrets.token_hex(16)}", voice, who, line)
        if await lane.stored(lane.begin, arrival):
            await self._talk(arrival, line)

    async def _returned(self, line: Line) -> None:
        lane = self._lane
        if self.sounds is None:
            return
        await self._bound(line)
        voice = VoiceLine(line, self.settings, lane.now, answered=True)
        found = await voice.open((*WHO, *TOLD))
        arrival = self._arrival(KEY + found["IVR_SESSION"], voice, found, line)
        if await lane.stored(lane.back, (arrival, _report(found))):
            await self._talk(arrival, line)

    async def _reported(self, line: Line) -> None:
        lane = self._lane
        voice = VoiceLine(line, self.settings, lane.now, answered=True)
        found = await voice.trusted((*WHO, *TOLD))
        who = (KEY + found["IVR_SESSION"], found["UNIQUEID"], found["CALLERID(num)"])
        if not _SESSION.fullmatch(found["IVR_SESSION"]):
            return
        for _ in range(10):
            if await lane.stored(lane.lost, (who, _report(found))):
                return
            await asyncio.sleep(RETRY_COMMIT_S)

    async def _bound(self, line: Line) -> None:
        """Give the call a limit in Asterisk too, in case that we fall silent."""
        seconds = (self.limit_ms + GRACE_MS) // 1000
        await line.execute(set_variable("TIMEOUT(absolute)", str(seconds)))

    def _arrival(self, key: str, voice: VoiceLine, who: Mapping[str, str], line: Line) -> Arrival:
        assert self.sounds is not None
        call = VoiceCall(key, voice, self.sounds, self._lane, self._lane.now() + self.limit_ms)
        return Arrival(call, line.dialled, who["UNIQUEID"], who["CALLERID(num)"], line.peer)

    async def _talk(self, arrival: Arrival, line: Line) -> None:
        call = arrival.call
        line.on_hangup = call.hung_up
        if line.hungup:
            call.hung_up()
        try:
            await call.run()
        except NotStoredError:
            self._lane.count("not_stored")
        finally:
            self._lane.left(arrival)


def _report(found: Mapping[str, str]) -> Report:
    return Report(
        found["QUEUESTATUS"],
        found["DIALSTATUS"],
        found["QEHOLDTIME"],
        found["MEMBERINTERFACE"],
        found["ANSWEREDTIME"],
        found["IVR_RESULT"],
    )
