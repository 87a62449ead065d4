"""The Asterisks of the settings over a manager interface on loopback: queues, calls of ours, a cut."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.asterisk import Asterisks
from gateway.settings import AsteriskSettings
from ivr.ami.message import ActionError
from ivr.ami.originate import Attempt
from ivr.testing.ami_server import TestManager


def member(interface: str, status: str) -> list[tuple[str, str]]:
    return [
        ("Event", "QueueMember"),
        ("ActionID", "{id}"),
        ("Queue", "support"),
        ("Location", interface),
        ("Status", status),
        ("Paused", "0"),
    ]


LIST = [
    [("Response", "Success"), ("ActionID", "{id}"), ("EventList", "start")],
    member("PJSIP/free", "1"),
    member("PJSIP/talking", "2"),
    [("Event", "QueueStatusComplete"), ("ActionID", "{id}"), ("EventList", "Complete")],
]
ATTEMPT = Attempt("gudok-01", "79161234567", "gudok-out", "0890", (), 30)


class Clock:
    def __init__(self) -> None:
        self.ms = 1_800_000_000_000

    def __call__(self) -> int:
        return self.ms


class Place:
    def __init__(self, manager: TestManager, calls: int = 2) -> None:
        self.clock = Clock()
        self.counters: Counter[str] = Counter()
        settings = AsteriskSettings("main", "127.0.0.1", manager.port, secret="secret", calls=calls)
        self.asterisks = Asterisks((settings,), self.clock, self.counters)

    async def until(self, come) -> None:
        async with asyncio.timeout(10):
            while not come():  # noqa: ASYNC110 - what comes over a socket sets no event
                await asyncio.sleep(0)


@asynccontextmanager
async def place(manager: TestManager) -> AsyncIterator[Place]:
    manager.answers["QueueStatus"] = LIST
    one = Place(manager)
    one.asterisks.start()
    try:
        await one.until(lambda: one.asterisks.state().get("support") == (0, 2, 1))
        yield one
    finally:
        await one.asterisks.close()


def join(manager: TestManager, channel: str) -> None:
    manager.say(("Event", "QueueCallerJoin"), ("Queue", "support"), ("Uniqueid", channel), ("Position", "1"))


async def test_the_wait_is_told_by_who_waits_and_who_answers():
    async with TestManager() as manager, place(manager) as one:
        tell = one.asterisks.answer
        assert (tell("position", "support", "c:1"), tell("expected_wait", "support", "c:1")) == (1, 0)
        join(manager, "1.1")
        join(manager, "1.2")
        await one.until(lambda: one.asterisks.state()["support"][0] == 2)
        assert tell("position", "support", "c:1") == 3
        assert tell("expected_wait", "support", "c:1") == 270  # three talks of 180 s, two agents


async def test_without_a_connection_nothing_is_known():
    async with TestManager() as manager:
        manager.booted = False
        one = Place(manager)
        assert one.asterisks.answer("position", "support", "c:1") is None
        assert one.asterisks.free == 0
        told: list[str] = []
        one.asterisks.dial(ATTEMPT, told.append)
        assert told == ["refused"]


async def test_a_time_out_is_no_abandonment():
    async with TestManager() as manager, place(manager) as one:
        for channel in ("1.1", "1.2"):
            join(manager, channel)
        await one.until(lambda: one.asterisks.state()["support"][0] == 2)
        one.clock.ms += 5_000
        for channel in ("1.1", "1.2"):
            manager.say(("Event", "QueueCallerAbandon"), ("Queue", "support"), ("Uniqueid", channel))
        await one.until(lambda: one.asterisks.state()["support"][0] == 0)
        one.asterisks.queue_left("1.1", "TIMEOUT")
        manager.say(("Event", "Hangup"), ("Uniqueid", "1.2"))

        def counted() -> bool:
            one.asterisks.tend(one.clock.ms)
            return one.counters["waits.support.abandoned"] == 1

        await one.until(counted)
        assert one.counters["waits.support.timeout"] == 1
        (hour,) = one.asterisks.figures()
        assert (hour.offered, hour.abandoned, hour.led_on) == (1, 1, 1)


async def test_after_a_cut_the_picture_is_made_anew():
    async with TestManager() as manager, place(manager) as one:
        join(manager, "1.1")
        await one.until(lambda: one.asterisks.state()["support"][0] == 1)
        manager.drop()
        await one.until(lambda: one.asterisks.state()["support"] == (0, 2, 1))
        assert one.asterisks.ready == {"main": True}


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        ([("Response", "Success"), ("Reason", "4")], "answered"),
        ([("Response", "Failure"), ("Reason", "5")], "busy"),
        ([("Response", "Failure"), ("Reason", "3")], "no_answer"),
        ([("Response", "Failure"), ("Reason", "0")], "bad_number"),
    ],
)
async def test_a_call_of_ours_and_what_came_of_it(answer, result: str):
    async with TestManager() as manager, place(manager) as one:
        manager.answers["Originate"] = [
            [("Response", "Success"), ("ActionID", "{id}"), ("Message", "Originate successfully queued")],
            [("Event", "OriginateResponse"), ("ActionID", "{id}"), *answer],
        ]
        told: list[str] = []
        one.asterisks.dial(ATTEMPT, told.append)
        assert one.asterisks.free == 1
        await one.until(lambda: bool(told))
        assert told == [result]
        assert one.asterisks.free == 2
        sent = await manager.received("Originate")
        assert (sent.get("ChannelId"), sent.get("Exten")) == ("gudok-01", "0890")


async def test_nothing_but_a_number_is_dialled():
    async with TestManager() as manager, place(manager) as one:
        evil = Attempt("gudok-01", "7916&SIP/evil", "gudok-out", "0890")
        with pytest.raises(ActionError):
            one.asterisks.dial(evil, lambda result: None)
        assert one.asterisks.free == 2
