"""Calls that we make: surveys and callbacks, by Originate with a channel id of our own."""

import pytest

from ivr.prompt import Prompt
from tests.asterisk.gateway import Visit, nothing, serve
from tests.asterisk.manager import log_in
from tests.asterisk.peer.phone import Phone
from tests.asterisk.place import Place
from tests.asterisk.server import Asterisk

pytestmark = pytest.mark.asterisk

TO = "79160000042"


def survey(attempt: str, to: str = TO, ring_ms: int = 10_000) -> tuple[str, ...]:
    """Return the lines of an Originate."""
    return (
        f"Channel: Local/{to}@gudok-dial/n",
        "Context: gudok-out",
        "Exten: 7007777",
        "Priority: 1",
        f"Timeout: {ring_ms}",
        f"ChannelId: {attempt}",
        "Variable: IVR_SESSION=00ff",
        "CallerID: 7007777",
        "Async: true",
    )


async def test_a_subscriber_who_answers_has_the_flow(network: Phone, place: Place, asterisk: Asterisk):
    digits: list[str] = []

    async def flow(visit: Visit) -> None:
        assert await visit.get("IVR_SESSION") == "00ff"
        digits.append((await visit.voice.collect(Prompt(("tone/rating",), 1, first_s=5))).digits)
        await visit.voice.leave("done")

    async with serve(place.first, flow=flow) as gateway, log_in(place.ami) as manager:
        reply = await manager.ask("Originate", *survey("survey-42-1"))
        assert reply["Response"] == "Success"
        call = await network.rings()
        assert call.dialled == TO
        assert "sip:7007777@" in call.caller
        await call.answer()
        await call.hears("rating")
        await call.press("5")
        await call.ended()
        outcome = await manager.event("OriginateResponse")
    assert (outcome["Response"], outcome["Reason"], outcome["Uniqueid"]) == ("Success", "4", "survey-42-1")
    assert digits == ["5"]
    visit = gateway.visits[0]
    assert visit.variables["UNIQUEID"] == "survey-42-1"
    assert visit.variables["CALLERID(num)"] == TO
    assert visit.number == "7007777"
    await asterisk.empties()


@pytest.mark.parametrize(("code", "reason"), [(486, "5"), (480, "3"), (404, "0"), (503, "8")])
async def test_who_does_not_answer_is_told_by_its_reason(
    network: Phone, place: Place, code: int, reason: str
):
    async with serve(place.first, flow=nothing) as gateway, log_in(place.ami) as manager:
        await manager.ask("Originate", *survey(f"survey-43-{code}", ring_ms=2_000))
        (await network.rings()).reject(code)
        outcome = await manager.event("OriginateResponse")
    assert outcome["Response"] == "Failure"
    assert outcome["Reason"] == reason
    assert not gateway.visits


@pytest.mark.parametrize("to", ["0890", "88001234567", "810447911123456", "7916000004", "112", "x"])
async def test_nobody_else_is_called(network: Phone, place: Place, asterisk: Asterisk, to: str):
    async with serve(place.first, flow=nothing) as gateway, log_in(place.ami) as manager:
        await manager.ask("Originate", *survey(f"survey-{to}", to))
        outcome = await manager.event("OriginateResponse")
    assert outcome["Response"] == "Failure"
    assert not network.has_rung
    assert not gateway.visits
    await asterisk.empties()


def callback(identity: str, key: str, to: str = TO) -> tuple[str, ...]:
    """Return the lines of a placeholder."""
    variables = (f"IVR_QUEUE=sales,IVR_PRIO={key},CB_ID={identity},CB_NUMBER={to}",)
    return (
        f"Channel: Local/{identity}@cb-hold/n",
        "Context: cb-queue",
        "Exten: s",
        "Priority: 1",
        f"ChannelId: cb-{identity}-1",
        *(f"Variable: {one}" for one in variables),
        "Async: true",
    )


async def test_a_callback_keeps_its_place_and_dials_when_the_agent_is_there(
    caller: Phone, boris: Phone, network: Phone, place: Place, asterisk: Asterisk
):
    async def flow(visit: Visit) -> None:
        await visit.voice.answer()
        key = {"79160000001": "1971800000", "79160000003": "1971799000"}[visit.variables["CALLERID(num)"]]
        await visit.voice.leave("queue", {"IVR_SESSION": "00ff", "IVR_QUEUE": "sales", "IVR_PRIO": key})

    async def after(visit: Visit) -> None:
        await visit.voice.leave("done")

    asterisk.cli("queue pause member PJSIP/agent102 queue sales")
    try:
        async with serve(place.first, flow=flow, after=after), log_in(place.ami) as manager:
            last = await caller.call("0890", caller="79160000003")
            await last.hears("hold")
            await manager.ask("Originate", *callback("42", "1971799500"))
            assert (await manager.event("QueueCallerJoin"))["CallerIDNum"] == "79160000003"
            joined = await manager.event("QueueCallerJoin")
            assert (joined["Uniqueid"], joined["Position"]) == ("cb-42-1", "1")
            first = await caller.call("0890", caller="79160000001")
            await first.hears("hold")
            assert not network.has_rung
            asterisk.cli("queue unpause member PJSIP/agent102 queue sales")

            line = await boris.rings()
            assert "79160000001" in line.caller
            await line.answer()
            line.hang_up()

            line = await boris.rings()
            await line.answer()
            line.talk("agent")
            subscriber = await network.rings()
            assert subscriber.dialled == TO
            await subscriber.answer()
            subscriber.talk("caller")
            await subscriber.hears("agent")
            await line.reaches("caller")
            line.hang_up()
            await subscriber.ended()
            assert not network.has_rung

            line = await boris.rings()
            assert "79160000003" in line.caller
            await line.answer()
            line.hang_up()
            await last.ended()
    finally:
        asterisk.cli("queue unpause member PJSIP/agent102 queue sales")
    await asterisk.empties()


async def test_a_callback_to_a_number_out_of_the_list_is_refused(
    boris: Phone, network: Phone, place: Place, asterisk: Asterisk
):
    async with log_in(place.ami) as manager:
        await manager.ask("Originate", *callback("43", "1971799500", "810447911123456"))
        outcome = await manager.event("OriginateResponse")
    assert outcome["Response"] == "Failure"
    assert not network.has_rung
    await asterisk.empties()
