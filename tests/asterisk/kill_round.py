"""Rounds of calls whose gateway is killed: every caller gets to people, whatever he was doing.

The moment of the kill is counted in recordings that all callers together have begun to hear, so it is the
same on a slow machine. A caller follows a route through 0890; when his gateway is dead he does what he is
asked until he stands in the queue, and an agent answers him.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from tests.asterisk import sound
from tests.asterisk.kill_pair import REFRESH, Pair
from tests.asterisk.peer.phone import Call, Phone
from tests.asterisk.place import AGENTS
from tests.asterisk.recording import MARK, Ear
from tests.asterisk.server import Asterisk
from tests.end_to_end.stage import DONE

HELLO, OFFER, MENU, LAST = "Здравствуйте!", "Для вас тариф", "Главное меню.", "Специалист нажмите ноль"
RENEWED, RATE = "Пакет обновлён, списано", "Оцените разговор"
ROUTES = {"listen": "", "account": "1", "refresh": "2", "people": "0"}
"""What a caller presses in the main menu."""
WITHIN_S = 30.0
SETTLED_S = 90.0
"""An outcome that is unknown is looked after 5 s, 10 s, 20 s later."""
STEADY = 3


class Caller:
    """One caller: his route, whether he waits for the end of a prompt, how much is heard before he calls."""

    def __init__(
        self, phone: str, route: str, *, patient: bool = True, after: int = 0, name: str | None = None
    ) -> None:
        self.phone, self.route, self.patient, self.after = phone, route, patient, after
        self._name = name
        self.ear: Ear | None = None
        self.greeted = False
        self.renewed = False
        self._calling: asyncio.Future[Call] | None = None
        self._place = self._run = 0
        self._last = ""

    async def call(self, line: Phone, pair: Pair) -> None:
        """Call 0890; once, whoever is cancelled meanwhile."""
        if self._calling is None:
            self._calling = asyncio.ensure_future(line.call("0890", self.phone, self._name))
        self.ear = Ear(await asyncio.shield(self._calling), pair.recordings)

    @property
    def heard(self) -> int:
        """How many recordings have begun."""
        return 0 if self.ear is None else len(self.ear.listen())

    @property
    def state(self) -> str:
        """The state of the call."""
        return self._ear.call.state

    @property
    def _ear(self) -> Ear:
        assert self.ear is not None, "this caller has not called"
        return self.ear

    @property
    def tone(self) -> str:
        """What is heard now that is no recording: the name of a tone."""
        return self._last if self._run >= STEADY else ""

    def listen(self) -> str:
        """Listen to what has come; return the words since the last answer."""
        frames = self._ear.call.media.frames
        while self._place < len(frames):
            frame = frames[self._place]
            self._place += 1
            name = "" if frame.startswith(MARK) else sound.heard(sound.expand(frame)) or ""
            self._last, self._run = name, self._run + 1 if name == self._last else 1
        words = self._ear.words()
        self.renewed = self.renewed or RENEWED in words
        return words

    def forget(self) -> None:
        """Forget what was heard."""
        self.listen()
        self._ear.take()

    async def until(self, fact: Callable[[str], bool], what: str, within: float = WITHIN_S) -> None:
        """Wait until what is heard is right, or the call is over."""
        ear = self._ear
        try:
            await ear.call._until(
                lambda: fact(self.listen()) or ear.call.state == "ended", within, f"no {what}"
            )
        except AssertionError as error:
            heard = f"{ear.words()!r} and {self.tone!r}"
            raise AssertionError(f"{self.phone} ({self.route}): {error}; heard {heard}") from None

    async def press(self, keys: str) -> None:
        """Press keys, and forget what was heard before."""
        self.forget()
        await self._ear.call.press(keys)

    @property
    def holds(self) -> bool:
        """Whether the music of the queue is heard."""
        return self.tone == "hold"

    # Before the kill

    async def walk(self) -> None:
        """Follow the route to its end."""
        await self.until(lambda words: OFFER in words, "the offer")
        await self.press("2")
        await self.until(lambda words: (LAST if self.patient else MENU) in words, "the menu")
        if not (keys := ROUTES[self.route]):
            return
        await self.press(keys)
        if self.route == "people":
            await self.until(lambda _: self.holds, "the queue")
        elif self.route == "refresh":
            await self.until(lambda _: self.renewed, "that the package is renewed")

    # After it

    async def gets_to_people(self) -> None:
        """Do what is asked until the queue is reached; `greeted` tells that it began anew."""
        self.forget()
        until = asyncio.get_running_loop().time() + 2 * WITHIN_S
        while True:
            assert asyncio.get_running_loop().time() < until, f"{self.phone} goes round: {self._ear.words()}"
            await self.until(
                lambda words: OFFER in words or LAST in words or self.holds,
                "the offer, the menu or the queue",
            )
            assert self.state == "up", f"{self.phone} ({self.route}) was hung up on: {self._ear.words()!r}"
            words = self.listen()
            self.greeted = self.greeted or HELLO in words
            if self.holds:
                return
            await self.press("0" if LAST in words else "2")

    async def talks(self) -> None:
        """Hear the agent."""
        await self.until(lambda _: self.tone == "agent", "the agent")
        assert self.state == "up", f"{self.phone} was hung up on by the queue"

    async def is_left(self) -> None:
        """The agent has hung up: rate the talk if asked, else the call ends."""
        await self.until(lambda words: RATE in words, "the question behind the talk, or the end")
        self._ear.call.hang_up()

    def hang_up(self) -> None:
        """Leave."""
        self._ear.call.hang_up()


class Desk:
    """The agents of the default queue, who let callers wait until `serve`."""

    def __init__(self, asterisk: Asterisk, agents: Sequence[Phone]) -> None:
        self._asterisk, self._agents = asterisk, agents
        self.served: list[str] = []

    def open(self) -> None:
        """All agents belong to the default queue, and take a break."""
        for name in AGENTS[1:]:
            self._asterisk.cli(f"queue add member PJSIP/{name} to support")
        self.pause()

    def pause(self) -> None:
        """Take a break."""
        for name in AGENTS:
            self._asterisk.cli(f"queue pause member PJSIP/{name} queue support")

    def close(self) -> None:
        """As it was."""
        for name in AGENTS[1:]:
            self._asterisk.cli(f"queue remove member PJSIP/{name} from support")
        self._asterisk.cli(f"queue unpause member PJSIP/{AGENTS[0]} queue support")

    async def serve(self, callers: Sequence[Caller], leaves_first: Callable[[], bool]) -> None:
        """Talk to all callers; `leaves_first` tells of each talk whether the agent ends it."""
        waiting = {one.phone: one for one in callers}
        over = asyncio.Semaphore(0)
        for name in AGENTS[: len(self._agents)]:
            self._asterisk.cli(f"queue unpause member PJSIP/{name} queue support")
        try:
            async with asyncio.timeout(2 * WITHIN_S), asyncio.TaskGroup() as group:
                desks = [
                    group.create_task(self._sit(one, waiting, leaves_first, over)) for one in self._agents
                ]
                for _ in callers:
                    await over.acquire()
                for desk in desks:
                    desk.cancel()
        except TimeoutError:
            raise AssertionError(f"nobody answers {sorted(waiting)}") from None
        finally:
            self.pause()

    async def _sit(
        self,
        agent: Phone,
        waiting: dict[str, Caller],
        leaves_first: Callable[[], bool],
        over: asyncio.Semaphore,
    ) -> None:
        while True:
            line = await agent.rings(2 * WITHIN_S)
            if line.state != "ringing":
                continue
            await line.answer()
            found = re.search(r"79\d{9}", line.caller)
            caller = waiting.pop(found[0], None) if found is not None else None
            assert caller is not None, f"who is {line.caller}?"
            self.served.append(caller.phone)
            line.talk("agent")
            await caller.talks()
            if leaves_first():
                line.hang_up()
                await caller.is_left()
            else:
                caller.hang_up()
                await line.ended(WITHIN_S)
            over.release()


@dataclass
class Report:
    """What came of all rounds; everything that must not be is in `wrong`."""

    seed: int
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        told = ", ".join(f"{name} {count}" for name, count in sorted(self.counts.items()))
        reached = self.counts["reached people"]
        return (
            f"kill-calls: GUDOK_SEED={self.seed}; {reached} of {self.counts['calls']} reached people; "
            f"{told}; wrong: {len(self.wrong)}" + "".join(f"\n  {line}" for line in self.wrong)
        )


class Rounds:
    """The rounds over one pair of gateways."""

    def __init__(self, pair: Pair, asterisk: Asterisk, line: Phone, desk: Desk, seed: int) -> None:
        self.pair, self.asterisk, self.line, self.desk = pair, asterisk, line, desk
        self.random = Random(seed)
        self.report = Report(seed)
        self.callers: list[Caller] = []

    async def round(self, phones: Sequence[str]) -> None:
        """Call, kill, get to people, talk; then the first gateway is there again."""
        pair, random, report = self.pair, self.random, self.report
        callers = self._cast(phones)
        self.callers += callers
        payers = sum(one.route == "refresh" for one in callers)
        await pair.billing.ask("DELETE", "faults")
        await pair.billing.fault(
            operation=REFRESH,
            kind="delay",
            delay=random.randrange(0, 300),
            after=random.randrange(0, 3_000),
            count=payers,
        )
        moment = random.randrange(len(callers), 24 * len(callers))
        walks = [asyncio.create_task(self._begins(one, callers)) for one in callers]
        try:
            await _first(callers, walks, moment)
        finally:
            report.counts["entered the first gateway"] += await pair.first.entered()
            await pair.first.kill()
            report.counts["charged before the kill"] += len(await self._charged(callers))
            for walk in walks:
                walk.cancel()
            done = await asyncio.gather(*walks, return_exceptions=True)
        faults = [one for one in done if isinstance(one, Exception)]
        assert not faults, faults
        await self._take_over(callers)
        await self.desk.serve(callers, lambda: random.random() < 0.5)
        report.counts["reached people"] += len(callers)
        await self.asterisk.empties(within=WITHIN_S)
        await pair.second.forgets(WITHIN_S)
        await pair.first.starts()

    def _cast(self, phones: Sequence[str]) -> list[Caller]:
        """Give everybody a route, the important ones first."""
        random = self.random
        routes = ["refresh", "people", "refresh", "listen", "account"]
        routes += [random.choice(list(ROUTES)) for _ in range(len(phones) - len(routes))]
        routes = routes[: len(phones)]
        random.shuffle(routes)
        return [
            Caller(
                phone,
                route,
                patient=random.random() < 0.5,
                after=0 if at % 2 == 0 else random.randrange(0, 2 * len(phones)),
            )
            for at, (phone, route) in enumerate(zip(phones, routes, strict=True))
        ]

    async def _begins(self, one: Caller, callers: Sequence[Caller]) -> None:
        while sum(other.heard for other in callers) < one.after:
            await _a_moment()
        await one.call(self.line, self.pair)
        await one.walk()

    async def _take_over(self, callers: Sequence[Caller]) -> None:
        """Everybody gets to people: also those who call only now."""
        for one in callers:
            if one.ear is None:
                await one.call(self.line, self.pair)
                self.report.counts["called after the kill"] += 1
        self.report.counts["calls"] += len(callers)
        async with asyncio.timeout(4 * WITHIN_S):
            done = await asyncio.gather(*(one.gets_to_people() for one in callers), return_exceptions=True)
        faults = [one for one in done if isinstance(one, BaseException)]
        if faults:
            left = self.asterisk.cli("core show channels concise").splitlines()
            told = [*map(str, faults), *left, *self.pair.second.calls(), self.pair.second.tail()]
            raise AssertionError("\n".join([f"GUDOK_SEED={self.report.seed}", *told]))
        for one in callers:
            where = "taken over by the second gateway" if one.greeted else "stayed in the queue"
            self.report.counts[where] += 1

    async def _charged(self, callers: Sequence[Caller]) -> list[str]:
        charges = await self.pair.billing.charges()
        return [one.phone for one in callers if charges[one.phone]]

    # The end

    async def settle(self) -> None:
        """Wait until everybody who has paid was told, then compare the ledgers."""
        until = asyncio.get_running_loop().time() + SETTLED_S
        while (await self._untold() or self._open()) and asyncio.get_running_loop().time() < until:
            await _a_moment()
        try:
            await self.pair.first.forgets(WITHIN_S, but=await self.pair.first.away())
        except AssertionError as fault:
            self.report.wrong.append(f"more than who was led to people is there: {fault}")
        await self._compare()

    async def _untold(self) -> list[str]:
        charges = await self.pair.billing.charges()
        return [one.phone for one in self.callers if charges[one.phone] and not self._knows(one)]

    def _knows(self, one: Caller) -> bool:
        return one.renewed or DONE in self.pair.inbox(one.phone)

    def _open(self) -> list[str]:
        return [key for key, state in self.pair.first.orders().items() if state in ("running", "unknown")]

    async def _compare(self) -> None:
        pair, wrong = self.pair, self.report.wrong
        ledger = await pair.billing.ledger()
        charges = Counter(line["phone"] for line in ledger)
        orders = pair.first.orders()
        for one in self.callers:
            if charges[one.phone] > (one.route == "refresh"):
                wrong.append(f"{one.phone} ({one.route}) was charged {charges[one.phone]} times")
            if self._knows(one) and not charges[one.phone]:
                wrong.append(f"{one.phone} was told of a charge that was never made")
            if pair.inbox(one.phone).count(DONE) > 1:
                wrong.append(f"{one.phone} was told twice by SMS")
        wrong += [f"{phone} was charged and never told" for phone in await self._untold()]
        wrong += [f"{key}: the order has no end" for key in self._open()]
        wrong += [
            f"a charge of {line['phone']} is {orders.get(line['key'])} at the first gateway"
            for line in ledger
            if orders.get(line["key"]) != "done"
        ]
        wrong += [f"the second gateway has the order {key}" for key in pair.second.orders()]
        wrong += [f"a balance is not the sum of its ledger: {line}" for line in await pair.billing.wrong()]
        self.report.counts["charged"] += len(ledger)
        self.report.counts["told by SMS"] += sum(DONE in pair.inbox(one.phone) for one in self.callers)
        self.report.counts["left to the time limit"] += await pair.first.away()


async def _first(callers: Sequence[Caller], walks: Sequence[asyncio.Task[None]], moment: int) -> None:
    """Wait for the moment, or until nobody goes on."""
    async with asyncio.timeout(2 * WITHIN_S):
        while sum(one.heard for one in callers) < moment and not all(walk.done() for walk in walks):
            await _a_moment()


async def _a_moment() -> None:
    """Let the other processes go on; what is waited for is looked at again and again."""
    await asyncio.sleep(0.02)
