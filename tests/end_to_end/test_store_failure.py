"""The store cannot be written: the centre is told 0x64 and sends again, sessions stand as before, no loss."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.store import writer
from smpp.testing.faults import Faults
from tests.end_to_end.stage import DONE, RICH, Stage, staged

PHONE = "79165000001"
REFRESH = "billing.refresh_package"
CENTRE = {"retry_ms": 30, "tries": 1_000}
MENU = "Баланс 1500 ₽\n1 Остатки\n2 Тариф\n3 Опции\n4 Платежи\n5 Советы"


@contextmanager
def failing(code: int = sqlite3.SQLITE_FULL) -> Iterator[None]:
    """Let every commit fail, as a full disk or a broken one does."""
    real = writer.commit

    def commit(connection: sqlite3.Connection, flight: writer.Flight) -> None:
        flight.error = sqlite3.OperationalError("database or disk is full")
        flight.error.sqlite_errorcode = code
        flight.finished.set()

    writer.commit = commit
    try:
        yield
    finally:
        writer.commit = real


async def failed(stage: Stage, times: int = 1) -> None:
    """Wait until so many more commits have failed."""
    before = stage.counted("commits_failed")
    await stage.until(lambda: stage.counted("commits_failed") >= before + times, "a commit that fails")


@pytest.mark.parametrize("code", [sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR], ids=["full", "broken"])
async def test_what_comes_while_the_store_fails_is_sent_again_and_not_lost(tmp_path: Path, code: int):
    async with staged(tmp_path, **CENTRE) as stage:
        stage.person(PHONE)
        with failing(code):
            dialog = stage.centre.call(PHONE, "*929#")
            await stage.centre.sms(RICH, "9290", "да", wait=False)
            await failed(stage)
            await stage.centre.wait_for(
                lambda: all(len(one.attempts) > 2 for one in stage.centre.ledger.delivered),
                what="new attempts",
            )
            assert stage.centre.ledger.counters["acked"] == 0
            assert stage.centre.submitted == []
            assert stage.charges() == []
            assert stage.gateway.store.alarm is not None
        await dialog.shown(1)
        assert dialog.screen == DONE
        assert (await stage.centre.next_sms(RICH)).text == DONE
        await stage.quiet()
        assert len(stage.charges(PHONE)) == len(stage.charges(RICH)) == 1
        assert stage.inbox(PHONE) == []
        assert len(stage.inbox(RICH)) == 1


async def test_a_dialogue_stands_where_it_was(tmp_path: Path):
    async with staged(tmp_path, **CENTRE) as stage:
        dialog = await stage.centre.dial(RICH, "*100#")
        with failing(sqlite3.SQLITE_IOERR):
            dialog.type("3")
            await failed(stage, 3)
            assert len(dialog.screens) == 1
        await dialog.shown(2)
        assert dialog.screen.startswith("Ваши опции")
        assert (await dialog.send("0")) == MENU
        assert [screen.text for screen in dialog.screens].count(MENU) == 2


async def test_the_outcome_of_a_charge_is_kept_until_it_can_be_stored(tmp_path: Path):
    async with staged(tmp_path, **CENTRE) as stage:
        stage.person(PHONE)
        number = stage.fault(operation=REFRESH, delay=50)
        dialog = stage.centre.call(PHONE, "*929#")
        await stage.until(lambda: stage.billing.board.standing[number].fired > 0, "the charge")
        with failing():
            await failed(stage)
            assert dialog.screens == [], "nothing is told before it is stored"
        await dialog.shown(1)
        assert dialog.screen == DONE
        assert len(stage.charges(PHONE)) == 1


async def test_a_screen_that_was_not_shown_is_told_by_sms_when_the_store_is_back(tmp_path: Path):
    async with staged(
        tmp_path, faults=Faults(delay_ms=50, refuse=1.0, refuse_status=0x0B), **CENTRE
    ) as stage:
        stage.person(PHONE)
        stage.centre.call(PHONE, "*929#")
        await stage.centre.wait_for(lambda: stage.centre.ledger.counters["throttled_or_refused"] >= 1)
        with failing():
            await failed(stage)
        stage.centre.faults = Faults()
        await stage.centre.next_sms(PHONE)
        await stage.quiet()
        assert stage.inbox(PHONE) == [DONE]


async def test_a_deadline_that_could_not_be_stored_comes_again(tmp_path: Path):
    async with staged(tmp_path, **CENTRE) as stage:
        stage.person(PHONE)
        number = stage.fault(operation=REFRESH, delay=900)
        dialog = stage.centre.call(PHONE, "*929#")
        await stage.until(lambda: stage.billing.board.standing[number].fired > 0, "the charge")
        with failing():
            stage.jump(10_100)
            await failed(stage)
            assert dialog.screens == []
        await dialog.shown(1)
        assert dialog.screen == "Ответ пришлём в SMS."
        await stage.centre.next_sms(PHONE)
        assert stage.inbox(PHONE) == [DONE]


async def test_parts_of_a_long_message_that_could_not_be_stored_are_taken_again(tmp_path: Path):
    async with staged(tmp_path, **CENTRE) as stage:
        stage.person(PHONE)
        with failing():
            deliveries = await stage.centre.sms(PHONE, "9290", "обновите пакет " * 12, wait=False)
            assert len(deliveries) > 2
            await failed(stage, 2)
        await stage.centre.wait_for(
            lambda: all(one.acked for one in deliveries), what="every part to be taken"
        )
        await stage.centre.next_sms(PHONE)
        await stage.quiet()
        assert stage.inbox(PHONE) == [DONE]


async def test_receipts_that_could_not_be_stored_end_their_messages_later(tmp_path: Path):
    async with staged(tmp_path, receipt_ms=20, **CENTRE) as stage:
        stage.person(PHONE)
        await stage.centre.sms(PHONE, "9290", "да")
        await stage.until(lambda: stage.counted("sms_accepted") == 1, "the answer to be accepted")
        with failing():
            await failed(stage)
        await stage.quiet()
        assert stage.counted("sms_delivered") >= 1


async def test_a_full_file_takes_nothing_new_and_recovers_alone(tmp_path: Path):
    """SQLite's own limit of pages stands for a full disk: the statements themselves fail."""
    async with staged(tmp_path, **CENTRE) as stage:
        store = stage.gateway.store
        (pages,) = store._write.execute("PRAGMA page_count").fetchone()
        store._write.execute(f"PRAGMA max_page_count = {pages}")
        phones = [f"7916500{n:04d}" for n in range(60)]
        for phone in phones:
            stage.person(phone)
        for phone in phones:
            await stage.centre.sms(phone, "9290", "да " * 40, wait=False)
        await failed(stage, 2)
        assert store.full
        store._write.execute("PRAGMA max_page_count = 1073741823")
        for phone in phones:
            await stage.centre.next_sms(phone, limit_s=5)
        await stage.quiet()
        assert store.alarm is None
        for phone in phones:
            assert stage.inbox(phone) == [DONE]
            assert len(stage.charges(phone)) == 1
        assert store.check() == "ok"
