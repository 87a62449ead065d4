"""Calls over a gateway on paper: what only a call can do, hang-ups at every step, a store that fails."""

from pathlib import Path

import pytest

from gateway.switch import Order
from tests.gateway.host.phone import BUYS, phones
from tests.gateway.host.rig import PHONE, failing

HEAD = 'flow:\n  title: Звонок\n  call: "100"\n'
LATE = HEAD + "  answer: late\n"
RECORD = (
    HEAD
    + """
start:
  - record: Говорите.
    max: 20s
    save: words
  - end: Записано.
"""
)
CONNECT = (
    HEAD
    + """
start:
  - say: Соединяем.
  - connect: "88001234567"
    timeout: 20s
    busy: busy
    no_answer: nobody
  - end: Разговор окончен.

busy:
  - end: Занято.

nobody:
  - end: Никто не ответил.
"""
)
EARLY = (
    LATE
    + """
start:
  - ask: Номер?
    type: digits
    digits: 2
    save: n
  - if: n == '11'
    then: free
  - answer:
  - ask: Пароль?
    type: digits
    digits: 4
    secret: yes
    save: code
  - end: Принято.

free:
  - end: Бесплатно.
"""
)
WAIT = (
    HEAD
    + """
start:
  - say: Секунду.
  - wait: 3s
  - end: Дождались.
"""
)
QUEUE = (
    HEAD
    + """
start:
  - queue: support
    no_agent: nobody
    full: full
  - end: Спасибо.

nobody:
  - end: Никого нет.

full:
  - end: Много звонков.
"""
)
CLOSED = (
    HEAD
    + """
start:
  - queue: closed
    closed: later
  - end: Спасибо.

later:
  - end: Закрыто.
"""
)
BUY = (
    HEAD
    + """
start:
  - menu: Купить?
    1 Да: buy
    2 Нет:
      end: Хорошо.

buy:
"""
    + BUYS
)
LOOK = (
    HEAD
    + """
start:
  - request: shop.look
    save: s
  - menu: "Цена {{ s.price|money }}"
    1 Хорошо:
      end: Ждём.
"""
)


async def test_what_a_caller_says_is_recorded_under_a_name_that_the_flow_gets(tmp_path: Path, monkeypatch):
    async with phones(tmp_path, monkeypatch, {"a": RECORD}) as them, them.call("100") as one:
        await one.prompt()
        one.silence()
        taken = await one.prompt()
        assert taken.application == "RecordFile"
        assert taken.files[0].startswith("gudok-recordings/")
        assert taken.seconds[0] == 20
        one.press("#")
        await one.rest()
        assert them.said(one) == "Говорите. Записано."
        assert one.variables["IVR_NEXT"] == "done"


async def test_what_was_said_before_a_hang_up_is_kept_too(tmp_path: Path, monkeypatch):
    async with phones(tmp_path, monkeypatch, {"a": RECORD}) as them:
        async with them.call("100") as one:
            await one.prompt()
            one.silence()
            await one.prompt()
            one.hang_up()
            await one.ended()
        await them.over()
        assert them.rig.gateway.host.conversations == {}
        assert them.rig.gateway.host.counters["faults"] == 0


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("ANSWER", "Разговор окончен."),
        ("BUSY", "Занято."),
        ("NOANSWER", "Никто не ответил."),
        ("CHANUNAVAIL", "Никто не ответил."),
        ("INVALIDARGS", "Сервис недоступен."),
    ],
)
async def test_a_connection_comes_back_with_what_came_of_it(
    tmp_path: Path, monkeypatch, status: str, said: str
):
    async with phones(tmp_path, monkeypatch, {"a": CONNECT}) as them:
        async with them.call("100") as one:
            await one.rest()
            told = one.variables
            assert (told["IVR_NEXT"], told["IVR_CONNECT"], told["IVR_CTIMEOUT"]) == (
                "connect",
                "88001234567",
                "20",
            )
            assert them.said(one) == "Соединяем."
        async with them.again(one.channel, "after", DIALSTATUS=status) as back:
            heard = len(back.played)
            await back.rest()
            assert them.said(back, heard) == said


async def test_a_late_call_is_answered_by_the_step_that_says_so(tmp_path: Path, monkeypatch):
    async with phones(tmp_path, monkeypatch, {"a": EARLY}) as them:
        async with them.call("100") as free:
            assert await them.hear(free, "11") == "Номер?"
            await free.rest()
            assert not free.channel.up
            assert free.variables["IVR_NEXT"] == "done"
        async with them.call("100") as paid:
            asked = await paid.question()
            assert (asked.max_digits, asked.terminator, asked.seconds) == (2, "#", (7, 2))
            paid.press("12" + "99")  # the last two are no part of a secret
            assert await them.hear(paid, "1234") == "Пароль?"
            assert paid.channel.up
            await paid.rest()
            assert paid.variables["IVR_TYPED"] == paid.variables["IVR_READ"] == ""
            assert them.said(paid).endswith("Принято.")


async def test_a_pause_is_kept_by_the_clock_and_nothing_is_said_in_it(tmp_path: Path, monkeypatch):
    async with phones(tmp_path, monkeypatch, {"a": WAIT}) as them, them.call("100") as one:
        await one.prompt()
        one.silence()
        while them.rig.waiting != ["pause"]:
            await them.rig.idle()
        them.rig.jump(3_000)
        await one.rest()
        assert them.said(one) == "Секунду. Дождались."


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ({"QUEUESTATUS": "CONTINUE"}, "Спасибо."),
        ({"QUEUESTATUS": "JOINEMPTY"}, "Никого нет."),
        ({"QUEUESTATUS": "UNKNOWN"}, "Никого нет."),
        ({"QUEUESTATUS": "TIMEOUT"}, "Никого нет."),
        ({"QUEUESTATUS": ""}, "Никого нет."),
        ({"QUEUESTATUS": "FULL"}, "Много звонков."),
    ],
)
async def test_a_queue_that_ended_is_the_block_of_its_status(tmp_path: Path, monkeypatch, status, said: str):
    async with phones(tmp_path, monkeypatch, {"a": QUEUE}) as them:
        async with them.call("100") as one:
            await one.rest()
            assert one.variables["IVR_NEXT"] == "queue"
        async with them.again(one.channel, "after", **status) as back:
            await back.rest()
            assert them.said(back) == said
            assert back.variables["IVR_NEXT"] == "done"
        await them.over()
        assert len(them.rig.gateway.voice.aways) == 0


async def test_a_queue_that_is_closed_is_not_entered(tmp_path: Path, monkeypatch):
    async with phones(tmp_path, monkeypatch, {"a": CLOSED}) as them, them.call("100") as one:
        await one.rest()
        assert them.said(one) == "Закрыто."
        assert one.variables["IVR_NEXT"] == "done"


async def test_a_caller_who_never_comes_back_is_given_up(tmp_path: Path, monkeypatch):
    async with phones(tmp_path, monkeypatch, {"a": QUEUE}) as them:
        async with them.call("100") as one:
            await one.rest()
        await them.over()
        them.rig.jump(7 * 3_600_000)
        them.rig.gateway.voice.tend(them.rig.clock.now())
        await them.rig.idle()
        assert them.rig.gateway.host.conversations == {}


@pytest.mark.parametrize("line", ["now", "next", "never"])
@pytest.mark.parametrize("charged", [False, True])
async def test_a_hang_up_at_a_question_ends_the_session(
    tmp_path: Path, monkeypatch, line: str, charged: bool
):
    async with phones(tmp_path, monkeypatch, {"a": BUY}) as them:
        async with them.call("100") as one:
            one.channel.hangup_line = line
            await them.hear(one, "1" if charged else "")
            if charged:
                await them.rig.idle()
                await them.backend_asked()
                one.hang_up()
                await them.rig.reply("done")
            else:
                one.hang_up()
            await one.ended()
        await them.over()
        assert them.rig.gateway.host.conversations == {}
        assert them.rig.texts == (["Куплено."] if charged else [])


async def test_the_key_pressed_before_the_receiver_is_put_down_counts(tmp_path: Path, monkeypatch):
    async with phones(tmp_path, monkeypatch, {"a": BUY}) as them:
        async with them.call("100") as one:
            await one.question()
            one.press("1")
            one.hang_up()
            await them.backend_asked()
            await them.rig.reply("done")
        await them.over()
        assert them.rig.texts == ["Куплено."]


async def test_a_gateway_that_must_not_charge_says_so_and_asks_nobody(tmp_path: Path, monkeypatch):
    async with phones(tmp_path, monkeypatch, {"a": BUY}) as them, them.call("100") as one:
        them.rig.gateway.calls.charging = False
        await them.hear(one, "1")
        await one.rest()
        assert them.said(one).endswith("Сейчас нельзя.")
        assert them.rig.backend.calls == []


async def test_a_call_that_cannot_be_stored_is_left_to_the_next_gateway(tmp_path: Path, monkeypatch):
    async with phones(tmp_path, monkeypatch, {"a": BUY}) as them:
        with failing():
            async with them.call("100") as one:
                await one.rest()
                assert one.played == []
                assert "IVR_NEXT" not in one.variables
        await them.over()
        assert them.rig.gateway.host.conversations == {}


async def test_an_answer_that_cannot_be_stored_is_offered_again(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("gateway.host.voice_call.AGAIN_S", 0.0)
    async with phones(tmp_path, monkeypatch, {"a": BUY}) as them, them.call("100") as one:
        await one.question()
        with failing():
            one.press("2")
            while not them.rig.gateway.host.counters["commits_failed"]:
                await them.rig.idle()
        await one.rest()
        assert them.said(one).endswith("Хорошо.")


async def test_an_answer_that_is_never_stored_leads_to_the_next_gateway(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("gateway.host.voice_call.AGAIN_S", 0.0)
    async with phones(tmp_path, monkeypatch, {"a": BUY}) as them:
        async with them.call("100") as one:
            await one.question()
            with failing():
                one.press("2")
                await one.ended()
            assert "IVR_NEXT" not in one.variables
        assert them.rig.gateway.host.counters["calls.not_stored"] == 1


async def test_a_flow_switched_off_says_why_unpaid(tmp_path: Path, monkeypatch):
    async with phones(tmp_path, monkeypatch, {"a": BUY}) as them:
        host = them.rig.gateway.host
        host.take(
            lambda batch, _: host.switches.carry_out(batch, Order("off", "a", text="Ремонт."), "t"), None
        )
        await them.rig.idle()
        async with them.call("100") as one:
            await one.rest()
            assert them.said(one) == "Ремонт."
            assert not one.channel.up
            assert one.variables["IVR_NEXT"] == "done"
        assert host.conversations == {}


async def test_a_call_that_lasts_too_long_is_ended(tmp_path: Path, monkeypatch):
    async with phones(tmp_path, monkeypatch, {"a": BUY}) as them, them.call("100") as one:
        await one.question()
        them.rig.clock.advance(them.rig.gateway.telephony.door.limit_ms)
        one.press("9")
        await one.rest()
        assert one.variables["IVR_NEXT"] == "done"
        await them.over()
        assert them.rig.gateway.host.conversations == {}


async def test_a_hidden_number_is_a_call_like_any_other(tmp_path: Path, monkeypatch):
    async with phones(tmp_path, monkeypatch, {"a": LOOK}) as them, them.call("100", caller="") as one:
        await them.backend_asked()
        (conversation,) = them.rig.gateway.host.conversations.values()
        assert conversation.session.caller == ""
        assert conversation.key.startswith("c:")
        await them.rig.reply("unavailable")
        await one.rest()
        assert them.said(one) == "Сервис недоступен."


async def test_numbers_are_read_as_subscribers_write_them(tmp_path: Path, monkeypatch):
    async with phones(tmp_path, monkeypatch, {"a": BUY}) as them:
        for written in ("89161234567", "+79161234567", "9161234567", PHONE):
            async with them.call("100", caller=written) as one:
                await one.question()
                (conversation,) = them.rig.gateway.host.conversations.values()
                assert conversation.session.caller == PHONE
                one.hang_up()
                await one.ended()
            await them.over()
