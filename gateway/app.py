"""The gateway as one object: everything put together, started, drained and closed in the right order."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import random
import secrets
from collections.abc import Mapping
from pathlib import Path

import structlog

from engine.capabilities import Channel
from engine.flow import Operation as DeclaredOperation
from engine.reading.diagnostic import Report
from engine.reading.scalars import Address
from engine.values import Value
from gateway.asterisk import Asterisks
from gateway.backends.client import Endpoint, HttpBackends
from gateway.backends.operation import Operation
from gateway.backends.order import Orders
from gateway.backends.outcome import Outcome
from gateway.capture import Capture
from gateway.clock import HostClock, WallClock
from gateway.dialects import load_dialect
from gateway.host.batch import Batch
from gateway.host.call import RETRY_COMMIT_S, Calls
from gateway.host.callback import Callbacks
from gateway.host.contact import Contacts
from gateway.host.event import Events
from gateway.host.host import Clock, Host
from gateway.host.inbound import Inbounds
from gateway.host.look import Looks
from gateway.host.opening import Openers
from gateway.host.outbound import Outbounds
from gateway.host.outbox import Outbox
from gateway.host.outside import OutsideEvents
from gateway.host.people import People
from gateway.host.recovery import Recovery, store_build
from gateway.host.settle import Settling
from gateway.host.sms import SmsLane
from gateway.host.start import Starts
from gateway.host.stepper import Stepper
from gateway.host.suspension import Suspended
from gateway.host.task import PACE_MS, Tasks
from gateway.host.ussd import UssdLane
from gateway.host.voice import GRACE_MS, VoiceLane
from gateway.host.voice_sound import Sounds
from gateway.journal.detail import Details
from gateway.journal.file import DetailFiles
from gateway.journal.writer import DetailWriter
from gateway.library import Library
from gateway.settings import AgiSettings, Centre, Settings
from gateway.speech.folder import Made
from gateway.speech.speaker import Speaker
from gateway.speech.synthesis import installed
from gateway.store.record import Retention
from gateway.store.retention import Sweeper
from gateway.store.sealing import Sealer, load_or_make_key
from gateway.store.sqlite import SqliteStore
from gateway.switch import ANNOUNCEMENT
from gateway.web.server import WebServer
from ivr.fastagi import FastAgiServer
from smpp.links import Link
from smpp.sms import SmsChannel
from ussd.centre import UssdChannel
from ussd.dialect import Dialect

TEND_EVERY_S = 1.0
PACE_EVERY_S = 0.1
SWEEP_EVERY_S = 60.0


class StartError(Exception):
    """The gateway cannot start; the message says what to put right."""


class Backends:
    """The back ends of the flows that are in force; replaced when a published build names others."""

    def __init__(self, environment: Mapping[str, str], clock: Clock) -> None:
        self._environment = environment
        self._clock = clock
        self._endpoints: dict[str, Endpoint] = {}
        self._client: HttpBackends | None = None
        self._old: list[HttpBackends] = []
        self._log = structlog.get_logger()

    def use(self, operations: Mapping[str, DeclaredOperation]) -> None:
        """Serve these operations. Raises StartError for an address that is not set."""
        endpoints: dict[str, Endpoint] = {}
        for operation in operations.values():
            endpoints.setdefault(operation.backend, Endpoint(self._address(operation)))
        if endpoints == self._endpoints and self._client is not None:
            return
        if self._client is not None:
            self._old.append(self._client)
        self._endpoints = endpoints
        self._client = HttpBackends(endpoints, clock=self._clock.now, alarm=self._alarm)
        self._client.open()

    def _address(self, operation: DeclaredOperation) -> str:
        url = operation.url
        if not url.startswith("env."):
            return url
        value = self._environment.get(url.removeprefix("env."))
        if not value:
            raise StartError(
                f"the back end {operation.backend} has no address: set {url.removeprefix('env.')} "
                "in the environment, or write its url in config/backends.yaml"
            )
        return value

    def _alarm(self, backend: str, text: str) -> None:
        self._log.error("backend_alarm", backend=backend, reason=text)

    async def call(
        self,
        operation: Operation,
        arguments: Mapping[str, Value],
        *,
        phone: str,
        lang: str,
        channel: str,
        key: str | None,
        within_ms: int | None,
    ) -> Outcome:
        """Carry an operation out; see `HttpBackends.call`."""
        assert self._client is not None
        return await self._client.call(
            operation, arguments, phone=phone, lang=lang, channel=channel, key=key, within_ms=within_ms
        )

    def states(self) -> Mapping[str, str]:
        """Return the state of each back end's breaker, for pages and metrics."""
        if self._client is None:
            return {}
        return {name: "open" if one.is_open else "closed" for name, one in self._client.breakers.items()}

    async def close(self) -> None:
        """Close all connections."""
        for client in (*self._old, self._client):
            if client is not None:
                await client.close()


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
        self._dialects = {centre.name: self._dialect(centre) for centre in settings.centres}
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
        self.people = People(self.host, self.tasks, self.outbox, self.orders)
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
        self._take_calls(looks, callbacks)
        self.recovery = Recovery(
            self.host, self.orders, self.calls, self.ussd, self.voice, self.events, self.people
        )
        self.inbounds = Inbounds(self.host, self.ussd, self.sms, self.voice, self.outbox, self.events)
        self.stepper.lanes[Channel.EVENT] = self.events
        self.openers.by_name.update(ussd=self.ussd, sms=self.sms)
        self.ussd.is_stopped = self.outbox.unasked.is_stopped
        self.ussd.outreach.told += [self.starts.told, self.outbounds.told]
        self.people.step = self.stepper.step
        self.people.settle = self.calls.take_change
        self.events.people = self.people.order_changed
        self.outbounds.step = self.stepper.step
        self.events.outbound = self.outbounds.plan
        self.calls.resume = self.stepper.step
        self.calls.look_again = looks.again
        self.calls.changed = self.events.order_changed
        self.events.step = self.stepper.step
        self.recovery.step = self.stepper.step
        self.host.on_due = self.inbounds.due
        self.links: dict[str, Link] = {}
        self._captures: list[Capture] = []
        self.ussd_channels: dict[str, UssdChannel] = {}
        self.sms_channels: dict[str, SmsChannel] = {}
        run = self.clock.now()
        for centre in self.settings.centres:
            self._join(centre, marks, run)

    def _take_calls(self, looks: Looks, callbacks: Callbacks) -> None:
        """Join the lane of calls to what is around it; without `agi:` nobody listens."""
        voice, settings = self.voice, self.settings
        self.asterisks = Asterisks(settings.asterisk, self.clock.now, self.host.counters)
        self.agi: FastAgiServer | None = None
        self.speaker: Speaker | None = None
        self.people.line = voice.enqueue
        callbacks.arrival_of = voice.arrival_of
        voice.out.told += [self.starts.told, self.outbounds.told]
        if settings.agi is not None:
            self._listen_for_calls(settings.agi)
        if settings.asterisk:
            looks.line = self.asterisks.answer
            voice.queue_left = self.asterisks.queue_left
            voice.out.dialler = self.asterisks
            voice.out.number = settings.asterisk[0].number
            voice.out.ring_ms = settings.asterisk[0].ring_ms
            self.openers.by_name["voice"] = voice.out

    def _listen_for_calls(self, agi: AgiSettings) -> None:
        voice = self.voice
        recordings = self.root / "flows" / "sounds"
        cache = self.root / (agi.cache or self.settings.store.parent / "speech")
        program = None if agi.speech == "none" else installed("" if agi.speech == "any" else agi.speech)
        self.speaker = Speaker([recordings], Made(cache), program, lambda: self.clock.wall_ms() / 1000)
        voice.sounds = Sounds(self.speaker, ((recordings, agi.sounds), (cache, agi.made)))
        voice.recordings = agi.recordings
        voice.limit_ms = agi.limit_ms
        self.agi = FastAgiServer(
            agi.host,
            agi.port,
            voice.serve,
            clock=self.clock.now,
            peers=agi.peers,
            token=agi.token,
            deadline_s=(agi.limit_ms + 2 * GRACE_MS) / 1000,
            most=agi.calls,
            report=self._agi_reported,
        )

    def _agi_reported(self, event: str, path: str, error: BaseException | None) -> None:
        self.host.counters[f"agi.{event}"] += 1
        if error is not None:
            self._log.error("call_failed", path=path, kind=type(error).__name__, exc_info=error)

    def _join(self, centre: Centre, marks: bytes, run: int) -> None:
        dialect = self._dialects[centre.name]
        link = Link(centre.name, centre.link, self.inbounds.on_batch, self.clock.now, random.Random())  # noqa: S311 - jitter, no secret
        self.links[centre.name] = link
        if centre.capture is not None:
            link.tap = capture = Capture(self.root / centre.capture, centre.name, self.clock.now)
            self._captures.append(capture)
        if "ussd" in centre.carries:
            self.ussd_channels[centre.name] = UssdChannel(dialect, centre.name, key=marks)
            self.ussd.add(link, self.ussd_channels[centre.name])
        if "sms" in centre.carries:
            channel = self.sms_channels[centre.name] = SmsChannel(
                dialect.sms, centre.name, run=run, key=marks
            )
            self.sms.add(link, channel)
            self.outbox.add(link, channel, centre.numbers, centre.bulk)
        self.host.after_batch.append(link.flush)

    def _dialect(self, centre: Centre) -> Dialect:
        report = Report()
        flows = self.library.current
        ussd = flows.channels[Channel.USSD]
        dialect = load_dialect(self.root, centre, report, {}, ussd, flows.project.country)
        if dialect is None:
            first = report.diagnostics[0]
            raise StartError(f"{first.place}: {first.message}")
        return dialect

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
        self.contacts.load(now)
        self.sms.load(now, loaded.schedule)
        self.library.listeners.append(self._published)
        self.host.take(self._store_build, self.library)
        self.host.take(self.recovery.resume, None)
        self.outside.load(loaded.schedule)
        await self.host.idle()
        await self._serve_pages()
        await self._serve_calls()
        for link in self.links.values():
            link.start()
        self._tasks = [
            asyncio.create_task(self.library.watch()),
            asyncio.create_task(self.settling.watch()),
            asyncio.create_task(self._tend()),
            asyncio.create_task(self._pace()),
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

    async def _serve_calls(self) -> None:
        self.asterisks.start()
        if self.agi is None or self.settings.agi is None:
            return
        try:
            await self.agi.start()
        except OSError as error:
            where = Address(self.settings.agi.host, self.settings.agi.port)
            raise StartError(
                f"agi: cannot listen on {where} ({error.strerror or error}); "
                "correct agi: in config/gateway.yaml, or GUDOK_AGI__LISTEN"
            ) from error

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
        if self.speaker is not None:
            self.speaker.reread()
        library.drop_unused({one.flows.build for one in self.host.conversations.values()})

    def _store_build(self, batch: Batch, library: Library) -> None:
        """Sessions of this build could not be read after a restart without its sources: try until stored."""
        loop = asyncio.get_running_loop()
        batch.refuse(loop.call_later, RETRY_COMMIT_S, self.host.take, self._store_build, library)
        store_build(batch, library)

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

    async def _pace(self) -> None:
        """Ten times a second let go what is sent and begun at a pace."""
        while True:
            await asyncio.sleep(PACE_EVERY_S)
            try:
                self.outbox.pump_unasked()
                self.events.tend(self.clock.now())
            except Exception:
                # A fault of ours in one look must not end the looking.
                self._log.error("pace_fault", exc_info=True)

    async def _tend(self) -> None:
        """Once a second look after the disk, once a minute (or until it is gone) delete what is too old."""
        sweeper = Sweeper({Retention.DETAIL: self.settings.edr.keep_ms})
        since_sweep = 0.0
        while True:
            await asyncio.sleep(TEND_EVERY_S)
            since_sweep += TEND_EVERY_S
            try:
                self.store.tend(self.clock.now())
                self.outbox.tend()
                self.sms.tend(self.clock.now())
                self.events.tend(self.clock.now())
                self.people.tend(self.clock.now())
                self.starts.tend(self.clock.now())
                self.outbounds.tend(self.clock.now())
                self.suspended.tend(self.clock.now())
                self.voice.tend(self.clock.now())
                self.asterisks.tend(self.clock.now())
                if self.details is not None:
                    await self.details.tend()
                if since_sweep >= SWEEP_EVERY_S or self.store.behind:
                    since_sweep = 0.0
                    if self.speaker is not None:
                        await asyncio.to_thread(self.speaker.sweep)
                    batch = self.store.batch()
                    sweeper.plan(batch, self.clock.now())
                    self.store.commit(batch, lambda lost, error: None)
            except Exception:
                # A fault of ours in one look must not end the looking.
                self._log.error("tend_fault", exc_info=True)

    @property
    def bound(self) -> bool:
        """Tell whether all can leave that the settings carry: of centres that can do the same, one is enough.

        One for USSD, one for SMS from any number, and one for each number that is tied to centres of its own.
        """
        groups: dict[str, list[bool]] = {}
        for centre in self.settings.centres:
            bound = self.links[centre.name].bound
            if "ussd" in centre.carries:
                groups.setdefault("ussd", []).append(bound)
            if "sms" in centre.carries:
                for number in centre.numbers or ("",):
                    groups.setdefault(f"sms {number}", []).append(bound)
        return all(any(group) for group in groups.values())

    async def close(self) -> None:
        """Drain: start nothing new, let running calls end, unbind, store, close."""
        self.ready = False
        self.host.draining = True
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self.agi is not None:
            await self.agi.close(self.settings.drain_ms / 1000)
        await self.calls.drain(self.settings.drain_ms / 1000)
        await self.host.idle()
        await asyncio.gather(*(link.close() for link in self.links.values()))
        for capture in self._captures:
            capture.close()
        await self.host.idle()
        if self._web is not None:
            await self._web.close()
        await self.asterisks.close()
        if self.speaker is not None:
            await self.speaker.close()
        await self.settling.close()
        await self.calls.close()
        await self.host.idle()
        await self.backends.close()
        if self.details is not None:
            await self.details.tend()
        self.host.close()
        self.store.close()
        self._log.info("stopped", sessions=len(self.host.conversations))
