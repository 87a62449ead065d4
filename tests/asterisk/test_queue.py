"""People: the order of the queue, who hangs up first, recording, connecting, transfer."""

import asyncio
import wave
from pathlib import Path

import pytest

from tests.asterisk.gateway import Script, Visit, nothing, serve
from tests.asterisk.peer.phone import Phone
from tests.asterisk.place import Place
from tests.asterisk.server import Asterisk

pytestmark = pytest.mark.asterisk

SESSION = "0123456789abcdef0123456789abcdef"


def queue(name: str = "sales", **more: str) -> Script:
    """A flow that answers and hands over at once."""

    async def flow(visit: Visit) -> None:
        await visit.voice.answer()
        await visit.voice.leave("queue", {"IVR_SESSION": SESSION, "IVR_QUEUE": name, **more})

    return flow


async def rate(visit: Visit) -> None:
    """The way back: a question, then the end."""
    await visit.voice.play(("tone/rating",))
    await visit.voice.leave("done")


async def test_when_the_agent_hangs_up_first_the_caller_is_asked_to_rate(
    caller: Phone, boris: Phone, place: Place
):
    async with serve(place.first, flow=queue(), after=rate) as gateway:
        call = await caller.call("0890")
        await call.hears("hold")
        line = await boris.rings()
        assert "79161234567" in line.caller
        await line.answer()
        line.talk("agent")
        call.talk("caller")
        await call.reaches("agent")
        await line.hears("caller")
        line.hang_up()
        await call.hears("rating")
        await call.ended()
    visit = gateway.paths("after")[0]
    assert visit.status == "CONTINUE"
    assert visit.variables["IVR_SESSION"] == SESSION
    assert visit.variables["QUEUESTATUS"] == "CONTINUE"
    assert visit.variables["QUEUENAME"] == "sales"
    assert visit.variables["MEMBERINTERFACE"] == "PJSIP/agent102"
    assert visit.variables["QEHOLDTIME"].isdigit()
    assert visit.variables["ANSWEREDTIME"].isdigit()
    assert not gateway.paths("hangup")


@pytest.mark.parametrize("moment", ["waiting", "talking"])
async def test_when_the_caller_hangs_up_first_the_gateway_is_told(
    caller: Phone, boris: Phone, place: Place, asterisk: Asterisk, moment: str
):
    async with serve(place.first, flow=queue(), hangup=nothing) as gateway:
        call = await caller.call("0890")
        await call.hears("hold")
        line = await boris.rings()
        if moment == "talking":
            await line.answer()
            line.talk("agent")
            await call.reaches("agent")
        call.hang_up()
        await line.ended()
        visit = await gateway.visited("hangup")
        await asterisk.empties()
    assert visit.variables["IVR_SESSION"] == SESSION
    assert visit.variables["CALLERID(num)"] == "79161234567"
    agent = "PJSIP/agent102" if moment == "talking" else ""
    assert visit.variables["MEMBERINTERFACE"] == agent
    assert visit.status == ("CONTINUE" if moment == "talking" else "")


async def test_callers_stand_in_the_order_of_their_keys(
    caller: Phone, boris: Phone, place: Place, asterisk: Asterisk
):
    keys = {
        "79160000001": "1971800000",
        "79160000002": "1971800600",
        "79160000003": "1971799999",
        "79160000004": "1971800601",
        "79160000005": "1971800000",
    }
    right = ["79160000004", "79160000002", "79160000001", "79160000005", "79160000003"]

    async def flow(visit: Visit) -> None:
        await visit.voice.answer()
        key = keys[visit.variables["CALLERID(num)"]]
        await visit.voice.leave("queue", {"IVR_SESSION": SESSION, "IVR_QUEUE": "sales", "IVR_PRIO": key})

    asterisk.cli("queue pause member PJSIP/agent102 queue sales")
    try:
        async with serve(place.first, flow=flow, after=rate, hangup=nothing):
            for number in keys:
                call = await caller.call("0890", caller=number)
                await call.hears("hold")
            asterisk.cli("queue unpause member PJSIP/agent102 queue sales")
            served = []
            for _ in keys:
                line = await boris.rings()
                served.append(line.caller.partition("sip:")[2].partition("@")[0])
                await line.answer()
                line.hang_up()
    finally:
        asterisk.cli("queue unpause member PJSIP/agent102 queue sales")
    assert served == right


@pytest.mark.parametrize(
    ("name", "seconds", "status"),
    [("sales", "1", "TIMEOUT"), ("nobody", "5", "UNKNOWN"), ("experts", "5", "JOINEMPTY")],
)
async def test_who_is_not_served_comes_back_with_the_reason(
    caller: Phone, boris: Phone, place: Place, name: str, seconds: str, status: str
):
    async with serve(place.first, flow=queue(name, IVR_QTIMEOUT=seconds), after=rate) as gateway:
        call = await caller.call("0890")
        await call.reaches("rating")
        await call.ended()
    visit = gateway.paths("after")[0]
    assert (visit.status, visit.variables["QUEUESTATUS"]) == (status, status)
    assert visit.variables["MEMBERINTERFACE"] == ""


async def test_a_flow_may_hand_over_again_to_another_queue(
    caller: Phone, anna: Phone, boris: Phone, place: Place
):
    names = iter(("experts", "sales", "support"))

    async def flow(visit: Visit) -> None:
        await visit.voice.answer()
        await visit.voice.leave("queue", {"IVR_SESSION": SESSION, "IVR_QUEUE": next(names)})

    async with serve(place.first, flow=flow, after=flow, hangup=nothing) as gateway:
        call = await caller.call("0890")
        line = await boris.rings()
        await line.answer()
        line.talk("agent")
        await call.reaches("agent")
        line.hang_up()
        line = await anna.rings()
        await line.answer()
        line.talk("thanks")
        await call.reaches("thanks")
        call.hang_up()
        await line.ended()
        await gateway.visited("hangup")
    assert [one.status for one in gateway.paths("after")] == ["JOINEMPTY", "CONTINUE"]


async def test_when_the_gateway_is_dead_after_the_wait_people_answer_and_after_the_talk_it_is_over(
    caller: Phone, anna: Phone, boris: Phone, place: Place
):
    async def crash(visit: Visit) -> None:
        visit.line.close()

    async with serve(place.first, flow=queue("experts"), after=crash):
        call = await caller.call("0890")
        await call.hears("sorry")
        line = await anna.rings()
        await line.answer()
        line.talk("agent")
        await call.reaches("agent")
        call.hang_up()
        await line.ended()
    async with serve(place.first, flow=queue("sales"), after=crash):
        call = await caller.call("0890")
        line = await boris.rings()
        await line.answer()
        line.hang_up()
        await call.ended()


def recordings(asterisk: Asterisk) -> list[Path]:
    """Return the recordings there are."""
    return sorted((asterisk.spool / "monitor").glob("*-1.wav"))


async def test_the_talk_is_recorded_after_the_notice(
    caller: Phone, boris: Phone, place: Place, asterisk: Asterisk
):
    before = recordings(asterisk)
    flow = queue(IVR_RECORD="yes", IVR_RECORD_NOTICE="tone/notice")
    async with serve(place.first, flow=flow, after=rate):
        call = await caller.call("0890")
        await call.hears("notice", "hold")
        line = await boris.rings()
        await line.answer()
        line.talk("agent")
        await call.reaches("agent")
        line.hang_up()
        await call.reaches("rating")
        await call.ended()
    (path,) = set(recordings(asterisk)) - set(before)
    with wave.open(str(path)) as file:
        assert file.getframerate() == 8_000
        assert 0 < file.getnframes() < 8_000 * 4


@pytest.mark.parametrize(
    "variables",
    [
        {"IVR_RECORD": "yes", "IVR_RECORD_NOTICE": "tone/there-is-no-such-file"},
        {"IVR_RECORD": "", "IVR_RECORD_NOTICE": "tone/notice"},
    ],
)
async def test_without_the_notice_or_the_wish_nothing_is_recorded(
    caller: Phone, boris: Phone, place: Place, asterisk: Asterisk, variables: dict[str, str]
):
    before = recordings(asterisk)
    async with serve(place.first, flow=queue(**variables), after=rate):
        call = await caller.call("0890")
        await call.hears("hold")
        line = await boris.rings()
        await line.answer()
        line.talk("agent")
        await call.reaches("agent")
        line.hang_up()
        await call.ended()
    assert recordings(asterisk) == before


def connect(number: str) -> Script:
    """A flow that connects at once."""

    async def flow(visit: Visit) -> None:
        await visit.voice.answer()
        told = {"IVR_SESSION": SESSION, "IVR_CONNECT": number, "IVR_CTIMEOUT": "5"}
        await visit.voice.leave("connect", told)

    return flow


async def test_a_flow_connects_to_a_number_of_the_list(caller: Phone, network: Phone, place: Place):
    async def after(visit: Visit) -> None:
        assert await visit.get("DIALSTATUS") == "ANSWER"
        await rate(visit)

    async with serve(place.first, flow=connect("88001234567"), after=after) as gateway:
        call = await caller.call("0890")
        line = await network.rings()
        assert line.dialled == "88001234567"
        await line.answer()
        line.talk("agent")
        await call.hears("agent")
        line.hang_up()
        await call.hears("rating")
        await call.ended()
    assert gateway.paths("after")[0].status == "ANSWER"


async def test_who_is_busy_brings_the_caller_back(caller: Phone, network: Phone, place: Place):
    async with serve(place.first, flow=connect("88001234567"), after=rate) as gateway:
        call = await caller.call("0890")
        (await network.rings()).reject(486)
        await call.hears("rating")
        await call.ended()
    assert gateway.paths("after")[0].status == "BUSY"


@pytest.mark.parametrize("number", ["79161234567", "810999", "0890", ""])
async def test_a_number_that_the_place_does_not_allow_is_not_dialled(
    caller: Phone, network: Phone, place: Place, number: str
):
    async with serve(place.first, flow=connect(number), after=rate) as gateway:
        call = await caller.call("0890")
        await call.hears("rating")
        await call.ended()
    assert gateway.paths("after")[0].status == "INVALIDARGS"
    assert not network.has_rung


async def test_an_agent_who_does_not_pick_up_is_rung_and_the_caller_keeps_the_place(
    caller: Phone, boris: Phone, place: Place
):
    async with serve(place.first, flow=queue(), after=rate):
        call = await caller.call("0890")
        first = await boris.rings()
        first.reject(486)
        second = await boris.rings()
        await second.answer()
        second.talk("agent")
        await call.reaches("agent")
        second.hang_up()
        await call.ended()


async def test_five_at_once_are_all_served(caller: Phone, boris: Phone, place: Place):
    async with serve(place.first, flow=queue(), after=rate) as gateway:
        calls = [await caller.call("0890", caller=f"7916000000{n}") for n in range(5)]
        for _ in calls:
            line = await boris.rings()
            await line.answer()
            line.hang_up()
        await asyncio.gather(*(call.ended() for call in calls))
    assert [one.status for one in gateway.paths("after")] == ["CONTINUE"] * 5
