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
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from smpp.client import Clock
from smpp.event import Answered, BindRequested, Failed, Inbound, InboundRow, SessionEvent
from smpp.pdu.message import Sm
from smpp.segments import Mode, split
from smpp.settings import Timers
from smpp.testing.dialect import STANDARD, CentreDialect
from smpp.testing.dialog import Dialog, DialogError, Screen
from smpp.testing.faults import Faults
from smpp.testing.handset import Handsets
from smpp.testing.inbox import Inbox, Sms
from smpp.testing.intake import Intake
from smpp.testing.ledger import Delivery, Ledger, Submitted
from smpp.testing.listener import Listener
from smpp.testing.peer import Limits, Peer
from smpp.testing.post import Post
from smpp.testing.waiting import Waiting

TICK_S = 0.2


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
        self._listener = Listener(
            self,
            self._events,
            rng,
            host=host,
            system_id=system_id,
            accounts=accounts,
            timers=timers or Timers(enquire_after_ms=0, bind_ms=self.limits.bind_ms),
            window=window,
            tls=tls,
        )
        self._handsets = Handsets(self)
        self._post = Post(self, rng, retry_ms, tries)
        self._intake = Intake(self, rng)
        self._inbox = Inbox(self, keep, receipt, receipt_ms)
        self._inbox.on_sms = on_sms
        self._references = 0
        self._waiting = Waiting()
        self._timers_set: set[asyncio.TimerHandle] = set()
        self._tick: asyncio.TimerHandle | None = None

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
        self.port = await self._listener.open(self.port)
        self._tick = asyncio.get_running_loop().call_later(TICK_S, self._on_time)

    async def stop(self) -> None:
        """Cut all connections and stop listening; waits in progress fail."""
        if self._tick is not None:
            self._tick.cancel()
        for handle in self._timers_set:
            handle.cancel()
        self._timers_set.clear()
        self._listener.close()
        await self._listener.closed()
        await asyncio.sleep(0)
        self._waiting.cancel()
        self.ledger.close()

    async def restart(self) -> None:
        """Go down and come up again on the same port; dialogues and undelivered messages stay."""
        self._listener.close()
        await self.wait_for(lambda: not self._listener.peers, what="the end of all connections")
        await self._listener.closed()
        await self._listener.open(self.port)

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
        return self._listener.binds

    @property
    def dialogs(self) -> list[Dialog]:
        """The dialogues that are open."""
        return list(self._handsets.dialogs.values())

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
        return self._handsets.call(msisdn, code)

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
        self._listener.disconnect()

    def reset(self) -> None:
        """Close every connection politely on the TCP level, with what was written delivered."""
        for peer in list(self._listener.peers.values()):
            peer.live.abort_after_writing()

    def unbind(self) -> None:
        """Ask every ESME to leave: unbind from the centre's side."""
        for peer in self.binds:
            peer.live.unbind(self.now(), 0)

    def silence(self, *, silent: bool = True) -> None:
        """Stop reading and writing on all connections without closing them (half-open), or go on."""
        self._listener.silence(silent=silent)

    def write(self, data: bytes) -> None:
        """Send octets to every ESME as they are."""
        self._listener.write(data)

    # -- for the parts of the centre --------------------------------------------------------------

    def deliver(self, kind: str, sm: Sm, dialog: Dialog | None = None) -> Delivery:
        """Take a message for delivery to the ESME."""
        return self._post.add(kind, sm, dialog)

    def receivers(self) -> list[Peer]:
        """The ESMEs that take deliveries."""
        return self._listener.receivers()

    def touch(self, peer: Peer) -> None:
        """Something waits in this peer's session: write it at the end of this turn of the loop."""
        self._listener.touch(peer)

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

    def may_show(self, sm: Sm) -> bool:
        """True if a page has a dialogue to go to, or begins one (from the network's side)."""
        return self._handsets.may_show(sm)

    def act(self, message: Submitted) -> None:
        """Let an accepted message take effect: on a screen, or in a handset's inbox."""
        action = self.dialect.action(message.sm)
        if action is None:
            self._inbox.take(message)
        else:
            self._handsets.show(message, action)

    def forget(self, dialog: Dialog) -> None:
        """A dialogue has ended."""
        self._handsets.forget(dialog)
        self._changed()

    # -- inside -----------------------------------------------------------------------------------

    def _write(self, peer: Peer, octets: bytes) -> None:
        peer.live.session.respond(0, 0, octets)
        self.touch(peer)

    def _events(self, peer: Peer, events: list[SessionEvent]) -> None:
        requests: list[Inbound] = []
        for event in events:
            if isinstance(event, InboundRow):
                requests.extend(event.singly())
            elif isinstance(event, Inbound):
                requests.append(event)
            elif isinstance(event, Answered):
                self._post.answered(event)
            elif isinstance(event, Failed):
                self._post.failed(event)
            elif isinstance(event, BindRequested):
                self._listener.bind(peer, event)
        if requests:
            self._intake.take(peer, requests)
        self._listener.look_after(peer)
        self._post.pump()
        self._changed()

    def _on_time(self) -> None:
        self._listener.on_time(self.now())
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
            "connections": len(self._listener.peers),
            "binds": [
                {"system_id": peer.system_id, "state": peer.live.session.state.value} for peer in self.binds
            ],
            "dialogs": len(self._handsets.dialogs),
            "waiting": self._post.waiting,
            "counters": dict(self.ledger.counters),
        }


__all__ = ["Centre", "CentreError", "Dialog", "DialogError", "Faults", "Limits", "Screen", "Sms"]
