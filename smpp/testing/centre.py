"""A test SMSC and USSD centre in this process: real sockets, real PDUs, faults on order.

    async with Centre() as centre:
        link = Link("main", LinkSettings("127.0.0.1", centre.port, "gudok"), ...)
        await centre.bound()
        dialog = await centre.dial("79161234567", "*929#")
        assert dialog.screen.startswith("1.")
        await dialog.send("1")
        await centre.sms("79161234567", "9290", "balance")

It misbehaves as `faults` says (change it at any time), keeps a ledger of all it sent and took, redelivers as
centres do, and answers as one: use it in tests, as the SMSC of a demo, as the load of a benchmark. Every
wait is awaitable and bounded; nothing sleeps. What it does not know: networks, billing, other protocols.
"""

import asyncio
import random
import ssl
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from smpp.client import Clock, Connection
from smpp.event import Answered, BindRequested, Failed, Inbound, SessionEvent
from smpp.pdu.bind import decode_bind
from smpp.pdu.message import Sm
from smpp.pdu.status import Status
from smpp.pdu.wire import PduError
from smpp.segments import Mode, split
from smpp.session import Session
from smpp.settings import Timers
from smpp.state import Role
from smpp.testing.dialect import PSSR_INDICATION, STANDARD, Action, CentreDialect
from smpp.testing.dialog import Dialog, DialogError, Screen
from smpp.testing.faults import Faults
from smpp.testing.inbox import Inbox, Sms
from smpp.testing.intake import Intake
from smpp.testing.ledger import Delivery, Ledger, Submitted
from smpp.testing.peer import Limits, Peer, PeerConnection, judge_bind
from smpp.testing.post import Post
from smpp.testing.waiting import Waiting

TICK_S = 0.2
CLOSED_DIALOGS = 10_000
"""So many ended dialogues are remembered, to tell a late page from a new dialogue of the network."""


class CentreError(Exception):
    """A test waited for something that did not happen; the sentence says what there was instead."""


def monotonic_clock() -> Clock:
    """UTC milliseconds that a jump of the system clock does not move."""
    start = time.time_ns() - time.monotonic_ns()
    return lambda: (start + time.monotonic_ns()) // 1_000_000


class Centre:
    """One centre, one listener. `accounts` maps system_id to password; None lets everybody in.

    `window` is how many deliveries one ESME may leave unanswered, `retry_ms` the pause before a message
    answered "not now" comes again, `receipt` the state that receipts report, `ledger_file` where the ledger
    is written as JSON lines. `port` 0 takes a free one, see `port` after the start.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        system_id: str = "centre",
        accounts: Mapping[str, str] | None = None,
        dialect: CentreDialect = STANDARD,
        faults: Faults | None = None,
        limits: Limits | None = None,
        timers: Timers | None = None,
        window: int = 1_000,
        retry_ms: int = 200,
        tries: int = 20,
        receipt: str = "DELIVRD",
        receipt_ms: int = 0,
        seed: int = 1,
        keep: int = 100_000,
        ledger_file: Path | None = None,
        clock: Clock | None = None,
        tls: ssl.SSLContext | None = None,
        on_screen: Callable[[Dialog, Screen], None] | None = None,
        on_sms: Callable[[Sms], None] | None = None,
    ) -> None:
        rng = random.Random(seed)  # noqa: S311 - faults are to be repeatable, not secret
        self.now = clock or monotonic_clock()
        self.dialect = dialect
        self.faults = faults or Faults()
        self.limits = limits or Limits()
        self.ledger = Ledger(keep, ledger_file)
        self.on_screen = on_screen
        self.port = port
        self._host = host
        self._system_id = system_id.encode("ascii")
        self._accounts = accounts
        self._timers = timers or Timers(enquire_after_ms=0, bind_ms=self.limits.bind_ms)
        self._window = window
        self._tls = tls
        self._rng = rng
        self._post = Post(self, rng, retry_ms, tries)
        self._intake = Intake(self, rng)
        self._inbox = Inbox(self, keep, receipt, receipt_ms)
        self._inbox.on_sms = on_sms
        self._peers: dict[int, Peer] = {}
        self._receivers: list[Peer] | None = None
        self._touched: dict[int, Peer] = {}
        self._dialogs: dict[str, Dialog] = {}
        self._ended: deque[tuple[str, int]] = deque(maxlen=CLOSED_DIALOGS)
        self._sessions = 0
        self._references = 0
        self._connections = 0
        self._waiting = Waiting()
        self._timers_set: set[asyncio.TimerHandle] = set()
        self._server: asyncio.Server | None = None
        self._tick: asyncio.TimerHandle | None = None
        self._flushing = False

    # -- life -------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._accept, self._host, self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        self._tick = loop.call_later(TICK_S, self._on_time)

    async def stop(self) -> None:
        """Cut all connections and stop listening; waits in progress fail."""
        if self._tick is not None:
            self._tick.cancel()
        for handle in self._timers_set:
            handle.cancel()
        self._timers_set.clear()
        if self._server is not None:
            self._server.close()
        for peer in list(self._peers.values()):
            peer.live.abort()
        if self._server is not None:
            await self._server.wait_closed()
        await asyncio.sleep(0)
        self._waiting.cancel()
        self.ledger.close()

    async def restart(self) -> None:
        """Go down and come up again on the same port; dialogues and undelivered messages stay."""
        server = self._server
        assert server is not None
        server.close()
        self.disconnect()
        await self.wait_for(lambda: not self._peers, what="the end of all connections")
        await server.wait_closed()
        self._server = await asyncio.get_running_loop().create_server(
            self._accept, self._host, self.port, ssl=self._tls
        )

    # -- what a test does and sees ----------------------------------------------------------------

    @property
    def submitted(self) -> list[Submitted]:
        """Messages that were accepted from the ESMEs, oldest first."""
        return list(self.ledger.submitted)

    @property
    def received(self) -> list[Sms]:
        """What the handsets have received, oldest first."""
        return list(self._inbox.received)

    @property
    def on_sms(self) -> Callable[[Sms], None] | None:
        """Who wants to see every SMS that reaches a handset."""
        return self._inbox.on_sms

    @on_sms.setter
    def on_sms(self, watcher: Callable[[Sms], None] | None) -> None:
        self._inbox.on_sms = watcher

    @property
    def receipt(self) -> str:
        """The state that receipts report from now on: `DELIVRD`, `UNDELIV`, ..."""
        return self._inbox.state

    @receipt.setter
    def receipt(self, state: str) -> None:
        self._inbox.state = state

    @property
    def binds(self) -> list[Peer]:
        """The ESMEs that are bound."""
        return [peer for peer in self._peers.values() if peer.live.session.bound]

    @property
    def dialogs(self) -> list[Dialog]:
        """The dialogues that are open."""
        return list(self._dialogs.values())

    async def bound(self, count: int = 1, *, limit_s: float = 10.0) -> None:
        """Wait until so many binds stand."""
        await self.wait_for(lambda: len(self.binds) >= count, what=f"{count} binds", limit_s=limit_s)

    async def wait_for(
        self, predicate: Callable[[], bool], *, what: str = "a condition", limit_s: float = 10.0
    ) -> None:
        """Wait until the predicate is true; it is looked at after everything that happens here.

        Raises CentreError after `limit_s` seconds.
        """
        if not await self._waiting.until(predicate, limit_s):
            seen = dict(self.ledger.counters)
            raise CentreError(f"waited {limit_s:g} s for {what}; so far {seen}")

    async def dial(self, msisdn: str, code: str, *, limit_s: float = 10.0) -> Dialog:
        """Dial a code and wait for the first screen. Raises DialogError when none comes."""
        dialog = self.call(msisdn, code)
        await dialog.shown(1, limit_s=limit_s)
        return dialog

    def call(self, msisdn: str, code: str) -> Dialog:
        """Dial a code without waiting; an open dialogue of the same handset is superseded."""
        dialog = self._open(msisdn, code, "subscriber")
        dialog.begin(PSSR_INDICATION, code)
        return dialog

    async def sms(
        self,
        source: str,
        to: str,
        text: str,
        *,
        parts: Mode | None = None,
        wait: bool = True,
        limit_s: float = 10.0,
    ) -> list[Delivery]:
        """Send an SMS from a handset, in as many parts as it needs; waits until all are answered.

        `parts` is how a long one is split, as the dialect has it if not given.
        """
        self._references += 1
        pieces = split(text, parts or self.dialect.part_mode, self._references)
        deliveries = [
            self.deliver(
                "sms",
                Sm(
                    source_ton=1,
                    source_npi=1,
                    source=source.encode("ascii"),
                    dest_ton=0,
                    dest_npi=1,
                    dest=to.encode("ascii"),
                    esm_class=piece.esm_class,
                    data_coding=piece.data_coding,
                    short_message=piece.short_message,
                    tlvs=piece.tlvs,
                ),
            )
            for piece in pieces
        ]
        if wait:
            await self.wait_for(
                lambda: all(delivery.status is not None for delivery in deliveries),
                what=f"the answer to an SMS of {len(deliveries)} parts",
                limit_s=limit_s,
            )
        return deliveries

    async def next_sms(self, to: str, *, after: int = 0, limit_s: float = 10.0) -> Sms:
        """Wait until a handset has received more than `after` messages; the one with that index."""
        await self.wait_for(
            lambda: len(self.messages(to)) > after, what=f"message {after + 1} to a handset", limit_s=limit_s
        )
        return self.messages(to)[after]

    def messages(self, to: str) -> list[Sms]:
        """What a handset has received, oldest first."""
        return self._inbox.messages(to)

    def disconnect(self) -> None:
        """Close every connection at once, as a centre that goes down."""
        for peer in list(self._peers.values()):
            peer.live.abort()

    def reset(self) -> None:
        """Close every connection politely on the TCP level, with what was written delivered."""
        for peer in list(self._peers.values()):
            peer.live.abort_after_writing()

    def unbind(self) -> None:
        """Ask every ESME to leave: unbind from the centre's side."""
        for peer in self.binds:
            peer.live.unbind(self.now(), 0)

    def silence(self, *, silent: bool = True) -> None:
        """Stop reading and writing on all connections without closing them (half-open), or go on."""
        for peer in self._peers.values():
            peer.silent = silent
            peer.live.pause_reading(paused=silent)
        self._receivers = None

    def write(self, data: bytes) -> None:
        """Send octets to every ESME as they are."""
        for peer in self._peers.values():
            peer.live.flush()
            peer.live.write(data)

    # -- for the parts of the centre --------------------------------------------------------------

    def deliver(self, kind: str, sm: Sm, dialog: Dialog | None = None) -> Delivery:
        """Take a message for delivery to the ESME."""
        return self._post.add(kind, sm, dialog)

    def receivers(self) -> list[Peer]:
        """The ESMEs that take deliveries."""
        if self._receivers is None:
            self._receivers = [peer for peer in self._peers.values() if peer.receives]
        return self._receivers

    def touch(self, peer: Peer) -> None:
        """Something waits in this peer's session: write it at the end of this turn of the loop."""
        self._touched[peer.number] = peer
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self._flush)

    def later(self, after_ms: int, action: Callable[[], None]) -> None:
        """Do something after a while, unless the centre is stopped before."""

        def run() -> None:
            self._timers_set.discard(handle)
            action()
            self._changed()

        handle = asyncio.get_running_loop().call_later(after_ms / 1000, run)
        self._timers_set.add(handle)

    def answer(self, peer: Peer, octets: bytes, count: int) -> None:
        """Write responses, now or as late as the faults have it."""
        if not octets:
            return
        delay = self.faults.delay_ms
        if not delay:
            self._write(peer, octets)
            return
        peer.in_flight += count

        def write() -> None:
            peer.in_flight -= count
            self._write(peer, octets)

        self.later(delay, write)

    def may_show(self, sm: Sm, action: Action) -> bool:
        """True if a page has a dialogue to go to, or begins one (from the network's side)."""
        msisdn = sm.dest.decode("latin-1")
        dialog = self._dialogs.get(msisdn)
        number = self.dialect.session_number(sm) if self.dialect.session_info else None
        if dialog is not None:
            return number is None or number == self.dialect.number(dialog.session)
        if number is not None and (msisdn, number) in self._ended:
            return False
        return self.dialect.begins(sm)

    def act(self, message: Submitted) -> None:
        """Let an accepted message take effect: on a screen, or in a handset's inbox."""
        sm = message.sm
        action = self.dialect.action(sm)
        if action is None:
            self._inbox.take(message)
            return
        msisdn = sm.dest.decode("latin-1")
        dialog = self._dialogs.get(msisdn)
        if dialog is None:
            number = self.dialect.session_number(sm)
            if number is not None and self.dialect.renumbers:
                number = self.dialect.number(number + 1)
            dialog = self._open(msisdn, sm.source.decode("latin-1"), "network", number)
        dialog.show(message.text, action)

    def forget(self, dialog: Dialog) -> None:
        """A dialogue has ended."""
        if self._dialogs.get(dialog.msisdn) is dialog:
            del self._dialogs[dialog.msisdn]
            self._ended.append((dialog.msisdn, self.dialect.number(dialog.session)))
        self._changed()

    # -- inside -----------------------------------------------------------------------------------

    def _open(self, msisdn: str, code: str, origin: str, session: int | None = None) -> Dialog:
        old = self._dialogs.get(msisdn)
        if old is not None:
            old.end("superseded")
        self._sessions += 1
        dialog = Dialog(self, msisdn, code, self._sessions if session is None else session, origin)
        self._dialogs[msisdn] = dialog
        return dialog

    def _write(self, peer: Peer, octets: bytes) -> None:
        peer.live.session.respond(0, 0, octets)
        self.touch(peer)

    def _flush(self) -> None:
        self._flushing = False
        touched, self._touched = self._touched, {}
        for peer in touched.values():
            if not peer.silent:
                peer.live.flush()

    def _accept(self) -> Connection:
        self._connections += 1
        peer = Peer(self._connections)

        def session(now: int) -> Session:
            return Session(Role.SMSC, now, window=self._window, timers=self._timers, connection=peer.number)

        connection = PeerConnection(session, lambda _, events: self._events(peer, events), self.now)
        connection.faults_now, connection.draw = (lambda: self.faults), self._rng.random
        peer.connection = connection
        if len(self._peers) >= self.limits.connections:
            self.ledger.counters["connections_refused"] += 1
            connection.turned_away = True
        self._peers[peer.number] = peer
        return connection

    def _events(self, peer: Peer, events: list[SessionEvent]) -> None:
        requests: list[Inbound] = []
        for event in events:
            if isinstance(event, Inbound):
                requests.append(event)
            elif isinstance(event, Answered):
                self._post.answered(event)
            elif isinstance(event, Failed):
                self._post.failed(event)
            elif isinstance(event, BindRequested):
                self._bind(peer, event)
        if requests:
            self._intake.take(peer, requests)
        if peer.live.gone:
            self._peers.pop(peer.number, None)
        if peer.live.session.closed:
            self._receivers = None
        self._post.pump()
        self._changed()

    def _bind(self, peer: Peer, event: BindRequested) -> None:
        session = peer.live.session
        status = self.faults.refuse_bind
        try:
            bind = decode_bind(event.body, event.sequence, event.command_id)
        except PduError as error:
            bind, status = None, error.status
        if bind is not None and not status:
            bound = Counter(other.system_id for other in self.binds)
            status = judge_bind(bind, self._accounts, bound, self.limits)
        if bind is None or status:
            self.ledger.counters["binds_refused"] += 1
            session.refuse_bind(event.sequence, event.command_id, status or int(Status.RBINDFAIL))
            return
        peer.system_id = bind.system_id.decode("latin-1")
        peer.command_id = event.command_id
        session.accept_bind(
            event.sequence, event.command_id, self._system_id, self.dialect.sc_version, self.now()
        )
        self.ledger.counters["binds"] += 1
        self._receivers = None

    def _on_time(self) -> None:
        now = self.now()
        for peer in list(self._peers.values()):
            if not peer.silent:
                peer.live.on_time(now)
        self._post.pump()
        self._changed()
        self._tick = asyncio.get_running_loop().call_later(TICK_S, self._on_time)

    def _changed(self) -> None:
        """Look whether somebody waits for what has just become true."""
        self._waiting.look()

    def describe(self) -> dict[str, Any]:
        """What a status page of a demo shows."""
        return {
            "port": self.port,
            "connections": len(self._peers),
            "binds": [
                {"system_id": peer.system_id, "state": peer.live.session.state.value} for peer in self.binds
            ],
            "dialogs": len(self._dialogs),
            "waiting": self._post.waiting,
            "counters": dict(self.ledger.counters),
        }


__all__ = ["Centre", "CentreError", "Dialog", "DialogError", "Faults", "Limits", "Screen", "Sms"]
