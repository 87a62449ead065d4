"""A gateway in a small world of its own, which can stop at every point where something becomes visible.

The store is a real file; link, centre, handset, billing and clock are simulated and deterministic. Every
commit, every response, every submit and every charge is a *point* with a number. At one chosen point the
world can kill the process (everything before stands, nothing after happens, another process starts over the
same file), refuse the commit, or cut the connection. A centre behaves as a centre does: what was not answered
with 0 comes again; an accepted submit gets its response; a dialog lives while its connection does.
"""

import asyncio
import functools
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engine.values import Value
from gateway import app, centre_link
from gateway.backends.operation import Operation
from gateway.backends.outcome import DONE, UNKNOWN, Outcome
from gateway.centre_settings import Centre
from gateway.host import call, host, recovery, settle, ussd_page
from gateway.settings import Settings
from gateway.store.batch import Group, StoreBatch
from gateway.store.sqlite import Done, SqliteStore
from smpp.event import Answered, BindDown, BindUp, Failed, InboundRow
from smpp.pdu.command import CommandId
from smpp.pdu.message import Sm, decode_sm, encode_sm_body
from smpp.pdu.tlv import first_tlv
from smpp.settings import LinkSettings, Secret
from smpp.text import decode_as

DELIVER, SUBMIT = int(CommandId.DELIVER_SM), int(CommandId.SUBMIT_SM)
OP, SESSION = 0x0501, 0x1383
SUBMIT_FAILED = 0x45
BEGIN, INPUT, ABORT, ASK, END = 1, 18, 129, 2, 17
PHONE = "79161234567"
START_MS = 1_795_000_000_000

PROJECT = """\
language: 1
languages: [ru]
country: RU
timezone: Europe/Moscow
ussd: { gsm7: 182, ucs2: 80, session: 180s, idle: 60s, reply: 10s, more: 9, back: 0, main: "00" }
sms: { from: "000500", reply: 24h, parts: 3 }
errors:
  ussd:
    end: Сервис временно недоступен.
  sms:
    end: Сервис временно недоступен.
"""
OPERATION = """\
    charge: yes
    once: 10m
    keys: 24h
    settle: repeat
    errors: { 402: low_balance }
"""
BACKENDS = f"""\
billing:
  url: http://127.0.0.1:1
  timeout: 3s
  buy:
    post: /subscribers/{{phone}}/buy
{OPERATION}  order:
    post: /subscribers/{{phone}}/order
{OPERATION}"""
BUY = """\
flow:
  title: Покупка
  ussd: "*7#"
  sms: "9290"

start:
  - switch: recent('billing.buy')
    cases:
      done:
        end: Куплено раньше.
      unknown: checking
      else:
  - request: billing.buy
    errors:
      low_balance:
        end: Не хватает средств.
      unknown: checking
  - end: Куплено.

checking:
  - end: Проверяем. Результат пришлём в SMS.
"""
ORDER = """\
flow:
  title: Заказ
  ussd: "*8#"

start:
  - menu: Заказать?
    1 Да: pay
    2 Нет:
      end: Хорошо.

pay:
  - request: billing.order
    errors:
      low_balance:
        end: Не хватает средств.
      unknown:
        end: Проверяем. Результат пришлём в SMS.
  - say: Заказано.
  - menu: Что ещё?
    1 Ничего:
      end: До свидания.
    2 Повторить:
      end: Один раз уже есть.
"""
SETTLED = """\
flow:
  title: Итог
  event: [billing.buy_settled, billing.order_settled]

start:
  - if: event.done
    then:
      sms: Подтверждаем, оплата прошла.
    else:
      sms: Деньги не списаны.
"""
DIALECT = """\
country: { code: 7, trunk: 8, digits: 10 }
ussd:
  answer: 10s
  idle: 60s
  total: 180s
"""
FILES = {
    "config/project.yaml": PROJECT,
    "config/backends.yaml": BACKENDS,
    "config/dialects/standard.yaml": DIALECT,
    "flows/buy.yaml": BUY,
    "flows/order.yaml": ORDER,
    "flows/settled.yaml": SETTLED,
}
TOLD = ("Куплено", "Заказано", "оплата прошла")
"""Any of these in a text tells the subscriber that the charge was made."""


class Clock:
    """Time that moves only when a test says so."""

    def __init__(self) -> None:
        self.ms = START_MS

    def now(self) -> int:
        return self.ms


@dataclass
class Delivery:
    """One message on its way to the gateway, kept by the centre until it is answered with 0."""

    body: bytes
    sequence: int = 0
    connection: int = 0
    status: int | None = None
    copies: int = 0


@dataclass
class World:
    """Everything outside the process. `kind` happens at point number `at` (0: never)."""

    root: Path
    kind: str = "kill"
    at: int = 0
    then: int = 0
    """A second point at which it happens."""
    replies: list[str] = field(default_factory=list)
    """How the billing answers its next requests: `done`, `lost` (carried out, no answer), `refused`."""
    keys: dict[str, str] = field(default_factory=dict)
    """Answers to the menus of the gateway: text on the screen -> what is typed."""
    points: int = 0
    happened: str = ""
    dead: bool = False
    clock: Clock = field(default_factory=Clock)
    deliveries: list[Delivery] = field(default_factory=list)
    charges: dict[str, tuple[str, str]] = field(default_factory=dict)
    screens: list[str] = field(default_factory=list)
    inbox: list[str] = field(default_factory=list)
    dialog: int = 0
    """The number of the dialog that is open in the network, 0 for none."""
    dialogs: int = 0
    unit: int = 0
    connection: int = 1
    sequence: int = 0
    waiting: list[tuple[Any, int, bytes, int | None]] = field(default_factory=list)
    cut: bool = False
    line: Any = None
    accepted: int = 0
    failing: int = 0
    """So many commits fail next, wherever they are."""
    first: float = 1
    """Seconds that pass at once when everything has been said: a deadline may find its process gone."""
    eager: bool = False
    """The handset shows a page, and answers it, before the centre answers the submit (rule 5)."""

    def point(self, name: str) -> bool:
        """Pass a point; True if the process is still there after it."""
        if self.dead:
            return False
        self.points += 1
        if self.points in (self.at, self.then):
            self.happened += f"{self.kind} at {name}; "
            if self.kind == "kill":
                self.dead = True
            elif self.kind == "cut":
                self.cut = True
        return not self.dead

    def fails(self) -> bool:
        """Tell whether the commit at this point is to fail."""
        return self.kind == "fail" and self.points in (self.at, self.then)

    # The handset

    def dial(self, code: str) -> None:
        """Begin a dialog: the network has one per handset."""
        self.dialogs += 1
        self.dialog = self.dialogs
        self.unit = 0
        self.say(BEGIN, code)

    def say(self, op: int, text: str, *, last: bool = False) -> None:
        """Send one unit of the dialog; with `last` the network closes it."""
        octets = bytes((self.dialog, self.unit << 1 | last))
        self.unit += 1
        sm = Sm(
            service_type=b"USSD",
            source_ton=1,
            source_npi=1,
            source=PHONE.encode(),
            dest_npi=1,
            dest=b"7",
            short_message=text.encode(),
            tlvs=((OP, bytes((op,))), (SESSION, octets)),
        )
        self.deliveries.append(Delivery(encode_sm_body(sm)))

    def hang_up(self) -> None:
        """Leave the dialog; the network tells the gateway."""
        if self.dialog:
            self.say(ABORT, "")
            self.dialog = 0

    def sms(self, text: bytes, to: str = "9290", **fields: Any) -> None:
        """Send a message to a short code."""
        sm = Sm(
            source_ton=1,
            source_npi=1,
            source=PHONE.encode(),
            dest=to.encode(),
            short_message=text,
            **fields,
        )
        self.deliveries.append(Delivery(encode_sm_body(sm)))

    def take(self, body: bytes) -> int:
        """What the centre does with a submit_sm; returns the status of its response."""
        sm = decode_sm(body, 1, SUBMIT)
        text = decode_as("ucs2" if sm.data_coding == 8 else "gsm7", sm.payload)
        op = first_tlv(sm.tlvs, OP)
        if op is None:
            self.inbox.append(text)
            return 0
        session = first_tlv(sm.tlvs, SESSION)
        if not self.dialog or session is None or session[0] != self.dialog:
            return SUBMIT_FAILED
        self.screens.append(text)
        if op[0] != ASK:
            self.dialog = 0
            return 0
        for shown, typed in self.keys.items():
            if shown in text:
                if typed == "hang up":
                    self.hang_up()
                else:
                    self.say(INPUT, typed)
        return 0

    # The centre

    def deliver(self) -> bool:
        """Hand over what is not answered yet on this connection; True if there was something."""
        some = False
        for one in self.deliveries:
            if one.status == 0 or (one.connection == self.connection and one.status is None):
                continue
            self.sequence += 1
            one.sequence, one.connection, one.status = self.sequence, self.connection, None
            one.copies += 1
            assert one.copies < 50, "the gateway never takes this message"
            some = True
            event = InboundRow(0, self.connection, DELIVER, [one.sequence], [one.body])
            self.line.on_batch(self.line, [event])
        return some

    def confirm(self) -> bool:
        """Answer the submits that have come; True if there were any."""
        waiting, self.waiting = self.waiting, []
        for token, connection, body, taken in waiting:
            status = self.take(body) if taken is None else taken
            self.accepted += 1
            name = b"" if status else b"%d" % self.accepted
            self.line.on_batch(self.line, [Answered(token, status, name, 0, connection)])
        return bool(waiting)

    def reconnect(self) -> None:
        """The connection has broken: dialogs and unanswered submits of it are lost, then a new one stands."""
        self.cut = False
        lost, self.waiting = self.waiting, []
        before = self.connection
        self.connection += 1
        self.dialog = 0
        failed = [Failed(token, "closed") for token, *_ in lost]
        self.line.on_batch(self.line, [*failed, BindDown(0, before, "closed")])
        self.line.on_batch(self.line, [BindUp(0, self.connection)])


class Line:
    """Stands for `smpp.links.Link`."""

    def __init__(
        self,
        world: World,
        name: str,
        _settings: LinkSettings,
        on_batch: Any,
        _clock: Any,
        _rng: random.Random,
    ) -> None:
        self.world = world
        self.name = name
        self.on_batch = on_batch
        self.bound = True

    def start(self) -> None: ...

    def flush(self) -> None: ...

    def hand_back(self) -> None: ...

    @property
    def rate(self) -> float | None:
        return None

    def spare(self) -> tuple[int, int]:
        return 1_000, 1_000

    async def close(self) -> None: ...

    def respond(self, _bind: int, connection: int, sequence: int, status: int = 0) -> None:
        world = self.world
        if not world.point(f"response {status:#x}"):
            return
        for one in world.deliveries:
            if (one.connection, one.sequence) == (connection, sequence) and connection == world.connection:
                one.status = status

    def submit(
        self,
        body: bytes,
        token: object,
        *,
        prefer: tuple[int, int] | None = None,
        sticky: bool = False,
        **_: Any,
    ) -> bool:
        world = self.world
        if not world.point("submit"):
            return True
        if sticky and prefer != (0, world.connection):
            return False
        world.waiting.append((token, world.connection, body, world.take(body) if world.eager else None))
        return True

    def accept_all(self, bind: int, connection: int, sequences: Any) -> None:
        for sequence in sequences:
            self.respond(bind, connection, sequence, 0)

    def submit_pages(self, pages: Any) -> list[object]:
        return [
            token
            for body, token, prefer, subscriber in pages
            if not self.submit(body, token, prefer=prefer, sticky=True, subscriber=subscriber, urgent=True)
        ]


class Billing:
    """Stands for the gateway's `Backends`: a back end that honours keys, with a ledger of its own."""

    def __init__(self, world: World) -> None:
        self.world = world

    def use(self, operations: Mapping[str, Operation]) -> None: ...

    def states(self) -> Mapping[str, str]:
        return {}

    async def close(self) -> None: ...

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
        world = self.world
        assert key is not None
        if not world.point("request"):
            await asyncio.Event().wait()
        await asyncio.sleep(0)
        reply = world.replies.pop(0) if world.replies else "done"
        if reply != "refused":
            world.charges.setdefault(key, (operation.name, phone))
        if not world.point("charge"):
            await asyncio.Event().wait()
        await asyncio.sleep(0)
        return {"done": Outcome(DONE), "lost": Outcome(UNKNOWN), "refused": Outcome("low_balance")}[reply]


class Store(SqliteStore):
    """The real store, which commits at once and reports on the loop, so that every run is the same."""

    world: World

    def commit(self, batch: StoreBatch, done: Done) -> None:
        world = self.world
        if not world.point("commit"):
            return
        loop = asyncio.get_running_loop()
        failing, world.failing = world.failing, max(0, world.failing - 1)
        if failing or world.fails():
            for group in batch.groups:
                group.end(stored=False)
            loop.call_soon(done, [], OSError("the disk is gone"))
            return
        lost = self.commit_now(batch)
        loop.call_soon(self._stored, done, lost)

    def _stored(self, done: Done, lost: list[Group]) -> None:
        if self.world.point("committed"):
            done(lost, None)


class Simulation:
    """Runs gateways over one world until nothing is left to happen."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = world
        self.gateway: app.Gateway
        self.starts = 0
        monkeypatch.setattr(centre_link, "Link", functools.partial(Line, world))
        monkeypatch.setattr(app, "Backends", lambda _environment, _clock: Billing(world))
        monkeypatch.setattr(app, "SqliteStore", self._store)
        for module in (app, call, recovery, settle, ussd_page):
            monkeypatch.setattr(module, "RETRY_COMMIT_S", 0.0)
        monkeypatch.setattr(host, "DUE_AGAIN_S", 0.0)

    def _store(self, path: Path, sealer: Any) -> SqliteStore:
        store = Store(path, sealer, reserve_size=4096)
        store.world = self.world
        return store

    async def start(self) -> None:
        """Start a process over the store."""
        world = self.world
        world.dead = False
        link = LinkSettings("127.0.0.1", 1, "gudok", Secret("secret"))
        settings = Settings(drain_ms=0, centres=(Centre("main", link),))
        self.gateway = app.Gateway(world.root, settings, {}, world.clock, web=False)
        self.starts += 1
        world.line = self.gateway.links["main"]
        starting = asyncio.ensure_future(self.gateway.start())
        while not starting.done() and not world.dead:  # noqa: ASYNC110 - a dead process sets no event
            await asyncio.sleep(0)
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        if not starting.cancelled():
            starting.result()
        for task in self.gateway._tasks:
            task.cancel()
        await asyncio.gather(*self.gateway._tasks, return_exceptions=True)

    async def stop(self) -> None:
        """End the process, alive or dead; nothing of it reaches the world any more."""
        gateway, world = self.gateway, self.world
        world.dead = True
        for tasks in (gateway.calls._tasks, gateway.settling._tasks):
            for task in list(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        gateway.host.close()
        gateway.store.close()

    async def _again(self) -> None:
        """The process has died: the next one finds the store as it was left."""
        await self.stop()
        self.world.connection += 1
        self.world.waiting = []
        await self.start()

    async def settle(self) -> None:
        """Let everything happen that can happen without time passing."""
        world = self.world
        quiet = 0
        while quiet < 12:
            await asyncio.sleep(0)
            if world.dead:
                await self._again()
                quiet = 0
                continue
            if world.cut:
                world.reconnect()
                quiet = 0
                continue
            busy = self.gateway.host._busy or bool(self.gateway.host._pending)
            if busy or world.deliver() or ((quiet > 6 or not world.eager) and world.confirm()):
                quiet = 0
            else:
                quiet += 1

    async def pass_time(self, *seconds: float) -> None:
        """Move the clock on, step by step, and let everything due happen."""
        for step in seconds:
            self.world.clock.ms += int(step * 1000)
            gateway = self.gateway
            now = self.world.clock.now()
            gateway.host.on_time()
            gateway.settling.look()
            gateway.tend(now)
            await self.settle()
            gateway.pace(now)
            await self.settle()

    async def to_the_end(self, first: float = 1) -> None:
        """Let all deadlines of dialogs, settlements and parts pass."""
        await self.settle()
        await self.pass_time(first, 1, 3, 6, 6, 12, 24, 48, 60, 60, 120, 3_600, 7_200)


@asynccontextmanager
async def simulated(
    root: Path, monkeypatch: pytest.MonkeyPatch, files: Mapping[str, str] | None = None
) -> AsyncIterator[Simulation]:
    """Open a simulation whose process runs, and end it."""
    lay_out(root, {**FILES, **(files or {})})
    simulation = Simulation(World(root), monkeypatch)
    await simulation.start()
    try:
        yield simulation
    finally:
        await simulation.stop()


def lay_out(root: Path, files: Mapping[str, str] = FILES) -> None:
    """Write the project."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def audit(simulation: Simulation, *, charged: int | None = None, hung_up: bool = False) -> None:
    """Compare the ledgers of billing, store and handset, whatever happened in between."""
    world, gateway = simulation.world, simulation.gateway
    told = [text for text in (*world.screens, *world.inbox) if any(sign in text for sign in TOLD)]
    effects = sorted(world.charges.values())
    assert len(set(effects)) == len(effects), f"charged twice: {effects}"
    if charged is not None:
        assert len(effects) == charged, f"{effects} are not {charged} charges"
    seen = f"screens {world.screens}, SMS {world.inbox}"
    assert bool(told) == bool(effects), f"charges {effects}, but {seen}"
    assert not any("не списаны" in text for text in world.inbox) or not effects, seen
    assert all(one.status == 0 for one in world.deliveries), "a message was never taken"
    assert gateway.host.counters["faults"] == 0
    assert gateway.recovery.lost == 0
    assert gateway.host.counters["sms_incomplete"] == 0, "a part that was taken already came as a message"
    rows = gateway.store._read.execute("SELECT operation, state FROM ledger WHERE open = 1").fetchall()
    assert not rows, f"orders are still open: {rows}"
    left = [(one.key[:2], one.session.waiting, one.closing) for one in gateway.host.conversations.values()]
    assert not left, f"sessions are left over: {left}"
    stored = gateway.store.load(gateway.clock.now()).sessions
    assert not stored, "sessions are left over in the store"
