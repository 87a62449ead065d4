"""The connection to one Asterisk: kept up, with a fresh picture of its queues after every interruption.

Events that came while the connection was down are lost, so `on_ready` is called each time Asterisk is fully
booted, and whoever keeps a picture asks for it anew (`QueueStatus`).
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Sequence
from random import Random

import structlog

from ivr.ami.message import Message
from ivr.ami.session import ANSWER_MS, AmiSession, Outcome, State

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
TICK_S = 1.0
PING_AFTER_MS = 20_000
"""A connection that has been silent for so long is asked whether it is there."""
LOGIN_S = 15.0


class AmiClient:
    """One Asterisk by name. Everything runs on the loop that called `start`."""

    def __init__(
        self,
        name: str,
        host: str,
        port: int,
        user: str,
        secret: str,
        *,
        clock: Callable[[], int],
        random: Random,
        on_event: Callable[[Message], None],
        on_ready: Callable[[], None],
    ) -> None:
        self.name = name
        self._address = (host, port)
        self._user, self._secret = user, secret
        self._clock = clock
        self._random = random
        self._on_event = on_event
        self._on_ready = on_ready
        self._session: AmiSession | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None
        self._heard_at = 0
        self._told_ready = False
        self.reconnects = 0
        self._log = structlog.get_logger()

    @property
    def peer(self) -> str:
        """The address it is connected to, "" without a connection."""
        found = None if self._writer is None else self._writer.get_extra_info("peername")
        return str(found[0]) if found else ""

    @property
    def ready(self) -> bool:
        """Whether actions can be sent now."""
        return self._session is not None and self._session.state is State.READY

    def start(self) -> None:
        """Connect, and stay connected."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._keep())

    async def close(self) -> None:
        """Log off and stop."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def send(
        self,
        name: str,
        headers: Sequence[tuple[str, str]],
        done: Callable[[Outcome], None],
        *,
        within_ms: int = ANSWER_MS,
        late: bool = False,
    ) -> None:
        """Send an action; `done` is called once, whatever happens. Raises ActionError for bad headers."""
        session = self._session
        if session is None or session.state is not State.READY:
            done(Outcome(None, error="not connected"))
            return
        session.act(name, headers, done, self._clock(), within_ms=within_ms, late=late)
        self._flush()

    async def ask(self, name: str, *headers: tuple[str, str], within_ms: int = ANSWER_MS) -> Outcome:
        """Send an action and wait for what comes of it."""
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

        def done(outcome: Outcome) -> None:
            if not future.done():
                future.set_result(outcome)

        self.send(name, headers, done, within_ms=within_ms)
        return await future

    # The connection

    async def _keep(self) -> None:
        pause = FIRST_PAUSE_S
        while True:
            try:
                if await self._connected():
                    pause = FIRST_PAUSE_S
            except OSError as error:
                self._log.warning("ami_down", asterisk=self.name, reason=error.strerror or str(error))
            self.reconnects += 1
            await asyncio.sleep(pause * (0.5 + self._random.random() / 2))
            pause = min(pause * 2, LONGEST_PAUSE_S)

    async def _connected(self) -> bool:
        """Run one connection to its end; True if it has been ready."""
        reader, writer = await asyncio.wait_for(asyncio.open_connection(*self._address), LOGIN_S)
        session = AmiSession(self._user, self._secret, self._on_event, secrets.token_hex(4))
        self._session, self._writer, self._told_ready = session, writer, False
        self._heard_at = self._clock()
        ticking = asyncio.get_running_loop().create_task(self._tick(session, writer))
        try:
            while session.state is not State.CLOSED:
                data = await reader.read(65_536)
                if not data:
                    session.close("Asterisk closed it")
                    break
                self._heard_at = self._clock()
                session.feed(data, self._heard_at)
                self._flush()
                if session.state is State.READY and not self._told_ready:
                    self._told_ready = True
                    self._log.info("ami_ready", asterisk=self.name)
                    self._on_ready()
        except ConnectionError as error:
            session.close(error.strerror or type(error).__name__)
        finally:
            ticking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ticking
            session.close("closed by us")
            self._session = self._writer = None
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        self._log.warning("ami_lost", asterisk=self.name, reason=session.reason)
        return self._told_ready

    async def _tick(self, session: AmiSession, writer: asyncio.StreamWriter) -> None:
        begun = self._clock()
        asked = 0
        while True:
            await asyncio.sleep(TICK_S)
            now = self._clock()
            session.tick(now)
            if session.state is not State.READY:
                if now - begun > LOGIN_S * 1000 and session.state is not State.BOOTING:
                    session.close("no login in time")
                    writer.close()
                continue
            silent = now - self._heard_at
            if silent > 2 * PING_AFTER_MS:
                session.close("silent for too long")
                writer.close()
            elif silent > PING_AFTER_MS and asked <= self._heard_at:
                asked = now
                session.act("Ping", (), lambda outcome: None, now)
                self._flush()

    def _flush(self) -> None:
        if self._session is not None and self._writer is not None:
            data = self._session.written()
            if data:
                self._writer.write(data)
