"""Two gateways, the billing and a real Asterisk: each of them a process of its own.

Both gateways have the same flows and recordings. A store belongs to one process, so each has a store of its
own, and the second one must not charge: it cannot know what the first one has charged. The centre stays in
this process; the ledger of the billing is asked for over its own wire.
"""

from __future__ import annotations

import asyncio
import re
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from engine.session import Session
from gateway.demo.billing.book import Change
from gateway.demo.billing.clock import Clock
from gateway.demo.billing.desk import Desk
from gateway.demo.billing.subscriber import Movement
from gateway.host.conversation import read_record
from gateway.host.voice_call import KEY
from gateway.store.trail import Trail
from smpp.testing.centre import Centre
from tests.asterisk.place import SECRET, TOKEN, Place
from tests.asterisk.recording import Recordings, shown
from tests.asterisk.server import Asterisk
from tests.end_to_end.child import Child
from tests.end_to_end.stage import PATIENT, REFRESH_KINDS, REPOSITORY, RICH, lay_out

REFRESH = "billing.refresh_package"
STARTS_S = 30.0
ENTERED = re.compile(r'^gudok_calls_total\{what="entered"\} ([\d.e+]+)$', re.MULTILINE)
AWAY = re.compile(r"^gudok_calls_away ([\d.e+]+)$", re.MULTILINE)


class Billing:
    """The demo billing as a process; its books are filled before it starts."""

    def __init__(self, folder: Path) -> None:
        self._data = folder / "billing.db"
        self._log = folder / "billing.log"
        self._process: asyncio.subprocess.Process | None = None
        self._client: aiohttp.ClientSession | None = None
        self.url = ""
        folder.mkdir(parents=True)

    def write(self, phones: Iterable[str], premium: Iterable[str] = ()) -> None:
        """Write subscribers with money into the books: for the first start only."""
        desk = Desk(self._data, Clock())
        classes = {**dict.fromkeys(phones, "mass"), **dict.fromkeys(premium, "premium")}
        like, at = desk.book.subscribers[RICH], desk.clock.now()
        change = Change()
        for phone, segment in classes.items():
            one = msgspec.structs.replace(like, phone=phone, persona="", card=False, segment=segment)
            change.subscribers[phone] = one
            change.movements.append(
                Movement(at=at, phone=phone, kind="opening", amount=one.balance, balance=one.balance)
            )
        desk.book.write(change)
        desk.book.close()

    async def start(self) -> None:
        """Start it and wait until it listens."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "gateway.demo.billing", "--port", "0", "--data", str(self._data)),
                cwd=REPOSITORY,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        assert self._process.stdout is not None
        async with asyncio.timeout(STARTS_S):
            said = (await self._process.stdout.readline()).decode()
        found = re.search(r"http://\S+?(?=,|\s)", said)
        assert found is not None, f"the billing says {said!r}: {self._log.read_text('utf-8')}"
        self.url = found[0]
        self._client = aiohttp.ClientSession(self.url)

    async def close(self) -> None:
        """End it."""
        if self._client is not None:
            await self._client.close()
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()

    async def ask(self, method: str, path: str, **given: Any) -> Any:
        """Ask the administrator's side."""
        assert self._client is not None
        async with self._client.request(method, f"/admin/{path}", **given) as answer:
            assert answer.status == 200, await answer.text()
            return msgspec.json.decode(await answer.read())

    async def fault(self, **fields: Any) -> None:
        """Have it misbehave."""
        await self.ask("POST", "faults", json=fields)

    async def ledger(self) -> list[dict[str, Any]]:
        """Return every renewal that was paid."""
        found: list[dict[str, Any]] = []
        for kind in REFRESH_KINDS:
            lines = await self.ask("GET", "ledger", params={"kind": kind, "limit": "100000"})
            found += lines["ledger"]
        return found

    async def charges(self) -> Counter[str]:
        """Return how often each subscriber was charged."""
        return Counter(line["phone"] for line in await self.ledger())

    async def wrong(self) -> list[Any]:
        """Return the subscribers whose balance is not the sum of their ledger."""
        return list((await self.ask("GET", "audit"))["wrong"])


class Server(Child):
    """One of the two gateways. `store` is the file of its own."""

    def __init__(
        self, name: str, port: int, root: Path, centre: Centre, billing: str, **settings: str
    ) -> None:
        super().__init__(
            root,
            centre,
            billing,
            STORE=f"sqlite:data/{name}.db",
            LOG="error",
            AGI__LISTEN=f"127.0.0.1:{port}",
            AGI__TOKEN=TOKEN,
            AGI__SPEECH="none",
            AGI__REACTION="0s",
            **settings,
        )
        self.environment["PYTHONFAULTHANDLER"] = "1"
        self.port = port
        self.log = root / f"{name}.log"
        self.store = root / "data" / f"{name}.db"

    async def starts(self) -> None:
        """Start it and wait until it takes calls; if it does not come up, its log says where it stands."""
        try:
            await self.start()
        except Exception:
            self._signal(signal.SIGABRT)
            assert self.process is not None
            await self.process.wait()
            raise AssertionError(f"it is not bound:\n{self.tail(60)}") from None
        async with asyncio.timeout(STARTS_S):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except ConnectionRefusedError:
                    await asyncio.sleep(0.02)
                    continue
                writer.close()
                await writer.wait_closed()
                return

    def stop_short(self) -> None:
        """Have it fall silent: its connections stand, the kernel accepts new ones, it says nothing more."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Have it wake up."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    async def entered(self) -> int:
        """Return how many calls have entered since its start."""
        return await self._told(ENTERED)

    def calls(self) -> list[str]:
        """Return what the sessions of calls in its store are at; a rating by SMS is none of them."""
        found = []
        with self._reader() as store:
            for key, _, _, sealed, data in Trail(store).all(store):
                if key.startswith(KEY):
                    session = "sealed" if sealed else read_record(data).session
                    at = f"{session.waiting} {session.frames}" if isinstance(session, Session) else "?"
                    found.append(f"{key}: {at}")
        return found

    async def away(self) -> int:
        """Return how many callers it has led to people and not heard of since."""
        return await self._told(AWAY)

    async def _told(self, line: re.Pattern[str]) -> int:
        url = f"http://{self.environment['GUDOK_HTTP']}/metrics"
        async with aiohttp.ClientSession() as client, client.get(url) as answer:
            found = line.search(await answer.text())
        return int(float(found[1])) if found is not None else 0

    async def forgets(self, within: float, but: int = 0) -> None:
        """Wait until not more than `but` sessions of calls live."""
        until = asyncio.get_running_loop().time() + within
        while len(left := self.calls()) > but:
            assert asyncio.get_running_loop().time() < until, f"{left} live on; {self.tail()}"
            await asyncio.sleep(0.05)

    def orders(self) -> dict[str, str]:
        """Return the state of every order by its key."""
        with self._reader() as store:
            return dict(store.execute("SELECT key, state FROM ledger"))

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        """Look at the store as it is at one moment, whether its gateway lives or not."""
        store = sqlite3.connect(f"file:{self.store}?mode=ro", uri=True, isolation_level=None)
        try:
            store.execute("BEGIN")
            yield store
        finally:
            store.close()


@dataclass
class Pair:
    """Both gateways and what is around them."""

    first: Server
    second: Server
    centre: Centre
    billing: Billing
    recordings: Recordings

    def inbox(self, phone: str) -> list[str]:
        """Return the texts of all SMS of a subscriber."""
        return [message.text for message in self.centre.messages(phone)]


@asynccontextmanager
async def pair(
    root: Path,
    place: Place,
    asterisk: Asterisk,
    phones: Iterable[str],
    premium: Iterable[str] = (),
    changes: Mapping[str, Mapping[str, str]] | None = None,
    *,
    managed: bool = False,
) -> AsyncIterator[Pair]:
    """Start the billing and both gateways; whatever is left of them at the end is killed.

    `changes` are made in the project: texts of its files (old -> new). `managed`: the first gateway speaks to
    the manager interface of Asterisk.
    """
    lay_out(root, changes={**PATIENT, **(changes or {})})
    recordings = shown(root, asterisk)
    billing = Billing(root / "billing")
    billing.write(phones, premium)
    servers: list[Server] = []
    try:
        await billing.start()
        async with Centre(retry_ms=50, tries=100_000, window=50) as centre:
            manager = {"ASTERISK__MAIN__AMI": f"127.0.0.1:{place.ami}", "ASTERISK__MAIN__SECRET": SECRET}
            first = manager if managed else {}
            servers.append(Server("first", place.first, root, centre, billing.url, **first))
            servers.append(Server("second", place.second, root, centre, billing.url, CHARGING="no"))
            for server in servers:
                await server.starts()
            yield Pair(servers[0], servers[1], centre, billing, recordings)
            await _end(servers)
    finally:
        await _end(servers)
        await billing.close()


async def _end(servers: list[Server]) -> None:
    for server in servers:
        server.end()
        if server.process is not None:
            await server.process.wait()
