"""A manager interface that plays Asterisk on loopback: logs in one user, answers actions, sends events.

`answers` maps an action to what is written for it: a list of blocks, each a list of `(key, value)`, where the
value `{id}` is the ActionID; or to a function that makes them from the action. Not Asterisk's rules, only
its wire.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeAlias

from ivr.ami.message import Blocks, Message

Block: TypeAlias = Sequence[tuple[str, str]]
Answer: TypeAlias = Sequence[Block] | Callable[[Message], Sequence[Block]]
BANNER = b"Asterisk Call Manager/11.0.0\r\n"


class TestManager:
    """Listens when entered as `async with`; `actions` are those that came, in order."""

    __test__ = False

    def __init__(self, user: str = "gudok", secret: str = "secret") -> None:  # noqa: S107 - of a test
        self.user, self.secret = user, secret
        self.answers: dict[str, Answer] = {}
        self.actions: list[Message] = []
        self.port = 0
        self.booted = True
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._changed = asyncio.Event()

    async def __aenter__(self) -> TestManager:
        """Listen on a free port of loopback."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Drop everybody and stop."""
        assert self._server is not None
        self._server.close()
        self.drop()
        await self._server.wait_closed()

    def drop(self) -> None:
        """Cut every connection."""
        for writer in list(self._writers):
            writer.close()

    def say(self, *block: tuple[str, str]) -> None:
        """Send an event to everybody."""
        data = encoded(block)
        for writer in self._writers:
            writer.write(data)

    async def received(self, name: str, count: int = 1) -> Message:
        """Wait until so many actions of a name have come; return the last of them."""
        while True:
            found = [one for one in self.actions if one.get("Action") == name]
            if len(found) >= count:
                return found[count - 1]
            self._changed.clear()
            await self._changed.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        blocks = Blocks()
        blocks.feed(BANNER)  # what we read has no banner; ours is the one that is sent
        writer.write(BANNER)
        try:
            while data := await reader.read(65_536):
                for action in blocks.feed(data):
                    self._take(action, writer)
        except ConnectionError:
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    def _take(self, action: Message, writer: asyncio.StreamWriter) -> None:
        self.actions.append(action)
        self._changed.set()
        identity = action.action_id
        name = action.get("Action")
        answer: Sequence[Block]
        if name == "Login":
            good = (action.get("Username"), action.get("Secret")) == (self.user, self.secret)
            message = "Authentication accepted" if good else "Authentication failed"
            answer = [[("Response", "Success" if good else "Error"), ("Message", message)]]
            if good and self.booted:
                answer = [*answer, [("Event", "FullyBooted"), ("Status", "Fully Booted")]]
        elif name == "Ping":
            answer = [[("Response", "Success"), ("Ping", "Pong")]]
        else:
            known = self.answers.get(name, [[("Response", "Error"), ("Message", "Permission denied")]])
            answer = known(action) if callable(known) else known
        for number, block in enumerate(answer):
            headers = list(block)
            if number == 0:
                headers.insert(1, ("ActionID", identity))
            writer.write(encoded([(key, value.replace("{id}", identity)) for key, value in headers]))


def encoded(block: Block) -> bytes:
    """Return a block as octets, as Asterisk would write it: nothing is checked."""
    return "".join(f"{key}: {value}\r\n" for key, value in block).encode() + b"\r\n"
