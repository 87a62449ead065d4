"""Our AMI client and its picture of the queues, on the real server with the shipped user."""

import asyncio
import random
import time
from collections.abc import AsyncIterator

import pytest

from ivr.ami.client import AmiClient
from ivr.ami.message import Message
from ivr.ami.originate import Attempt, headers, result
from ivr.ami.session import Outcome
from ivr.queue_picture import QueuePicture
from tests.asterisk.gateway import Visit, clock, serve
from tests.asterisk.peer.phone import Phone
from tests.asterisk.place import SECRET, Place
from tests.asterisk.server import Asterisk

pytestmark = pytest.mark.asterisk


class Watch:
    """A client, its picture, and what to wait for."""

    def __init__(self, port: int) -> None:
        self.picture = QueuePicture()
        self.ready = asyncio.Event()
        self._news = asyncio.Event()
        self.names: list[str] = []
        self.client = AmiClient(
            "main",
            "127.0.0.1",
            port,
            "gudok",
            SECRET,
            clock=clock,
            random=random.Random(1),
            on_event=self._take,
            on_ready=self.ready.set,
        )

    def _take(self, message: Message) -> None:
        self.names.append(message.event)
        self.picture.event(message, clock())
        self._news.set()

    async def resync(self) -> None:
        """Ask for the picture."""
        outcome = await self.client.ask("QueueStatus")
        self.picture.resync(outcome.events, clock())

    async def until(self, fact: object) -> None:
        """Wait for a fact of the picture."""
        assert callable(fact)
        until = time.monotonic() + 8
        while not fact():
            self._news.clear()
            async with asyncio.timeout(max(until - time.monotonic(), 0.01)):
                await self._news.wait()


@pytest.fixture
async def watch(asterisk: Asterisk, place: Place) -> AsyncIterator[Watch]:
    found = Watch(place.ami)
    found.client.start()
    async with asyncio.timeout(8):
        await found.ready.wait()
    await found.resync()
    yield found
    await found.client.close()


async def wait_in_sales(visit: Visit) -> None:
    await visit.voice.answer()
    await visit.voice.leave("queue", {"IVR_SESSION": "00ff", "IVR_QUEUE": "sales"})


async def test_the_picture_of_a_queue_follows_what_happens(
    watch: Watch, caller: Phone, boris: Phone, place: Place
):
    assert watch.picture.staffed("sales") == 1
    assert watch.picture.queue_length("sales") == 0

    async def end(visit: Visit) -> None:
        await visit.voice.leave("done")

    async with serve(place.first, flow=wait_in_sales, after=end):
        served = await caller.call("0890")
        line = await boris.rings()
        await watch.until(lambda: watch.picture.queue_length("sales") == 1)
        other = await caller.call("0890")
        await watch.until(lambda: watch.picture.queue_length("sales") == 2)
        await line.answer()
        await watch.until(lambda: watch.picture.queue_length("sales") == 1)
        other.hang_up()
        line.hang_up()
        await served.ended()
        waits = []

        def both() -> bool:
            waits.extend(watch.picture.finished())
            return len(waits) == 2

        await watch.until(both)
    assert sorted(one.end for one in waits) == ["abandoned", "answered"]
    assert watch.picture.queue_length("sales") == 0


async def test_a_picture_made_anew_shows_who_waits_already(
    watch: Watch, caller: Phone, boris: Phone, place: Place
):
    async with serve(place.first, flow=wait_in_sales):
        await (await caller.call("0890")).hears("hold")
        watch.picture.waiting.clear()
        await watch.resync()
        assert watch.picture.queue_length("sales") == 1


async def test_nothing_is_told_that_was_not_asked_for(
    watch: Watch, caller: Phone, boris: Phone, place: Place
):
    """No digits, no AGI commands, no variables: they are personal data."""

    async with serve(place.first, flow=wait_in_sales):
        call = await caller.call("0890")
        await call.hears("hold")
        await call.press("4711")
        line = await boris.rings()
        await line.answer()
        call.hang_up()
        await line.ended()
        await watch.until(lambda: "Hangup" in watch.names)
    allowed = {"FullyBooted", "Hangup", "AgentCalled", "AgentConnect", "AgentComplete", "OriginateResponse"}
    assert {name for name in watch.names if not name.startswith("Queue")} <= allowed


@pytest.mark.parametrize(("code", "said"), [(0, "answered"), (486, "busy"), (404, "bad_number")])
async def test_what_came_of_our_own_call_is_known(
    watch: Watch, network: Phone, place: Place, code: int, said: str
):
    told: list[str] = []

    async def flow(visit: Visit) -> None:
        told.append(visit.number + " " + visit.variables["CALLERID(num)"])
        await visit.voice.leave("done")

    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[Outcome] = loop.create_future()
    attempt = Attempt(
        f"survey-7-{code}", "79160000042", "gudok-out", "0890", (("IVR_SESSION", "00ff"),), ring_s=5
    )
    async with serve(place.first, flow=flow):
        watch.client.send("Originate", headers(attempt), outcome.set_result, late=True)
        call = await network.rings()
        if code:
            call.reject(code)
        else:
            await call.answer()
        async with asyncio.timeout(8):
            assert result(await outcome) == said
        if not code:
            await call.ended()
    assert told == ([] if code else ["0890 79160000042"])
