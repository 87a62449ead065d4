"""«Обнови пакет» when things go wrong: in every case at most one charge, and the true outcome is told."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gateway.demo.billing.period import DAY, day_of, midnight
from smpp.pdu.message import Sm
from smpp.segments import split
from smpp.testing.dialect import CentreDialect
from smpp.testing.dialog import Dialog
from smpp.testing.faults import Faults
from tests.end_to_end.stage import (
    ALREADY,
    CHECKING,
    DONE,
    POOR,
    REFRESH_KINDS,
    UNAVAILABLE,
    Stage,
    staged,
)

PHONE = "79165000001"
REFRESH = "billing.refresh_package"
QUICK = {"config/backends.yaml": {"timeout: 3s": "timeout: 300ms"}}
"""A billing that is given 300 ms, so that a test of a time-out is a short one."""
LATE = "Ответ пришлём в SMS."


async def charging(stage: Stage, count: int = 1) -> None:
    """Wait until so many charges are on their way to the billing."""
    await stage.until(
        lambda: sum(one.fired for one in stage.billing.board.standing.values()) >= count,
        "a request for a charge",
    )


# Copies and things that are no request


@pytest.mark.parametrize("fault", ["duplicate", "duplicate_same", "lose"])
@pytest.mark.parametrize("entry", ["ussd", "sms"])
async def test_a_message_that_comes_twice_is_one_request(stage: Stage, entry: str, fault: str):
    stage.person(PHONE)
    centre = stage.centre
    setattr(centre.faults, fault, 1.0)
    if entry == "ussd":
        dialog = centre.call(PHONE, "*929#")
    else:
        await centre.sms(PHONE, "9290", "да", wait=False)
    counted = "redelivered" if fault == "lose" else "duplicated"
    await centre.wait_for(lambda: centre.ledger.counters[counted] >= 1, what="the copy")
    centre.faults = Faults()
    if entry == "ussd":
        await dialog.shown(1)
        await stage.quiet()
        assert [screen.text for screen in dialog.screens] == [DONE]
        assert stage.inbox(PHONE) == []
    else:
        await centre.next_sms(PHONE)
        await stage.quiet()
        assert stage.inbox(PHONE) == [DONE]
    assert len(stage.charges(PHONE)) == 1


async def test_the_same_sms_again_half_an_hour_later_is_a_new_request(stage: Stage):
    stage.person(PHONE)
    await stage.centre.sms(PHONE, "9290", "да")
    await stage.centre.next_sms(PHONE)
    await stage.quiet()
    stage.jump(30 * 60_000)
    await stage.centre.sms(PHONE, "9290", "да")
    assert (await stage.centre.next_sms(PHONE, after=1)).text == DONE
    assert len(stage.charges(PHONE)) == 2


RECEIPT = "id:77 sub:001 dlvrd:001 submit date:2611221200 done date:2611221200 stat:DELIVRD err:000 text:"
RECEIPTS = {
    "esm_class": {"esm_class": 0x04, "text": RECEIPT},
    "intermediate": {"esm_class": 0x20, "text": RECEIPT},
    "tlvs": {"esm_class": 0x04, "text": "", "tlvs": ((0x001E, b"77\0"), (0x0427, b"\x02"))},
    "text_alone": {"esm_class": 0, "text": RECEIPT},
    "undelivered": {"esm_class": 0x04, "text": RECEIPT.replace("DELIVRD", "UNDELIV")},
    "short_date": {"esm_class": 0x04, "text": "Stat:EXPIRED ID:77 Err:abc"},
}


@pytest.mark.parametrize("kind", list(RECEIPTS))
async def test_a_receipt_on_9290_is_never_a_request(stage: Stage, kind: str):
    stage.person(PHONE)
    given: dict[str, Any] = dict(RECEIPTS[kind])
    text = given.pop("text")
    sm = Sm(
        source_ton=1, source_npi=1, source=PHONE.encode(), dest=b"9290", short_message=text.encode(), **given
    )
    delivery = stage.centre.deliver("receipt", sm)
    await stage.centre.wait_for(lambda: delivery.status is not None, what="an answer to the receipt")
    await stage.quiet()
    assert delivery.status == 0
    assert (stage.charges(PHONE), stage.inbox(PHONE)) == ([], [])


@pytest.mark.parametrize(
    ("ton", "source"), [(5, b"MegaBank"), (5, b"9290"), (3, b"1234"), (0, b"0890"), (0, b"")]
)
async def test_senders_that_are_no_subscribers_start_nothing(stage: Stage, ton: int, source: bytes):
    sm = Sm(source_ton=ton, source=source, dest=b"9290", short_message=b"hello")
    delivery = stage.centre.deliver("sms", sm)
    await stage.centre.wait_for(lambda: delivery.status is not None, what="an answer")
    await stage.quiet()
    assert delivery.status == 0
    assert stage.centre.submitted == []


# Long messages

LONG = "Пожалуйста, обновите мой пакет минут и интернета. " * 4


@pytest.mark.parametrize("mode", ["udh8", "udh16", "sar"])
async def test_the_parts_of_one_long_sms_are_one_request(stage: Stage, mode: Any):
    stage.person(PHONE)
    deliveries = await stage.centre.sms(PHONE, "9290", LONG, parts=mode)
    assert len(deliveries) >= 3
    await stage.centre.next_sms(PHONE)
    await stage.quiet()
    assert stage.inbox(PHONE) == [DONE]
    assert len(stage.charges(PHONE)) == 1


async def test_parts_that_come_twice_and_out_of_order_are_one_request(tmp_path: Path):
    async with staged(tmp_path, faults=Faults(duplicate=1.0)) as stage:
        stage.person(PHONE)
        centre = stage.centre
        deliveries = [centre.deliver("sms", sm) for sm in reversed(parts_of(LONG))]
        await centre.wait_for(lambda: all(one.acked for one in deliveries), what="the answers")
        centre.faults = Faults()
        await centre.next_sms(PHONE)
        await stage.quiet()
        assert stage.inbox(PHONE) == [DONE]


def parts_of(text: str) -> list[Sm]:
    """Return the messages that a handset makes of a long text."""
    return [
        Sm(
            source_ton=1,
            source_npi=1,
            source=PHONE.encode(),
            dest=b"9290",
            esm_class=part.esm_class,
            data_coding=part.data_coding,
            short_message=part.short_message,
            tlvs=part.tlvs,
        )
        for part in split(text, "udh8", 77)
    ]


async def test_parts_wait_over_a_restart(stage: Stage):
    stage.person(PHONE)
    centre, (*early, last) = stage.centre, parts_of(LONG)
    first = [centre.deliver("sms", sm) for sm in early]
    await centre.wait_for(lambda: all(one.acked for one in first), what="answers to the first parts")
    await stage.restart()
    centre.deliver("sms", last)
    await centre.next_sms(PHONE)
    await stage.quiet()
    assert stage.inbox(PHONE) == [DONE]


# Dialled again


async def test_a_redial_after_a_lost_reply_gets_the_first_outcome(stage: Stage):
    """What is left of the balance would refuse it: the outcome counts, not the balance."""
    stage.person(PHONE, "700.00")
    stage.fault(operation=REFRESH, delay=50)
    lost = stage.centre.call(PHONE, "*929#")
    await charging(stage)
    lost.hang_up()
    await stage.centre.next_sms(PHONE)
    again = await stage.centre.dial(PHONE, "*929#")
    await stage.centre.sms(PHONE, "9290", "ну что?")
    await stage.centre.next_sms(PHONE, after=1)
    assert (again.screen, stage.inbox(PHONE)) == (ALREADY, [DONE, ALREADY])
    assert len(stage.charges(PHONE)) == 1


async def test_a_redial_after_a_refusal_and_a_top_up_starts_afresh(stage: Stage):
    first = await stage.centre.dial(POOR, "*929#")
    stage.pay(POOR, "369.50")
    second = await stage.centre.dial(POOR, "*929#")
    assert (first.screen, second.screen) == ("Не хватает 369,50 ₽. Пополните счёт.", DONE)
    assert len(stage.charges(POOR)) == 1


async def test_a_refused_charge_is_not_remembered_not_even_by_a_billing_that_stores_refusals(stage: Stage):
    """The money went between the look and the charge; the next dial must carry another key."""
    stage.person(PHONE, "490.00")
    stage.fault(operation=REFRESH, kind="store_refusals")
    number = stage.fault(operation=REFRESH, delay=50)
    dialog = stage.centre.call(PHONE, "*929#")
    await charging(stage, 2)
    stage.pay(PHONE, "-1.00")
    assert (await dialog.shown(1)).text == "Не хватает средств. Пополните счёт и повторите."
    stage.billing.board.remove(number)
    stage.pay(PHONE, "1.00")
    assert (await stage.centre.dial(PHONE, "*929#")).screen == DONE
    assert len(stage.charges(PHONE)) == 1


async def test_a_redial_while_the_first_is_running_waits_for_it(stage: Stage):
    stage.person(PHONE, "700.00")
    stage.fault(operation=REFRESH, delay=200)
    first = stage.centre.call(PHONE, "*929#")
    await charging(stage)
    second = await stage.centre.dial(PHONE, "*929#")
    await stage.quiet()
    assert first.ended_by == "superseded"
    assert second.screen == ALREADY
    assert stage.inbox(PHONE) == [DONE], "the outcome of the first, whose screen has gone"
    assert len(stage.charges(PHONE)) == 1


async def test_ussd_and_sms_at_the_same_moment_are_one_renewal(stage: Stage):
    phones = [f"7916500{n:04d}" for n in range(20)]
    for phone in phones:
        stage.person(phone, "700.00")
    stage.fault(operation=REFRESH, delay=100)
    dialogs = [stage.centre.call(phone, "*929#") for phone in phones]
    await asyncio.gather(*(stage.centre.sms(phone, "9290", "") for phone in phones))
    for dialog in dialogs:
        await dialog.shown(1)
    await asyncio.gather(*(stage.centre.next_sms(phone) for phone in phones))
    await stage.quiet()
    for phone, dialog in zip(phones, dialogs, strict=True):
        told = [dialog.screen, *stage.inbox(phone)]
        assert len(told) == 2
        assert DONE in told
        assert set(told) <= {DONE, ALREADY}, "the second hears the first one's outcome, whenever it asked"
        assert len(stage.charges(phone)) == 1


# The subscriber goes away


@pytest.mark.parametrize("abort", ["silent", "release", "end_bit"])
async def test_an_abort_between_charge_and_answer_sends_the_closing_text_by_sms(tmp_path: Path, abort: Any):
    async with staged(tmp_path, dialect=CentreDialect(abort=abort)) as stage:
        stage.person(PHONE)
        stage.fault(operation=REFRESH, delay=100)
        dialog = stage.centre.call(PHONE, "*929#")
        await charging(stage)
        dialog.hang_up()
        await stage.centre.next_sms(PHONE)
        await stage.quiet()
        assert stage.inbox(PHONE) == [DONE]
        assert dialog.screens == []
        assert len(stage.charges(PHONE)) == 1


async def test_an_abort_before_the_charge_charges_nothing(tmp_path: Path):
    async with staged(tmp_path, dialect=CentreDialect(abort="release")) as stage:
        stage.person(PHONE)
        stage.fault(operation="billing.package", delay=100)
        dialog = stage.centre.call(PHONE, "*929#")
        await charging(stage)
        dialog.hang_up()
        await stage.quiet()
        assert (stage.charges(PHONE), stage.inbox(PHONE)) == ([], [])
        assert (await stage.centre.dial(PHONE, "*929#")).screen == DONE


async def test_a_last_screen_that_the_centre_refuses_follows_by_sms(stage: Stage):
    stage.person(PHONE)
    stage.centre.faults = Faults(refuse=1.0, refuse_status=0x0B)
    stage.centre.call(PHONE, "*929#")
    await stage.centre.wait_for(lambda: stage.centre.ledger.counters["throttled_or_refused"] >= 1)
    stage.centre.faults = Faults()
    await stage.centre.next_sms(PHONE)
    await stage.quiet()
    assert stage.inbox(PHONE) == [DONE]


async def test_a_bind_lost_between_charge_and_answer_sends_the_closing_text_by_sms(stage: Stage):
    stage.person(PHONE)
    stage.fault(operation=REFRESH, delay=100)
    stage.centre.call(PHONE, "*929#")
    await charging(stage)
    stage.centre.disconnect()
    await stage.centre.next_sms(PHONE)
    await stage.quiet()
    assert stage.inbox(PHONE) == [DONE]
    assert len(stage.charges(PHONE)) == 1


async def test_a_slow_billing_gets_a_closing_text_and_the_outcome_by_sms(stage: Stage):
    stage.person(PHONE)
    stage.fault(operation=REFRESH, delay=300)
    dialog = stage.centre.call(PHONE, "*929#")
    await charging(stage)
    stage.jump(10_100)
    await dialog.shown(1)
    assert (dialog.screen, dialog.open) == (LATE, False)
    await stage.centre.next_sms(PHONE)
    await stage.quiet()
    assert stage.inbox(PHONE) == [DONE]
    assert len(stage.charges(PHONE)) == 1


# Robots


async def test_a_robot_that_answers_our_answer_with_it_is_stopped_at_once(stage: Stage):
    stage.person(PHONE, "5000.00")
    stage.centre.on_sms = lambda sms: _answer(stage, PHONE, sms.text)
    await stage.centre.sms(PHONE, "9290", "старт")
    await stage.until(lambda: stage.sms_counted("loop_repeats_our_text") >= 1, "the loop to be noticed")
    await stage.quiet()
    assert stage.inbox(PHONE) == [DONE]
    assert len(stage.charges(PHONE)) == 1


async def test_a_robot_with_a_text_of_its_own_is_stopped_at_its_third_answer(stage: Stage):
    stage.person(PHONE, "5000.00")
    numbers = iter(range(1000))
    stage.centre.on_sms = lambda sms: _answer(stage, PHONE, f"Я за рулём, отвечу позже ({next(numbers)})")
    await stage.centre.sms(PHONE, "9290", "старт")
    await stage.until(lambda: stage.sms_counted("loop_answers_our_answers") >= 1, "the loop to be noticed")
    await stage.quiet()
    assert stage.inbox(PHONE) == [DONE, ALREADY, ALREADY]
    assert len(stage.charges(PHONE)) == 1


def _answer(stage: Stage, phone: str, text: str) -> None:
    sm = stage.centre.dialect
    coding, octets = sm.encode(text)
    stage.centre.deliver(
        "sms",
        Sm(
            source_ton=1,
            source_npi=1,
            source=phone.encode(),
            dest=b"9290",
            data_coding=coding,
            short_message=octets,
        ),
    )


# Midnight


@pytest.mark.parametrize("when", ["before", "across", "after"])
async def test_at_2359_the_renewal_and_the_nightly_fee_are_one_fee(stage: Stage, when: str):
    """The balance covers one fee only; the night's job runs beside the renewal."""
    desk = stage.billing.desk
    desk.clock.freeze()
    today = day_of(desk.clock.now())
    night = midnight(today) + DAY
    desk.clock.set(night - 1_000)
    desk.catch_up()
    tomorrow = day_of(night)
    stage.person(PHONE, "500.00", next_fee=tomorrow, anchor=tomorrow.day)
    if when == "after":
        desk.clock.set(night + 500)
        desk.catch_up()
    stage.fault(operation=REFRESH, delay=50 if when == "across" else 0)
    dialog = stage.centre.call(PHONE, "*929#")
    if when == "across":
        await charging(stage)
        desk.clock.set(night + 500)
        desk.catch_up()
    await dialog.shown(1)
    desk.clock.set(night + 3_600_000)
    desk.catch_up()
    fees = stage.charges(PHONE, (*REFRESH_KINDS, "monthly_fee"))
    assert -sum(line.amount for line in fees) == 490
    assert desk.book.subscribers[PHONE].balance == 10
    assert dialog.screen == ("Не хватает 480 ₽. Пополните счёт." if when == "after" else DONE)


# The billing misbehaves

TAKEN = ("take_and_hang", "take_and_lose", "status", "redirect")
NOT_TAKEN = ("hang", "lose", "status", "reset")


@pytest.mark.parametrize("entry", ["ussd", "sms"])
@pytest.mark.parametrize(
    ("kind", "work"), [*((kind, True) for kind in TAKEN), *((kind, False) for kind in NOT_TAKEN)]
)
async def test_an_unknown_outcome_is_cleared_up_and_told(tmp_path: Path, entry: str, kind: Any, work: bool):
    """The request and its one repetition both fail; later the same key finds out, and an SMS tells it."""
    async with staged(tmp_path, changes=QUICK) as stage:
        stage.person(PHONE, "700.00")
        stage.fault(operation=REFRESH, kind=kind, work=work, count=2)
        if entry == "ussd":
            assert (await stage.centre.dial(PHONE, "*929#")).screen == CHECKING
        else:
            await stage.centre.sms(PHONE, "9290", "да")
            assert (await stage.centre.next_sms(PHONE)).text == CHECKING
        told = len(stage.inbox(PHONE))
        again = await stage.centre.dial(PHONE, "*929#")
        assert again.screen == CHECKING, "a redial before it is known"
        stage.jump(6_000)
        assert (await stage.centre.next_sms(PHONE, after=told)).text == DONE
        await stage.quiet()
        assert len(stage.inbox(PHONE)) == told + 1
        assert (await stage.centre.dial(PHONE, "*929#")).screen == ALREADY
        assert len(stage.charges(PHONE)) == 1


async def test_an_unknown_outcome_that_turns_out_refused_is_told_as_refused(tmp_path: Path):
    async with staged(tmp_path, changes=QUICK) as stage:
        stage.person(PHONE, "500.00")
        stage.fault(operation=REFRESH, kind="lose", count=2)
        assert (await stage.centre.dial(PHONE, "*929#")).screen == CHECKING
        stage.pay(PHONE, "-400.00")
        stage.jump(6_000)
        message = await stage.centre.next_sms(PHONE)
        assert message.text == "Пакет не обновлён, деньги не списаны. Наберите *929# ещё раз."
        await stage.quiet()
        assert stage.charges(PHONE) == []
        stage.pay(PHONE, "400.00")
        assert (await stage.centre.dial(PHONE, "*929#")).screen == DONE


async def test_an_unknown_outcome_is_cleared_up_after_a_restart(tmp_path: Path):
    async with staged(tmp_path, changes=QUICK) as stage:
        stage.person(PHONE, "700.00")
        stage.fault(operation=REFRESH, kind="take_and_lose", count=2)
        assert (await stage.centre.dial(PHONE, "*929#")).screen == CHECKING
        await stage.restart()
        assert (await stage.centre.dial(PHONE, "*929#")).screen == CHECKING
        stage.jump(6_000)
        assert (await stage.centre.next_sms(PHONE)).text == DONE
        await stage.restart()
        await stage.quiet()
        assert stage.inbox(PHONE) == [DONE], "the event is told once"
        assert len(stage.charges(PHONE)) == 1


@pytest.mark.parametrize("kind", ["take_and_lose", "reset", "status"])
async def test_one_lost_answer_is_repeated_with_the_same_key_and_nobody_notices(stage: Stage, kind: Any):
    stage.person(PHONE)
    stage.fault(operation=REFRESH, kind=kind, count=1)
    assert (await stage.centre.dial(PHONE, "*929#")).screen == DONE
    assert len(stage.charges(PHONE)) == 1


@pytest.mark.parametrize("kind", ["garbage", "wrong_fields", "truncated", "huge", "bomb", "slow"])
async def test_a_broken_body_behind_a_charge_loses_neither_money_nor_the_truth(tmp_path: Path, kind: Any):
    async with staged(tmp_path, changes=QUICK) as stage:
        stage.person(PHONE)
        stage.fault(operation=REFRESH, kind=kind, count=2)
        dialog = await stage.centre.dial(PHONE, "*929#")
        if dialog.screen == CHECKING:
            stage.jump(6_000)
            await stage.centre.next_sms(PHONE)
        await stage.quiet()
        assert [dialog.screen, *stage.inbox(PHONE)][-1] == DONE
        assert len(stage.charges(PHONE)) == 1


@pytest.mark.parametrize(
    "kind",
    ["garbage", "wrong_fields", "truncated", "huge", "bomb", "redirect", "reset", "lose", "status", "hang"],
)
async def test_a_garbled_look_at_the_package_charges_nothing(tmp_path: Path, kind: Any):
    async with staged(tmp_path, changes=QUICK) as stage:
        stage.person(PHONE)
        number = stage.fault(operation="billing.package", kind=kind)
        dialog: Dialog = await stage.centre.dial(PHONE, "*929#")
        assert (dialog.screen, dialog.open) == (UNAVAILABLE, False)
        stage.billing.board.remove(number)
        assert stage.charges(PHONE) == []
