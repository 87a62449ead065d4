"""The voice of a call: RTP with A-law frames of 20 ms, digits by RFC 4733, everything heard kept.

Frames leave on the clock, not when there is something to say: silence is sent too. A digit takes the place of
the audio while the key is down: its time stamp is that of its beginning, its duration grows, its end is sent
three times; the stamps go on counting for the audio behind it.
"""

from __future__ import annotations

import asyncio
import struct
import wave
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import cast

from tests.asterisk import sound

FRAME_S = 0.02
PCMA = 8
KEYS = "0123456789*#ABCD"
QUIET = sound.compress([0] * sound.FRAME)
STEADY = 3
"""So many frames of a tone in a row make it heard."""


class Media(asyncio.DatagramProtocol):
    """One end of a stream. `poke` is called when something was heard."""

    def __init__(self, poke: Callable[[], None]) -> None:
        self._poke = poke
        self._transport: asyncio.DatagramTransport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._there: tuple[str, int] | None = None
        self._event = 101
        self._sequence = 1_000
        self._stamp = 160_000
        self._due = 0.0
        self._keys: deque[tuple[str, int, asyncio.Future[None]]] = deque()
        self._pressed: tuple[str, int, int, asyncio.Future[None]] | None = None
        self._pause = 0
        self._voice: str | None = None
        self._told = 0
        self._place = 0
        self._run = 0
        self._last: str | None = None
        self._steady: str | None = None
        self._came = 0.0
        self.frames: list[bytes] = []
        self.keys = ""
        self._ended_stamp: int | None = None

    @classmethod
    async def open(cls, poke: Callable[[], None]) -> Media:
        """Take a port of loopback."""
        loop = asyncio.get_running_loop()
        _, media = await loop.create_datagram_endpoint(lambda: cls(poke), local_addr=("127.0.0.1", 0))
        return media

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A cast, because the transports of the loops are no subclass of asyncio's.
        self._transport = cast("asyncio.DatagramTransport", transport)
        self.lost = asyncio.Event()
        self.port = int(transport.get_extra_info("sockname")[1])

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()

    def error_received(self, exc: Exception) -> None:
        """The other side has closed its port: the call is about to end."""

    def start(self, address: str, port: int, event: int) -> None:
        """Begin to send, or send elsewhere."""
        self._there, self._event = (address, port), event
        if self._timer is None:
            self._due = asyncio.get_running_loop().time()
            self._tick()

    def stop(self) -> None:
        """Send no more and close the port."""
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.close()
        waiting = [future for *_, future in self._keys] + ([self._pressed[3]] if self._pressed else [])
        for future in waiting:
            if not future.done():
                future.set_result(None)
        self._keys.clear()

    def talk(self, name: str | None) -> None:
        """Say a tone from now on, None for silence."""
        self._voice = name

    def press(self, key: str, ms: int = 100) -> asyncio.Future[None]:
        """Press a key for `ms`; the future is done when it has been let go. Keys wait for each other."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._keys.append((key, ms, future))
        return future

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        kind = data[1] & 0x7F
        if kind == PCMA:
            self._fill_gap()
            self.frames.append(data[12:])
        elif kind == self._event and len(data) >= 16:
            stamp = struct.unpack_from(">I", data, 4)[0]
            code, flags = data[12], data[13]
            if flags & 0x80 and stamp != self._ended_stamp and code < len(KEYS):
                self._ended_stamp = stamp
                self.keys += KEYS[code]
        self._poke()

    def next_tone(self) -> str | None:
        """Return the next tone that began since the last call; None if there is none yet."""
        while self._place < len(self.frames):
            name = sound.heard(sound.expand(self.frames[self._place]))
            self._place += 1
            self._run = self._run + 1 if name == self._last else 1
            self._last = name
            if self._run == STEADY and name != self._steady:
                self._steady = name
                if name is not None:
                    return name
        return None

    def record(self, path: Path) -> None:
        """Write everything heard as a WAV file."""
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(sound.RATE)
            for frame in self.frames:
                values = sound.expand(frame)
                file.writeframes(struct.pack(f"<{len(values)}h", *values))

    def _fill_gap(self) -> None:
        """Put silence where nothing was sent: a server with nothing to play is silent on the wire, too."""
        now = asyncio.get_running_loop().time()
        missed = round((now - self._came) / FRAME_S) - 1 if self._came else 0
        if missed >= STEADY:
            self.frames += [QUIET] * missed
        self._came = now

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        while self._due <= loop.time():
            self._send()
            self._due += FRAME_S
        self._timer = loop.call_at(self._due, self._tick)

    def _send(self) -> None:
        if self._pressed is None and self._keys and self._pause <= 0:
            key, ms, future = self._keys.popleft()
            self._pressed = (key, max(ms // 20, 2), self._stamp, future)
            self._told = 0
        if self._pressed is not None:
            self._send_key(*self._pressed)
        else:
            self._pause -= 1
            audio = QUIET
            if self._voice is not None:
                audio = sound.compress(sound.samples(self._voice, sound.FRAME, self._stamp))
            self._packet(PCMA, self._stamp, audio, marker=False)
        self._stamp += sound.FRAME

    def _send_key(self, key: str, frames: int, began: int, future: asyncio.Future[None]) -> None:
        self._told += 1
        last = self._told >= frames
        report = struct.pack(
            ">BBH", KEYS.index(key), (0x80 if last else 0) | 10, min(self._told * 160, 0xFFFF)
        )
        for _ in range(3 if last else 1):
            self._packet(self._event, began, report, marker=self._told == 1)
        if last:
            self._pressed, self._pause = None, 3
            if not future.done():
                future.set_result(None)

    def _packet(self, kind: int, stamp: int, payload: bytes, *, marker: bool) -> None:
        assert self._transport is not None
        head = struct.pack(
            ">BBHII",
            0x80,
            kind | (0x80 if marker else 0),
            self._sequence & 0xFFFF,
            stamp & 0xFFFFFFFF,
            0x47554F4B,
        )
        self._sequence += 1
        self._transport.sendto(head + payload, self._there)
