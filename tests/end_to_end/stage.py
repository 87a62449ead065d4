"""The whole chain in one process: a test centre, the gateway over a copy of the shipped project, the billing.

A stage has real sockets and real PDUs, a store on disk, and a clock that runs on but can be moved forward.
Nothing here sleeps: what a test waits for is awaited at the centre, at the billing or at the gateway.
"""

import asyncio
import io
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import structlog

from gateway import log
from gateway.app import Gateway
from gateway.call_settings import AgiSettings, AsteriskSettings
from gateway.centre_settings import Centre as CentreSettings
from gateway.clock import HostClock
from gateway.demo.billing import Fault, Running, start
from gateway.demo.billing.book import Change
from gateway.demo.billing.subscriber import Movement, Subscriber
from gateway.demo.project import addresses
from gateway.settings import EventSettings, Settings
from smpp.settings import LinkSettings, Secret, Timers
from smpp.testing.centre import Centre
from smpp.testing.ledger import Delivery

REPOSITORY = Path(__file__).parents[2]
RICH = "79160000001"
POOR = "79160000002"

DONE = "Пакет обновлён, списано 490 ₽. Остатки сохранены на месяц."
ALREADY = "Пакет уже обновлён. Остатки сохранены на месяц."
CHECKING = "Проверяем обновление. Результат пришлём в SMS."
UNAVAILABLE = "Сервис временно недоступен. Повторите позже."
FAREWELL = "Сеанс завершён. Наберите номер ещё раз."
PATIENT = {"config/backends.yaml": {"timeout: 3s": "timeout: 9s", "timeout: 1s": "timeout: 9s"}}
"""Where a test is not about time: a machine that is busy with other tests is no fault of the billing."""
REFRESH_KINDS = ("refresh_fee", "refresh_paid_at_night")


class JumpClock(HostClock):
    """The gateway's clock, which a test can move forward."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead_ms = 0

    def now(self) -> int:
        return super().now() + self.ahead_ms


def lay_out(
    root: Path, files: Mapping[str, str] | None = None, changes: Mapping[str, Mapping[str, str]] | None = None
) -> None:
    """Copy the shipped project to `root`, add files, and change texts in its files (old -> new)."""
    for folder in ("flows", "config"):
        shutil.copytree(REPOSITORY / folder, root / folder, ignore=shutil.ignore_patterns("*.test.yaml"))
    for name, pairs in (changes or {}).items():
        path = root / name
        text = path.read_text(encoding="utf-8")
        for old, new in pairs.items():
            assert old in text, f"{name} does not say {old!r}"
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")
    for name, text in (files or {}).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


class Stage:
    """One gateway between its two sides. `logs` is everything that it has logged.

    `again` is how many events the present gateway was sent that it had taken before.
    """

    def __init__(
        self,
        root: Path,
        centre: Centre,
        billing: Running,
        link: LinkSettings,
        speaks: str = "standard",
        events: EventSettings | None = None,
        agi: AgiSettings | None = None,
        asterisk: tuple[AsteriskSettings, ...] = (),
    ) -> None:
        self.root = root
        self.centre = centre
        self.billing = billing
        self.link = link
        self.clock = JumpClock()
        self.logs = io.StringIO()
        self.again = 0
        centres = (CentreSettings("main", link, speaks),)
        self.settings = Settings(
            http_port=0, drain_ms=2_000, centres=centres, events=events, agi=agi, asterisk=asterisk
        )
        self.gateway = self.make()

    # The gateway

    def make(self) -> Gateway:
        """Make the gateway over the project; it is not started yet."""
        environment = addresses(self.root, {}, self.billing.url)
        return Gateway(
            self.root, self.settings, environment, self.clock, web=self.settings.events is not None
        )

    async def start(self) -> None:
        """Start the gateway and wait until it is bound."""
        before = self.centre.ledger.counters["binds"]
        await self.gateway.start()
        await self.bound(before + 1)

    async def bound(self, times: int) -> None:
        """Wait until the gateway was bound so many times in all, and knows it."""
        await self.centre.wait_for(
            lambda: self.centre.ledger.counters["binds"] >= times, what=f"bind number {times}"
        )
        await self.centre.wait_for(lambda: self.gateway.bound, what="the gateway's own view of its bind")

    async def restart(self) -> None:
        """Close the gateway and start another one over the same store."""
        await self.gateway.close()
        self.gateway = self.make()
        await self.start()

    def counted(self, name: str) -> int:
        """Return a counter of the gateway's host."""
        return self.gateway.host.counters[name]

    def sms_counted(self, name: str) -> int:
        """Return a counter of the SMS channel."""
        channel = self.gateway.sms.channel(self.gateway.links["main"])
        assert channel is not None
        return channel.counts[name]

    def jump(self, ms: int) -> None:
        """Move the gateway's clock on and let it notice."""
        self.clock.ahead_ms += ms
        self.gateway.host.on_time()

    async def until(self, predicate: Callable[[], bool], what: str, limit_s: float = 10.0) -> None:
        """Wait for something that becomes true through what the gateway or the billing does."""
        async with asyncio.timeout(limit_s):
            while not predicate():
                await self.gateway.host.idle()
                await asyncio.sleep(0.002)
        assert predicate(), what

    async def quiet(self, limit_s: float = 10.0) -> None:
        """Wait until nothing is under way: no call, no commit, no message without its final state."""
        host, calls, outbox = self.gateway.host, self.gateway.calls, self.gateway.outbox
        await self.until(lambda: not calls._tasks and not len(outbox), "the end of all calls", limit_s)
        await host.idle()

    # The billing

    def person(self, phone: str, balance: str = "1500.00", **fields: Any) -> Subscriber:
        """Put a subscriber into the books: like the demo's rich one, but for what is given."""
        book = self.billing.desk.book
        money = Decimal(balance)
        one = msgspec.structs.replace(
            book.subscribers[RICH], phone=phone, persona="", balance=money, card=False, **fields
        )
        opening = Movement(
            at=self.billing.desk.clock.now(), phone=phone, kind="opening", amount=money, balance=money
        )
        book.write(Change(subscribers={phone: one}, movements=[opening]))
        return one

    def pay(self, phone: str, amount: str) -> None:
        """Top a balance up at the counter."""
        book = self.billing.desk.book
        one = book.subscribers[phone]
        money = Decimal(amount)
        balance = one.balance + money
        line = Movement(
            at=self.billing.desk.clock.now(), phone=phone, kind="payment", amount=money, balance=balance
        )
        book.write(
            Change(subscribers={phone: msgspec.structs.replace(one, balance=balance)}, movements=[line])
        )

    def charges(self, phone: str = "", kinds: tuple[str, ...] = REFRESH_KINDS) -> list[Movement]:
        """Return the renewals that the billing's ledger holds."""
        return [
            line for _, line in self.billing.desk.book.movements(phone=phone, kinds=kinds, limit=1_000_000)
        ]

    def fault(self, **fields: Any) -> int:
        """Have the billing misbehave."""
        return self.billing.board.add(Fault(**fields))

    def asked(self, operation: str) -> int:
        """Return how often the billing was asked for an operation, whatever it answered."""
        return sum(n for (name, _), n in self.billing.desk.counts.items() if name == operation)

    # The ledgers

    def audit(self) -> None:
        """Compare the ledgers of billing, gateway and centre; every test ends with it."""
        book = self.billing.desk.book
        totals = book.totals()
        wrong = [p for p, one in book.subscribers.items() if totals[p][0] != int(one.balance * 100)]
        assert not wrong, f"balances differ from their ledgers: {wrong}"
        keys = Counter(line.key for line in self.charges() if line.key)
        assert all(n == 1 for n in keys.values()), f"one key, several charges: {keys}"
        known = {key for (key,) in self.gateway.store._read.execute("SELECT key FROM ledger")}
        stray = set(keys) - known
        assert not stray, f"charges of which the gateway has no order: {stray}"
        assert self.counted("faults") == 0, self.logs.getvalue()
        assert self.counted("lost_groups") == self.again
        assert not self.owed(), f"deliveries that the gateway never answered: {self.owed()}"

    def owed(self) -> list[Delivery]:
        """Return the deliveries that the gateway still has to answer."""
        return [
            one
            for one in self.centre.ledger.delivered
            if one.status is None and (one.dialog is None or one.dialog.open)
        ]

    def inbox(self, phone: str) -> list[str]:
        """Return the texts of all SMS that a handset has received, oldest first."""
        return [message.text for message in self.centre.messages(phone)]


@asynccontextmanager
async def gateway_at(root: Path, port: int) -> AsyncIterator[tuple[Gateway, Running]]:
    """Open a gateway that binds to somebody else's centre on `port`; with it the billing behind it."""
    lay_out(root, changes=PATIENT)
    billing = await start(root / "billing" / "billing.db")
    link = LinkSettings("127.0.0.1", port, "gudok", Secret("secret"), reconnect_first_ms=50)
    settings = Settings(http_port=0, drain_ms=2_000, centres=(CentreSettings("main", link),))
    gateway = Gateway(root, settings, addresses(root, {}, billing.url), web=False)
    try:
        await gateway.start()
        yield gateway, billing
        assert gateway.host.counters["faults"] == 0
    finally:
        await gateway.close()
        await billing.close()


@asynccontextmanager
async def staged(
    root: Path,
    *,
    files: Mapping[str, str] | None = None,
    changes: Mapping[str, Mapping[str, str]] | None = None,
    link: Mapping[str, Any] | None = None,
    audit: bool = True,
    speaks: str = "standard",
    events: EventSettings | None = None,
    centre: Centre | None = None,
    agi: AgiSettings | None = None,
    asterisk: tuple[AsteriskSettings, ...] = (),
    **centre_options: Any,
) -> AsyncIterator[Stage]:
    """Open a stage over a copy of the project in `root`; at the end the ledgers are compared.

    `speaks` is the dialect that the gateway expects of the centre; with `events` it serves its pages too,
    with `agi` it takes calls. `centre` is one that is not started yet, in place of one with `centre_options`.
    """
    lay_out(root, files, {**PATIENT, **(changes or {})})
    billing = await start(root / "billing" / "billing.db")
    centre = centre or Centre(**centre_options)
    await centre.start()
    given: dict[str, Any] = {
        "window": 100,
        "reconnect_first_ms": 50,
        "timers": Timers(response_ms=5_000, unbind_pending_ms=500, unbind_answer_ms=500),
        **(link or {}),
    }
    settings = LinkSettings("127.0.0.1", centre.port, "gudok", Secret("secret"), **given)
    stage: Stage | None = None
    try:
        stage = Stage(root, centre, billing, settings, speaks, events, agi, asterisk)
        log.configure(level="debug", as_json=True, stream=stage.logs)
        await stage.start()
        yield stage
        await stage.gateway.host.idle()
        if audit:
            with suppress(TimeoutError):
                await stage.until(lambda: not stage.owed(), "an answer to every delivery", 3.0)
            stage.audit()
    finally:
        if stage is not None:
            await stage.gateway.close()
        await centre.stop()
        await billing.close()
        structlog.reset_defaults()
