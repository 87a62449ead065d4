"""Dialogues over the wire: copies, quick answers, lost binds, late input, hostile texts, broken PDUs."""

import asyncio
from pathlib import Path

import pytest

from smpp.pdu.message import Sm
from smpp.segments import split
from smpp.testing.dialect import COMVERSE, USSR_CONFIRM
from smpp.testing.faults import BROKEN_PDUS, Faults
from tests.end_to_end.stage import ALREADY, DONE, FAREWELL, RICH, Stage, staged

PHONE = "79165000001"
BACKENDS = "config/backends.yaml"
SCORES = """\
flow:
  title: Четыре оценки
  ussd: "*700#"
  sms: "700"

start:
  - ask: Первая, от 1 до 5
    type: int
    check: it >= 1 and it <= 5
    save: a
  - ask: Вторая, от 1 до 5
    type: int
    check: it >= 1 and it <= 5
    save: b
  - ask: Третья, от 1 до 5
    type: int
    check: it >= 1 and it <= 5
    save: c
  - ask: Четвёртая, от 1 до 5
    type: int
    check: it >= 1 and it <= 5
    save: d
  - end: "Оценки: {{ a }}{{ b }}{{ c }}{{ d }}"
"""
ECHO = """\
flow:
  title: Эхо
  ussd: "*777#"
  sms: "777"

start:
  - ask: Текст для {{ caller }}
    save: typed
  - end: "{{ caller }}: {{ typed }}"
"""
FILES = {"flows/scores.yaml": SCORES, "flows/echo.yaml": ECHO}
SCREENS = [
    "Первая, от 1 до 5",
    "Вторая, от 1 до 5",
    "Третья, от 1 до 5",
    "Четвёртая, от 1 до 5",
    "Оценки: 5555",
]
MENU = "Баланс 1500 ₽\n1 Остатки\n2 Тариф\n3 Опции\n4 Платежи\n5 Советы"


# Four times five


async def test_four_fives_within_four_seconds_are_four_answers_by_ussd(tmp_path: Path):
    async with staged(tmp_path, files=FILES) as stage, asyncio.timeout(4):
        dialog = await stage.centre.dial(PHONE, "*700#")
        for _ in range(4):
            await dialog.send("5")
        assert [screen.text for screen in dialog.screens] == SCREENS
        assert not dialog.open


async def test_four_fives_within_four_seconds_are_four_answers_by_sms(tmp_path: Path):
    async with staged(tmp_path, files=FILES) as stage, asyncio.timeout(4):
        await stage.centre.sms(PHONE, "700", "оценить")
        for number in range(4):
            await stage.centre.next_sms(PHONE, after=number)
            await stage.centre.sms(PHONE, "700", "5")
        await stage.centre.next_sms(PHONE, after=4)
        assert stage.inbox(PHONE) == SCREENS


@pytest.mark.parametrize("fault", ["duplicate", "duplicate_same", "lose"])
async def test_a_five_that_comes_twice_is_one_answer_by_ussd(tmp_path: Path, fault: str):
    async with staged(tmp_path, files=FILES) as stage:
        dialog = await stage.centre.dial(PHONE, "*700#")
        counters = stage.centre.ledger.counters
        for number in range(4):
            before = counters["duplicated"] + counters["redelivered"]
            setattr(stage.centre.faults, fault, 1.0)
            dialog.type("5")
            await stage.centre.wait_for(
                lambda before=before: counters["duplicated"] + counters["redelivered"] > before,
                what="the copy",
            )
            stage.centre.faults = Faults()
            await stage.centre.wait_for(lambda number=number: dialog.screen == SCREENS[number + 1])
            await stage.gateway.host.idle()
        screens = [screen.text for screen in dialog.screens]
        # A copy may get the stored page once more; it never answers the next question.
        assert list(dict.fromkeys(screens)) == SCREENS


@pytest.mark.parametrize("fault", ["duplicate", "duplicate_same"])
async def test_a_five_that_comes_twice_is_one_answer_by_sms(tmp_path: Path, fault: str):
    async with staged(tmp_path, files=FILES) as stage:
        setattr(stage.centre.faults, fault, 1.0)
        await stage.centre.sms(PHONE, "700", "оценить")
        for number in range(4):
            await stage.centre.next_sms(PHONE, after=number)
            await stage.centre.sms(PHONE, "700", "5")
        await stage.centre.next_sms(PHONE, after=4)
        await stage.quiet()
        assert stage.inbox(PHONE) == SCREENS


async def test_an_answer_repeated_over_a_new_bind_is_one_answer(tmp_path: Path):
    """The bind breaks before the response is seen: the centre delivers the five again over the next one."""
    async with staged(tmp_path, files=FILES) as stage:
        dialog = await stage.centre.dial(PHONE, "*700#")
        stage.centre.faults = Faults(close_after=1)
        dialog.type("5")
        await stage.centre.wait_for(lambda: stage.centre.ledger.counters["closed"] >= 1)
        stage.centre.faults = Faults()
        await dialog.shown(2)
        if dialog.open:  # the page was out before the bind broke
            assert dialog.screen == SCREENS[1]
        else:
            assert dialog.screen == FAREWELL, "a session that is lost with its bind says so"


# Binds and ends


async def test_a_bind_lost_in_mid_dialogue_and_the_next_key_goes_on(stage: Stage):
    dialog = await stage.centre.dial(RICH, "*100#")
    assert dialog.screen == MENU
    stage.centre.disconnect()
    await stage.bound(2)
    await dialog.send("3")
    assert dialog.screen.startswith("Ваши опции")


async def test_a_restart_in_mid_dialogue_and_the_next_key_goes_on(stage: Stage):
    dialog = await stage.centre.dial(RICH, "*100#")
    await dialog.send("3")
    await stage.restart()
    await dialog.send("9")
    assert dialog.screen == "1 Игры без трафика: нет\n2 Безлимитный интернет: нет\n0 Назад"
    await stage.restart()
    await dialog.send("1")
    assert dialog.screen.startswith("Игры без трафика: 60 ₽ в месяц.")


async def test_late_input_after_the_end_gets_a_farewell_and_starts_nothing(stage: Stage):
    dialog = await stage.centre.dial(RICH, "*929#")
    before = stage.counted("ended.ussd.end")
    sm = stage.centre.dialect.ussd(USSR_CONFIRM, RICH, "929", "*929#", dialog.session, 1)
    late = stage.centre.deliver("late", sm)
    await stage.centre.wait_for(lambda: late.status is not None, what="an answer to the late input")
    await stage.centre.wait_for(lambda: stage.centre.ledger.counters["throttled_or_refused"] >= 1)
    await stage.quiet()
    assert late.status == 0
    assert stage.counted("ended.ussd.end") == before
    assert len(stage.charges(RICH)) == 1


async def test_input_without_a_dialogue_gets_a_farewell(stage: Stage):
    centre = stage.centre
    dialog = centre._handsets.open(PHONE, "*100#", "subscriber")
    dialog._say(USSR_CONFIRM, "1")
    await dialog.shown(1)
    assert (dialog.screen, dialog.open) == (FAREWELL, False)


async def test_a_dialogue_that_nobody_answers_ends_at_its_time(stage: Stage):
    dialog = await stage.centre.dial(RICH, "*100#")
    stage.jump(181_000)
    await stage.until(lambda: not stage.gateway.host.conversations, "the end of the session")
    late = await stage.centre.dial(RICH, "*100#")
    assert late.screen == MENU
    assert not dialog.open


async def test_a_new_dial_supersedes_an_open_dialogue(tmp_path: Path):
    async with staged(tmp_path, dialect=COMVERSE) as stage:
        first = await stage.centre.dial(RICH, "*100#")
        second = await stage.centre.dial(RICH, "*105#")
        assert first.ended_by == "superseded"
        assert second.screen.startswith("Что рассказать?")
        assert len(stage.gateway.host.conversations) == 1


# Hostile texts

TEXTS = {
    "template": "{{7*7}}",
    "statement": "{% for i in range(9) %}x{% endfor %}",
    "attribute": "{{ ''.__class__.__mro__ }}",
    "format": "%s%n%(x)s {0} {x!r}",
    "sql": "'; DROP TABLE session; --",
    "shell": "$(reboot) `id` ; rm -rf /",
    "markup": "<script>alert(1)</script>",
    "yaml": "start:\n  - end: взлом",
    "line_breaks": "a\r\nb\rc\nd",
    "rtl": "\u202e929* \u200fab\u2066c\u2069",
    "zero_width": "\u200b\u200d\ufeffx",
    "arabic_digits": "\u0661\u0662\u0663",
    "emoji": "\U0001f600" * 35,
    "combining": "e" + "\u0301" * 60,
    "nul_inside": "a\0b",
    "controls": "".join(map(chr, range(1, 32))),
    "gsm_extension": "[]{}~\\^|€" * 10,
    "looks_like_ussd": "*929#",
    "looks_like_receipt": "id:7 stat:",
}
"""Each is sent to 9290 as a request and typed into a dialogue."""


async def test_hostile_texts_to_9290_are_ordinary_requests(stage: Stage):
    phones = {name: f"7916500{n:04d}" for n, name in enumerate(TEXTS)}
    for phone in phones.values():
        stage.person(phone)
    await asyncio.gather(*(stage.centre.sms(phones[name], "9290", text) for name, text in TEXTS.items()))
    await asyncio.gather(*(stage.centre.next_sms(phone) for phone in phones.values()))
    await stage.quiet()
    for name, phone in phones.items():
        assert stage.inbox(phone) == [DONE], name
        assert len(stage.charges(phone)) == 1, name


BIDI = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def visible(text: str) -> str:
    """Return a text as it may leave again: nothing that controls a terminal or turns the direction."""
    kept = [sign for sign in text if sign == "\n" or not (sign < " " or "\x7f" <= sign <= "\x9f")]
    return "".join(sign for sign in kept if sign not in BIDI).strip()


async def echo(stage: Stage, phone: str, text: str) -> str:
    """Type a text into the echo flow and return what it says, its pages put together."""
    dialog = await stage.centre.dial(phone, "*777#")
    told = await dialog.send(text)
    while dialog.open and dialog.screen.endswith("\n9 Ещё"):
        told = told.removesuffix("\n9 Ещё") + (await dialog.send("9")).removesuffix("\n0 Назад")
    return told.removesuffix("\n0 Назад")


@pytest.mark.parametrize("entry", ["ussd", "sms"])
async def test_hostile_texts_come_back_letter_by_letter(tmp_path: Path, entry: str):
    async with staged(tmp_path, files=FILES) as stage:
        for number, (name, text) in enumerate(TEXTS.items()):
            phone = f"7916500{number:04d}"
            wanted = visible(text)
            if not wanted:
                continue
            if entry == "ussd":
                told = await echo(stage, phone, text)
            else:
                await stage.centre.sms(phone, "777", "начать")
                await stage.centre.next_sms(phone)
                await stage.centre.sms(phone, "777", text)
                told = (await stage.centre.next_sms(phone, after=1)).text
            assert "".join(told.split()) == "".join(f"{phone}: {wanted}".split()), name


@pytest.mark.parametrize(
    "text", ["а" * 10_000, "a" * 10_000, "\U0001f600" * 5_000], ids=["ucs2", "gsm7", "emoji"]
)
async def test_ten_thousand_characters_to_9290_are_one_request(stage: Stage, text: str):
    stage.person(PHONE)
    deliveries = await stage.centre.sms(PHONE, "9290", text)
    assert len(deliveries) > 60
    await stage.centre.next_sms(PHONE)
    await stage.quiet()
    assert stage.inbox(PHONE) == [DONE]


@pytest.mark.parametrize("before", [65, 66, 67, 132, 133])
async def test_an_emoji_at_the_border_of_two_parts_arrives_whole(tmp_path: Path, before: int):
    text = "я" * before + "\U0001f600" + "ю" * 20
    async with staged(tmp_path, files=FILES) as stage:
        await stage.centre.sms(PHONE, "777", "начать")
        await stage.centre.next_sms(PHONE)
        await stage.centre.sms(PHONE, "777", text)
        assert (await stage.centre.next_sms(PHONE, after=1)).text == f"{PHONE}: {text}"


async def test_ten_thousand_characters_in_a_dialogue_harm_nobody(tmp_path: Path):
    async with staged(tmp_path, files=FILES) as stage:
        dialog = await stage.centre.dial(PHONE, "*777#")
        sm = stage.centre.dialect.ussd(USSR_CONFIRM, PHONE, "777", "", dialog.session, 1)
        long = Sm(
            service_type=sm.service_type,
            source_ton=1,
            source_npi=1,
            source=sm.source,
            dest=sm.dest,
            tlvs=(*sm.tlvs, (0x0424, b"x" * 10_000)),
        )
        stage.centre.deliver("ussd", long, dialog=dialog)
        assert (await dialog.shown(2)).text.startswith(f"{PHONE}:")
        assert (await stage.centre.dial(RICH, "*100#")).screen == MENU


@pytest.mark.parametrize(
    "code", ["*929", "929#", "**929##", "*929*#", "*100*99999999999999#", "#", "", "*930*" + "2" * 170 + "#"]
)
async def test_odd_codes_are_answered_and_charge_nothing(stage: Stage, code: str):
    dialog = await stage.centre.dial(RICH, code)
    assert dialog.screen
    await stage.quiet()
    assert stage.charges(RICH) == []


# Broken PDUs and other people


async def test_broken_pdus_between_good_ones_cost_nothing_but_themselves(tmp_path: Path):
    async with staged(tmp_path, faults=Faults(malformed=1.0)) as stage:
        phones = [f"7916500{n:04d}" for n in range(40)]
        for phone in phones:
            stage.person(phone)
        dialogs = await asyncio.gather(*(stage.centre.dial(phone, "*929#") for phone in phones))
        await asyncio.gather(*(stage.centre.sms(phone, "9290", "да") for phone in phones))
        await asyncio.gather(*(stage.centre.next_sms(phone) for phone in phones))
        assert {dialog.screen for dialog in dialogs} == {DONE}
        assert {text for phone in phones for text in stage.inbox(phone)} == {ALREADY}
        assert stage.centre.ledger.counters["malformed"] >= 2 * len(phones)
        assert stage.centre.ledger.counters["binds"] == 1, "the link was kept"


@pytest.mark.parametrize("number", range(len(BROKEN_PDUS)))
async def test_a_broken_pdu_keeps_the_link(stage: Stage, number: int):
    stage.centre.write(BROKEN_PDUS[number])
    assert (await stage.centre.dial(RICH, "*100#")).screen == MENU
    assert stage.centre.ledger.counters["binds"] == 1


@pytest.mark.parametrize(
    "junk",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\0\0\0\2",
        b"\x7f\xff\xff\xff" + b"\0" * 12,
        b"\x16\x03\x01\0\0\0\0\0\0\0\0\0\0\0\0\0",
    ],
)
async def test_lost_framing_closes_the_link_and_it_comes_back(stage: Stage, junk: bytes):
    stage.centre.write(junk)
    await stage.bound(2)
    assert (await stage.centre.dial(RICH, "*100#")).screen == MENU


async def test_nobody_ever_gets_the_answer_of_another(tmp_path: Path):
    faults = Faults(duplicate=0.2, duplicate_same=0.2, malformed=0.2, reorder=0.3, throttle=0.1)
    async with staged(tmp_path, files=FILES, faults=faults, link={"window": 1_000}, audit=False) as stage:
        phones = [f"7916500{n:04d}" for n in range(100)]

        async def by_ussd(phone: str) -> None:
            dialog = await stage.centre.dial(phone, "*777#")
            assert dialog.screen == f"Текст для {phone}"
            dialog.type(f"USSD {phone}")
            await dialog.over()

        async def by_sms(phone: str) -> None:
            await stage.centre.sms(phone, "777", "начать", wait=False)
            await stage.centre.next_sms(phone)
            await stage.centre.sms(phone, "777", f"SMS {phone}", wait=False)
            await stage.centre.wait_for(lambda: f"{phone}: SMS {phone}" in stage.inbox(phone))

        await asyncio.gather(*(by_ussd(phone) for phone in phones), *(by_sms(phone) for phone in phones))
        for message in stage.centre.submitted:
            addressee = message.sm.dest.decode()
            assert addressee in message.text, f"{message.text!r} went to {addressee}"
        assert stage.counted("faults") == 0


async def test_parts_of_two_subscribers_with_one_reference_never_mix(tmp_path: Path):
    async with staged(tmp_path, files=FILES) as stage:
        phones = ["79165000001", "79165000002"]
        texts = {phone: phone[-1] * 200 for phone in phones}
        for phone in phones:
            await stage.centre.sms(phone, "777", "начать")
            await stage.centre.next_sms(phone)
        pairs = [[(phone, part) for part in split(texts[phone], "udh8", 5)] for phone in phones]
        for phone, part in (one for row in zip(*pairs, strict=True) for one in row):
            stage.centre.deliver(
                "sms",
                Sm(
                    source_ton=1,
                    source_npi=1,
                    source=phone.encode(),
                    dest=b"777",
                    esm_class=part.esm_class,
                    data_coding=part.data_coding,
                    short_message=part.short_message,
                ),
            )
        for phone in phones:
            assert (await stage.centre.next_sms(phone, after=1)).text == f"{phone}: {texts[phone]}"
