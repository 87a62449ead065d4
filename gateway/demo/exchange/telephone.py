"""One channel of the exchange: a FastAGI session at a time, played in real time to a person at the page.

It does what Asterisk does between two commands: a prompt lasts until the person has heard it, a key stops
it or is kept, silence ends the wait for keys. It knows neither queues nor what a call is for.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

import msgspec

from gateway.demo.exchange.sound import Heard
from ivr.testing.channel import Audio, Channel
from ivr.testing.words import lines

HOST = "127.0.0.1"
CONNECT_S = 3.0
FIRST_WORD_S = 15.0
"""A gateway that says nothing for so long has failed (GUDOK_PATIENCE of the dialplan)."""
SLACK_S = 8.0
"""A prompt counts as heard so long after its end, if no page says so."""
MOST_SAID = 60
KEYS = frozenset("0123456789*#")


Player = Callable[[tuple[str, ...]], Heard]
"""Gives the words and the sound of files."""


class Said(msgspec.Struct):
    """A prompt in the list of what was said. `secret`: it was heard and is not written."""

    id: int
    text: str
    secret: bool = False


class Telephone:
    """A channel with a caller at the page. `changed` is called when something can be seen to change.

    `said` are the prompts so far, `playing` the number of the one that sounds now (0: none), `asks` whether
    keys are awaited, `records` whether the caller is to speak.
    """

    def __init__(
        self, identity: str, number: str, caller: str, player: Player, changed: Callable[[], None]
    ) -> None:
        """Note who calls; `identity` is what Asterisk calls UNIQUEID."""
        self.channel = Channel(
            variables={
                "CALLERID(num)": caller,
                "CHANNEL(name)": f"PJSIP/demo-{identity}",
                "UNIQUEID": identity,
            },
            hangup_line="now",
        )
        self.number = number
        self.said: deque[Said] = deque(maxlen=MOST_SAID)
        self.playing = 0
        self._heard = Heard()
        self._player = player
        self._changed = changed
        self._count = 0
        self._writer: asyncio.StreamWriter | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def asks(self) -> bool:
        """Whether a key would be an answer."""
        pending = self.channel.pending
        return pending is not None and pending.application != "Playback"

    @property
    def records(self) -> bool:
        """Whether the caller is to speak."""
        pending = self.channel.pending
        return pending is not None and pending.application == "RecordFile"

    def variable(self, name: str) -> str:
        """Return a variable of the channel, empty if it is not set."""
        return self.channel.variables.get(name, "")

    def sound(self, number: int) -> bytes:
        """Return the WAV of the prompt that sounds now, empty for any other."""
        return self._heard.octets if number == self.playing else b""

    # AGI()

    async def agi(self, port: int, token: str, path: str, query: str) -> None:
        """Run AGI(agi://…/path?query,token) to its end; the variables of the channel tell what came of it."""
        try:
            async with asyncio.timeout(CONNECT_S):
                reader, self._writer = await asyncio.open_connection(HOST, port)
        except (OSError, TimeoutError):
            return
        try:
            fields = self._environment(port, token, f"{path}?{query}")
            self._write("".join(f"{name}: {value}\n" for name, value in fields) + "\n")
            await self._serve(reader)
        except (ConnectionError, TimeoutError):
            pass
        finally:
            self._quiet()
            self.channel.pending = None
            writer, self._writer = self._writer, None
            writer.close()
            self._changed()

    async def _serve(self, reader: asyncio.StreamReader) -> None:
        buffer = bytearray()
        async with asyncio.timeout(FIRST_WORD_S):
            data = await reader.read(65_536)
        while data:
            buffer += data
            for line in lines(buffer):
                self._take(line)
            data = await reader.read(65_536)

    def _environment(self, port: int, token: str, script: str) -> list[tuple[str, str]]:
        return [
            ("agi_network", "yes"),
            ("agi_network_script", script),
            ("agi_request", f"agi://{HOST}:{port}/{script}"),
            ("agi_channel", self.variable("CHANNEL(name)")),
            ("agi_language", "ru"),
            ("agi_type", "PJSIP"),
            ("agi_uniqueid", self.variable("UNIQUEID")),
            ("agi_version", "22.10.1"),
            ("agi_callerid", self.variable("CALLERID(num)")),
            ("agi_calleridname", "unknown"),
            ("agi_context", "gudok-agi"),
            ("agi_extension", self.number),
            ("agi_priority", "1"),
            ("agi_enhanced", "0.0"),
            ("agi_accountcode", ""),
            ("agi_arg_1", token),
        ]

    def _take(self, line: str) -> None:
        up = self.channel.up
        reply = self.channel.execute(line)
        if reply is not None:
            self._write(reply + "\n")
        elif self.channel.pending is not None:
            self._begin(self.channel.pending)
        if self.channel.up and not up:
            self._changed()

    def _write(self, text: str) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(text.encode())

    # What sounds, and how long it is waited for

    def _begin(self, audio: Audio) -> None:
        self._quiet()
        self._heard = self._player(audio.files) if audio.application != "RecordFile" else Heard()
        if self._heard.octets:
            self._count += 1
            self.playing = self._count
            words = self._heard.words
            self.said.append(Said(self._count, words, secret=not words))
            self._wait(self._heard.seconds + SLACK_S, self._over)
        else:
            self._over()
        self._changed()

    def _over(self) -> None:
        """What sounded is over: go on, or wait for keys."""
        self._quiet()
        pending = self.channel.pending
        if pending is None:
            return
        limit = pending.seconds[1 if pending.digits and pending.application == "Read" else 0]
        if pending.application in ("Playback", "Background"):
            self._silence()
        elif limit > 0 or pending.application != "Read":
            self._wait(limit if limit > 0 else FIRST_WORD_S, self._silence)
            self._changed()
        else:
            self._silence()

    def _silence(self) -> None:
        self._answer(self.channel.silence())

    def _answer(self, reply: str | None) -> None:
        if reply is None:
            return
        self._quiet()
        self._write(reply + "\n")
        self._changed()

    def _wait(self, within_s: float, then: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(within_s, then)

    def _quiet(self) -> None:
        self.playing = 0
        self._heard = Heard()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # What the caller does

    def heard(self, number: int) -> None:
        """The page has played a prompt to its end."""
        if number and number == self.playing:
            self._over()

    def press(self, key: str) -> None:
        """One key; it stops a prompt that may be stopped, and is kept otherwise."""
        if key not in KEYS:
            return
        reply = self.channel.press(key)
        pending = self.channel.pending
        if reply is not None:
            self._answer(reply)
        elif pending is not None and pending.application == "Read":
            self._over()

    def hang_up(self) -> None:
        """Put the receiver down: the session of AGI ends, as AGIEXITONHANGUP wants it."""
        if self.channel.hungup:
            return
        reply = self.channel.hang_up()
        if reply is not None:
            self._write(reply + "\n")
        self._quiet()
        if self._writer is not None:
            self._writer.close()
        self._changed()
