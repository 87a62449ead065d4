"""A menu by telephone: keys through EXEC Read, barge-in, type-ahead, silence, hang-up, early media."""

import asyncio

import pytest

from ivr.prompt import Heard, Prompt
from tests.asterisk.gateway import Visit, nothing, serve
from tests.asterisk.peer.phone import Phone
from tests.asterisk.place import Place
from tests.asterisk.server import Asterisk

pytestmark = pytest.mark.asterisk

MENU = Prompt(("tone/menu",), max_digits=1, first_s=5)
MORE = Prompt(("tone/wrong",), max_digits=1, first_s=5)


async def test_a_key_stops_the_menu_and_is_its_answer(caller: Phone, place: Place):
    heard: list[Heard] = []

    async def flow(visit: Visit) -> None:
        await visit.voice.answer()
        heard.append(await visit.voice.collect(MENU))
        await visit.voice.play(("tone/balance", "tone/thanks"))
        await visit.voice.leave("done")

    async with serve(place.first, flow=flow) as gateway:
        call = await caller.call("0890")
        await call.answered()
        await call.hears("menu")
        await call.press("7")
        await call.hears("balance", "thanks")
        await call.ended()
    assert call.ended_by == "them"
    assert heard == [Heard("7", "ok")]
    visit = gateway.visits[0]
    assert visit.number == "0890"
    assert visit.variables["CALLERID(num)"] == "79161234567"


@pytest.mark.parametrize(("dialled", "number"), [("+74957660166", "74957660166"), ("611", "611")])
async def test_every_way_to_dial_a_number_arrives_as_its_digits(
    caller: Phone, place: Place, dialled: str, number: str
):
    async def flow(visit: Visit) -> None:
        await visit.voice.leave("done")

    async with serve(place.first, flow=flow) as gateway:
        call = await caller.call(dialled, caller="+79161234567")
        await call.ended()
    assert [(one.number, one.variables["CALLERID(num)"]) for one in gateway.visits] == [
        (number, "79161234567")
    ]


async def test_a_number_by_keys_of_every_kind(caller: Phone, place: Place):
    heard: list[Heard] = []

    async def flow(visit: Visit) -> None:
        await visit.voice.answer()
        heard.append(await visit.voice.collect(Prompt(("tone/menu",), 11, 5, 3, terminator="#")))
        heard.append(await visit.voice.collect(MORE))
        heard.append(await visit.voice.collect(MORE))
        await visit.voice.leave("done")

    async with serve(place.first, flow=flow):
        call = await caller.call("0890")
        await call.hears("menu")
        await call.press("79161234#", ms=60)
        await call.hears("wrong")
        await call.press("*")
        await call.press("#")
        await call.ended()
    assert heard == [Heard("79161234", "ok"), Heard("*", "ok"), Heard("#", "ok")]


async def test_keys_pressed_while_a_back_end_is_asked_answer_the_prompts_that_follow(
    caller: Phone, place: Place
):
    heard: list[Heard] = []
    asked, answered = asyncio.Event(), asyncio.Event()

    async def flow(visit: Visit) -> None:
        await visit.voice.answer()
        heard.append(await visit.voice.collect(MENU))
        asked.set()
        await answered.wait()
        heard.append(await visit.voice.collect(MORE))
        heard.append(await visit.voice.collect(MORE))
        await visit.voice.drop_ahead()
        heard.append(await visit.voice.collect(MORE))
        await visit.voice.play(("tone/thanks",))
        await visit.voice.leave("done")

    async with serve(place.first, flow=flow):
        call = await caller.call("0890")
        await call.hears("menu")
        await call.press("1")
        await asked.wait()
        await call.press("239")
        answered.set()
        await call.hears("wrong")
        await call.press("4")
        await call.hears("thanks")
        await call.ended()
    assert [one.digits for one in heard] == ["1", "2", "3", "4"]


async def test_silence_is_a_time_out_and_not_a_hang_up(caller: Phone, place: Place):
    heard: list[Heard] = []

    async def flow(visit: Visit) -> None:
        await visit.voice.answer()
        heard.append(await visit.voice.collect(Prompt(("tone/wrong",), 1, first_s=0.5)))
        await visit.voice.leave("done")

    async with serve(place.first, flow=flow):
        call = await caller.call("0890")
        await call.hears("wrong")
        await call.ended()
    assert heard == [Heard("", "timeout")]


async def test_early_media_is_heard_before_the_call_is_answered(caller: Phone, place: Place):
    states: list[str] = []

    async def flow(visit: Visit) -> None:
        await visit.voice.play(("tone/balance",))
        await visit.voice.answer()
        await visit.voice.play(("tone/thanks",))
        await visit.voice.leave("done")

    async with serve(place.first, flow=flow):
        call = await caller.call("0890")
        await call.early_media()
        await call.hears("balance")
        states.append(call.state)
        await call.answered()
        await call.hears("thanks")
        await call.ended()
    assert states == ["ringing"]


@pytest.mark.parametrize("moment", ["ringing", "prompt", "thinking", "record"])
async def test_a_hang_up_at_any_moment_is_known_and_leaves_no_channel(
    caller: Phone, place: Place, asterisk: Asterisk, moment: str
):
    reached, gone = asyncio.Event(), asyncio.Event()
    outcomes: list[str] = []

    async def flow(visit: Visit) -> None:
        visit.line.on_hangup = gone.set
        await visit.voice.leave("done", {"IVR_SESSION": "00ff"})
        await visit.do("SET VARIABLE", "IVR_NEXT", "")
        if moment == "ringing":
            reached.set()
            await gone.wait()
            return
        await visit.voice.answer()
        if moment == "prompt":
            outcomes.append((await visit.voice.collect(MENU)).outcome)
        elif moment == "thinking":
            reached.set()
            await gone.wait()
        else:
            reached.set()
            outcomes.append((await visit.voice.record("monitor/words", 20, beep=False)).outcome)

    async with serve(place.first, flow=flow, hangup=nothing) as gateway:
        call = await caller.call("0890")
        if moment == "prompt":
            await call.hears("menu")
        else:
            await reached.wait()
            if moment != "ringing":
                await call.answered()
        call.hang_up()
        visit = await gateway.visited("hangup")
        assert visit.variables["IVR_SESSION"] == "00ff"
    assert outcomes == (["hungup"] if moment in {"prompt", "record"} else [])
    assert not asterisk.channels()
