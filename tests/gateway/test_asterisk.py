"""The Asterisks of the settings over a manager interface on loopback: queues, calls of ours, a cut."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.asterisk import Asterisks
from gateway.call_settings import AsteriskSettings
from ivr.ami.message import ActionError
from ivr.ami.originate import Attempt
from ivr.ami.placeholder import News, Placeholder
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


PLACE = Placeholder("123456789012", "support", 1_971_800_000, "79161234567")


def stand(manager: TestManager, identity: str = PLACE.identity) -> None:
    manager.say(
        ("Event", "QueueCallerJoin"),
        ("Queue", "support"),
        ("Uniqueid", f"cb-{identity}"),
        ("Channel", f"Local/{identity}@cb-hold-0001;1"),
        ("Position", "1"),
    )


async def test_a_callback_stands_where_somebody_is_on_duty_and_is_in_no_figure_of_its_queue():
    async with TestManager() as manager, place(manager) as one:
        assert (one.asterisks.room("support"), one.asterisks.room("sales")) == ("main", "")
        assert one.asterisks.most("main") == 10
        manager.answers["Originate"] = [
            [("Response", "Success"), ("ActionID", "{id}")],
            [("Event", "OriginateResponse"), ("ActionID", "{id}"), ("Response", "Success"), ("Reason", "4")],
        ]
        told: list[str] = []
        one.asterisks.place("main", PLACE, told.append)
        await one.until(lambda: told == ["answered"])
        assert (await manager.received("Originate")).get("ChannelId") == "cb-123456789012"
        assert one.asterisks.stands("main", PLACE.identity) is False
        stand(manager)
        await one.until(lambda: one.asterisks.stands("main", PLACE.identity) is True)
        assert one.asterisks.state()["support"] == (0, 2, 1)
        assert one.asterisks.answer("position", "support", "c:1") == 2  # it is served before a newcomer
        manager.answers["QueueWithdrawCaller"] = [[("Response", "Success")]]
        one.asterisks.withdraw("main", PLACE.identity)
        sent = await manager.received("QueueWithdrawCaller")
        assert (sent.get("Queue"), sent.get("Caller")) == ("support", "Local/123456789012@cb-hold-0001;1")
        await one.until(lambda: one.counters["callbacks_withdrawn"] == 1)


async def test_a_callback_that_cannot_be_ordered_is_told_at_once():
    async with TestManager() as manager, place(manager) as one:
        told: list[str] = []
        one.asterisks.place("elsewhere", PLACE, told.append)
        one.asterisks.place("main", Placeholder("1", "support", 1, "112&911"), told.append)
        assert told == ["refused", "bad_number"]
        one.asterisks.withdraw("main", "999999999999")
        assert not [one for one in manager.actions if one.get("Action") == "QueueWithdrawCaller"]


async def test_how_far_a_callback_came_is_asked_of_asterisk():
    async with TestManager() as manager, place(manager) as one:
        manager.answers["DBGet"] = [
            [("Response", "Success"), ("ActionID", "{id}"), ("EventList", "start")],
            [("Event", "DBGetResponse"), ("ActionID", "{id}"), ("Val", "ANSWER")],
            [("Event", "DBGetComplete"), ("ActionID", "{id}"), ("EventList", "Complete")],
        ]
        told: list[str | None] = []
        one.asterisks.mark("main", PLACE.identity, told.append)
        await one.until(lambda: bool(told))
        manager.answers["DBGet"] = [[("Response", "Error"), ("Message", "Database entry not found")]]
        one.asterisks.mark("main", PLACE.identity, told.append)
        await one.until(lambda: len(told) == 2)
        one.asterisks.mark("elsewhere", PLACE.identity, told.append)
        assert told == ["ANSWER", "", None]


async def test_the_news_of_callbacks_are_told_and_other_events_of_users_are_not():
    async with TestManager() as manager, place(manager) as one:
        told: list[News] = []
        one.asterisks.on_news(told.append)
        manager.say(("Event", "UserEvent"), ("UserEvent", "Other"), ("Id", PLACE.identity), ("Step", "over"))
        manager.say(
            ("Event", "UserEvent"),
            ("UserEvent", "GudokCallback"),
            ("Id", PLACE.identity),
            ("Step", "over"),
            ("Mark", "2"),
            ("Status", "ANSWER"),
        )
        await one.until(lambda: bool(told))
        assert told == [News(PLACE.identity, "over", "ANSWER", "", "2")]


async def test_who_waits_while_the_gateway_is_away_is_counted_from_his_arrival_and_who_left_is_not():
    async with TestManager() as manager:
        manager.answers["QueueStatus"] = [
            LIST[0],
            *LIST[1:3],
            [
                ("Event", "QueueEntry"),
                ("ActionID", "{id}"),
                ("Queue", "support"),
                ("Uniqueid", "1.7"),
                ("Wait", "90"),
                ("Position", "1"),
            ],
            LIST[3],
        ]
        one = Place(manager)
        one.asterisks.start()
        try:
            await one.until(lambda: one.asterisks.state().get("support") == (1, 2, 1))
            # 1.6 had come before and has left meanwhile: Asterisk tells only of his end.
            for channel in ("1.6", "1.7"):
                manager.say(("Event", "QueueCallerAbandon"), ("Queue", "support"), ("Uniqueid", channel))
                manager.say(("Event", "Hangup"), ("Uniqueid", channel))

            def counted() -> bool:
                one.asterisks.tend(one.clock.ms)
                return bool(one.asterisks.waits)

            await one.until(counted)
            (wait,) = one.asterisks.waits
            assert (wait.end, wait.waited_ms) == ("abandoned", 90_000)
        finally:
            await one.asterisks.close()
