"""A call from an Asterisk that is not there: connects to a FastAGI server and plays the channel.

    async with Call(server.port, "0890", caller="79161234567", token="secret") as call:
        prompt = await call.prompt()          # the server plays something or waits for keys
        assert prompt.files == ("menu/main",)
        call.press("1")
        await call.rest()                     # all that is still played, to the end of the session
    assert call.variables["IVR_NEXT"] == "done"

Nothing sleeps: audio takes no time, it ends when the test says so. Every wait is bounded. What it does not
know is the dialplan: what happens behind AGI() is the test's to play, with a second Call on the same channel.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Self

from ivr.testing.channel import Audio, Channel
from ivr.testing.words import lines

PATIENCE_S = 10.0
"""What a test waits for comes within this, or it has failed."""


class CallError(Exception):
    """A test waited for something that did not happen; the sentence says what there was instead."""


class Call:
    """One FastAGI session. Give it the `channel` of an earlier one for what runs behind AGI().

    `fields` replace or add lines of the environment; `number` None sends no query. `exit_on_hangup` closes
    the connection at a hang-up as AGIEXITONHANGUP=yes does. `commands` are the command lines that came;
    `replies`, given, are sent instead of the channel's own, one after the other (None: the own one, an
    empty text: none at all).
    """

    def __init__(
        self,
        port: int,
        number: str | None = "0890",
        *,
        caller: str = "79161234567",
        token: str | None = None,
        path: str = "flow",
        channel: Channel | None = None,
        variables: Mapping[str, str] | None = None,
        fields: Mapping[str, str] | None = None,
        replies: Iterable[str | None] = (),
        exit_on_hangup: bool = False,
        host: str = "127.0.0.1",
    ) -> None:
        self.channel = channel or Channel()
        self.commands: list[str] = []
        self.audio: list[Audio] = []
        self._port, self._host = port, host
        self._exit = exit_on_hangup
        self._replies = iter(replies)
        self._buffer = bytearray()
        self._news = asyncio.Event()
        self._ended = False
        self._reader: asyncio.Task[None] | None = None
        self._writer: asyncio.StreamWriter | None = None
        own = {"CALLERID(num)": caller, "CHANNEL(name)": "PJSIP/trunk-00000001", "UNIQUEID": "1795000000.1"}
        self.channel.variables = own | self.channel.variables | dict(variables or {})
        self._fields = self._environment(path, number, caller, token) | dict(fields or {})

    @property
    def variables(self) -> dict[str, str]:
        """The variables of the channel."""
        return self.channel.variables

    @property
    def played(self) -> list[str]:
        """The sound files that have been started, in order."""
        return self.channel.played

    @property
    def open(self) -> bool:
        """Whether the server has not closed the connection."""
        return not self._ended

    async def __aenter__(self) -> Self:
        """Connect and send the environment."""
        reader, self._writer = await asyncio.open_connection(self._host, self._port)
        text = "".join(f"{name}: {value}\n" for name, value in self._fields.items())
        self._write(text)
        self._reader = asyncio.create_task(self._read(reader))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Break the connection off if it is still there."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        if self._writer is not None:
            self._writer.close()
            await asyncio.gather(self._writer.wait_closed(), return_exceptions=True)

    async def prompt(self) -> Audio:
        """Wait until the server plays something or waits for keys. Raises CallError."""
        await self._until(lambda: self.channel.pending is not None, "a prompt")
        pending = self.channel.pending
        if pending is None:
            raise CallError(
                f"the session has ended without a prompt; the last commands: {self.commands[-5:]}"
            )
        return pending

    async def question(self) -> Audio:
        """Hear everything up to the next command that waits for keys, and return that. Raises CallError."""
        while (one := await self.prompt()).application in {"Playback", "Background"}:
            self.silence()
        return one

    async def rest(self) -> list[str]:
        """Hear everything to the end of the session, press nothing; return all files of the call."""
        while not self._ended:
            await self._until(lambda: self.channel.pending is not None, "the end")
            if self.channel.pending is not None:
                self.silence()
        return self.channel.played

    async def ended(self) -> None:
        """Wait until the server has closed the connection. Raises CallError."""
        await self._until(lambda: False, "the end of the session")

    async def asked(self, count: int) -> None:
        """Wait until so many commands have come. Raises CallError."""
        await self._until(lambda: len(self.commands) >= count, f"{count} commands")

    def press(self, keys: str) -> None:
        """Press keys one after the other, whatever runs; a command that one of them ends gets its reply."""
        for key in keys:
            self._write_reply(self.channel.press(key))

    def silence(self) -> None:
        """Hear what is played to its end and press nothing until the time is over."""
        self._write_reply(self.channel.silence())

    def hang_up(self) -> None:
        """Put the receiver down."""
        written = self.channel.hang_up()
        if self._exit:
            if self._writer is not None:
                self._writer.close()
        else:
            self._write_reply(written)

    def forge(self, text: str) -> None:
        """Write octets that no command asked for."""
        self._write(text)

    def _environment(self, path: str, number: str | None, caller: str, token: str | None) -> dict[str, str]:
        script = path if number is None else f"{path}?number={number}"
        fields = {"agi_network": "yes"}
        if script:
            fields["agi_network_script"] = script
        fields |= {
            "agi_request": f"agi://{self._host}:{self._port}/{script}",
            "agi_channel": "PJSIP/trunk-00000001",
            "agi_language": "ru",
            "agi_type": "PJSIP",
            "agi_uniqueid": "1795000000.1",
            "agi_version": "22.10.1",
            "agi_callerid": caller or "unknown",
            "agi_calleridname": "unknown",
            "agi_context": "ivr",
            "agi_extension": number or "",
            "agi_priority": "5",
            "agi_enhanced": "0.0",
            "agi_accountcode": "",
            "agi_threadid": "140000000000000",
        }
        return fields if token is None else fields | {"agi_arg_1": token}

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            self._write("\n")
            while data := await reader.read(65_536):
                self._buffer += data
                for line in lines(self._buffer):
                    self._take(line)
        except ConnectionError:
            pass
        finally:
            self._ended = True
            self._news.set()

    def _take(self, line: str) -> None:
        self.commands.append(line)
        own = self.channel.execute(line)
        if self.channel.pending is not None and own is None:
            self.audio.append(self.channel.pending)
        instead = next(self._replies, None)
        if instead is None:
            self._write_reply(own)
        elif instead:
            self._write(instead + "\n")
        self._news.set()

    def _write_reply(self, reply: str | None) -> None:
        if reply is not None:
            self._write(reply + "\n")

    def _write(self, text: str) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(text.encode())

    async def _until(self, come: Callable[[], bool], what: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not come() and not self._ended:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise CallError(f"waited for {what} in vain; the last commands: {self.commands[-5:]}") from None
