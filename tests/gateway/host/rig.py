"""A gateway on paper: a link that notes what leaves, a back end that answers when told, a hand clock."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engine.values import Value
from gateway import centre_link
from gateway.app import Gateway
from gateway.backends.outcome import Outcome
from gateway.centre_settings import Centre
from gateway.clock import HandClock
from gateway.settings import Settings
from gateway.store import writer
from smpp.event import Answered, BindUp, Failed, InboundRow, LinkEvent
from smpp.pdu.message import Sm, decode_sm, encode_sm_body
from smpp.segments import split
from smpp.settings import LinkSettings, Secret
from smpp.testing.dialect import PSSR_INDICATION, STANDARD, USSR_CONFIRM
from smpp.text import decode

PHONE = "79161234567"
BIND = (0, 5_000)
PROJECT = """\
language: 1
languages: [ru]
country: RU
timezone: Europe/Moscow
ussd: { gsm7: 182, ucs2: 80, session: 180s, idle: 60s, reply: 10s, more: 9, back: 0, main: "00", late: Позже }
sms: { from: "000500", reply: 24h, parts: 3 }
errors:
  ussd:
    end: Сервис недоступен.
  sms:
    end: Сервис недоступен.
memory:
  tried: 24h
"""
BACKENDS = """\
shop:
  url: http://127.0.0.1:1
  timeout: 3s
  look:
    get: /look
    returns: { price: money }
  buy:
    post: /buy
    takes: { item: text }
    charge: yes
    once: 10m
    keys: 24h
    settle: repeat
"""
BUY = """\
flow:
  title: Покупка
  ussd: "*1#"
  sms: "1"

start:
  - remember: tried
  - request: shop.buy
    with: { item: "'a'" }
    errors:
      unknown:
        end: Проверяем.
  - end: Куплено.
"""
SETTLED = """\
flow:
  title: Итог
  event: shop.buy_settled

start:
  - sms: Итог известен.
"""
ASK = """\
flow:
  title: Вопросы
  ussd: "*2#"
  sms: "2"

start:
  - ask: Первый?
    save: a
  - ask: Второй?
    save: b
  - end: "{{ a }} {{ b }}"
"""
LONG = f"""\
flow:
  title: Длинно
  sms: "3"

start:
  - end: {"Длинный ответ. " * 10}
"""
LOOK = """\
flow:
  title: Цена
  ussd: "*4#"

start:
  - request: shop.look
    save: s
  - end: "{{ s.price|money }}"
"""
FILES = {
    "config/project.yaml": PROJECT,
    "config/backends.yaml": BACKENDS,
    "config/dialects/standard.yaml": "country: { code: 7, trunk: 8, digits: 10 }\n",
    "flows/buy.yaml": BUY,
    "flows/settled.yaml": SETTLED,
    "flows/ask.yaml": ASK,
    "flows/long.yaml": LONG,
    "flows/look.yaml": LOOK,
}


@dataclass
class Page:
    """Something that was submitted."""

    sm: Sm
    token: object
    sticky: bool

    @property
    def text(self) -> str:
        return decode(self.sm.data_coding, self.sm.payload)


class PaperLink:
    """Stands for `smpp.links.Link`: notes what leaves, and says no when it is told to be down."""

    def __init__(self, name: str, settings: LinkSettings, on_batch: Any, clock: Any, rng: Any) -> None:
        self.name = name
        self.settings = settings
        self.on_batch = on_batch
        self.up = True
        self.responses: list[tuple[int, int]] = []
        self.pages: list[Page] = []
        self.flushed = 0
        self._sequence = 0

    @property
    def bound(self) -> bool:
        return self.up

    def start(self) -> None:
        """Nothing to do."""

    async def close(self, drain_s: float = 5.0) -> None:
        """Nothing to do."""

    def flush(self) -> None:
        self.flushed += 1

    def hand_back(self) -> None:
        """Nothing ever waits on paper."""

    @property
    def rate(self) -> float | None:
        return None

    def spare(self) -> tuple[int, int]:
        return 1_000, 1_000

    def respond(
        self, bind: int, connection: int, sequence: int, status: int = 0, encoded: Any = None
    ) -> None:
        self.responses.append((sequence, status))

    def submit(
        self,
        body: bytes,
        token: object,
        *,
        prefer: Any = None,
        sticky: bool = False,
        subscriber: bytes = b"",
        urgent: bool = False,
    ) -> bool:
        if not self.up or (sticky and prefer != BIND):
            return False
        self.pages.append(Page(decode_sm(body, 0, 4), token, sticky))
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

    def bring(self, *sms: Sm) -> list[int]:
        """Deliver messages in one read; returns their sequence numbers."""
        sequences = [self._sequence + 1 + number for number in range(len(sms))]
        self._sequence += len(sms)
        self.on_batch(self, [InboundRow(*BIND, 5, sequences, [encode_sm_body(one) for one in sms])])
        return sequences

    def tell(self, *events: LinkEvent) -> None:
        self.on_batch(self, events)

    def accept(self, page: Page, status: int = 0, message_id: bytes = b"id") -> None:
        self.tell(Answered(page.token, status, message_id if not status else b"", *BIND))

    def lose(self, page: Page, reason: str) -> None:
        self.tell(Failed(page.token, reason))


@dataclass
class PaperBackend:
    """Stands for the HTTP client: calls wait until the test answers them."""

    calls: list[tuple[str, str | None, asyncio.Future[Outcome]]] = field(default_factory=list)

    async def call(self, operation: Any, arguments: Mapping[str, Value], **given: Any) -> Outcome:
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.calls.append((operation.name, given["key"], future))
        return await future

    def use(self, operations: Any) -> None:
        """Any operation will do."""

    def states(self) -> Mapping[str, str]:
        return {}

    async def close(self) -> None:
        """Nothing to do."""


@dataclass
class Rig:
    """A gateway on paper."""

    gateway: Gateway
    links: Sequence[PaperLink]
    backend: PaperBackend
    clock: HandClock

    @property
    def link(self) -> PaperLink:
        return self.links[0]

    @property
    def texts(self) -> list[str]:
        """Everything that was submitted, as texts."""
        return [page.text for page in self.link.pages]

    @property
    def statuses(self) -> list[int]:
        """The answers to all messages, in order."""
        return [status for _, status in sorted(self.link.responses)]

    async def idle(self) -> None:
        """Wait until the host has done everything it can do now."""
        for _ in range(5):
            await self.gateway.host.idle()
            await asyncio.sleep(0)

    async def dial(self, code: str, phone: str = PHONE, session: int = 1) -> None:
        self.link.bring(STANDARD.ussd(PSSR_INDICATION, phone, code.strip("*#"), code, session, 0))
        await self.idle()

    async def type(self, text: str, unit: int, phone: str = PHONE, session: int = 1, code: str = "2") -> None:
        self.link.bring(STANDARD.ussd(USSR_CONFIRM, phone, code, text, session, unit))
        await self.idle()

    async def write(self, text: str, to: str, phone: str = PHONE) -> None:
        self.link.bring(*sms(text, to, phone))
        await self.idle()

    async def reply(self, name: str, value: Value = None, number: int = -1) -> None:
        """Answer a call of the back end."""
        self.backend.calls[number][2].set_result(Outcome(name, value))
        await self.idle()

    def jump(self, ms: int) -> None:
        self.clock.advance(ms)
        self.gateway.host.on_time()

    @property
    def waiting(self) -> list[str]:
        """What the live sessions wait for."""
        return [one.session.waiting.value for one in self.gateway.host.conversations.values()]


def sms(text: str, to: str, phone: str = PHONE) -> list[Sm]:
    """Return the messages that a handset makes of a text."""
    return [
        Sm(
            source_ton=1,
            source_npi=1,
            source=phone.encode(),
            dest=to.encode(),
            esm_class=part.esm_class,
            data_coding=part.data_coding,
            short_message=part.short_message,
        )
        for part in split(text, "udh8", 9)
    ]


def lay_out(root: Path) -> None:
    """Write the project."""
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@asynccontextmanager
async def rigged(root: Path, monkeypatch: pytest.MonkeyPatch, *centres: Centre) -> AsyncIterator[Rig]:
    """Start a gateway on paper over the project in `root`, laid out if it is not there."""
    if not (root / "flows").exists():
        lay_out(root)
    monkeypatch.setattr(centre_link, "Link", PaperLink)
    settings = Settings(
        centres=centres or (Centre("main", LinkSettings("127.0.0.1", 1, "gudok", Secret("x"))),), drain_ms=200
    )
    clock = HandClock()
    gateway = Gateway(root, settings, {}, clock, web=False)
    backend = PaperBackend()
    gateway.calls._backend = gateway.settling._backend = backend
    gateway.backends = backend  # type: ignore[assignment]
    links = [link for link in gateway.links.values() if isinstance(link, PaperLink)]
    rig = Rig(gateway, links, backend, clock)
    await gateway.start()
    for link in links:
        link.tell(BindUp(*BIND))
    try:
        yield rig
    finally:
        await gateway.close()


@contextmanager
def failing(code: int = sqlite3.SQLITE_IOERR) -> Iterator[None]:
    """Let every commit fail."""
    real = writer.commit

    def commit(connection: sqlite3.Connection, flight: writer.Flight) -> None:
        flight.error = sqlite3.OperationalError("disk I/O error")
        flight.error.sqlite_errorcode = code
        flight.finished.set()

    writer.commit = commit
    try:
        yield
    finally:
        writer.commit = real
