"""People on a real Asterisk: the order of the queue, closed hours, the recording and its notice."""

from pathlib import Path

import pytest

from tests.asterisk.peer.phone import Phone
from tests.asterisk.place import Place
from tests.asterisk.recording import PATIENCE_S
from tests.asterisk.server import Asterisk
from tests.asterisk.service import CLOSED, LATER, MENU, OFFER, PHONE, RATE, nobody_free, served
from tests.end_to_end.stage import RICH

pytestmark = pytest.mark.asterisk

CLASSES = {
    "79165000031": "mass",
    "79165000032": "premium",
    "79165000033": "mass",
    RICH: "premium",
    "79165000035": "mass",
}
"""Callers in the order of their arrival; RICH is the demo's own."""
RIGHT = ["79165000032", RICH, "79165000031", "79165000033", "79165000035"]
OCTETS = 24_000
"""One and a half seconds of a recording."""


async def test_callers_are_served_by_class_and_then_by_arrival(
    tmp_path: Path, caller: Phone, anna: Phone, place: Place, asterisk: Asterisk
):
    """Premium subscribers have a head start of five minutes; the gateway's keys say it, Asterisk obeys."""
    with nobody_free(asterisk) as free:
        async with served(tmp_path, place, asterisk) as service:
            for number, segment in CLASSES.items():
                if number != RICH:
                    service.stage.person(number, segment=segment)
                await service.queued(caller, number)
                service.stage.jump(2_000)  # keys are whole seconds
            free()
            assert await service.serve(anna, len(CLASSES)) == RIGHT
            for call in tuple(caller.calls.values()):
                call.hang_up()
            await service.over()


async def test_out_of_hours_a_callback_is_taken_and_nobody_waits(
    tmp_path: Path, caller: Phone, anna: Phone, place: Place, asterisk: Asterisk
):
    async with served(tmp_path, place, asterisk, changes=CLOSED) as service:
        service.stage.person(PHONE)
        ear = await service.menu(caller)
        await ear.call.press("0")
        await ear.hears("Заявка принята. Специалист вам перезвонит.")
        ear.take()
        await ear.hears(MENU)
        ear.call.hang_up()
        await service.over()
        assert not anna.has_rung
        (task,) = service.stage.gateway.people.tasks.open.values()
        assert (task.kind, task.queue, task.subscriber) == ("callback", "support", PHONE)


async def test_the_talk_is_recorded_and_the_caller_was_told_so(
    tmp_path: Path, caller: Phone, anna: Phone, place: Place, asterisk: Asterisk
):
    folder = asterisk.spool / "monitor"
    async with served(tmp_path, place, asterisk) as service:
        service.stage.person(PHONE)
        before = set(folder.iterdir())
        ear = await service.dial(caller)
        said = await ear.asked(OFFER, LATER)
        assert "Разговор со специалистом записывается." in said
        assert set(folder.iterdir()) == before
        await ear.hears(MENU)
        await ear.call.press("0")
        line = await anna.rings(within=PATIENCE_S)
        await line.answer()
        line.talk("agent")
        ear.call.talk("caller")
        await ear.call.reaches("agent", within=PATIENCE_S)
        (file,) = set(folder.iterdir()) - before
        await asterisk.writes(f"spool/monitor/{file.name}", OCTETS, within=PATIENCE_S)
        line.hang_up()
        await ear.hears(RATE)
        ear.call.hang_up()
        await service.over()
        assert set(folder.iterdir()) - before == {file}
