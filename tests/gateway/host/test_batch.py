"""One batch, one commit: what happens to sessions and messages when it fails, and when we are at fault."""

import asyncio
import sqlite3
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.backends.outcome import Outcome
from gateway.host.batch import Batch
from gateway.host.conversation import Conversation
from gateway.host.stepper import Stepper
from gateway.store.transaction import Change
from smpp.pdu.message import Sm
from smpp.testing.dialect import PSSR_INDICATION, STANDARD, USSR_CONFIRM
from tests.gateway.host.rig import PHONE, Rig, failing, rigged, sms

AGAIN = 0x64
OUR_FAULT = 0x08


async def test_nothing_leaves_before_it_is_stored(rig: Rig) -> None:
    rig.link.bring(STANDARD.ussd(PSSR_INDICATION, PHONE, "2", "*2#", 1, 0))
    assert (rig.link.responses, rig.link.pages) == ([], [])
    await rig.idle()
    assert (rig.statuses, rig.texts) == ([0], ["Первый?"])


async def test_a_commit_that_fails_answers_0x64_and_leaves_sessions_as_they_were(rig: Rig) -> None:
    await rig.dial("*2#")
    (conversation,) = rig.gateway.host.conversations.values()
    session, dialog, version = conversation.session, conversation.dialog, conversation.version
    with failing():
        await rig.type("да", 1)
    assert rig.statuses == [0, AGAIN]
    assert rig.texts == ["Первый?"]
    assert (conversation.session, conversation.dialog, conversation.version) == (session, dialog, version)
    await rig.type("да", 1)
    assert (rig.statuses, rig.texts) == ([0, AGAIN, 0], ["Первый?", "Второй?"])


async def test_a_dial_whose_commit_fails_was_never_there(rig: Rig) -> None:
    with failing():
        await rig.dial("*2#")
        assert rig.gateway.host.conversations == {}
        assert len(rig.gateway.ussd.dialogs) == 0
        assert rig.gateway.ussd.ties.sessions == {}
    assert (rig.statuses, rig.texts) == ([AGAIN], [])
    await rig.dial("*2#")
    assert (rig.statuses, rig.texts) == ([AGAIN, 0], ["Первый?"])


async def test_an_order_whose_commit_fails_is_never_sent(rig: Rig) -> None:
    with failing():
        await rig.dial("*1#")
        assert rig.backend.calls == []
        assert len(rig.gateway.orders) == 0
        assert rig.gateway.store.count_memory(PHONE, "tried", rig.clock.now()) == 0
    await rig.dial("*1#")
    assert [name for name, _, _ in rig.backend.calls] == ["shop.buy"]
    assert rig.gateway.store.count_memory(PHONE, "tried", rig.clock.now()) == 1


async def test_every_message_of_a_batch_that_fails_is_answered(rig: Rig) -> None:
    broken = Sm(source=b"x" * 5, dest=b"1")
    with failing():
        rig.link.bring(
            STANDARD.ussd(PSSR_INDICATION, PHONE, "2", "*2#", 1, 0),
            *sms("да", "2", "79161234568"),
            *sms("да", "9999", "79161234569"),
            broken,
        )
        await rig.idle()
    assert rig.statuses == [AGAIN] * 4
    assert rig.link.pages == []


async def test_a_message_that_failed_is_no_copy_when_it_comes_again(rig: Rig) -> None:
    with failing():
        await rig.write("привет", "2")
    await rig.write("привет", "2")
    assert (rig.statuses, rig.texts) == ([AGAIN, 0], ["Первый?"])
    rig.link.accept(rig.link.pages[-1])
    await rig.write("привет", "2")  # now it is an answer to the first question
    assert rig.texts == ["Первый?", "Второй?"]


async def test_the_question_before_is_still_asked_when_the_next_could_not_be(rig: Rig) -> None:
    await rig.write("начать", "2")
    with failing():
        await rig.write("раз", "2")
    await rig.write("два", "2")
    await rig.write("три", "2")
    assert rig.texts == ["Первый?", "Второй?", "два три"]


@pytest.mark.parametrize("code", [sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR])
async def test_an_outcome_that_could_not_be_stored_is_offered_again(rig: Rig, code: int) -> None:
    await rig.dial("*1#")
    with failing(code):
        await rig.reply("done")
        assert rig.texts == []
    said = asyncio.Event()
    rig.gateway.host.after_batch.append(lambda: said.set() if rig.texts else None)
    await asyncio.wait_for(said.wait(), 5)
    assert rig.texts == ["Куплено."]
    assert rig.waiting == ["ended"], "until the screen is confirmed"


async def test_a_confirmation_is_taken_again_until_it_could_be_stored(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The centre says it once, and until then the end of a charge counts as not seen."""
    monkeypatch.setattr("gateway.host.ussd_page.RETRY_COMMIT_S", 0)
    await rig.dial("*1#")
    await rig.reply("done")
    host = rig.gateway.host
    failed, ended = asyncio.Event(), asyncio.Event()
    host.after_batch.append(lambda: failed.set() if host.counters["commits_failed"] > 2 else None)
    host.after_batch.append(lambda: None if host.conversations else ended.set())
    with failing():
        rig.link.accept(rig.link.pages[-1])
        await asyncio.wait_for(failed.wait(), 5)
    await asyncio.wait_for(ended.wait(), 5)
    assert rig.texts == ["Куплено."]


# A full disk


async def test_a_full_disk_lets_running_dialogues_go_on_and_takes_nothing_new(rig: Rig) -> None:
    await rig.dial("*2#")
    rig.gateway.store._reserve.free()
    assert rig.gateway.store.full
    await rig.dial("*2#", "79161234568", 2)
    await rig.write("да", "2", "79161234569")
    await rig.type("а", 1)
    assert rig.statuses == [0, AGAIN, AGAIN, 0]
    assert rig.texts == ["Первый?", "Второй?"]
    assert rig.gateway.store.tend()
    await rig.dial("*2#", "79161234568", 2)
    assert rig.texts[-1] == "Первый?"


# Faults of our own


@pytest.mark.parametrize("short", [False, True], ids=["long way", "short way"])
async def test_a_fault_in_one_message_harms_no_other(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, short: bool
) -> None:
    def faulty(real: Callable[..., Any]) -> Callable[..., Any]:
        def does(self: Any, *arguments: Any) -> Any:
            done = real(self, *arguments)
            if any(isinstance(one, Conversation) and one.session.caller.endswith("8") for one in arguments):
                raise RuntimeError("a fault of ours")
            return done

        return does

    if not short:
        rig.gateway.host.observers.append(lambda *_: None)  # who is watched takes the long way
    reals: list[tuple[Any, str, Any]] = (
        [(Batch, "before", Batch.before), (Batch, "turned", Batch.turned)]
        if short
        else [(Stepper, "step", Stepper.step)]
    )
    for place, name, real in reals:
        monkeypatch.setattr(place, name, faulty(real))
    rig.link.bring(
        STANDARD.ussd(PSSR_INDICATION, "79161234567", "2", "*2#", 1, 0),
        STANDARD.ussd(PSSR_INDICATION, "79161234568", "2", "*2#", 2, 0),
        *sms("да", "2", "79161234558"),
        STANDARD.ussd(PSSR_INDICATION, "79161234569", "2", "*2#", 3, 0),
    )
    await rig.idle()
    assert rig.statuses == [0, OUR_FAULT, OUR_FAULT, 0]
    assert rig.texts == ["Первый?", "Первый?"]
    assert len(rig.gateway.host.conversations) == 2
    for place, name, real in reals:
        monkeypatch.setattr(place, name, real)
    await rig.write("да", "2", "79161234558")
    assert rig.statuses[-1] == 0, "the copy of a message that we failed on is no copy"


async def test_a_fault_in_what_leaves_does_not_stop_the_host(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(rig.link, "submit", lambda *_, **__: 1 / 0)
        await rig.dial("*2#")
    assert rig.gateway.host.counters["faults"] == 1
    await rig.dial("*2#", "79161234568", 2)
    assert rig.texts == ["Первый?"]
    assert rig.link.flushed >= 2


async def test_a_session_that_cannot_be_written_down_does_not_stop_the_host(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def record(_: Any) -> Any:
        raise TypeError("a flow cannot hold this")

    with monkeypatch.context() as patch:
        patch.setattr("gateway.host.conversation.Conversation.record", record)
        await rig.dial("*2#")
    assert (rig.statuses, rig.texts) == ([AGAIN], [])
    await rig.dial("*2#")
    assert (rig.statuses, rig.texts) == ([AGAIN, 0], ["Первый?"])


async def test_a_group_that_the_store_drops_takes_its_charge_with_it(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two owners of one session cannot be, but if there are, no money moves on a lost intent."""
    run = Change.run

    def run_late(change: Change) -> None:
        for batch in change.batches:
            for group in batch.groups:
                for key, version, *_ in group.sessions:
                    change._versions[key] = version  # somebody else was first
        run(change)

    with monkeypatch.context() as patch:
        patch.setattr(Change, "run", run_late)
        await rig.dial("*1#")
    assert rig.gateway.host.counters["lost_groups"] == 1
    assert rig.backend.calls == []
    assert rig.gateway.host.conversations == {}
    await rig.dial("*1#", session=2)
    assert len(rig.backend.calls) == 1


# Time and the end


async def test_late_closes_the_screen_and_tells_the_rest_by_sms(rig: Rig) -> None:
    await rig.dial("*1#")
    rig.jump(10_100)
    await rig.idle()
    assert rig.texts == ["Позже"]
    rig.link.accept(rig.link.pages[0])
    await rig.reply("done")
    assert rig.texts == ["Позже", "Куплено."]
    assert not rig.link.pages[1].sticky


async def test_late_without_a_charge_tells_the_rest_by_sms_too(rig: Rig) -> None:
    await rig.dial("*4#")
    rig.jump(10_100)
    await rig.idle()
    await rig.reply("done", {"price": Decimal("12.50")})
    assert rig.texts == ["Позже", "12,50 ₽"]


@pytest.mark.parametrize("how", ["refused", "closed", "timeout"])
async def test_the_closing_text_of_a_charge_that_nobody_confirmed_follows_by_sms(rig: Rig, how: str) -> None:
    await rig.dial("*1#")
    await rig.reply("done")
    (page,) = rig.link.pages
    if how == "refused":
        rig.link.accept(page, 0x0B)
    else:
        rig.link.lose(page, how)
    await rig.idle()
    assert rig.texts == ["Куплено.", "Куплено."]
    assert not rig.link.pages[1].sticky
    assert rig.gateway.host.conversations == {}


async def test_a_confirmed_closing_text_is_said_once(rig: Rig) -> None:
    await rig.dial("*1#")
    await rig.reply("done")
    rig.link.accept(rig.link.pages[0])
    await rig.idle()
    assert rig.texts == ["Куплено."]
    assert rig.gateway.host.conversations == {}


async def test_a_closing_text_that_was_not_confirmed_before_a_restart_follows_by_sms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rigged(tmp_path, monkeypatch) as rig:
        await rig.dial("*1#")
        await rig.reply("done")
        assert rig.texts == ["Куплено."]
    async with rigged(tmp_path, monkeypatch) as rig:
        await rig.idle()
        assert rig.texts == ["Куплено."]
        assert rig.gateway.host.conversations == {}


async def test_a_charge_that_was_under_way_at_the_end_is_unknown_after_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rigged(tmp_path, monkeypatch) as rig:
        await rig.write("да", "1")
        ((_, key, _),) = rig.backend.calls
    async with rigged(tmp_path, monkeypatch) as rig:
        await rig.idle()
        assert rig.texts == ["Проверяем."]
        rig.gateway.settling.look()
        await rig.idle()
        assert [(name, again) for name, again, _ in rig.backend.calls] == [("shop.buy", key)]
        await rig.reply("done")
        assert rig.texts == ["Проверяем.", "Итог известен."]


async def test_dialogues_that_end_leave_nothing_behind(rig: Rig) -> None:
    for number in range(30):
        phone = f"7916000{number:04d}"
        await rig.dial("*2#", phone, number + 1)
        match number % 3:
            case 0:
                rig.link.bring(STANDARD.ussd(0x81, phone, "2", "", number + 1, 1))
            case 1:
                rig.link.lose(rig.link.pages[-1], "closed")
            case _:
                rig.link.bring(STANDARD.ussd(USSR_CONFIRM, phone, "2", "а", number + 1, 1))
                await rig.idle()
                rig.link.bring(STANDARD.ussd(USSR_CONFIRM, phone, "2", "б", number + 1, 2))
        await rig.idle()
    assert rig.gateway.host.conversations == {}
    assert rig.gateway.ussd.ties.sessions == {}
    assert rig.gateway.ussd.dialogs.live == 0


# Draining


async def test_draining_starts_nothing_new_and_lets_dialogues_go_on(rig: Rig) -> None:
    await rig.dial("*2#")
    rig.gateway.host.draining = True
    await rig.dial("*2#", "79161234568", 2)
    await rig.write("да", "2", "79161234569")
    await rig.type("а", 1)
    assert rig.statuses == [0, 0, AGAIN, 0]
    assert rig.texts == ["Первый?", "Сеанс завершён. Наберите номер ещё раз.", "Второй?"]
    assert len(rig.gateway.host.conversations) == 1


async def test_the_end_waits_for_calls_and_for_those_they_lead_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rigged(tmp_path, monkeypatch) as rig:
        await rig.dial("*1#")
        link = rig.link
        ((_, _, answer),) = rig.backend.calls
        answer.get_loop().call_later(0.05, answer.set_result, Outcome("done"))
    assert [page.text for page in link.pages] == ["Куплено."]


# Two who want the same


async def test_the_second_asker_waits_for_the_first_and_hears_the_same(rig: Rig) -> None:
    await rig.dial("*1#")
    await rig.write("да", "1")
    assert len(rig.backend.calls) == 1
    assert rig.texts == []
    await rig.reply("done")
    assert rig.texts == ["Куплено.", "Куплено."]
    assert sorted(page.sticky for page in rig.link.pages) == [False, True]


async def test_two_who_wait_too_long_are_told_by_sms(rig: Rig) -> None:
    await rig.dial("*1#")
    await rig.dial("*1#", session=2)  # the handset has given up and dialled again
    rig.jump(10_100)
    await rig.idle()
    assert rig.texts == ["Позже"]
    await rig.reply("done")
    assert rig.texts == ["Позже", "Куплено.", "Куплено."]
    assert [page.sticky for page in rig.link.pages] == [True, False, False]
    assert len(rig.backend.calls) == 1


async def test_two_who_wait_at_the_end_both_hear_after_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rigged(tmp_path, monkeypatch) as rig:
        await rig.dial("*1#")
        await rig.write("да", "1")
    async with rigged(tmp_path, monkeypatch) as rig:
        await rig.idle()
        assert rig.texts == ["Проверяем.", "Проверяем."]
        rig.gateway.settling.look()
        await rig.idle()
        await rig.reply("done")
        assert rig.texts == ["Проверяем.", "Проверяем.", "Итог известен."]
        await rig.write("ещё", "1")
        assert rig.texts[-1] == "Куплено.", "inside once the stored outcome answers"
        assert len(rig.backend.calls) == 1
