"""No caller is stranded: a gateway refuses, dies, is silent or mad, and somebody answers all the same."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.asterisk.gateway import Visit, nothing, serve
from tests.asterisk.peer.phone import Call, Phone
from tests.asterisk.place import LIMIT_S, Place
from tests.asterisk.server import Asterisk

pytestmark = pytest.mark.asterisk

PATIENCE_S = 2


async def greet(visit: Visit) -> None:
    await visit.voice.answer()
    await visit.voice.play(("tone/thanks",))
    await visit.voice.leave("done")


async def die(visit: Visit) -> None:
    """A crash in the middle of a call: the connection ends, Asterisk calls it success."""
    await visit.voice.answer()
    await visit.voice.play(("tone/balance",))
    visit.line.close()


async def spin(visit: Visit) -> None:
    await visit.voice.leave("queue", {"IVR_QUEUE": "nobody"})


async def babble(visit: Visit) -> None:
    await visit.do("SET VARIABLE", "IVR_NEXT", "${SHELL(id)}, or whatever")


@contextlib.asynccontextmanager
async def silent(port: int) -> AsyncIterator[asyncio.Event]:
    """A gateway that accepts and never says a word; the event tells that a call has come."""
    writers: list[asyncio.StreamWriter] = []
    taken = asyncio.Event()

    def take(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        taken.set()

    server = await asyncio.start_server(take, "127.0.0.1", port)
    try:
        yield taken
    finally:
        server.close()
        for writer in writers:
            writer.close()
        await asyncio.gather(*(one.wait_closed() for one in writers), return_exceptions=True)
        await server.wait_closed()


async def served_by(anna: Phone, call: Call, within: float = 8) -> None:
    """The caller hears the apology, then the agent; the talk ends with the agent's hanging up."""
    await call.hears("sorry", within=within)
    talk = await anna.rings()
    await talk.answer()
    talk.talk("agent")
    await call.reaches("agent")
    talk.hang_up()
    await call.ended()


@pytest.fixture
def impatient(running: Asterisk) -> Iterator[None]:
    """A gateway has two seconds to say its first word."""
    running.cli(f"dialplan set global GUDOK_PATIENCE {PATIENCE_S}")
    yield
    running.cli(f"dialplan set global GUDOK_PATIENCE {LIMIT_S}")


async def test_without_any_gateway_an_agent_of_the_default_queue_answers(caller: Phone, anna: Phone):
    call = await caller.call("0890")
    await call.answered()
    await served_by(anna, call)


async def test_the_second_gateway_takes_what_the_first_refuses(caller: Phone, place: Place):
    async with serve(place.second, flow=greet) as second:
        call = await caller.call("0890")
        await call.answered()
        await call.hears("thanks")
        await call.ended()
    assert [one.number for one in second.visits] == ["0890"]


async def test_a_gateway_that_dies_in_mid_call_loses_the_call_to_the_second(caller: Phone, place: Place):
    async with serve(place.first, flow=die), serve(place.second, flow=greet) as second:
        call = await caller.call("0890")
        await call.hears("balance", "thanks")
        await call.ended()
    assert len(second.visits) == 1


async def test_when_both_die_people_answer(caller: Phone, anna: Phone, place: Place):
    async with serve(place.first, flow=die), serve(place.second, flow=die):
        call = await caller.call("0890")
        await call.hears("balance")
        await call.reaches("sorry")
        talk = await anna.rings()
        await talk.answer()
        talk.talk("agent")
        await call.reaches("agent")
        call.hang_up()
        await talk.ended()


@pytest.mark.usefixtures("impatient")
async def test_a_silent_gateway_costs_seconds_and_not_the_call(caller: Phone, place: Place):
    async with silent(place.first) as taken, serve(place.second, flow=greet):
        call = await caller.call("0890")
        await call.answered(within=PATIENCE_S + 8)
        await call.hears("thanks")
        await call.ended()
    assert taken.is_set()


@pytest.mark.usefixtures("impatient")
async def test_two_silent_gateways_leave_the_caller_to_people(caller: Phone, anna: Phone, place: Place):
    async with silent(place.first), silent(place.second):
        call = await caller.call("0890")
        await call.answered(within=2 * PATIENCE_S + 8)
        await served_by(anna, call)


@pytest.mark.usefixtures("impatient")
async def test_a_caller_who_leaves_a_silent_gateway_leaves_no_channel(
    caller: Phone, place: Place, asterisk: Asterisk
):
    async with silent(place.first) as taken:
        call = await caller.call("0890")
        async with asyncio.timeout(5):
            await taken.wait()
        call.hang_up()
        await asterisk.empties()


async def test_a_gateway_that_is_silent_to_reports_keeps_few_channels_and_none_after_its_end(
    caller: Phone, anna: Phone, place: Place, asterisk: Asterisk
):
    """A report is made on a channel that is dead already, where no limit of time works."""
    asterisk.cli("dialplan set global GUDOK_REPORTS 2")

    async def wait(visit: Visit) -> None:
        await asyncio.Event().wait()

    async def queue(visit: Visit) -> None:
        await visit.voice.answer()
        await visit.voice.leave("queue", {"IVR_QUEUE": "support", "IVR_SESSION": "00ff"})

    try:
        async with serve(place.first, flow=queue, hangup=wait) as gateway:
            for number in (1, 2):
                call = await caller.call("0890")
                await call.hears("hold")
                call.hang_up()
                await gateway.visited("hangup", number)
            call = await caller.call("0890")
            await call.hears("hold")
            call.hang_up()
            await asterisk.empties(but=2)
            assert len(gateway.paths("hangup")) == 2
        await asterisk.empties()
    finally:
        asterisk.cli("dialplan set global GUDOK_REPORTS 50")


@pytest.mark.parametrize("script", [babble, spin])
async def test_a_gateway_that_makes_no_sense_loses_the_call_to_people(
    caller: Phone, anna: Phone, place: Place, script: object
):
    async with serve(place.first, flow=script, after=script):  # type: ignore[arg-type]
        call = await caller.call("0890")
        await call.answered()
        await served_by(anna, call)


async def test_the_wrong_token_gets_no_flow(caller: Phone, anna: Phone, place: Place):
    async with serve(place.first, "another", flow=greet) as first:
        call = await caller.call("0890")
        await call.answered()
        await served_by(anna, call)
    assert first.server.counts["token"] == 1
    assert not first.visits


async def test_when_nobody_answers_the_caller_is_told_so(caller: Phone, anna: Phone, asterisk: Asterisk):
    asterisk.cli("dialplan set global GUDOK_DEFAULT_WAIT 1")
    try:
        call = await caller.call("0890")
        await call.hears("sorry")
        await call.reaches("later")
        await call.ended()
    finally:
        asterisk.cli("dialplan set global GUDOK_DEFAULT_WAIT 20")


async def test_a_call_taken_by_people_still_reports_its_end(caller: Phone, anna: Phone, place: Place):
    """The first gateway comes back while the caller talks: it is told of the hang-up."""

    async def crash(visit: Visit) -> None:
        await visit.do("SET VARIABLE", "IVR_SESSION", "00ff")
        await die(visit)

    async with serve(place.first, flow=crash):
        call = await caller.call("0890")
        await call.hears("balance")
        await call.reaches("sorry")
    async with serve(place.first, hangup=nothing) as first:
        talk = await anna.rings()
        await talk.answer()
        talk.talk("agent")
        await call.reaches("agent")
        call.hang_up()
        visit = await first.visited("hangup")
        assert visit.variables["IVR_SESSION"] == "00ff"
        await talk.ended()


async def test_a_hundred_calls_survive_the_death_of_their_gateway(
    caller: Phone, place: Place, asterisk: Asterisk
):
    """Half of them listen to a prompt, half wait for a back end, when all connections break at once."""
    there: list[str] = []
    full = asyncio.Event()

    async def flow(visit: Visit) -> None:
        await visit.voice.answer()
        there.append(visit.variables["UNIQUEID"])
        if len(there) == 100:
            full.set()
        if len(there) % 2:
            await visit.voice.play(("tone/menu",))
        await asyncio.Event().wait()

    async def take_over(visit: Visit) -> None:
        await visit.voice.leave("done")

    async with serve(place.second, flow=take_over) as second:
        async with serve(place.first, flow=flow):
            calls = [await caller.call("0890", caller=f"791600{n:05}") for n in range(100)]
            async with asyncio.timeout(60):
                await full.wait()
        await asyncio.gather(*(call.ended(within=60) for call in calls))
    assert sorted(one.variables["UNIQUEID"] for one in second.visits) == sorted(there)
    assert {call.ended_by for call in calls} == {"them"}
    await asterisk.empties()
