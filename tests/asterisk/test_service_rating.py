"""After the talk, on a real Asterisk: whoever stays is asked at once, whoever leaves first by SMS."""

from pathlib import Path

import pytest

from tests.asterisk.peer.phone import Phone
from tests.asterisk.place import Place
from tests.asterisk.recording import PATIENCE_S
from tests.asterisk.server import Asterisk
from tests.asterisk.service import MENU, PHONE, RATE, WHY, served

pytestmark = pytest.mark.asterisk


async def test_when_the_agent_leaves_the_caller_rates_the_talk(
    tmp_path: Path, caller: Phone, anna: Phone, place: Place, asterisk: Asterisk
):
    """The score is stored before the next question is asked, and a low one becomes a task."""
    async with served(tmp_path, place, asterisk) as service:
        stage = service.stage
        stage.person(PHONE)
        ear, line = await service.talk(caller, anna)
        assert PHONE in line.caller
        line.hang_up()
        await ear.asked(RATE, "1")
        await ear.hears(WHY)
        (rating,) = stage.gateway.store.ratings(0, 10)
        assert (rating.topic, rating.score, rating.channel) == ("call", 1, "voice")
        assert not stage.gateway.people.tasks.open
        ear.take()
        await ear.call.press("2")
        await ear.hears("Спасибо! Мы перезвоним и разберёмся.")
        await ear.hears(MENU)
        (task,) = stage.gateway.people.tasks.open.values()
        assert (task.queue, task.lines[0].text) == ("quality", "Оценка 1, причина — Долго ждать")
        ear.call.hang_up()
        await service.over()
        assert len(stage.gateway.store.ratings(0, 10)) == 1
        assert stage.inbox(PHONE) == []
        assert stage.counted("queue_left.support.answered") == 1


async def test_a_caller_who_leaves_first_rates_by_sms(
    tmp_path: Path, caller: Phone, anna: Phone, place: Place, asterisk: Asterisk
):
    async with served(tmp_path, place, asterisk) as service:
        stage = service.stage
        stage.person(PHONE)
        ear, line = await service.talk(caller, anna)
        ear.call.hang_up()
        await line.ended(within=PATIENCE_S)
        await service.over()
        assert stage.counted("queue_left.support.answered") == 1
        stage.gateway.starts.tend(stage.clock.now())
        asked = await stage.centre.next_sms(PHONE)
        assert asked.text == RATE
        await stage.centre.sms(PHONE, "000500", "5")
        await stage.until(lambda: len(stage.gateway.store.ratings(0, 10)) == 1, "the rating", PATIENCE_S)
        (rating,) = stage.gateway.store.ratings(0, 10)
        assert (rating.topic, rating.score, rating.channel) == ("call", 5, "sms")
        assert not stage.gateway.people.tasks.open
