"""The FastAGI server: Asterisk connects for every call, a coroutine of ours gives the orders.

    server = FastAgiServer("127.0.0.1", 4573, handler, clock=now, token="…", deadline_s=1_800)
    await server.start()
    ...
    await server.close(30)

FastAGI has neither authentication nor encryption: only `peers` may connect, and what they send first has to
carry the token. One timer of the server watches all calls, one task runs each of them; a command costs a
write, a future and a read. It knows no prompts and no flows.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Self, TypeAlias, cast
from urllib.parse import parse_qsl

from ivr.agi.error import (
    AGIError,
    AGIHangup,
    AGIInvalidCommand,
    AGIUsageError,
    ForgedReplyError,
    LineDeadError,
)
from ivr.agi.reader import Broken, Environment, HangupLine, Reader
from ivr.agi.reply import DEAD, INVALID, OK, USAGE, Reply
from ivr.peer import peer_address

Clock: TypeAlias = Callable[[], int]
"""UTC milliseconds that never jump."""

Handler: TypeAlias = "Callable[[Line], Awaitable[None]]"
Report: TypeAlias = Callable[[str, str, BaseException | None], None]
"""Event, what there is to say about it (no personal data), the exception if there was one."""

TICK_S = 0.25
"""So often the time limits are looked at; they are exact to that."""

LAST_TURNS = 4
"""Turns of the loop from the accepting of a connection to its end when refused; nothing tells of either."""

COMMAND_S = 10.0
"""A command that plays nothing and waits for nobody is answered within this."""

ENVIRONMENT_S = 5.0
"""What Asterisk says first has to be there within this."""

QUERY_FIELDS = 16
NUMBER_DIGITS = 32


class Line(asyncio.Protocol):
    """One FastAGI connection: a channel of Asterisk that executes one command at a time.

    `peer` is the address of the other side. `environment`, `path` and `query` are what it began with: claims,
    of which the caller may have chosen a part. `on_hangup` is called once, when it becomes known that the
    caller has gone or the connection ended; a handler that sets it looks at `hungup` first.
    """

    def __init__(self, server: FastAgiServer) -> None:
        """Only the server makes lines."""
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._reader = Reader()
        self._owed: asyncio.Future[Reply] | None = None
        self._due = 0
        self._deadline = 0
        self._dead: AGIError | None = None
        self._begun = False
        self.peer = ""
        self.environment = Environment(MappingProxyType({}))
        self.path = ""
        self.query: Mapping[str, str] = MappingProxyType({})
        self.hungup = False
        self.on_hangup: Callable[[], None] | None = None
        self.task: asyncio.Task[None] | None = None

    @property
    def dialled(self) -> str:
        """The number that was dialled, as the dialplan says it (`number=`): digits only, else empty."""
        number = self.query.get("number", "")
        return number if number.isascii() and number.isdigit() and len(number) <= NUMBER_DIGITS else ""

    @property
    def dead(self) -> bool:
        """Whether no further command can be sent: the connection is gone."""
        return self._dead is not None

    async def execute(self, command: bytes, within_s: float = COMMAND_S) -> Reply:
        """Send one command (`ivr.agi.command`), return its reply; code 200 in every case.

        `result=-1` is returned as it is: it has more than one meaning. Raises AGIHangup when the command is
        refused because the caller has gone, its kind LineDeadError when the connection has ended, the
        deadline of the call is over or the reply was not there within `within_s`; AGIInvalidCommand and
        AGIUsageError for a command that Asterisk does not know; ForgedReplyError when replies came that
        nobody asked for.
        """
        if self._dead is not None:
            raise self._dead
        if self._owed is not None:
            raise RuntimeError("the reply of the last command is still owed")
        if self._transport is None or not command or command.find(b"\n") != len(command) - 1:
            raise ValueError("a command is one line")
        now = self._server.clock()
        if now >= self._deadline:
            late = LineDeadError("the deadline of the call is over")
            self._end("deadline", late)
            raise late
        self._due = min(self._deadline, now + int(within_s * 1_000))
        self._owed = asyncio.get_running_loop().create_future()
        self._transport.write(command)
        try:
            reply = await self._owed
        except asyncio.CancelledError:
            # The reply would come later and be taken for that of another command.
            self._end("cancelled", LineDeadError("a command was given up"))
            raise
        if reply.code == OK:
            return reply
        if reply.code == DEAD:
            self._gone()
            raise AGIHangup("the caller has gone")
        if reply.code == INVALID:
            raise AGIInvalidCommand(reply.text)
        if reply.code == USAGE:
            raise AGIUsageError(reply.text)
        raise AGIError(f"Asterisk answers {reply.code}")

    def close(self) -> None:
        """End the connection after what was written; the dialplan goes on."""
        if self._dead is None:
            self._dead = LineDeadError("the call was ended by us")
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the connection stands."""
        # A cast, because the transports of other loops (uvloop) are no subclass of asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        now = self._server.clock()
        self._deadline = now + self._server.deadline_ms
        self._due = now + int(ENVIRONMENT_S * 1_000)
        peer = transport.get_extra_info("peername")
        self.peer = str(peer[0]) if peer else ""
        refused = self._server.judge(self.peer)
        if refused:
            self._end(refused, LineDeadError("refused"))
        else:
            self._server.lines.add(self)

    def data_received(self, data: bytes) -> None:
        """asyncio: octets have come."""
        for one in self._reader.feed(data):
            if self._dead is not None:
                return
            if isinstance(one, Reply):
                self._reply(one)
            elif isinstance(one, HangupLine):
                self._gone()
            elif isinstance(one, Environment):
                self._begin(one)
            elif isinstance(one, Broken):
                self._end("broken", ForgedReplyError(one.reason))

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the connection is gone."""
        self._end("" if self._begun else "lost", LineDeadError("the connection has ended"))
        self._server.forget(self)

    def check(self, now: int) -> None:
        """End what is over its time; the server calls it a few times a second."""
        if self._dead is not None:
            return
        if not self._begun:
            if now >= self._due:
                self._end("late", LineDeadError("the environment did not come"))
        elif now >= self._deadline:
            self._end("deadline", LineDeadError("the deadline of the call is over"))
        elif self._owed is not None and now >= self._due:
            self._end("unanswered", LineDeadError("Asterisk did not answer a command"))

    def abandon(self) -> None:
        """Give the call up where it stands."""
        self._end("abandoned", LineDeadError("the gateway is closing"))

    @property
    def begun(self) -> bool:
        """Whether the handler has the line."""
        return self._begun

    def _reply(self, reply: Reply) -> None:
        owed, self._owed = self._owed, None
        if owed is None:
            self._end("forged", ForgedReplyError("a reply that nobody asked for"))
        elif not owed.done():
            owed.set_result(reply)

    def _begin(self, environment: Environment) -> None:
        self.environment = environment
        self.path, _, query = environment.script.partition("?")
        try:
            pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=QUERY_FIELDS)
        except ValueError:
            self._end("broken", LineDeadError("a query of too many fields"))
            return
        self.query = MappingProxyType(dict(reversed(pairs)))
        if not self._server.knows(environment.arguments):
            self._end("token", LineDeadError("a wrong token"))
            return
        self._begun = True
        self._server.begin(self)

    def _gone(self) -> None:
        if not self.hungup:
            self.hungup = True
            if self.on_hangup is not None:
                self.on_hangup()

    def _end(self, why: str, error: AGIError) -> None:
        if self._dead is not None:
            return
        self._dead = error
        if why:
            self._server.report(why)
        owed, self._owed = self._owed, None
        if owed is not None and not owed.done():
            owed.set_exception(error)
        if self._transport is not None:
            self._transport.abort()
        self._gone()


class FastAgiServer:
    """Listens, checks who connects, gives every call to `handler` and ends what is over its time.

    `peers` are addresses or networks; nobody else gets a word out of us. `token` must be the first argument
    behind the address in the dialplan, empty if none is asked for. `deadline_s` is the longest a connection
    may take, `most` how many there may be at once: one more is closed at once, and the dialplan goes to the
    next gateway. A handler that returns, or fails, has its connection closed; AGIHangup is a normal end.

    `counts` has the number of: accepted, done, hungup, failed (the handler raised), peer, token, full,
    closing (refused), late, lost (no environment), broken, forged (no sense in what came), deadline,
    unanswered, cancelled, abandoned.
    """

    def __init__(
        self,
        host: str,
        port: int,
        handler: Handler,
        *,
        clock: Clock,
        peers: Sequence[str] = ("127.0.0.1", "::1"),
        token: str = "",
        deadline_s: float = 1_800,
        most: int = 2_000,
        report: Report | None = None,
    ) -> None:
        """Raises ValueError for a peer that is no address."""
        self.port = port
        self.clock = clock
        self.deadline_ms = int(deadline_s * 1_000)
        self.counts: Counter[str] = Counter()
        self.lines: set[Line] = set()
        self._host = host
        self._handler = handler
        self._peers = tuple(ipaddress.ip_network(one) for one in peers)
        self._last_peer: str | None = None
        self._token = token.encode()
        self._most = most
        self._report = report
        self._server: asyncio.Server | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._closing = False

    async def start(self) -> None:
        """Listen. `port` is the real one afterwards. Raises OSError."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Line(self), self._host, self.port, backlog=1_024)
        self.port = int(self._server.sockets[0].getsockname()[1])
        self._arm()

    async def close(self, within_s: float) -> None:
        """Stop accepting, let calls end for `within_s` seconds, then give up what is left."""
        self._closing = True
        if self._server is not None:
            # Who was accepted in this moment is no line yet, and would be left open with the server closed.
            for one in self._server.sockets:
                asyncio.get_running_loop().remove_reader(one)
            await _turns()
            self._server.close()
        for line in [one for one in self.lines if not one.begun]:
            line.abandon()
        try:
            async with asyncio.timeout(within_s):
                await self._idle.wait()
        except TimeoutError:
            for line in list(self.lines):
                line.abandon()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._server is not None:
            await self._server.wait_closed()
        await _turns()  # the end of the lines that were given up

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close at once."""
        await self.close(0)

    def tick(self) -> None:
        """Look at the time limits of all connections now."""
        now = self.clock()
        for line in list(self.lines):
            line.check(now)

    def judge(self, address: str) -> str:
        """Return why a peer may not connect, empty if it may."""
        self.report("accepted")
        if self._closing:
            return "closing"
        if address != self._last_peer:
            try:
                known = peer_address(address)
            except ValueError:
                return "peer"
            if not any(known in network for network in self._peers):
                return "peer"
            self._last_peer = address
        return "full" if len(self.lines) >= self._most else ""

    def knows(self, arguments: tuple[str, ...]) -> bool:
        """Whether the first argument is the token."""
        given = arguments[0].encode() if arguments else b""
        return not self._token or hmac.compare_digest(given, self._token)

    def begin(self, line: Line) -> None:
        """Give a line to the handler."""
        self._idle.clear()
        task = asyncio.get_running_loop().create_task(self._serve(line))
        line.task = task
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def forget(self, line: Line) -> None:
        """A connection is gone."""
        self.lines.discard(line)

    def report(self, event: str, detail: str = "", error: BaseException | None = None) -> None:
        """Count an event and pass it on."""
        self.counts[event] += 1
        if self._report is not None:
            self._report(event, detail, error)

    async def _serve(self, line: Line) -> None:
        try:
            await self._handler(line)
        except AGIHangup:
            self.report("hungup", line.path)
        except Exception as error:
            self.report("failed", line.path, error)
        else:
            self.report("hungup" if line.hungup else "done", line.path)
        finally:
            line.close()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not self._tasks:
            self._idle.set()

    def _arm(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(TICK_S, self._turn)

    def _turn(self) -> None:
        self.tick()
        self._arm()


async def _turns() -> None:
    for _ in range(LAST_TURNS):
        await asyncio.sleep(0)
