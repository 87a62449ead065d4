"""kill -9 under load, again and again: what was accepted is answered, what was charged is charged once.

The gateway runs as `gudok serve`; the centre and the billing stay in this process and keep the ledgers that
are compared in the end. Each round opens menus, starts dials and SMS of fresh subscribers, kills the gateway
at a random moment (after a random number of PDUs), starts it again and goes on in the open menus. The centre
delivers again what was not acknowledged, as centres do.

A dial whose answer was under way when its bind died has no screen any more (smpp-ussd.md 1.5, rule 4): what
it has charged is told by SMS; one that was about to be refused ends, and is counted as `lost_with_bind`.
"""

import argparse
import asyncio
import sqlite3
import statistics
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random, SystemRandom

import msgspec

from gateway.demo.billing import Fault, Running, start
from gateway.demo.billing.book import Change
from gateway.demo.billing.subscriber import Movement
from smpp.pdu.message import Sm
from smpp.testing.centre import Centre
from smpp.testing.dialog import Dialog, DialogError
from smpp.testing.ledger import Delivery
from tests.end_to_end.child import Child
from tests.end_to_end.stage import ALREADY, DONE, POOR, REFRESH_KINDS, RICH, lay_out

MENUS = 8
ACTORS = 60
REFUSED = "Не хватает 369,50 ₽. Пополните счёт."
REMAINDERS = "МБ до"
SETTLED_S = 60.0
"""How long the last outcomes may take: an unknown one is looked after 5 s, 10 s, 20 s later."""


@dataclass
class Actor:
    """A subscriber who does one thing: dials or writes, with enough money or without."""

    phone: str
    rich: bool
    dialog: Dialog | None = None
    delivery: Delivery | None = None


@dataclass
class Report:
    """What came of all rounds; everything that must be 0 is in `wrong`."""

    seed: int
    rounds: int = 0
    bound_s: list[float] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        slowest = max(self.bound_s, default=0.0)
        return (
            f"kill: seed {self.seed}, {self.rounds} rounds; bound again after "
            f"{statistics.median(self.bound_s or [0.0]):.2f} s (median), {slowest:.2f} s (slowest); "
            + ", ".join(f"{name} {count}" for name, count in sorted(self.counts.items()))
            + f"; wrong: {len(self.wrong)}"
        )


class Rounds:
    """The rounds over one project folder."""

    def __init__(self, root: Path, centre: Centre, billing: Running, seed: int) -> None:
        self.centre = centre
        self.billing = billing
        self.random = Random(seed)
        self.report = Report(seed)
        self.child = Child(root, centre, billing.url, SMPP__MAIN__WINDOW="50", LOG="warning")
        self.actors: list[Actor] = []
        self._next = 79170000000

    def person(self, like: str) -> str:
        """Put one more subscriber into the books."""
        self._next += 1
        phone, book = str(self._next), self.billing.desk.book
        one = msgspec.structs.replace(book.subscribers[like], phone=phone, persona="", card=False)
        opening = Movement(
            at=self.billing.desk.clock.now(),
            phone=phone,
            kind="opening",
            amount=one.balance,
            balance=one.balance,
        )
        book.write(Change(subscribers={phone: one}, movements=[opening]))
        return phone

    def act(self) -> None:
        """Have one more subscriber do something."""
        rich = self.random.random() < 0.7
        actor = Actor(self.person(RICH if rich else POOR), rich)
        self.actors.append(actor)
        if self.random.random() < 0.5:
            actor.dialog = self.centre.call(actor.phone, "*929#")
            actor.delivery = self.centre.ledger.delivered[-1] if self._last_is(actor) else None
        else:
            actor.delivery = self._sms(actor.phone)

    def _last_is(self, actor: Actor) -> bool:
        delivered = self.centre.ledger.delivered
        return bool(delivered) and delivered[-1].dialog is actor.dialog

    def _sms(self, phone: str) -> Delivery:
        coding, octets = self.centre.dialect.encode("обнови")
        return self.centre.deliver("sms", sms(phone, coding, octets))

    @property
    def traffic(self) -> int:
        """PDUs that have had an effect so far."""
        counters = self.centre.ledger.counters
        return counters["acked"] + counters["submitted"]

    async def round(self) -> None:
        """Load, kill, start, go on."""
        menus = [await self.centre.dial(self.person(RICH), "*100#", limit_s=20) for _ in range(MENUS)]
        moment = self.traffic + self.random.randrange(1, 3 * ACTORS)
        for number in range(ACTORS):
            self.act()
            if number % 10 == 9:
                await asyncio.sleep(0)
            if self.traffic >= moment:
                break
        try:
            await self.centre.wait_for(lambda: self.traffic >= moment, limit_s=2)
        except Exception:
            self.report.counts["killed_idle"] += 1
        in_doubt = menus[: MENUS // 4]
        for menu in in_doubt:
            menu.type("2")
        await self.child.kill()
        for _ in range(10):
            self.act()  # who writes while nobody is there is heard later
        self.report.bound_s.append(await self.child.start())
        self.report.rounds += 1
        for menu in menus[MENUS // 4 :]:
            await self._goes_on(menu)

    async def _goes_on(self, menu: Dialog) -> None:
        try:
            screen = await menu.send("1", limit_s=15)
        except DialogError as error:
            self.report.wrong.append(f"a dialogue did not go on after the kill: {error}")
            return
        if REMAINDERS not in screen:
            self.report.wrong.append(f"a dialogue went on wrongly after the kill: {screen!r}")
        self.report.counts["dialogs_continued"] += 1

    # The end

    async def settle(self) -> None:
        """Wait until every order is closed and every answer is out, then compare."""
        try:
            await self.centre.wait_for(lambda: not self.missing(), limit_s=SETTLED_S, what="all outcomes")
        except Exception:
            self.report.counts["never_settled"] += 1
        await self.child.stop()
        self.compare()

    def charges(self) -> Counter[str]:
        """Return how often each subscriber was charged."""
        lines = self.billing.desk.book.movements(kinds=REFRESH_KINDS, limit=10_000_000)
        return Counter(line.phone for _, line in lines)

    def told(self, actor: Actor) -> list[str]:
        """Return everything a subscriber was told, screens first."""
        screens = [screen.text for screen in actor.dialog.screens] if actor.dialog is not None else []
        return [*screens, *self.inboxes.get(actor.phone, [])]

    def missing(self) -> list[Actor]:
        """Return the subscribers who were heard and do not know their outcome yet."""
        self.inboxes: dict[str, list[str]] = {}
        for message in self.centre.received:
            self.inboxes.setdefault(message.to, []).append(message.text)
        return [actor for actor in self.actors if self._heard(actor) and not self._knows(actor)]

    def _heard(self, actor: Actor) -> bool:
        if actor.dialog is None:
            return True  # the centre delivers an SMS until it is taken
        return actor.rich and (actor.delivery is None or actor.delivery.acked)

    def _knows(self, actor: Actor) -> bool:
        told = self.told(actor)
        return bool({DONE, ALREADY} & set(told)) if actor.rich else REFUSED in told

    def compare(self) -> None:
        """Compare the ledgers of centre, billing and gateway."""
        report, charges = self.report, self.charges()
        for actor in self.missing():
            what = "an SMS" if actor.dialog is None else "a dial"
            report.wrong.append(f"{what} of {actor.phone} was accepted and lost: told {self.told(actor)}")
        for actor in self.actors:
            count, told = charges[actor.phone], self.told(actor)
            kind = "sms" if actor.dialog is None else "dials"
            report.counts[kind] += 1
            report.counts["charged"] += count
            report.counts["told_twice"] += len(set(told)) < len(told)
            if count > actor.rich:
                report.wrong.append(f"{actor.phone} was charged {count} times")
            if {DONE, ALREADY} & set(told) and not count:
                report.wrong.append(f"{actor.phone} was told of a charge that was never made")
            if actor.dialog is not None and not told:
                report.counts["lost_with_bind"] += 1
        self._books()
        self._store()

    def _books(self) -> None:
        book = self.billing.desk.book
        totals = book.totals()
        for phone, one in book.subscribers.items():
            if totals[phone][0] != int(one.balance * Decimal(100)):
                self.report.wrong.append(f"the balance of {phone} is not the sum of its ledger")

    def _store(self) -> None:
        wrong = self.report.wrong
        path = self.child.root / "data" / "gudok.db"
        store = sqlite3.connect(path)
        try:
            verdict = store.execute("PRAGMA integrity_check").fetchone()[0]
            orders = dict(store.execute("SELECT key, state FROM ledger"))
            unsent = store.execute("SELECT count(*) FROM outbox WHERE state = 'waiting'").fetchone()[0]
        finally:
            store.close()
        if verdict != "ok":
            wrong.append(f"the store is damaged: {verdict}")
        if unsent:
            wrong.append(f"{unsent} messages were never sent")
        for _, line in self.billing.desk.book.movements(kinds=REFRESH_KINDS, limit=10_000_000):
            if orders.get(line.key) != "done":
                wrong.append(f"a charge of {line.phone} is {orders.get(line.key)} in the gateway's ledger")
        still = Counter(state for state in orders.values() if state in ("running", "unknown"))
        if still:
            wrong.append(f"orders without an end: {dict(still)}")


def sms(phone: str, coding: int, octets: bytes) -> Sm:
    """Return a message of a handset to 9290."""
    return Sm(
        source_ton=1,
        source_npi=1,
        source=phone.encode(),
        dest_npi=1,
        dest=b"9290",
        data_coding=coding,
        short_message=octets,
    )


async def run(root: Path, rounds: int, seed: int) -> Report:
    """Run all rounds over a fresh project in `root`."""
    lay_out(root, changes={"config/backends.yaml": {"timeout: 3s": "timeout: 1s"}})
    billing = await start(root / "billing" / "billing.db")
    billing.board.add(Fault(operation="billing.*", delay=15, probability=0.5, seed=seed))
    billing.board.add(
        Fault(operation="billing.refresh_package", kind="take_and_lose", probability=0.05, seed=seed)
    )
    async with Centre(retry_ms=50, tries=100_000, window=50) as centre:
        all_rounds = Rounds(root, centre, billing, seed)
        try:
            await all_rounds.child.start()
            for _ in range(rounds):
                await all_rounds.round()
            await all_rounds.settle()
        finally:
            all_rounds.child.end()
            await billing.close()
    return all_rounds.report


def main() -> int:
    """Run from the command line: `python -m tests.end_to_end.kill --rounds 50`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1_000_000))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = asyncio.run(run(Path(folder), given.rounds, given.seed))
    sys.stdout.write(f"{report}\n")
    for line in report.wrong:
        sys.stdout.write(f"  {line}\n")
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
