"""The main line on a real Asterisk: what a caller hears and presses, also ahead, wrongly, or not at all."""

import asyncio
from pathlib import Path

import pytest

from tests.asterisk.peer.phone import Phone
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
    Service,
    nobody_free,
    served,
)

pytestmark = pytest.mark.asterisk

WRONG = "Неверный ввод."
GREETED = f"{HELLO} Разговор со специалистом записывается."


async def test_the_menu_is_heard_and_its_keys_lead_on_and_back(
    tmp_path: Path, caller: Phone, place: Place, asterisk: Asterisk
):
    async with served(tmp_path, place, asterisk) as service:
        service.stage.person(PHONE)
        ear = await service.dial(caller)
        said = await ear.asked(OFFER, LATER)
        assert said.startswith(f"{HELLO} Разговор со специалистом записывается. {OFFER}")
        await ear.hears(LAST)
        said = ear.take()
        assert "Главное меню. Баланс, тариф и платежи нажмите один Обновить пакет нажмите два" in said
        await ear.call.press("#")
        assert (await ear.hears(LAST)).startswith(MENU)
        ear.take()
        await ear.call.press("1")
        assert (await ear.hears("Советы")).startswith(BALANCE)
        ear.take()
        await ear.call.press("*")
        assert (await ear.hears(LAST)).startswith(MENU)
        ear.call.hang_up()
        await service.over()


async def test_a_key_stops_the_menu_and_nothing_of_it_is_heard_behind_it(
    tmp_path: Path, caller: Phone, place: Place, asterisk: Asterisk
):
    async with served(tmp_path, place, asterisk) as service:
        service.stage.person(PHONE)
        ear = await service.menu(caller)
        ear.take()
        await ear.call.press("1")
        said = await ear.hears(BALANCE)
        assert LAST not in said
        assert said.count("нажмите") < 6
        assert "нажмите" not in said.partition(BALANCE)[2]
        ear.call.hang_up()
        await service.over()


async def pressed_while_asked(service: Service, caller: Phone, key: str) -> Ear:
    """Put the offer off and press a key while a back end is asked, when Asterisk runs no command at all."""
    service.stage.person(PHONE)
    service.stage.fault(operation="marketing.answer", kind="delay", delay=600, count=1)
    ear = await service.dial(caller)
    await ear.asked(OFFER, LATER + key)
    return ear


async def test_keys_pressed_ahead_are_answers_where_nothing_is_at_stake(
    tmp_path: Path, caller: Phone, place: Place, asterisk: Asterisk
):
    async with served(tmp_path, place, asterisk) as service:
        stage = service.stage
        ear = await pressed_while_asked(service, caller, "1")
        said = await ear.hears(BALANCE)
        assert MENU not in said
        ear.call.hang_up()
        await service.over()
        assert stage.charges(PHONE) == []


async def test_a_key_pressed_while_a_back_end_is_asked_never_charges(
    tmp_path: Path, caller: Phone, place: Place, asterisk: Asterisk
):
    async with served(tmp_path, place, asterisk) as service:
        stage = service.stage
        ear = await pressed_while_asked(service, caller, "2")
        assert (await ear.hears(LAST)).startswith(MENU)
        await service.settled()
        assert stage.asked("billing.refresh_package") == 0
        ear.call.hang_up()
        await service.over()
        assert stage.charges(PHONE) == []


async def test_a_key_pressed_with_the_one_before_it_never_charges(
    tmp_path: Path, caller: Phone, place: Place, asterisk: Asterisk
):
    """`*` leads back to the menu; the `2` comes with it, before anybody can have heard the menu again."""
    async with served(tmp_path, place, asterisk) as service:
        stage = service.stage
        stage.person(PHONE)
        ear = await service.menu(caller)
        await ear.call.press("1")
        await ear.asked(BALANCE, "*2")
        assert MENU in await ear.hears(LAST)
        await service.settled()
        assert stage.charges(PHONE) == []
        assert stage.asked("billing.refresh_package") == 0
        ear.take()
        await ear.call.press("2")
        await ear.hears(CHARGED)
        ear.call.hang_up()
        await service.over()
        assert len(stage.charges(PHONE)) == 1


async def test_a_key_in_the_greeting_answers_the_menu_behind_it_and_charges_once(
    tmp_path: Path, caller: Phone, place: Place, asterisk: Asterisk
):
    """On the second call nothing is offered: greeting and menu are one prompt, and the key has stopped it."""
    async with served(tmp_path, place, asterisk, reaction_ms=250) as service:
        stage = service.stage
        stage.person(PHONE)
        ear = await service.menu(caller)
        ear.call.hang_up()
        await service.over()
        ear = await service.dial(caller)
        await ear.asked(GREETED, "2")
        said = await ear.hears(CHARGED)
        assert "нажмите" not in said.partition(CHARGED)[0]
        await ear.hears(LAST)
        ear.call.hang_up()
        await service.over()
        assert len(stage.charges(PHONE)) == 1


async def test_silence_and_wrong_keys_are_asked_again_and_lead_to_people(
    tmp_path: Path, caller: Phone, anna: Phone, place: Place, asterisk: Asterisk
):
    quick = {"config/project.yaml": {"no_input: 7s": "no_input: 1s"}}
    people = ("79165000011", "79165000012")
    async with served(tmp_path, place, asterisk, changes=quick) as service:
        for number in people:
            service.stage.person(number)

        async def silent() -> None:
            ear = await service.menu(caller, people[0])
            for _ in range(3):
                assert WRONG not in await ear.hears(LAST)
                ear.take()
            await ear.call.reaches("hold", within=PATIENCE_S)

        async def wrong() -> None:
            ear = await service.menu(caller, people[1])
            for number in range(3):
                said = await ear.hears(MENU)
                assert (WRONG in said) == (number > 0)
                ear.take()
                await ear.call.press("9")
            await ear.call.reaches("hold", within=PATIENCE_S)

        with nobody_free(asterisk) as free:
            await asyncio.gather(silent(), wrong())
            free()
            assert sorted(await service.serve(anna, len(people))) == sorted(people)
        for call in tuple(caller.calls.values()):
            call.hang_up()
        await service.over()
