"""Whoever hangs up, at whatever step of 0890 on a real Asterisk: nothing stays, nothing is paid twice."""

import asyncio
from pathlib import Path

import pytest

from tests.asterisk.peer.phone import Call, Phone
from tests.asterisk.place import Place
from tests.asterisk.recording import PATIENCE_S, Ear
from tests.asterisk.server import Asterisk
from tests.asterisk.service import (
    BALANCE,
    CHARGED,
    HELLO,
    LAST,
    LATER,
    MENU,
    OFFER,
    PHONE,
    RATE,
    WHY,
    Service,
    served,
)
from tests.end_to_end.stage import DONE

pytestmark = pytest.mark.asterisk

PAID = {"charge", "result", "menu after the result"}
"""Moments at which the package is paid for: the outcome follows by SMS."""
MOMENTS = {
    "before the answer": "79165000041",
    "greeting": "79165000042",
    "offer": "79165000043",
    "answer to the offer": "79165000044",
    "menu": "79165000045",
    "end of the menu": "79165000046",
    "balance": "79165000047",
    "remainders": "79165000048",
    "back in the menu": "79165000049",
    "charge": "79165000050",
    "result": "79165000051",
    "menu after the result": "79165000052",
    "charging key": "79165000053",
}


async def listen(service: Service, phone: Phone, moment: str) -> Ear:
    """Go through a call up to a moment."""
    number = MOMENTS[moment]
    ear = await service.dial(phone, number)
    if moment == "before the answer":
        return ear
    await ear.hears(HELLO)
    if moment == "greeting":
        return ear
    await ear.hears(OFFER)
    if moment == "offer":
        return ear
    await ear.call.press(LATER)
    if moment == "answer to the offer":
        return ear
    await ear.hears(LAST if moment in {*PAID, "charging key", "end of the menu"} else MENU)
    if moment in {"balance", "remainders", "back in the menu"}:
        await ear.call.press("1")
        await ear.hears(BALANCE)
        ear.take()
        if moment == "remainders":
            await ear.call.press("1")
            await ear.hears("минут")
        if moment == "back in the menu":
            await ear.call.press("*")
            await ear.hears(MENU)
    return await charge(service, ear, number, moment)


async def charge(service: Service, ear: Ear, number: str, moment: str) -> Ear:
    """Order the package if the moment is one of the order."""
    if moment not in {*PAID, "charging key"}:
        return ear
    stage = service.stage
    delay = 400 if moment == "charge" else 0
    fault = stage.fault(operation="billing.refresh_package", kind="delay", after=delay, count=1, phone=number)
    await ear.call.press("2")
    if moment == "charge":
        await stage.until(lambda: stage.billing.board.standing[fault].fired >= 1, "the charge", PATIENCE_S)
    if moment in {"result", "menu after the result"}:
        await ear.hears(CHARGED)
        ear.take()
    if moment == "menu after the result":
        await ear.hears(LAST)
    return ear


async def test_who_hangs_up_at_any_prompt_leaves_nothing_and_is_charged_once(
    tmp_path: Path, caller: Phone, place: Place, asterisk: Asterisk
):
    async with served(tmp_path, place, asterisk) as service:
        stage = service.stage
        for number in MOMENTS.values():
            stage.person(number)

        async def leave(moment: str) -> None:
            ear = await listen(service, caller, moment)
            ear.call.hang_up()

        await asyncio.gather(*(leave(moment) for moment in MOMENTS))
        await service.over()
        paid = {moment: len(stage.charges(number)) for moment, number in MOMENTS.items()}
        assert paid.pop("charging key") in {0, 1}
        assert paid == {moment: int(moment in PAID) for moment in paid}
        for moment, number in MOMENTS.items():
            if stage.charges(number):
                assert (await stage.centre.next_sms(number)).text == DONE, moment
            else:
                assert stage.inbox(number) == [], moment
        assert stage.counted("calls.unknown") == stage.counted("calls.forged") == 0


@pytest.mark.parametrize("moment", ["waiting", "ringing", "talk", "rating", "why"])
async def test_who_hangs_up_on_the_way_to_people_or_behind_them_leaves_nothing(
    tmp_path: Path, caller: Phone, anna: Phone, place: Place, asterisk: Asterisk, moment: str
):
    async with served(tmp_path, place, asterisk) as service:
        stage = service.stage
        stage.person(PHONE)
        ear, line = await with_people(service, caller, anna, moment)
        ear.call.hang_up()
        if line is not None:
            await line.ended(within=PATIENCE_S)
        await service.over()
        talked = moment in {"talk", "rating", "why"}
        left = {name: stage.counted(f"queue_left.support.{name}") for name in ("answered", "abandoned")}
        assert left == {"answered": int(talked), "abandoned": int(not talked)}
        assert [one.score for one in stage.gateway.store.ratings(0, 10)] == ([1] if moment == "why" else [])
        assert stage.charges(PHONE) == []
        assert len(stage.gateway.voice.aways) == 0


async def with_people(service: Service, phone: Phone, agent: Phone, moment: str) -> tuple[Ear, Call | None]:
    """Go up to a moment; return the caller's side and the agent's if it is there still."""
    if moment in {"waiting", "ringing"}:
        ear = await service.queued(phone)
        return ear, await agent.rings(within=PATIENCE_S) if moment == "ringing" else None
    ear, line = await service.talk(phone, agent)
    if moment == "talk":
        return ear, line
    line.hang_up()
    await ear.hears(RATE)
    if moment == "why":
        await ear.call.press("1")
        await ear.hears(WHY)
    return ear, None
