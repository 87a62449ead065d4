"""Tasks, ratings and contacts in the store: there after a restart, sealed, kept for their time."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.store.error import SealError
from gateway.store.form import Form
from gateway.store.reader import SLOT_MS
from gateway.store.record import ContactRow, Line, RatingRow, TaskKind, TaskRow, TaskState, WaitRow
from gateway.store.retention import DEFAULT_TERMS, Retention, Sweeper
from gateway.store.sealing import Sealer
from gateway.store.sqlite import SqliteStore
from gateway.store.task_file import TaskFile

Open = Callable[..., SqliteStore]
NOW = 1_795_345_200_000
PHONE = "79161234567"
DAY_MS = 86_400_000


def task(number: int, **fields: object) -> TaskRow:
    known: dict[str, object] = {
        "kind": TaskKind.QUESTION,
        "queue": "support",
        "subscriber": PHONE,
        "at": NOW,
        "due": NOW + DAY_MS,
        "arrival": NOW - 60_000,
    }
    return TaskRow(number=number, **{**known, **fields})  # type: ignore[arg-type]


def put(store: SqliteStore, *rows: TaskRow | RatingRow | ContactRow) -> None:
    batch = store.batch()
    group = batch.group()
    for row in rows:
        match row:
            case TaskRow():
                group.task(row)
            case RatingRow():
                group.rating(row)
            case ContactRow():
                group.contact(row)
    assert store.commit_now(batch) == []


def test_a_task_is_there_again_after_a_restart(open_store: Open) -> None:
    row = task(
        1,
        key="k",
        code="500",
        topic="internet",
        session="s:1",
        call=3,
        offer_at=NOW + 5,
        not_before=NOW + 7,
        skills=("internet",),
        trail=("*100#", "1 Баланс"),
        lines=(Line(NOW, "subscriber", "Почему?"),),
        taken_at=NOW + 1,
    )
    store = open_store()
    put(store, row, task(2, state=TaskState.DONE, closed_at=NOW))
    store.close()
    store = open_store()
    assert store.load(NOW).tasks == (row,)
    assert store.last_task() == 2
    assert store.find_task(1) == row
    assert store.find_task_of("k") == row
    assert store.find_task(3) is None
    assert [one.number for one in store.closed_tasks(NOW, 10)] == [2]


def test_what_was_said_is_not_in_the_file(open_store: Open) -> None:
    store = open_store()
    put(
        store,
        task(1, lines=(Line(NOW, "subscriber", "Мой адрес Ленина 5"),), trail=("дом Ленина 5",)),
        RatingRow(NOW, "rate", "service", 5, 1, 5, "ussd", "79169999999"),
    )
    store._write.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = store.path.read_bytes()
    assert "Ленина".encode() not in data
    assert b"79169999999" not in data


def test_the_highest_number_outlives_the_sweeper(open_store: Open) -> None:
    store = open_store()
    put(store, *(task(number, state=TaskState.DONE, closed_at=NOW) for number in (1, 2, 3)), task(4))
    put(store, task(5, state=TaskState.EXPIRED, closed_at=NOW))
    batch = store.batch()
    Sweeper().plan(batch, NOW + DEFAULT_TERMS[Retention.TASK] + 1)
    store.commit_now(batch)
    assert [number for number in range(1, 6) if store.find_task(number)] == [4, 5]
    assert store.last_task() == 5


def test_a_rating_loses_its_name_and_stays_a_figure(open_store: Open) -> None:
    row = RatingRow(NOW, "rate", "service", None, 1, 5, "sms", PHONE)
    store = open_store()
    put(store, row)
    assert store.ratings(NOW, 10) == [row]
    assert store.oldest()["rating"] == NOW
    batch = store.batch()
    Sweeper().plan(batch, NOW + DEFAULT_TERMS[Retention.RATING] + 1)
    store.commit_now(batch)
    assert store.ratings(NOW, 10) == [msgspec.structs.replace(row, who="")]
    assert "rating" not in store.oldest()


def test_contacts_are_found_by_who_topic_and_time(open_store: Open) -> None:
    store = open_store()
    put(store, ContactRow(NOW, "internet", b"a"), ContactRow(NOW + 1, "internet", b"b"))
    assert store.was_here(b"a", "internet", NOW)
    assert not store.was_here(b"a", "internet", NOW + 1)
    assert not store.was_here(b"a", "tariffs", NOW)
    assert store.contacts_by_slot(NOW) == [("internet", NOW // SLOT_MS, 2)]
    batch = store.batch()
    Sweeper().plan(batch, NOW + DEFAULT_TERMS[Retention.CONTACT] + 1)
    store.commit_now(batch)
    assert store.contacts_by_slot(0) == [("internet", NOW // SLOT_MS, 1)]


def test_a_task_of_another_row_does_not_open(open_store: Open) -> None:
    store = open_store()
    put(store, task(1), task(2))
    store._write.execute("UPDATE task SET data = (SELECT data FROM task WHERE number = 2) WHERE number = 1")
    with pytest.raises(SealError):
        store.find_task(1)


def test_the_file_can_be_looked_at_while_the_store_is_open(open_store: Open) -> None:
    store = open_store()
    put(store, task(1, arrival=NOW), task(2, arrival=NOW - 1), task(3, state=TaskState.DONE, closed_at=NOW))
    file = TaskFile(store.path)
    assert [line.number for line in file.lines()] == [2, 1]
    assert [line.number for line in file.lines(closed=True)] == [3]
    assert file.task(2, Sealer(bytes(range(32)))) == task(2, arrival=NOW - 1)
    assert file.task(9, Sealer(bytes(range(32)))) is None
    with pytest.raises(SealError):
        file.task(2, Sealer(bytes(32)))


TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
TIMES = st.none() | st.integers(0, 2**60)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    row=st.builds(
        TaskRow,
        number=st.integers(1, 2**60),
        kind=st.sampled_from(TaskKind),
        queue=TEXT,
        subscriber=TEXT,
        at=st.integers(0, 2**60),
        due=st.integers(0, 2**60),
        arrival=st.integers(-(2**60), 2**60),
        state=st.sampled_from(TaskState),
        key=TEXT,
        code=TEXT,
        topic=TEXT,
        session=TEXT,
        call=st.integers(0, 1_000),
        offer_at=TIMES,
        not_before=TIMES,
        skills=st.lists(TEXT, max_size=2).map(tuple),
        trail=st.lists(TEXT, max_size=2).map(tuple),
        lines=st.lists(st.builds(Line, st.integers(0, 2**60), TEXT, TEXT), max_size=2).map(tuple),
        taken_at=TIMES,
        closed_at=TIMES,
        result=TEXT,
        closing=TEXT,
        about=TEXT,
        overdue=st.booleans(),
    )
)
def test_every_task_comes_back_as_it_was(row: TaskRow) -> None:
    form = Form(Sealer(bytes(32)))
    assert form.open_task(form.task(row)) == row


def test_waits_are_kept_in_the_order_they_ended_and_for_their_time(open_store: Open) -> None:
    store = open_store()
    rows = [WaitRow("support", NOW + n, 1_000 * n, "answered", 60_000) for n in (3, 1, 2)]
    batch = store.batch()
    for row in rows:
        batch.group().wait(row)
    store.commit_now(batch)
    assert store.waits(NOW, 10) == rows
    assert store.waits(NOW, 2) == rows[1:]
    assert store.waits(NOW + 2, 10) == [rows[0], rows[2]]
    assert store.oldest()["wait"] == NOW + 1
    batch = store.batch()
    Sweeper().plan(batch, NOW + 3 + DEFAULT_TERMS[Retention.WAIT])
    store.commit_now(batch)
    assert store.waits(0, 10) == [rows[0]]
