"""Callbacks that the gateway puts into a queue of the real Asterisk: agent first, one call, never two."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gateway.asterisk import Asterisks
from gateway.call_settings import AsteriskSettings
from gateway.host.callback_place import LEFT_MS, SETTLED_MS, CallbackPlaces
from gateway.store.record import TaskRow, TaskState
from tests.asterisk.gateway import Visit, serve
from tests.asterisk.peer.phone import Phone
from tests.asterisk.place import SECRET, Place
from tests.asterisk.server import Asterisk
from tests.asterisk.test_queue import SESSION
from tests.asterisk.test_queue_note import noted
from tests.gateway.host.rig import FILES, PROJECT, Rig, rigged

pytestmark = pytest.mark.asterisk

TO = "79160000042"
ORDER = """\
flow:
  title: Обратный звонок
  ussd: "*52#"

start:
  - callback: sales
    within: 4h
    note: Просит позвонить, тариф
  - end: Перезвоним.
"""
PATIENCE_S = 15.0


class Desk:
    """A gateway on paper whose orders stand in the queue of the real Asterisk."""

    def __init__(self, rig: Rig, port: int) -> None:
        self.rig = rig
        self._port = port
        self.asterisks: Asterisks
        self.places: CallbackPlaces

    async def begin(self) -> None:
        """Begin with what the store holds, as after a start."""
        gateway = self.rig.gateway
        settings = AsteriskSettings("main", "127.0.0.1", self._port, secret=SECRET)
        self.asterisks = Asterisks((settings,), gateway.clock.now, gateway.host.counters)
        self.places = CallbackPlaces(gateway.host, gateway.tasks, self.asterisks)
        self.asterisks.on_news(self.places.heard)
        self.places.load(gateway.store.load(gateway.clock.now()).schedule)
        self.asterisks.start()
        await self.until(lambda: self.asterisks.room("sales") == "main")

    async def end(self) -> None:
        """Stop, whatever is under way; of what was heard the next one begins with all or nothing."""
        await self.asterisks.close()
        await self.rig.idle()

    async def order(self) -> TaskRow:
        """Take an order and put it into its queue."""
        await self.rig.dial("*52#", TO)
        (row,) = self.rig.gateway.tasks.open.values()
        self.places.tend(self.rig.clock.now())
        await self.stands(row.number)
        return row

    async def stands(self, number: int) -> None:
        """Wait until an order stands in its queue."""

        def there() -> bool:
            kept = self.places.of(number)
            return kept is not None and self.asterisks.stands("main", kept.identity) is True

        await self.until(there)

    async def pass_time(self, ms: int = LEFT_MS) -> None:
        """Let time pass in one step."""
        self.rig.clock.advance(ms)
        self.places.tend(self.rig.clock.now())
        await self.rig.idle()

    async def until(self, come: Callable[[], bool]) -> None:
        """Wait for something."""
        async with asyncio.timeout(PATIENCE_S):
            while not come():  # noqa: ASYNC110 - what comes over a socket sets no event
                await asyncio.sleep(0.01)

    def row(self, number: int) -> TaskRow:
        """Return a task as it is stored."""
        row = self.rig.gateway.store.find_task(number)
        assert row is not None
        return row


@pytest.fixture
async def desk(
    asterisk: Asterisk, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    files = {**FILES, "flows/order.yaml": ORDER}
    files["config/project.yaml"] = PROJECT + "queues: { sales: { hours: 00:00-24:00 } }\n"
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    async with rigged(tmp_path, monkeypatch) as rig:
        one = Desk(rig, place.ami)
        await one.begin()
        yield one
        await one.end()


async def test_a_callback_keeps_its_place_and_its_talk_closes_the_task(
    desk: Desk, caller: Phone, boris: Phone, network: Phone, place: Place, asterisk: Asterisk
):
    async def flow(visit: Visit) -> None:
        await visit.voice.answer()
        later = str(2_000_000_000 - (desk.rig.clock.now() - 1_767_225_600_000) // 1000 - 60)
        told = {"IVR_SESSION": SESSION, "IVR_QUEUE": "sales", "IVR_PRIO": later}
        await visit.voice.leave("queue", told)

    async def after(visit: Visit) -> None:
        await visit.voice.leave("done")

    asterisk.cli("queue pause member PJSIP/agent102 queue sales")
    try:
        async with serve(place.first, flow=flow, after=after):
            last = await caller.call("0890", caller="79160000003")
            await last.hears("hold")
            asterisk.cli("queue unpause member PJSIP/agent102 queue sales")
            line = await boris.rings()
            line.reject(486)
            row = await desk.order()
            assert not network.has_rung
            while TO not in (line := await boris.rings()).caller:
                line.reject(486)
            assert line.told("X-Gudok-Note") == ["Просит позвонить; тариф"]
            await line.answer()
            await desk.until(lambda: desk.row(row.number).state is TaskState.TAKEN)
            subscriber = await network.rings()
            assert subscriber.dialled == TO
            await subscriber.answer()
            subscriber.talk("caller")
            line.talk("agent")
            await subscriber.reaches("agent")
            await line.reaches("caller")
            await line.press("*1")
            await noted(asterisk, "solved")
            line.hang_up()
            await subscriber.ended()
            await desk.until(lambda: desk.row(row.number).state is TaskState.DONE)
            assert desk.row(row.number).result == "solved"
            line = await boris.rings()
            assert "79160000003" in line.caller
            await line.answer()
            line.hang_up()
            await last.ended()
    finally:
        asterisk.cli("queue unpause member PJSIP/agent102 queue sales")
    assert not network.has_rung
    await asterisk.empties()


async def test_who_is_busy_is_not_called_again(desk: Desk, boris: Phone, network: Phone, asterisk: Asterisk):
    row = await desk.order()
    line = await boris.rings()
    await line.answer()
    (await network.rings()).reject(486)
    await line.ended()
    await desk.until(
        lambda: desk.row(row.number).state is TaskState.OPEN and bool(desk.row(row.number).lines[1:])
    )
    assert "busy" in desk.row(row.number).lines[-1].text
    await desk.pass_time(600_000)
    await asterisk.empties()
    assert len(desk.places) == 0
    assert not network.has_rung
    assert not boris.has_rung


async def test_a_task_taken_at_the_desk_leaves_the_queue(
    desk: Desk, boris: Phone, network: Phone, asterisk: Asterisk
):
    boris.reachable = False
    row = await desk.order()
    await desk.rig.gateway.desk.take(row.number)
    await desk.pass_time()
    await asterisk.empties(20)
    assert desk.rig.gateway.host.counters["callbacks_withdrawn"] == 1
    boris.reachable = True
    await desk.pass_time(600_000)
    assert len(desk.places) == 0
    assert not network.has_rung


@pytest.mark.parametrize("moment", ["waiting", "talking", "over"])
async def test_after_a_restart_nobody_is_called_twice(
    desk: Desk, boris: Phone, network: Phone, asterisk: Asterisk, moment: str
):
    row = await desk.order()
    line = await boris.rings()
    if moment == "waiting":
        await desk.end()
        await desk.begin()
        await desk.pass_time(SETTLED_MS)
    await line.answer()
    subscriber = await network.rings()
    await subscriber.answer()
    if moment != "waiting":
        await desk.end()
    if moment == "over":
        line.hang_up()
        await subscriber.ended()
        await asterisk.empties()
    if moment != "waiting":
        await desk.begin()
        await desk.pass_time(SETTLED_MS)
    if moment != "over":
        await desk.until(lambda: desk.row(row.number).state is TaskState.TAKEN)
        line.hang_up()
        await subscriber.ended()
    await desk.until(lambda: desk.row(row.number).state is TaskState.DONE)
    await desk.pass_time(600_000)
    await asterisk.empties()
    assert len(desk.places) == 0
    assert not network.has_rung
