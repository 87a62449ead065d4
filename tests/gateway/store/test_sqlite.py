"""What a host sees of the store: groups that win or lose, restarts, repeats, what is remembered."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from decimal import Decimal

import pytest

from gateway.store.batch import Group
from gateway.store.error import StoreDamagedError, StoreError, StoreLockedError
from gateway.store.record import (
    JournalRow,
    MessageState,
    OrderRow,
    OrderState,
    OutboxRow,
    Retention,
    ScheduleRow,
)
from gateway.store.retention import Sweeper
from gateway.store.sqlite import SqliteStore

Open = Callable[..., SqliteStore]
NOW = 1_795_345_200_000


def order(key: str = "k1", state: OrderState = OrderState.RUNNING, **fields: object) -> OrderRow:
    known: dict[str, object] = {
        "identity": "i-" + key,
        "caller": "79161234567",
        "operation": "billing.refresh_package",
        "arguments": {"fee": Decimal("490.00")},
        "asked_at": NOW,
        "window_ms": 600_000,
        "sent_at": NOW,
    }
    return OrderRow(key=key, state=state, **{**known, **fields})  # type: ignore[arg-type]


def message(id_: str = "m1", **fields: object) -> OutboxRow:
    known: dict[str, object] = {
        "to": "79161234567",
        "sender": "9290",
        "text": "Пакет обновлён.",
        "at": NOW,
        "next_at": NOW,
        "expires_at": NOW + 86_400_000,
    }
    return OutboxRow(id=id_, **{**known, **fields})  # type: ignore[arg-type]


def test_a_turn_is_there_again_after_a_restart(open_store: Open) -> None:
    store = open_store()
    batch = store.batch()
    group = batch.group()
    version = group.put_session("u:1", 0, b"state", NOW + 60_000, False)
    group.journal(JournalRow(NOW, "u:1", "turn", b"in", "main:1:7", b"page"))
    group.outbox(message(parts=(b"\x01\x02", b"\x03"), message_ids=("77",)))
    group.order(order(value={"charged": Decimal("490.00")}))
    group.schedule(ScheduleRow("s1", NOW + 5, "event", b"payload"))
    group.message_id("main", "77", "m1", 0, NOW)
    group.meta("build", b"abc")
    assert store.commit_now(batch) == []
    store.close()

    store = open_store()
    loaded = store.load(NOW)
    assert [(session.key, session.version, session.due) for session in loaded.sessions] == [
        ("u:1", version, NOW + 60_000)
    ]
    assert store.get_session("u:1") == (version, b"state")
    assert loaded.outbox == (message(parts=(b"\x01\x02", b"\x03"), message_ids=("77",)),)
    assert loaded.orders == (order(value={"charged": Decimal("490.00")}),)
    assert loaded.schedule == (ScheduleRow("s1", NOW + 5, "event", b"payload"),)
    assert store.find_message("main", "77") == ("m1", 0)
    assert store.get_meta("build") == b"abc"
    found = store.find_turn("main:1:7")
    assert found is not None
    assert found[1].answer == b"page"
    assert store.check() == "ok"


def test_a_group_that_loses_its_version_drops_out_alone(open_store: Open) -> None:
    store = open_store()
    first = store.batch()
    version = first.group().put_session("a", 0, b"1", None, False)
    store.commit_now(first)

    batch = store.batch()
    late = batch.group()
    late.put_session("a", 0, b"late", None, False)
    late.journal(JournalRow(NOW, "a", "turn", source="late"))
    late.outbox(message("late"))
    late.remember("79161234567", "offer_seen", NOW, None)
    good = batch.group()
    good.put_session("b", 0, b"2", None, False)
    good.journal(JournalRow(NOW, "b", "turn", source="good"))
    assert store.commit_now(batch) == [late]
    assert late.lost
    assert not good.lost
    assert store.get_session("a") == (version, b"1")
    assert store.get_session("b") is not None
    assert store.find_turn("late") is None
    assert store.find_turn("good") is not None
    assert store.load(NOW).outbox == ()
    assert store.count_memory("79161234567", "offer_seen", NOW) == 0


def test_the_numbers_of_the_journal_have_no_gap(open_store: Open) -> None:
    store = open_store()
    for _ in range(3):
        batch = store.batch()
        batch.group().journal(JournalRow(NOW, "a", "turn"))
        lost = batch.group()
        lost.put_session("nobody", 9, b"", None, False)
        lost.journal(JournalRow(NOW, "a", "turn"))
        batch.group().journal(JournalRow(NOW, "a", "turn"))
        store.commit_now(batch)
    assert [number for number, _ in store.journal_after(0, 100)] == [1, 2, 3, 4, 5, 6]


def test_numbers_are_not_used_again_after_the_journal_was_swept(open_store: Open) -> None:
    store = open_store()
    batch = store.batch()
    for _ in range(3):
        batch.group().journal(JournalRow(NOW, "a", "turn"))
    store.commit_now(batch)
    batch = store.batch()
    batch.sweep(Retention.SESSION, NOW + 1, 100)
    store.commit_now(batch)
    assert store.journal_after(0, 10) == []
    store.close()
    store = open_store()
    batch = store.batch()
    batch.group().journal(JournalRow(NOW, "a", "turn"))
    store.commit_now(batch)
    assert [number for number, _ in store.journal_after(0, 10)] == [4]


def test_an_outside_id_is_taken_once(open_store: Open) -> None:
    store = open_store()
    batch = store.batch()
    first, second = batch.group(), batch.group()
    for group in (first, second):
        group.once_id("event", "17", NOW)
        group.journal(JournalRow(NOW, "e:17", "event"))
    assert store.commit_now(batch) == [second]
    assert store.seen("event", "17")
    again = store.batch()
    third = again.group()
    third.once_id("event", "18", NOW)
    third.once_id("event", "17", NOW)
    assert store.commit_now(again) == [third]
    assert not store.seen("event", "18")
    assert len(store.journal_after(0, 10)) == 1


def test_drop_and_start_again_under_one_key(open_store: Open) -> None:
    store = open_store()
    batch = store.batch()
    version = batch.group().put_session("a", 0, b"1", None, False)
    store.commit_now(batch)
    batch = store.batch()
    batch.group().drop_session("a", version)
    store.commit_now(batch)
    assert store.get_session("a") is None
    batch = store.batch()
    assert batch.group().put_session("a", 0, b"2", None, False) == 1
    assert store.commit_now(batch) == []
    assert store.get_session("a") == (1, b"2")


def test_what_is_remembered_counts_before_its_commit_and_not_after_it_failed(open_store: Open) -> None:
    store = open_store()
    subject = "79161234567"
    batch = store.batch()
    batch.group().remember(subject, "wrong_code", NOW, NOW + 1_000)
    assert store.count_memory(subject, "wrong_code", NOW) == 1
    store.commit_now(batch)
    assert store.count_memory(subject, "wrong_code", NOW) == 1
    assert store.count_memory(subject, "wrong_code", NOW + 1_000) == 0

    batch = store.batch()
    group = batch.group()
    group.put_session("stale", 5, b"", None, False)
    group.forget(subject, "wrong_code")
    group.remember(subject, "wrong_code", NOW, None)
    assert store.count_memory(subject, "wrong_code", NOW + 5_000) == 1
    assert store.commit_now(batch) == [group]
    assert store.count_memory(subject, "wrong_code", NOW) == 1
    assert store.count_memory(subject, "wrong_code", NOW + 5_000) == 0

    batch = store.batch()
    group = batch.group()
    group.remember(subject, "wrong_code", NOW, None)
    group.forget(subject, "wrong_code")
    group.remember(subject, "wrong_code", NOW, None)
    store.commit_now(batch)
    store.close()
    assert open_store().count_memory(subject, "wrong_code", NOW + 5_000) == 1


async def test_batches_that_come_during_a_commit_follow_in_order(open_store: Open) -> None:
    store = open_store()
    loop = asyncio.get_running_loop()
    finished: asyncio.Future[None] = loop.create_future()
    seen: list[tuple[int, int, Exception | None]] = []
    version = 0
    for number in range(20):
        batch = store.batch()
        version = batch.group().put_session("a", version, str(number).encode(), None, False)

        def done(lost: list[Group], error: Exception | None, number: int = number) -> None:
            seen.append((number, len(lost), error))
            if number == 19:
                finished.set_result(None)

        store.commit(batch, done)
    assert store.busy
    assert seen == []
    await asyncio.wait_for(finished, 10)
    assert seen == [(number, 0, None) for number in range(20)]
    assert store.get_session("a") == (20, b"19")
    assert store.commits <= 3


async def test_a_callback_may_commit_the_next_batch(open_store: Open) -> None:
    store = open_store()
    finished: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def step(version: int) -> None:
        batch = store.batch()
        after = batch.group().put_session("a", version, b"x", None, False)
        store.commit(batch, lambda _lost, _error: finished.set_result(after) if after == 5 else step(after))

    step(0)
    assert await asyncio.wait_for(finished, 10) == 5


async def test_closing_finishes_what_was_begun(open_store: Open) -> None:
    store = open_store()
    told: list[Exception | None] = []
    for number in range(3):
        batch = store.batch()
        batch.group().put_session(str(number), 0, b"x", None, False)
        store.commit(batch, lambda _lost, error: told.append(error))
    store.close()
    assert told == [None, None, None]
    with pytest.raises(StoreError):
        store.commit(store.batch(), lambda _lost, _error: None)
    assert len(open_store().load(NOW).sessions) == 3


async def test_a_failed_callback_does_not_stop_the_others(open_store: Open) -> None:
    store = open_store()
    loop = asyncio.get_running_loop()
    problems: list[object] = []
    loop.set_exception_handler(lambda _loop, context: problems.append(context["exception"]))
    finished: asyncio.Future[None] = loop.create_future()

    def bad(_lost: list[Group], _error: Exception | None) -> None:
        raise RuntimeError("broken host")

    first, second = store.batch(), store.batch()
    first.group().meta("a", b"1")
    second.group().meta("b", b"2")
    store.commit(first, bad)
    store.commit(second, lambda _lost, _error: finished.set_result(None))
    await asyncio.wait_for(finished, 10)
    assert [str(problem) for problem in problems] == ["broken host"]


async def test_a_full_disk_fails_the_commit_loses_nothing_and_is_over_by_itself(open_store: Open) -> None:
    store = open_store()
    limit = store._write.execute("PRAGMA max_page_count").fetchone()[0]
    batch = store.batch()
    version = batch.group().put_session("a", 0, b"kept", None, False)
    store.commit_now(batch)
    pages = store._write.execute("PRAGMA page_count").fetchone()[0]
    store._write.execute(f"PRAGMA max_page_count = {pages + 2}")

    async def commit(data: bytes, version: int) -> tuple[int, Exception | None]:
        finished: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        batch = store.batch()
        group = batch.group()
        after = group.put_session("a", version, data, None, False)
        group.journal(JournalRow(NOW, "a", "turn", data))
        store.commit(batch, lambda _lost, error: finished.set_result(error))
        return after, await asyncio.wait_for(finished, 10)

    _, error = await commit(bytes(100_000), version)
    assert isinstance(error, sqlite3.OperationalError)
    assert store.full
    assert store.alarm == "the disk is full"
    assert not store._reserve._path.exists()
    assert store.get_session("a") == (version, b"kept")

    store._write.execute(f"PRAGMA max_page_count = {limit}")
    version, error = await commit(b"again", version)
    assert error is None
    assert not store.full
    assert store.alarm is None
    assert store._reserve._path.exists()
    assert store.get_session("a") == (version, b"again")
    assert [number for number, _ in store.journal_after(0, 10)] == [1]


@pytest.mark.parametrize("text", ["\ud83d", "a\udcff"])
def test_a_text_that_cannot_be_stored_costs_its_own_group_only(open_store: Open, text: str) -> None:
    store = open_store()
    batch = store.batch()
    before, bad, after = batch.group(), batch.group(), batch.group()
    before.put_session("a", 0, b"1", None, False)
    before.once_id("event", "1", NOW)
    bad.put_session(text, 0, b"2", None, False)
    bad.remember("7916", "tries", NOW, None)
    after.journal(JournalRow(NOW, "c", "turn"))
    after.put_session("a", 1, b"3", None, False)
    after.remember("7916", "seen", NOW, None)
    assert store.commit_now(batch) == [bad]
    assert bad.unfit
    assert not after.lost
    assert store.get_session("a") == (2, b"3")
    assert store.count_memory("7916", "seen", NOW) == 1
    assert store.seen("event", "1")
    assert [number for number, _ in store.journal_after(0, 9)] == [1]
    assert store.count_memory("7916", "tries", NOW) == 0
    assert store.alarm is None


def test_commit_now_says_that_nothing_was_stored(open_store: Open) -> None:
    store = open_store()
    store._write.execute("PRAGMA max_page_count = 1")
    batch = store.batch()
    batch.group().journal(JournalRow(NOW, "a", "turn", bytes(500_000)))
    with pytest.raises(StoreError, match="nothing was stored"):
        store.commit_now(batch)


def test_one_process_owns_the_file(open_store: Open) -> None:
    open_store()
    with pytest.raises(StoreLockedError, match="another process"):
        open_store()


def test_a_file_of_a_newer_version_is_left_alone(open_store: Open) -> None:
    store = open_store()
    path = store.path
    store.close()
    connection = sqlite3.connect(path)
    (present,) = connection.execute("PRAGMA user_version").fetchone()
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    with pytest.raises(StoreDamagedError, match="upgrade"):
        open_store()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {present}")
    connection.close()
    open_store()


def test_a_file_that_is_no_database_is_refused(open_store: Open) -> None:
    store = open_store()
    path = store.path
    store.close()
    path.write_bytes(b"this is not a database" * 500)
    with pytest.raises(StoreDamagedError):
        open_store()


def test_orders_that_may_matter_are_loaded_and_old_ones_are_found_by_identity(open_store: Open) -> None:
    store = open_store()
    batch = store.batch()
    group = batch.group()
    group.order(order("running"))
    group.order(order("unknown", OrderState.UNKNOWN, settle_at=NOW + 5))
    group.order(order("done", OrderState.DONE, settled_at=NOW))
    group.order(order("untold", OrderState.REFUSED, settled_at=NOW - 10**9, event_due=True))
    group.order(order("old", OrderState.DONE, settled_at=NOW - 10**9, business_key="o1"))
    store.commit_now(batch)
    assert {row.key for row in store.load(NOW).orders} == {"running", "unknown", "done", "untold"}
    assert {row.key for row in store.load(NOW + 600_000).orders} == {"running", "unknown", "untold"}
    found = store.find_order("i-old")
    assert found is not None
    assert found.business_key == "o1"
    assert store.find_order("nothing") is None


def test_sweeping_takes_what_is_too_old_and_leaves_what_is_open(open_store: Open) -> None:
    store = open_store()
    day = 86_400_000
    batch = store.batch()
    group = batch.group()
    for age in (1, 6, 8, 100):
        group.journal(JournalRow(NOW - age * day, "a", "turn"))
        group.journal(JournalRow(NOW - age * day, "a", "edr", retention=Retention.DETAIL))
    group.outbox(message("old", at=NOW - 40 * day, state=MessageState.DELIVERED))
    group.outbox(message("stuck", at=NOW - 40 * day))
    group.outbox(message("new", state=MessageState.DELIVERED))
    group.order(order("open", OrderState.UNKNOWN, asked_at=NOW - 2000 * day))
    group.order(order("closed", OrderState.DONE, asked_at=NOW - 2000 * day, settled_at=NOW - 2000 * day))
    group.remember("7916", "offer_seen", NOW - day, NOW - 1)
    group.remember("7916", "offer_seen", NOW - day, NOW + day)
    group.once_id("event", "1", NOW - 31 * day)
    group.message_id("main", "1", "old", 0, NOW - 31 * day)
    store.commit_now(batch)
    assert store.oldest()["session"] == NOW - 100 * day

    batch = store.batch()
    Sweeper().plan(batch, NOW)
    store.commit_now(batch)
    kinds = [(row.kind, (NOW - row.at) // day) for _, row in store.journal_after(0, 100)]
    assert sorted(kinds) == [("edr", 1), ("edr", 6), ("edr", 8), ("edr", 100), ("turn", 1), ("turn", 6)]
    assert [row.id for row in store.load(NOW).outbox] == ["stuck"]
    ids = {id_ for (id_,) in store._read.execute("SELECT id FROM outbox")}
    assert ids == {"stuck", "new"}
    assert [row.key for row in store.load(NOW).orders] == ["open"]
    assert store.find_order("i-closed") is None
    assert store.count_memory("7916", "offer_seen", NOW) == 1
    assert not store.seen("event", "1")
    assert store.find_message("main", "1") is None
    assert store.oldest()["session"] == NOW - 6 * day


def test_a_sweep_that_leaves_something_says_so_until_all_is_gone(open_store: Open) -> None:
    store = open_store()
    batch = store.batch()
    for _ in range(5):
        batch.group().journal(JournalRow(NOW, "a", "turn"))
    store.commit_now(batch)
    left = []
    while not left or store.behind:
        batch = store.batch()
        batch.sweep(Retention.SESSION, NOW + 1, 2)
        store.commit_now(batch)
        left.append(len(store.journal_after(0, 10)))
    assert left == [3, 1, 0]


def test_the_store_says_honestly_what_it_can_do() -> None:
    assert SqliteStore.atomic_commit
    assert SqliteStore.power_safe
    assert not SqliteStore.survives_node_loss
