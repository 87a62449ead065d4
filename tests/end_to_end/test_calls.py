"""Whole calls through the real gateway: the shipped flows, a billing, a store, and a scripted Asterisk."""

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.call_settings import AgiSettings
from gateway.web.metrics import GatewayMetrics
from ivr.queue_key import EPOCH_MS, HIGHEST
from ivr.testing.call import Call
from tests.end_to_end.stage import DONE, RICH, Stage
from tests.end_to_end.telephone import TOKEN, again, call, hear, port, settled, telephones, words

PHONE = "79165000001"
LATER = "2"
"""The key with which the personal offer at the head of 0890 is put off."""
MENU = "Главное меню."


async def menu(stage: Stage, one) -> None:
    """Hear 0890 up to its main menu."""
    if MENU not in await hear(one):
        one.press(LATER)
        assert (await hear(one)).startswith(MENU)


async def queued(stage: Stage, one) -> dict[str, str]:
    """Ask for a specialist and return what the dialplan is told."""
    await menu(stage, one)
    one.press("0")
    await one.rest()
    await settled(stage)
    return one.variables


async def test_a_call_from_the_greeting_to_the_rating(tmp_path: Path):
    async with telephones(tmp_path) as stage:
        stage.person(PHONE)
        async with call(stage, caller=PHONE) as one:
            assert (await hear(one)).startswith("Здравствуйте! Это Гудок.")
            one.press(LATER)
            assert "Специалист нажмите ноль" in await hear(one)
            one.press("0")
            await one.rest()
            assert one.channel.up
            told = one.variables
            assert (told["IVR_NEXT"], told["IVR_QUEUE"], told["IVR_RECORD"]) == ("queue", "support", "yes")
            assert told["IVR_QTIMEOUT"] == "120"
            assert told["IVR_SURVEY"] == "yes"
            assert len(told["IVR_SESSION"]) == 32
            now = HIGHEST - (stage.clock.now() - EPOCH_MS) // 1000
            assert (
                300 <= int(told["IVR_PRIO"]) - now <= 310
            )  # five minutes ahead: a subscriber of class premium
        channel = one.channel
        left = {"QUEUESTATUS": "CONTINUE", "MEMBERINTERFACE": "PJSIP/anna", "QEHOLDTIME": "12"}
        async with again(stage, channel, "after", **left) as back:
            assert await hear(back, "1") == "Оцените разговор от нуля до пяти."
            assert (await hear(back, "2")).startswith("Что не понравилось?")
            assert (await hear(back)).startswith("Спасибо! Мы перезвоним и разберёмся. " + MENU)
            back.hang_up()
        await settled(stage)
        (rating,) = stage.gateway.store.ratings(0, 10)
        assert (rating.topic, rating.score, rating.channel) == ("call", 1, "voice")
        (task,) = stage.gateway.people.tasks.open.values()
        assert (task.queue, task.lines[0].text) == ("quality", "Оценка 1, причина — Долго ждать")
        assert not stage.gateway.host.conversations


BALANCES = {
    "153.20": "100 50 3 rubles-2 20 kopecks-5",
    "1.00": "1 rubles-1",
    "21.01": "20 1 rubles-1 1f kopecks-1",
    "2000.02": "2f thousand-2 rubles-5 2f kopecks-2",
    "111000.11": "100 11 thousand-5 rubles-5 11 kopecks-5",
}


async def test_a_balance_is_the_right_row_of_recordings(tmp_path: Path):
    async with telephones(tmp_path) as stage:
        for at, (balance, said) in enumerate(BALANCES.items()):
            phone = f"7916500010{at}"
            stage.person(phone, balance=balance)
            async with call(stage, caller=phone) as one:
                await menu(stage, one)
                one.press("1")
                files = (await one.question()).files
                one.hang_up()
            values = [name.removeprefix("gudok/ru/values/") for name in files if "/values/" in name]
            assert " ".join(values).startswith(said + " 1 2 3")


async def test_who_hangs_up_while_he_is_charged_is_told_by_sms_and_charged_once(tmp_path: Path):
    async with telephones(tmp_path) as stage:
        stage.person(PHONE)
        number = stage.fault(operation="billing.refresh_package", kind="delay", after=300, count=1)
        async with call(stage, caller=PHONE) as one:
            await menu(stage, one)
            one.press("2")
            await stage.until(lambda: stage.billing.board.standing[number].fired >= 1, "the charge")
            one.hang_up()
        assert (await stage.centre.next_sms(PHONE)).text == DONE
        await stage.quiet()
        await settled(stage)
        assert len(stage.charges(PHONE)) == 1
        assert stage.inbox(PHONE) == [DONE]
        assert not stage.gateway.host.conversations


async def test_who_hangs_up_before_the_result_is_heard_to_its_end_gets_it_by_sms(tmp_path: Path):
    async with telephones(tmp_path) as stage:
        stage.person(PHONE)
        async with call(stage, caller=PHONE) as one:
            await menu(stage, one)
            one.press("2")
            await one.question()  # the result, and the menu again
            one.hang_up()
        assert (await stage.centre.next_sms(PHONE)).text.startswith(DONE)
        await settled(stage)
        assert len(stage.charges(PHONE)) == 1


async def test_a_slow_back_end_makes_the_caller_hear_a_moment_please(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async with telephones(tmp_path) as stage:
        stage.person(PHONE)
        stage.fault(operation="billing.refresh_package", kind="delay", after=400, count=1)
        async with call(stage, caller=PHONE) as one:
            await menu(stage, one)
            # Only now: a busy machine looks the menu up more slowly than this.
            monkeypatch.setattr("gateway.host.voice_call.MOMENT_AFTER_S", 0.01)
            one.press("2")
            assert words((await one.prompt()).files) == "Одну минуту."
            one.silence()
            await stage.until(lambda: len(stage.charges(PHONE)) == 1, "the charge")
            assert (await hear(one)).endswith("Специалист нажмите ноль")


async def test_a_key_pressed_ahead_never_charges(tmp_path: Path):
    async with telephones(tmp_path) as stage:
        stage.person(PHONE)
        async with call(stage, caller=PHONE) as one:
            await hear(one)
            one.press(LATER + "2")  # the second key is pressed before the main menu is there
            assert (await hear(one)).startswith(MENU)
            await settled_turn(stage)
            assert stage.charges(PHONE) == []
            one.press("1")
            await hear(one)


async def test_a_key_pressed_ahead_is_taken_where_nothing_is_at_stake(tmp_path: Path):
    async with telephones(tmp_path) as stage:
        stage.person(PHONE)
        async with call(stage, caller=PHONE) as one:
            await hear(one)
            one.press(LATER + "1")
            assert (await hear(one)).startswith("Баланс")


async def settled_turn(stage: Stage) -> None:
    await stage.gateway.host.idle()


async def test_silence_and_wrong_keys_lead_to_people(tmp_path: Path):
    async with telephones(tmp_path) as stage:
        stage.person(PHONE)
        for keys in ("", "9"):
            async with call(stage, caller=PHONE) as one:
                await menu(stage, one)
                for _ in range(3):
                    await one.question()
                    if keys:
                        one.press(keys)
                    else:
                        one.silence()
                await one.rest()
                assert (one.variables["IVR_NEXT"], one.variables["IVR_QUEUE"]) == ("queue", "support")


async def test_repeat_back_and_operator(tmp_path: Path):
    async with telephones(tmp_path) as stage:
        stage.person(PHONE)
        async with call(stage, caller=PHONE) as one:
            await menu(stage, one)
            first = await repeat(one, "#")
            assert first.startswith(MENU)
            one.press("1")
            assert (await hear(one)).startswith("Баланс")
            one.press("*")
            assert (await hear(one)).startswith(MENU)
            one.press("1")
            await hear(one, "0")
            await one.rest()
            assert one.variables["IVR_NEXT"] == "queue"


async def repeat(one, key: str) -> str:
    one.press(key)
    return await hear(one)


async def test_who_hangs_up_in_the_queue_is_no_talk_and_gets_no_survey(tmp_path: Path):
    async with telephones(tmp_path) as stage:
        stage.person(PHONE)
        async with call(stage, caller=PHONE) as one:
            await queued(stage, one)
        async with again(stage, one.channel, "hangup") as left:
            left.channel.hungup = True
            await left.ended()
        await settled(stage)
        assert not stage.gateway.host.conversations
        assert stage.inbox(PHONE) == []
        assert stage.counted("queue_left.support.abandoned") == 1


async def test_who_hangs_up_first_after_the_talk_is_asked_by_sms(tmp_path: Path):
    async with telephones(tmp_path) as stage:
        stage.person(PHONE)
        async with call(stage, caller=PHONE) as one:
            await queued(stage, one)
        async with again(stage, one.channel, "hangup", MEMBERINTERFACE="PJSIP/anna") as left:
            left.channel.hungup = True
            await left.ended()
        await settled(stage)
        stage.gateway.starts.tend(stage.clock.now())
        assert (await stage.centre.next_sms(PHONE)).text == "Оцените разговор от нуля до пяти."


async def test_a_long_wait_is_offered_to_be_called_back_and_keeps_its_place(tmp_path: Path):
    async with telephones(tmp_path) as stage:
        stage.person(PHONE)
        async with call(stage, caller=PHONE) as one:
            place = (await queued(stage, one))["IVR_PRIO"]
        came = stage.clock.now()
        for answer in ("2", "1"):
            stage.jump(121_000)
            async with again(stage, one.channel, "after", QUEUESTATUS="TIMEOUT") as back:
                assert (await hear(back, answer)).startswith("Перезвонить вам?")
                if answer == "2":
                    await back.rest()
                    assert (back.variables["IVR_NEXT"], back.variables["IVR_PRIO"]) == ("queue", place)
                else:
                    assert (await hear(back)).startswith("Заявка принята. Мы вам перезвоним.")
                    back.hang_up()
            await settled(stage)
        (task,) = stage.gateway.people.tasks.open.values()
        assert (task.kind, task.queue, task.subscriber) == ("callback", "support", PHONE)
        assert task.arrival <= came


async def test_a_restart_while_a_caller_is_in_the_queue_loses_nobody(tmp_path: Path):
    async with telephones(tmp_path) as stage:
        stage.person(PHONE)
        async with call(stage, caller=PHONE) as one:
            await queued(stage, one)
        await stage.restart()
        left = {"QUEUESTATUS": "CONTINUE", "MEMBERINTERFACE": "PJSIP/anna"}
        async with again(stage, one.channel, "after", **left) as back:
            assert await hear(back, "5") == "Оцените разговор от нуля до пяти."
            assert (await hear(back)).startswith("Спасибо за оценку! " + MENU)
            back.hang_up()
        await settled(stage)
        assert not stage.gateway.host.conversations


WRONG = {"UNIQUEID": "1.2", "CALLERID(num)": RICH, "IVR_SESSION": "0" * 32}


async def test_a_stranger_does_not_get_the_session_of_another(tmp_path: Path):
    async with telephones(tmp_path) as stage:
        stage.person(PHONE)
        async with call(stage, caller=PHONE) as one:
            true = dict(await queued(stage, one))
        for name, value in WRONG.items():
            for path in ("after", "hangup"):
                one.channel.variables.update(true)
                async with again(stage, one.channel, path, QUEUESTATUS="CONTINUE", **{name: value}) as back:
                    assert await back.rest() == one.played
                    assert "IVR_NEXT" not in back.variables
        assert len(stage.gateway.host.conversations) == 1


HOSTILE = (
    "",
    "anonymous",
    "79161234567\nSET VARIABLE X 1",
    "${SHELL(id)}",
    "+7 916 123-45-67)\n200 result=0",
    "1" * 500,
)


async def test_whatever_a_caller_says_he_is_the_call_goes_on(tmp_path: Path):
    async with telephones(tmp_path) as stage:
        for caller in HOSTILE:
            name = {"agi_calleridname": "Anna) (200 result=1", "agi_dnid": "${SHELL(id)}"}
            async with call(stage, caller="", variables={"CALLERID(num)": caller}, fields=name) as one:
                assert (await hear(one)).startswith("Здравствуйте!")
                assert not any("SHELL" in command for command in one.commands)
                one.hang_up()
        await settled(stage)
        assert not stage.gateway.host.conversations


async def test_a_forged_reply_ends_the_line_and_the_dialplan_helps(tmp_path: Path):
    async with telephones(tmp_path) as stage:
        async with call(stage) as one:
            await hear(one)
            one.forge("200 result=1 (1)\n200 result=0\n200 result=0\n")
            await one.ended()
            assert "IVR_NEXT" not in one.variables
        await settled(stage)
        assert not stage.gateway.host.conversations


async def test_a_number_that_no_flow_has_is_left_to_the_dialplan(tmp_path: Path):
    async with telephones(tmp_path) as stage, call(stage, "777") as one:
        assert await one.rest() == []
        assert "IVR_NEXT" not in one.variables


async def test_a_gateway_that_is_closing_leaves_calls_to_the_next_one(tmp_path: Path):
    async with telephones(tmp_path) as stage:
        stage.gateway.host.draining = True
        async with call(stage) as one:
            await one.rest()
            assert "IVR_NEXT" not in one.variables
        stage.gateway.host.draining = False


async def test_a_second_gateway_takes_a_call_over_and_never_charges(tmp_path: Path):
    """The first one is lost in the middle of a charge; the other one has a store of its own."""
    async with telephones(tmp_path) as stage:
        stage.person(PHONE)
        agi = AgiSettings(port=0, token=TOKEN, speech="none", reaction_ms=0)
        stage.settings = replace(stage.settings, store=Path("data/2.db"), charging=False, agi=agi, centres=())
        second = stage.make()
        await second.start()
        try:
            number = stage.fault(operation="billing.refresh_package", kind="delay", after=300, count=1)
            async with call(stage, caller=PHONE) as one:
                await menu(stage, one)
                one.press("2")
                await stage.until(lambda: stage.billing.board.standing[number].fired >= 1, "the charge")
                await broken_off(stage, one)
                assert "IVR_NEXT" not in one.variables
            async with Call(port(second), caller=PHONE, token=TOKEN) as other:
                await menu(stage, other)
                other.press("2")
                await other.rest()
                assert second.host.counters["charges_left_to_the_other_gateway"] == 1
                assert other.variables["IVR_NEXT"] == "queue"
            assert (await stage.centre.next_sms(PHONE)).text == DONE
            assert len(stage.charges(PHONE)) == 1
            await settled(stage)
        finally:
            await second.close()


async def broken_off(stage: Stage, one) -> None:
    """Break the connections of the gateway off, as if it had been killed; its store and session live on."""
    assert stage.gateway.telephony.agi is not None
    for line in list(stage.gateway.telephony.agi.lines):
        line.abandon()
    await one.ended()


async def test_the_metrics_tell_of_calls_and_waits(tmp_path: Path):
    async with telephones(tmp_path) as stage:
        async with call(stage) as one:
            await hear(one)
            found = {
                (sample.name, *sample.labels.values()): sample.value
                for metric in GatewayMetrics(stage.gateway).collect()
                for sample in metric.samples
            }
            assert found["gudok_calls_now",] == 1
            assert found["gudok_calls_total", "entered"] == 1
            one.hang_up()
        await settled(stage)
