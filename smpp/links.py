"""One SMSC or USSD centre: its binds, kept up, and the way of every message over them.

Theory of operation. A link has slots (`smpp.slot`), each with at most one connection. Every read of every
connection becomes one call of `on_batch` with all it brought; whatever the owner answers with `respond` and
`submit` until `flush` leaves with one write per connection. One timer per link does everything that
depends on time: binding again, response and enquire_link timers, throttled messages, the rate. Nothing is
made per message but its record.

* A *sticky* message (a page of a dialogue) leaves only on the connection that brought the question, or its
  transmitter twin; when that is gone, so is the dialogue, and nothing is sent.
* All others take any transmitter, wait in the backlog when there is no place, urgent ones first, and are
  reported as `unsent` when the link stays down.
* A throttled message is sent again from here until it gets another answer (`smpp.throttle`, `smpp.backlog`).
* A message whose connection ended is reported `closed`, one without answer `timeout`: both may have been
  sent, and whether to repeat them is the owner's decision.
"""

import asyncio
import ssl
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from smpp.client import Clock, Connection, connect, distrust_reason
from smpp.event import (
    Accepted,
    Answered,
    BindDown,
    BindRefused,
    BindUp,
    Bound,
    Failed,
    Inbound,
    InboundRow,
    LinkEvent,
    SessionEvent,
)
from smpp.pdu.bind import Bind, encode_bind_body
from smpp.pdu.status import status_text
from smpp.reconnect import Backoff, Random, is_alarm
from smpp.session import Session
from smpp.settings import LinkSettings
from smpp.slot import Slot, make_slots
from smpp.state import Role
from smpp.traffic import PageOut, Traffic

COARSE_MS = 10
"""The link's timer is not finer than this."""
LONGEST_TICK_MS = 1_000
COUNTED_PER_MESSAGE = frozenset({"timeout", "nack", "wrong_response"})

__all__ = [
    "Accepted",
    "Answered",
    "BindDown",
    "BindUp",
    "Failed",
    "Inbound",
    "InboundRow",
    "Link",
    "LinkEvent",
    "LinkSettings",
    "OnBatch",
    "PageOut",
]

OnBatch = Callable[["Link", Sequence[LinkEvent]], None]
Tap = Callable[[int, int, bool, bytes], None]
"""(bind, connection, True for what we write, octets)."""


class Link:
    """The binds to one centre. `clock` gives UTC milliseconds that never jump, `rng` the jitter.

    `on_batch(link, events)` must not raise; if it does, the error goes to the loop's exception handler and
    the link lives on: what it did not answer, the centre sends again.
    """

    def __init__(
        self, name: str, settings: LinkSettings, on_batch: OnBatch, clock: Clock, rng: Random
    ) -> None:
        now = clock()
        self.name = name
        self.settings = settings
        self.counters: Counter[str] = Counter()
        self._on_batch = on_batch
        self._clock = clock
        self._slots = make_slots(
            settings, lambda: Backoff(rng, settings.reconnect_first_ms, settings.reconnect_limit_ms)
        )
        self._traffic = Traffic(settings, self._slots, self.counters, now, rng)
        # Unique over restarts too: the owner may keep numbers of connections in a store.
        self._connections = now
        self._unbound_since: int | None = now
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._leaving: asyncio.Event | None = None
        self.tap: Tap | None = None
        """Sees the octets of all connections made from now on; it must not raise."""

    # -- what the owner sees ----------------------------------------------------------------------

    @property
    def bound(self) -> bool:
        """True while messages can leave: at least one transmitter is bound."""
        return self._traffic.bound

    @property
    def capacity(self) -> int:
        """Messages that could be submitted now and leave without waiting for a place."""
        return self._traffic.capacity(self._clock())

    @property
    def rate(self) -> float | None:
        """Messages a second that may leave now: our own limit or what throttling has taught; None: any."""
        learned = self._traffic.throttle.learned
        limit = self.settings.rate
        return limit if learned is None else learned if limit is None else min(limit, learned)

    def spare(self) -> tuple[int, int]:
        """Return how many of the least urgent messages may be submitted now, and how many ever at once."""
        return self._traffic.spare(self._clock())

    @property
    def alarm(self) -> str:
        """Why a person is needed, "" if nobody is."""
        return next((slot.alarm for slot in self._slots if slot.alarm), "")

    def state(self) -> dict[str, Any]:
        """Everything that a status page or metrics want to know; times in milliseconds, no secrets."""
        now = self._clock()
        throttle, backlog = self._traffic.throttle, self._traffic.backlog
        return {
            "name": self.name,
            "bound": self.bound,
            "capacity": self.capacity,
            "alarm": self.alarm,
            "queue": len(backlog),
            "held": backlog.held,
            "rate": self.settings.rate,
            "learned_rate": throttle.learned,
            "paused": throttle.paused(now),
            "slowdowns": throttle.slowdowns,
            "congestion": self._traffic.congestion,
            "counters": dict(self.counters),
            "binds": [slot.describe(now) for slot in self._slots],
        }

    # -- life -------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to bind, at once. Call it from a running event loop."""
        now = self._clock()
        for slot in self._slots:
            slot.retry_at = now
        self.on_time()

    async def close(self, drain_s: float = 5.0) -> None:
        """Unbind politely: `drain_s` for answers still pending, then for the unbind's, then cut.

        Messages that still wait here are reported as `unsent`.
        """
        self._leaving = asyncio.Event()
        for slot in self._slots:
            slot.retry_at = None
        self._traffic.leaving = True
        self._report(self._traffic.clear())
        now = self._clock()
        for slot in self._slots:
            if slot.connection is not None:
                slot.connection.unbind(now, int(drain_s * 1000))
        self.on_time()
        patience_s = drain_s + self.settings.timers.unbind_answer_ms / 1000 + 1
        try:
            async with asyncio.timeout(patience_s):
                await self._all_gone()
        except TimeoutError:
            for slot in self._slots:
                if slot.connection is not None:
                    slot.connection.abort()
            await asyncio.sleep(0)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _all_gone(self) -> None:
        leaving = self._leaving
        assert leaving is not None
        while any(slot.connection is not None for slot in self._slots):
            leaving.clear()
            await leaving.wait()

    # -- sending ----------------------------------------------------------------------------------

    def respond(
        self, bind: int, connection: int, sequence: int, status: int = 0, encoded: bytes | None = None
    ) -> None:
        """Answer an `Inbound`; it leaves with the next `flush`.

        On a connection that is gone it is dropped: the centre will send the message again.
        """
        slot = self._slots[bind]
        if slot.connection is not None and slot.number == connection:
            slot.connection.session.respond(sequence, status, encoded)
        else:
            self.counters["response_dropped"] += 1

    def submit(
        self,
        body: bytes,
        token: object,
        *,
        prefer: tuple[int, int] | None = None,
        sticky: bool = False,
        subscriber: bytes = b"",
        urgent: bool = False,
    ) -> bool:
        """Send a submit_sm (`body` without header); `token` comes back in `Answered` or `Failed`.

        `prefer` is the (bind, connection) of the message that this answers; with `sticky` it is the only way.
        False, and no event later: no bind, no such connection any more, or no room to wait.
        """
        return self._traffic.submit(body, token, prefer, sticky, subscriber, urgent, self._clock())

    def hand_back(self) -> None:
        """Report everything that waits here but pages as `unsent`: another link may take it."""
        self._report(self._traffic.hand_back())

    def accept_all(self, bind: int, connection: int, sequences: Sequence[int]) -> None:
        """As `respond` with status 0 to every `Inbound` of these numbers that came over one connection."""
        slot = self._slots[bind]
        if slot.connection is not None and slot.number == connection:
            slot.connection.session.accept_all(sequences)
        else:
            self.counters["response_dropped"] += len(sequences)

    def submit_pages(self, pages: Sequence[PageOut]) -> list[object]:
        """As `submit` with `sticky` and `urgent` of pages, in order; returns the tokens of those refused.

        A page is its body, its token, the (bind, connection) of the message it answers, and its subscriber.
        """
        return self._traffic.submit_pages(pages, self._clock())

    def flush(self) -> None:
        """Write what has gathered: one write per connection. Waiting messages fill what places are left."""
        now = self._clock()
        traffic = self._traffic
        if traffic.backlog.size:
            traffic.pump(now)
        for slot in self._slots:
            if slot.connection is not None:
                slot.connection.flush()
        if traffic.wake is not None:
            self._wake_at(traffic.wake)
            traffic.wake = None

    # -- what the connections bring ---------------------------------------------------------------

    def _events(self, slot: Slot, connection: Connection, events: list[SessionEvent]) -> None:
        """One read of one connection: translate, report in one call, use the places that became free."""
        if slot.connection is not connection:
            return
        now = self._clock()
        batch: list[LinkEvent] = []
        for event in events:
            kind = type(event)
            if kind is InboundRow or kind is Inbound:
                batch.append(event)  # type: ignore[arg-type]
            elif kind is Accepted:
                # `Traffic.answered` for pages that have arrived.
                self._traffic.throttle.accepted(len(event.tokens), event.sent_at, now)  # type: ignore[union-attr]
                batch.append(event)  # type: ignore[arg-type]
            elif isinstance(event, Answered):
                answered = self._traffic.answered(slot, event, now)
                if answered is not None:
                    batch.append(answered)
            elif isinstance(event, Failed):
                failed = self._traffic.failed(slot, event, now)
                if failed is not None:
                    batch.append(failed)
            elif isinstance(event, Bound):
                self._came_up(slot, event, now, batch)
            elif isinstance(event, BindRefused):
                slot.refused = event.status
        if connection.session.closed and slot.reason == "":
            self._keep_counters(connection.session)
            self._went_down(slot, connection.session.close_reason, now, batch)
        if connection.gone:
            slot.connection = None
            slot.number = 0
            if self._leaving is not None:
                self._leaving.set()
            elif slot.retry_at is not None:
                self._wake_at(slot.retry_at)
        self._report(batch)
        self.flush()

    def _keep_counters(self, session: Session) -> None:
        """Add what a connection has counted, but for the ends of messages, which are counted here already."""
        for name, count in session.counters.items():
            if name not in COUNTED_PER_MESSAGE:
                self.counters[name] += count

    def _came_up(self, slot: Slot, event: Bound, now: int, batch: list[LinkEvent]) -> None:
        slot.backoff.bound(now)
        slot.bound_at = now
        slot.times_bound += 1
        slot.system_id = event.system_id
        slot.alarm = ""
        if slot.transmits:
            self._unbound_since = None
        batch.append(BindUp(slot.index, slot.number, event.version))

    def _went_down(
        self, slot: Slot, reason: str, now: int, batch: list[LinkEvent], distrust: str = ""
    ) -> None:
        """A connection ended, or did not come about: plan the next, report what was bound to this one.

        `distrust` says why the centre was not believed to be the one, "" if it was.
        """
        refused, slot.refused = slot.refused, 0
        slot.reason = reason or "closed"
        slot.bound_at = None
        alarm = bool(distrust) or (bool(refused) and is_alarm(refused))
        if distrust:
            slot.alarm = distrust
        elif alarm:
            # It stands until a bind succeeds: a refused connection in between has not mended the password.
            slot.alarm = f"the centre refuses {self.settings.system_id!r}: {status_text(refused)}"
        wait = -1
        if self._leaving is None:
            wait = slot.backoff.delay(now, refused)
            slot.retry_at = now + wait
        batch.extend(self._traffic.connection_ended(slot))
        batch.append(BindDown(slot.index, slot.number, slot.reason, refused, alarm, wait))
        if self._unbound_since is None and not any(other.session for other in self._slots if other.transmits):
            self._unbound_since = now

    def _report(self, batch: Sequence[LinkEvent]) -> None:
        if not batch:
            return
        try:
            self._on_batch(self, batch)
        except Exception as error:  # the owner's fault must not deafen the link
            self.counters["owner_errors"] += 1
            asyncio.get_running_loop().call_exception_handler(
                {"message": f"link {self.name}: the owner failed on a batch", "exception": error}
            )

    # -- time and connecting ----------------------------------------------------------------------

    def on_time(self) -> None:
        """Do what is due. The link's own timer calls it; a test with a hand clock may."""
        now = self._clock()
        for slot in self._slots:
            if slot.connection is not None:
                slot.connection.on_time(now)
            elif slot.retry_at is not None and now >= slot.retry_at and not slot.connecting:
                self._start_connecting(slot)
        self._traffic.on_time(now)
        self._report(self._traffic.expire(now, self._unbound_since))
        self.flush()
        self._set_timer(now)

    def _set_timer(self, now: int) -> None:
        """Arm the one timer of the link for the next thing to do."""
        due = now + LONGEST_TICK_MS
        for slot in self._slots:
            moment = slot.connection.next_deadline() if slot.connection is not None else slot.retry_at
            if moment is not None and not slot.connecting:
                due = min(due, moment)
        moment = self._traffic.next_deadline(now)
        if moment is not None:
            due = min(due, moment)
        self._arm(now, max(due, now + COARSE_MS))

    def _wake_at(self, moment: int) -> None:
        """Make sure that the timer fires by then."""
        if self._timer is not None and moment < self._timer_at - COARSE_MS:
            now = self._clock()
            self._arm(now, max(moment, now + COARSE_MS))

    def _arm(self, now: int, due: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = due
        self._timer = asyncio.get_running_loop().call_later((due - now) / 1000, self.on_time)

    def _start_connecting(self, slot: Slot) -> None:
        slot.connecting = True
        slot.retry_at = None
        task = asyncio.get_running_loop().create_task(self._connect(slot))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, slot: Slot) -> None:
        """Open the connection of a slot and send its bind; a failure plans the next try."""
        self._connections += 1
        number = self._connections
        settings = self.settings

        def session(now: int) -> Session:
            return Session(
                Role.ESME,
                now,
                window=settings.window,
                timers=settings.timers,
                bind=slot.index,
                connection=number,
            )

        def make() -> Connection:
            tap = None if self.tap is None else partial(self.tap, slot.index, number)
            return Connection(
                session, lambda which, events: self._events(slot, which, events), self._clock, tap
            )

        slot.reason = ""
        try:
            connection = await connect(settings, make)
        except (OSError, ValueError) as error:
            slot.connecting = False
            batch: list[LinkEvent] = []
            late = isinstance(error, TimeoutError) and not error.errno
            why = f"no connection within {settings.connect_ms} ms" if late else f"cannot connect: {error}"
            distrust = ""
            if isinstance(error, ssl.SSLCertVerificationError):
                distrust = why = distrust_reason(settings, error)
            self._went_down(slot, why, self._clock(), batch, distrust)
            self._report(batch)
            if slot.retry_at is not None:
                self._wake_at(slot.retry_at)
            return
        except asyncio.CancelledError:
            slot.connecting = False
            raise
        slot.connecting = False
        if self._leaving is not None:
            connection.abort()
            return
        slot.connection, slot.number = connection, number
        if connection.gone:
            self._events(slot, connection, [])
            return
        connection.session.start_bind(slot.command_id, encode_bind_body(self._bind()), self._clock())
        connection.flush()

    def _bind(self) -> Bind:
        settings = self.settings
        return Bind(
            settings.system_id.encode("ascii"),
            settings.password.reveal().encode("ascii"),
            settings.system_type.encode("ascii"),
            settings.interface_version,
            settings.addr_ton,
            settings.addr_npi,
            settings.address_range.encode("ascii"),
        )
