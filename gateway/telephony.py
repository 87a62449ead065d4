"""Calls of a gateway: the lane of calls, where it listens for them, what it speaks with, and every Asterisk.

Without `agi:` in the settings nobody listens, without `asterisk:` nobody is called.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

import structlog

from engine.reading.scalars import Address
from gateway.asterisk import KEPT_MS, Asterisks
from gateway.call_settings import AgiSettings
from gateway.clock import WallClock
from gateway.host.callback import Callbacks
from gateway.host.callback_place import CallbackPlaces
from gateway.host.host import Host
from gateway.host.look import Looks
from gateway.host.opening import Openers
from gateway.host.people import People
from gateway.host.task import Tasks
from gateway.host.voice import VoiceLane
from gateway.host.voice_door import GRACE_MS, VoiceDoor
from gateway.host.voice_sound import Sounds
from gateway.host.wait_record import WaitRecord
from gateway.roll_call import RollCall
from gateway.settings import Settings
from gateway.speech.folder import Made
from gateway.speech.speaker import Speaker
from gateway.speech.synthesis import installed
from gateway.start_error import StartError
from gateway.store.record import ScheduleRow
from ivr.fastagi import FastAgiServer
from ivr.voice import VoiceSettings


class Telephony:
    """All that has to do with calls. `agi` takes them, `speaker` makes texts into sounds: None without."""

    def __init__(
        self, root: Path, settings: Settings, clock: WallClock, host: Host, voice: VoiceLane, tasks: Tasks
    ) -> None:
        self._root = root
        self._settings = settings
        self._clock = clock
        self._host = host
        self._voice = voice
        self.door = VoiceDoor(host, voice)
        self.asterisks = Asterisks(settings.asterisk, clock.now, host.counters)
        self.waits = WaitRecord(host)
        self.roll = RollCall(self.asterisks, voice, clock.now)
        self.places = CallbackPlaces(host, tasks, self.asterisks)
        self.agi: FastAgiServer | None = None
        self.speaker: Speaker | None = None
        self._log = structlog.get_logger()
        if settings.agi is not None:
            self.listen(settings.agi)

    def join(self, looks: Looks, callbacks: Callbacks, people: People, openers: Openers) -> None:
        """Join the lane of calls to what is around it."""
        voice, settings = self._voice, self._settings
        people.line = voice.orders.enqueue
        callbacks.arrival_of = voice.arrival_of
        if settings.asterisk:
            looks.line = self.asterisks.answer
            self.asterisks.on_waits = self.waits.keep
            self.asterisks.on_news(self.places.heard)
            self.places.talks_to = voice.talks_to
            voice.queue_left = self.asterisks.queue_left
            voice.out.dialler = self.asterisks
            voice.out.number = settings.asterisk[0].number
            voice.out.ring_ms = settings.asterisk[0].ring_ms
            openers.by_name["voice"] = voice.out

    def listen(self, agi: AgiSettings) -> None:
        """Have the lane take calls; where it listens, it does so from `start` on."""
        door = self.door
        recordings = self._root / "flows" / "sounds"
        cache = self._root / (agi.cache or self._settings.store.parent / "speech")
        program = None if agi.speech == "none" else installed("" if agi.speech == "any" else agi.speech)
        self.speaker = Speaker([recordings], Made(cache), program, lambda: self._clock.wall_ms() / 1000)
        door.sounds = Sounds(self.speaker, ((recordings, agi.sounds), (cache, agi.made)))
        self._voice.orders.recordings = agi.recordings
        door.limit_ms = agi.limit_ms
        door.settings = VoiceSettings(reaction_s=agi.reaction_ms / 1000)
        self.agi = FastAgiServer(
            agi.host,
            agi.port,
            door.serve,
            clock=self._clock.now,
            peers=agi.peers,
            token=agi.token,
            deadline_s=(agi.limit_ms + 2 * GRACE_MS) / 1000,
            most=agi.calls,
            report=self._reported,
        )

    def _reported(self, event: str, path: str, error: BaseException | None) -> None:
        self._host.counters[f"agi.{event}"] += 1
        if error is not None:
            self._log.error("call_failed", path=path, kind=type(error).__name__, exc_info=error)

    # Life

    def load(self, rows: Iterable[ScheduleRow], now: int) -> None:
        """Take over what the store holds of callbacks and waits."""
        self.places.load(rows)
        self.waits.load(now - KEPT_MS, self.asterisks.load)

    async def start(self) -> None:
        """Connect to every Asterisk and listen. Raises StartError."""
        self.asterisks.start()
        if self.agi is None or self._settings.agi is None:
            return
        try:
            await self.agi.start()
        except OSError as error:
            where = Address(self._settings.agi.host, self._settings.agi.port)
            raise StartError(
                f"agi: cannot listen on {where} ({error.strerror or error}); "
                "correct agi: in config/gateway.yaml, or GUDOK_AGI__LISTEN"
            ) from error

    def tend(self, now: int) -> None:
        """About once a second: look after calls, waits and callbacks."""
        self._voice.tend(now)
        self.asterisks.tend(now)
        self.waits.tend()
        if self.asterisks:
            self.places.tend(now)
            self.roll.tend()

    async def sweep(self) -> None:
        """About once a minute: delete sounds that nobody has asked for in a long time."""
        if self.speaker is not None:
            await asyncio.to_thread(self.speaker.sweep)

    def published(self) -> None:
        """Look for recordings anew: flows have been published."""
        if self.speaker is not None:
            self.speaker.reread()

    async def drain(self, within_s: float) -> None:
        """Take no more calls and let those that are here end."""
        if self.agi is not None:
            await self.agi.close(within_s)

    async def close(self) -> None:
        """Log off and end what makes sounds."""
        await self.asterisks.close()
        if self.speaker is not None:
            await self.speaker.close()
