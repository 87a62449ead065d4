"""The gateway as one object: everything put together, started, drained and closed in the right order."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import secrets
from collections.abc import Mapping
from pathlib import Path

import structlog

from engine.capabilities import Channel
from engine.reading.scalars import Address
from gateway.backends.directory import Backends
from gateway.backends.order import Orders
from gateway.centre_link import CentreLinks
from gateway.clock import HostClock, WallClock
from gateway.host.batch import Batch
from gateway.host.call import RETRY_COMMIT_S, Calls
from gateway.host.callback import Callbacks
from gateway.host.contact import Contacts
from gateway.host.desk import Desk
from gateway.host.event import Events
from gateway.host.host import Host
from gateway.host.inbound import Inbounds
from gateway.host.look import Looks
from gateway.host.opening import Openers
from gateway.host.outbound import Outbounds
from gateway.host.outbox import Outbox
from gateway.host.outside import OutsideEvents
from gateway.host.people import People
from gateway.host.recovery import Recovery, drop_builds, store_build
from gateway.host.settle import Settling
from gateway.host.sms import SmsLane
from gateway.host.start import Starts
from gateway.host.stepper import Stepper
from gateway.host.suspension import Suspended
from gateway.host.task import PACE_MS, Tasks
from gateway.host.ussd import UssdLane
from gateway.host.voice import VoiceLane
from gateway.journal.detail import Details
from gateway.journal.file import DetailFiles
from gateway.journal.writer import DetailWriter
from gateway.library import Library
from gateway.settings import Settings
from gateway.speech.speaker import Speaker
from gateway.start_error import StartError
from gateway.store.sealing import Sealer, load_or_make_key
from gateway.store.sqlite import SqliteStore
from gateway.switch import ANNOUNCEMENT
from gateway.telephony import Telephony
from gateway.upkeep import Upkeep
from gateway.web.server import WebServer


class Gateway:
    """One gateway over one project folder.

    `start` brings up store, sessions, links and pages; `close` drains and stores. `links` are by the name
    of the centre. Everything runs on the loop that called `start`.
    """

    def __init__(
        self,
        root: Path,
        settings: Settings,
        environment: Mapping[str, str],
        clock: WallClock | None = None,
        *,
        web: bool = True,
    ) -> None:
        """Load flows and dialects and open the store.

        Raises StartError, ProjectError, FlowsBrokenError, StoreError.
        """
        self.root = root
        self.settings = settings
        self.clock: WallClock = clock or HostClock()
        self.library = Library(root)
        self.centres = CentreLinks(root, settings.centres, self.library.current)
        store_path = root / settings.store
        key = settings.secret_key or load_or_make_key(store_path.parent / "secret.key")
        self.store = SqliteStore(store_path, Sealer(key))
        try:
            self._assemble(key, environment)
        except BaseException:
            self.store.close()
            raise
        self._web = WebServer(self, settings.http_host, settings.http_port) if web else None
        self._tasks: list[asyncio.Task[None]] = []
        self._log = structlog.get_logger()
        self.ready = False

    def _assemble(self, key: bytes, environment: Mapping[str, str]) -> None:
        flows = self.library.current
        if any(one.charge for one in flows.operations.values()) and not self.store.atomic_commit:
            raise StartError("the flows charge money, and this store cannot commit atomically")
        pepper = hashlib.blake2b(b"orders", key=key, digest_size=32).digest()
        marks = hashlib.blake2b(b"messages", key=key, digest_size=32).digest()
        self.host = Host(self.store, self.library, self.clock)
        self.orders = Orders(
            flows.operations,
            new_key=lambda: secrets.token_hex(16),
            pepper=pepper,
            find=self.store.find_order,
        )
        self.backends = Backends(environment, self.clock)
        callers = hashlib.blake2b(b"callers", key=key, digest_size=32).digest()
        self.tasks = Tasks()
        self.contacts = Contacts(self.store, callers)
        looks = Looks(self.store, self.orders, self.tasks, self.contacts)
        self.calls = Calls(self.host, self.backends, self.orders)
        self.calls.charging = self.settings.charging
        self.outbox = Outbox(self.host, self.store)
        self.people = People(self.host, self.tasks)
        self.desk = Desk(self.host, self.people, self.tasks, self.outbox, self.orders)
        self.openers = Openers()
        self.starts = Starts(self.host, self.openers)
        self.outbounds = Outbounds(self.host, looks, self.openers)
        self.suspended = Suspended(self.host)
        callbacks = Callbacks(self.host, self.tasks, callers)
        self.stepper = Stepper(
            self.host,
            looks,
            self.calls,
            self.outbox,
            self.people,
            callbacks,
            self.starts,
            self.suspended,
            self.contacts,
        )
        pace = 20.0 if self.settings.events is None else self.settings.events.pace
        self.events = Events(self.host, self.orders, pace)
        self.outside = OutsideEvents(self.host, self.events.start)
        self._keep_details(key)
        self.ussd = UssdLane(self.host, self.stepper, self.suspended)
        self.sms = SmsLane(self.host, self.stepper, self.outbox, self.people)
        self.settling = Settling(self.host, self.backends, self.orders, self.calls)
        self.voice = VoiceLane(self.host, self.stepper, self.suspended)
        self.telephony = Telephony(self.root, self.settings, self.clock, self.host, self.voice, self.tasks)
        self.telephony.join(looks, callbacks, self.people, self.openers)
        self.asterisks = self.telephony.asterisks
        self.places = self.telephony.places
        self.recovery = Recovery(
            self.host, self.orders, self.calls, self.ussd, self.voice, self.events, self.people
        )
        self.inbounds = Inbounds(self.host, self.ussd, self.sms, self.voice, self.outbox, self.events)
        self.stepper.lanes[Channel.EVENT] = self.events
        self.openers.by_name.update(ussd=self.ussd, sms=self.sms)
        self.ussd.is_stopped = self.outbox.unasked.is_stopped
        for outreach in (self.ussd.outreach, self.voice.out):
            outreach.told += [self.starts.told, self.outbounds.told]
        self.people.step = self.stepper.step
        self.desk.settle = self.calls.take_change
        self.events.people = self.people.order_changed
        self.outbounds.step = self.stepper.step
        self.events.outbound = self.outbounds.plan
        self.calls.resume = self.stepper.step
        self.calls.look_again = looks.again
        self.calls.changed = self.events.order_changed
        self.events.step = self.stepper.step
        self.recovery.step = self.stepper.step
        self.host.on_due = self.inbounds.due
        self.centres.join(
            self.host, self.inbounds, self.ussd, self.sms, self.outbox, clock=self.clock, marks=marks
        )
        self.links = self.centres.links
        self.upkeep = Upkeep(
            self.store,
            self.clock,
            pace=self.pace,
            tend=self.tend,
            details=self.details,
            sweep=self.telephony.sweep,
            keep_ms=self.settings.edr.keep_ms,
        )

    def _keep_details(self, key: bytes) -> None:
        """Have a record made of every session, unless the settings want none."""
        edr = self.settings.edr
        self.details: DetailWriter | None = None
        if not edr.write:
            return
        pepper = hashlib.blake2b(b"details", key=key, digest_size=32).digest()
        dialects = {centre.name: centre.dialect for centre in self.settings.centres}
        self.host.details = Details(pepper, dialects, self.host.counters, full_numbers=edr.full_numbers)
        folder = edr.folder or self.settings.store.parent / "edr"
        files = DetailFiles(self.root / folder, size=edr.size, every_ms=edr.every_ms)
        self.details = DetailWriter(self.store, files, self.clock)

    @property
    def speaker(self) -> Speaker | None:
        """What makes texts into sounds, None where nobody takes calls."""
        return self.telephony.speaker

    @property
    def bound(self) -> bool:
        """Tell whether all can leave that the settings carry; see `CentreLinks.bound`."""
        return self.centres.bound

    # Life

    async def start(self) -> None:
        """Take up what the store holds, serve the pages, bind. Raises StartError, OSError."""
        self.backends.use(self.library.current.operations)
        now = self.clock.now()
        loaded = self.store.load(now)
        self.recovery.load(loaded)
        self.host.switches.load(self.store.switches(), (self.store.get_meta(ANNOUNCEMENT) or b"").decode())
        self.outbox.load(loaded.outbox)
        self.events.load(loaded.schedule)
        self.starts.load(loaded.schedule)
        self.outbounds.load(loaded.schedule)
        self.suspended.load(loaded.schedule)
        self.voice.load(loaded.schedule)
        self.tasks.load(loaded.tasks, self.store.last_task(), self.store.closed_tasks(now - PACE_MS, 10_000))
        self.people.load(loaded.tasks)
        self.telephony.load(loaded.schedule, now)
        self.contacts.load(now)
        self.sms.load(now, loaded.schedule)
        self.library.listeners.append(self._published)
        self.host.take(self._store_build, self.library)
        self.host.take(self.recovery.resume, None)
        self.outside.load(loaded.schedule)
        await self.host.idle()
        await self._serve_pages()
        await self.telephony.start()
        self.centres.start()
        self._tasks = [
            asyncio.create_task(self.library.watch()),
            asyncio.create_task(self.settling.watch()),
            asyncio.create_task(self.upkeep.watch()),
            asyncio.create_task(self.upkeep.watch_pace()),
        ]
        self.ready = True
        self._log.info(
            "started",
            build=self.library.current.build,
            sessions=len(self.host.conversations),
            messages=len(loaded.outbox),
            **({} if self._web is None else {"http": f"http://{self._http}/"}),
        )

    @property
    def _http(self) -> Address:
        """Where the pages are."""
        port = self.settings.http_port if self._web is None else self._web.port
        return Address(self.settings.http_host, port)

    async def _serve_pages(self) -> None:
        if self._web is None:
            return
        try:
            await self._web.start()
        except OSError as error:
            where = self._http
            if error.errno == errno.EADDRINUSE:
                raise StartError(
                    f"http: {where} is taken by another program; write another port in config/gateway.yaml, "
                    "or set GUDOK_HTTP (127.0.0.1:8081)"
                ) from error
            raise StartError(
                f"http: cannot listen on {where} ({error.strerror or error}); "
                "correct http: in config/gateway.yaml, or GUDOK_HTTP"
            ) from error

    def _published(self, library: Library) -> None:
        flows = library.current
        try:
            self.backends.use(flows.operations)
        except (StartError, ValueError) as error:
            self._log.error("backends_unchanged", reason=str(error))
        self.orders.operations = flows.operations
        self.host.take(self._store_build, library)
        self.telephony.published()
        library.drop_unused({one.flows.build for one in self.host.conversations.values()})

    def _store_build(self, batch: Batch, library: Library) -> None:
        """Sessions of this build could not be read after a restart without its sources: try until stored."""
        loop = asyncio.get_running_loop()
        batch.refuse(loop.call_later, RETRY_COMMIT_S, self.host.take, self._store_build, library)
        store_build(batch, library)
        if not self.recovery.lost:  # a session that this version cannot read may need any of them
            drop_builds(batch, self.host)

    def pace(self, now: int) -> None:
        """Let go what is sent and begun at a pace; due ten times a second, `now` in UTC ms (`Upkeep`)."""
        self.outbox.pump_unasked()
        self.events.tend(now)

    def tend(self, now: int) -> None:
        """Have every part look what its time has come for; due once a second, `now` in UTC ms (`Upkeep`)."""
        self.outbox.tend()
        self.sms.tend(now)
        self.events.tend(now)
        self.people.tend(now)
        self.starts.tend(now)
        self.outbounds.tend(now)
        self.suspended.tend(now)
        self.telephony.tend(now)

    async def close(self) -> None:
        """Drain: start nothing new, let running calls end, unbind, store, close."""
        self.ready = False
        self.host.draining = True
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self.telephony.drain(self.settings.drain_ms / 1000)
        await self.calls.drain(self.settings.drain_ms / 1000)
        await self.host.idle()
        await self.centres.close()
        await self.host.idle()
        if self._web is not None:
            await self._web.close()
        await self.telephony.close()
        await self.settling.close()
        await self.calls.close()
        await self.host.idle()
        await self.backends.close()
        if self.details is not None:
            await self.details.tend()
        self.host.close()
        self.store.close()
        self._log.info("stopped", sessions=len(self.host.conversations))
