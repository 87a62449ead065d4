"""The shipped flows on a real Asterisk: what a caller hears, presses and is asked, to the last key."""

import asyncio
from pathlib import Path

import pytest

from tests.asterisk.peer.phone import Call, Phone
from tests.asterisk.place import Place
from tests.asterisk.recording import Ear
from tests.asterisk.server import Asterisk
from tests.asterisk.service import Service, served

pytestmark = pytest.mark.asterisk

PHONE = "79165000001"
LATER = "2"
"""The key that puts off the personal offer at the head of 0890."""
HELLO, MENU, OFFER = "Здравствуйте! Это Гудок.", "Главное меню.", "Для вас тариф"
LAST = "Специалист нажмите ноль"
"""Ends the main menu."""
RATE, WHY = "Оцените разговор от нуля до пяти.", "Что не понравилось?"


async def menu(ear: Ear) -> str:
    """Listen up to the end of the main menu; return all that was said."""
    said = await ear.asked(OFFER, LATER)
    await ear.hears(LAST)
    return said + " " + ear.take()


async def talk(service: Service, ear: Ear, agent: Phone) -> Call:
    """Ask for a specialist and talk to the one who answers."""
    await menu(ear)
    await ear.call.press("0")
    line = await agent.rings()
    await line.answer()
    line.talk("agent")
    await ear.call.reaches("agent")
    ear.take()
    return line


async def test_the_menu_is_heard_and_its_keys_lead_on_and_back(
    tmp_path: Path, caller: Phone, place: Place, asterisk: Asterisk
):
    async with served(tmp_path, place, asterisk) as service:
        service.stage.person(PHONE)
        ear = await service.dial(caller, PHONE)
        said = await menu(ear)
        assert said.startswith(f"{HELLO} Разговор со специалистом записывается. {OFFER}")
        assert "Баланс, тариф и платежи нажмите один" in said
        await ear.call.press("#")
        assert (await ear.hears(LAST)).startswith(MENU)
        ear.take()
        await ear.call.press("1")
        await ear.hears("Советы")
        assert ear.take().startswith("Баланс одна тысяча пятьсот рублей")
        await ear.call.press("*")
        assert (await ear.hears(MENU)).startswith(MENU)
        ear.call.hang_up()
        await service.over()
        assert not service.sessions


async def test_a_key_stops_the_menu_and_nothing_of_it_is_heard_behind_it(
    tmp_path: Path, caller: Phone, place: Place, asterisk: Asterisk
):
    async with served(tmp_path, place, asterisk) as service:
        service.stage.person(PHONE)
        ear = await service.dial(caller, PHONE)
        await ear.asked(OFFER, LATER)
        await ear.asked(MENU, "1")
        await ear.hears("Баланс одна тысяча")
        cut = ear.played[ear._taken - 1]
        assert cut.frames <= service.recordings.frames(cut.name)
        assert "нажмите" not in ear.words().split("Баланс одна тысяча")[0]
        ear.call.hang_up()
        await service.over()


async def test_keys_pressed_ahead_are_taken_but_never_for_a_charge(
    tmp_path: Path, caller: Phone, place: Place, asterisk: Asterisk
):
    async with served(tmp_path, place, asterisk) as service:
        stage = service.stage
        stage.person(PHONE)
        ear = await service.dial(caller, PHONE)
        await ear.asked(HELLO)
        await ear.asked(OFFER, LATER + "1")
        await ear.asked("Баланс одна тысяча", "*")
        await ear.hears(LAST)
        ear.take()
        ear.call.hang_up()
        await service.over()

        ear = await service.dial(caller, PHONE)
        await ear.asked(HELLO)
        await ear.call.press("2")  # 0890 offers nothing a second time: the key would refresh the package
        await ear.hears(LAST)
        await stage.gateway.host.idle()
        assert stage.charges(PHONE) == []
        ear.take()
        await ear.call.press("2")
        await ear.hears("Пакет обновлён, списано четыреста девяносто")
        assert len(stage.charges(PHONE)) == 1
        ear.call.hang_up()
        await service.over()


@pytest.mark.parametrize("keys", ["", "9"])
async def test_silence_and_wrong_keys_are_told_and_lead_to_people(
    tmp_path: Path, caller: Phone, anna: Phone, place: Place, asterisk: Asterisk, keys: str
):
    async with served(tmp_path, place, asterisk) as service:
        service.stage.person(PHONE)
        ear = await service.dial(caller, PHONE)
        await menu(ear)
        for _ in range(2):
            await ear.call.press(keys)
            await ear.hears("Неверный ввод." if keys else "Нет ответа.")
            await ear.hears(LAST)
            ear.take()
        await ear.call.press(keys)
        line = await anna.rings()
        await line.answer()
        line.talk("agent")
        await ear.call.reaches("agent")
        ear.call.hang_up()
        await line.ended()
        await service.over()
        assert not service.sessions


@pytest.mark.parametrize(
    ("balance", "said"),
    [
        ("153.20", "100 50 3m rubles-2 20 kopecks-5"),
        ("1.00", "1m rubles-1"),
        ("21.01", "20 1m rubles-1 1f kopecks-1"),
        ("2000.02", "2f thousand-2 rubles-5 2f kopecks-2"),
        ("111000.11", "100 11 thousand-5 rubles-5 11 kopecks-5"),
    ],
)
async def test_a_balance_is_heard_as_the_right_row_of_recordings(
    tmp_path: Path, caller: Phone, place: Place, asterisk: Asterisk, balance: str, said: str
):
    async with served(tmp_path, place, asterisk) as service:
        service.stage.person(PHONE, balance=balance)
        ear = await service.dial(caller, PHONE)
        await menu(ear)
        await ear.call.press("1")
        await ear.hears("Советы")
        names = [name for name in ear.files() if "/values/" in name]
        assert all(ear.whole(name) for name in names)
        rows = " ".join(name.removeprefix("gudok/ru/values/") for name in names)
        assert rows.startswith(f"{said} 1 2 3")
        ear.call.hang_up()
        await service.over()


async def test_when_the_agent_leaves_the_caller_rates_the_talk(
    tmp_path: Path, caller: Phone, anna: Phone, place: Place, asterisk: Asterisk
):
    async with served(tmp_path, place, asterisk) as service:
        stage = service.stage
        stage.person(PHONE)
        ear = await service.dial(caller, PHONE)
        line = await talk(service, ear, anna)
        assert PHONE in line.caller
        line.hang_up()
        await ear.asked(RATE, "1")
        await ear.asked(WHY, "2")
        await ear.hears("Спасибо! Мы перезвоним и разберёмся.")
        await ear.call.ended()
        assert ear.call.ended_by == "them"
        await service.over()
        (rating,) = stage.gateway.store.ratings(0, 10)
        assert (rating.topic, rating.score, rating.channel) == ("call", 1, "voice")
        (task,) = stage.gateway.people.tasks.open.values()
        assert (task.queue, task.lines[0].text) == ("quality", "Оценка 1, причина — Долго ждать")
        assert stage.inbox(PHONE) == []
        assert not service.sessions


async def test_a_caller_who_leaves_first_is_asked_by_sms(
    tmp_path: Path, caller: Phone, anna: Phone, place: Place, asterisk: Asterisk
):
    async with served(tmp_path, place, asterisk) as service:
        stage = service.stage
        stage.person(PHONE)
        ear = await service.dial(caller, PHONE)
        line = await talk(service, ear, anna)
        ear.call.hang_up()
        await line.ended()
        await service.over()
        assert stage.counted("queue_left.support.answered") == 1
        stage.gateway.starts.tend(stage.clock.now())
        assert (await stage.centre.next_sms(PHONE)).text == RATE


async def test_the_talk_is_recorded_and_the_caller_was_told_so(
    tmp_path: Path, caller: Phone, anna: Phone, place: Place, asterisk: Asterisk
):
    async with served(tmp_path, place, asterisk) as service:
        service.stage.person(PHONE)
        before = set((asterisk.spool / "monitor").iterdir())
        ear = await service.dial(caller, PHONE)
        said = await menu(ear)
        assert "Разговор со специалистом записывается." in said
        await ear.call.press("0")
        line = await anna.rings()
        await line.answer()
        line.talk("agent")
        ear.call.talk("caller")
        await ear.call.reaches("agent")
        await line.hears("caller")
        line.hang_up()
        await ear.hears(RATE)
        ear.call.hang_up()
        await service.over()
        (file,) = set((asterisk.spool / "monitor").iterdir()) - before
        assert file.stat().st_size > 8_000


async def test_callers_are_served_by_class_and_then_by_arrival(
    tmp_path: Path, caller: Phone, anna: Phone, place: Place, asterisk: Asterisk
):
    """Premium subscribers have a head start of five minutes; the gateway's keys say it, Asterisk obeys."""
    people = {
        "79165000001": "mass",
        "79165000002": "premium",
        "79165000003": "mass",
        "79165000004": "premium",
        "79165000005": "mass",
    }
    right = ["79165000002", "79165000004", "79165000001", "79165000003", "79165000005"]
    asterisk.cli("queue pause member PJSIP/agent101 queue support")
    try:
        async with served(tmp_path, place, asterisk) as service:
            stage = service.stage
            for number, segment in people.items():
                stage.person(number, segment=segment)
                ear = await service.dial(caller, number)
                await menu(ear)
                await ear.call.press("0")
                await ear.call.reaches("hold")
                stage.jump(2_000)  # keys are whole seconds
            asterisk.cli("queue unpause member PJSIP/agent101 queue support")
            served_by = []
            for _ in people:
                line = await anna.rings()
                served_by.append(line.caller.partition("sip:")[2].partition("@")[0])
                await line.answer()
                line.hang_up()
            assert served_by == right
            for call in tuple(caller.calls.values()):
                call.hang_up()
            await service.over()
            assert not service.sessions
    finally:
        asterisk.cli("queue unpause member PJSIP/agent101 queue support")


async def test_out_of_hours_a_callback_is_taken_and_nobody_waits(
    tmp_path: Path, caller: Phone, place: Place, asterisk: Asterisk
):
    night = "support: { skills: [tariffs, internet], hours: 00:00-24:00"
    closed = {"config/project.yaml": {night: night.replace("00:00-24:00", "holidays")}}
    never = "calendars:\n  holidays: { days: Mon-Sun, hours: 09:00-18:00, holidays: [2026-01-01..2035-01-01] }"
    closed["config/project.yaml"]["calendars:"] = never
    async with served(tmp_path, place, asterisk, changes=closed) as service:
        stage = service.stage
        stage.person(PHONE)
        ear = await service.dial(caller, PHONE)
        await menu(ear)
        await ear.call.press("0")
        await ear.hears("Специалист вам перезвонит.")
        await ear.call.ended()
        await service.over()
        (task,) = stage.gateway.people.tasks.open.values()
        assert (task.kind, task.queue, task.subscriber) == ("callback", "support", PHONE)
        assert not service.sessions


EARLY = """\
flow:
  title: Справка до ответа
  call: "0895"
  answer: late

start:
  - say: Здравствуйте! Это Гудок.
  - menu: Главное меню.
    1 Остатки:
      - say: Спасибо за оценку!
      - end: { text: "Хорошо, не сейчас." }
"""


async def test_a_flow_speaks_before_the_call_is_answered_and_paid(
    tmp_path: Path, caller: Phone, place: Place, asterisk: Asterisk
):
    async with served(tmp_path, place, asterisk, files={"flows/early.yaml": EARLY}) as service:
        ear = await service.dial(caller, PHONE, "0895")
        await ear.call.early_media()
        await ear.hears(HELLO)
        states = [ear.call.state]
        await ear.asked(MENU, "1")
        await ear.hears("Спасибо за оценку! Хорошо, не сейчас.")
        await ear.call.ended()
        await service.over()
        assert states == ["ringing"]


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("79165000001", '"Anna) (200 result=1"'),
        ("79165000001", '"${SHELL(id)}\\" ,x"'),
        ("anonymous", '"\\\\\\" EXEC System \\"id"'),
        ("79160000001)x", None),
        ("%24%7BSHELL(id)%7D", '"511 result=-1 endpos=0"'),
    ],
)
async def test_whoever_a_caller_says_he_is_he_gets_the_flow_and_nothing_else(
    tmp_path: Path, caller: Phone, place: Place, asterisk: Asterisk, number: str, name: str | None
):
    forged = [("X-IVR-SESSION", "0" * 32), ("Remote-Party-ID", f"<sip:{PHONE}@127.0.0.1>;party=calling")]
    forged += [("P-Asserted-Identity", "<sip:79160000009@127.0.0.1>"), ("X-GUDOK-TOKEN", "${GUDOK_TOKEN}")]
    async with served(tmp_path, place, asterisk) as service:
        service.stage.person(PHONE)
        ear = await service.dial(caller, number, name=name, headers=forged)
        await ear.hears(HELLO)
        (one,) = service.stage.gateway.host.conversations.values()
        digits = "".join(one for one in number if one.isdigit())
        assert one.session.caller in {digits, ""}
        assert one.session.caller != "79160000009"
        ear.call.hang_up()
        await service.over()
        assert not service.sessions


MOMENTS = ("ringing", "greeting", "offer", "menu", "charge", "result", "waiting", "talk", "rating", "why")


@pytest.mark.parametrize("moment", MOMENTS)
async def test_who_hangs_up_at_any_step_leaves_nothing_behind(
    tmp_path: Path, caller: Phone, anna: Phone, place: Place, asterisk: Asterisk, moment: str
):
    async with served(tmp_path, place, asterisk) as service:
        stage = service.stage
        stage.person(PHONE)
        fault = stage.fault(operation="billing.refresh_package", kind="delay", after=400, count=1)
        ear = await service.dial(caller, PHONE)
        line = await walk(service, ear, anna, moment, fault)
        ear.call.hang_up()
        if line is not None:
            await line.ended()
        await service.over()
        await stage.until(lambda: not service.sessions, "the end of the session")
        paid = moment in {"charge", "result"}
        assert len(stage.charges(PHONE)) == int(paid)
        if paid:
            assert (await stage.centre.next_sms(PHONE)).text.startswith("Пакет обновлён, списано 490 ₽.")
        ratings = stage.gateway.store.ratings(0, 10)
        assert [one.score for one in ratings] == ([1] if moment == "why" else [])


async def walk(service: Service, ear: Ear, agent: Phone, moment: str, fault: int) -> Call | None:
    """Go through a call up to a moment; return the agent's side if there is one still."""
    stage = service.stage
    if moment == "ringing":
        return None
    if moment in {"greeting", "offer"}:
        await ear.hears(HELLO if moment == "greeting" else OFFER)
        return None
    if moment in {"rating", "why"}:
        line = await talk(service, ear, agent)
        line.hang_up()
        await ear.hears(RATE)
        if moment == "why":
            await ear.call.press("1")
            await ear.hears(WHY)
        return None
    if moment == "talk":
        return await talk(service, ear, agent)
    await menu(ear)
    if moment in {"charge", "result"}:
        await ear.call.press("2")
        if moment == "charge":
            board = stage.billing.board
            await stage.until(lambda: board.standing[fault].fired >= 1, "the charge")
        else:
            await ear.hears("Пакет обновлён")
    if moment == "waiting":
        await ear.call.press("0")
        line = await agent.rings()
        await ear.call.reaches("hold")
        return line
    await asyncio.sleep(0)
    return None
