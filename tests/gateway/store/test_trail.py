"""The log of session states: a crash at any moment brings back what was committed, and old rows go."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.store.batch import Ready
from gateway.store.checkpoint import Checkpoint
from gateway.store.form import GONE, INLINE
from gateway.store.record import JournalRow, Retention
from gateway.store.retention import Sweeper
from gateway.store.sealing import Sealer
from gateway.store.sqlite import SqliteStore
from gateway.store.trail import AGE_MS

Open = Callable[..., SqliteStore]
NOW = 1_795_345_200_000


def put(store: SqliteStore, now: int, *turns: tuple[str, int, object]) -> None:
    batch = store.batch(now)
    for key, version, state in turns:
        group = batch.group()
        if state is None:
            group.drop_session(key, version)
        else:
            group.put_state(key, version, state, now + 1_000)
        group.journal_turn(now, key, "turn", ["in", version], b"page", secret=False)
    assert store.commit_now(batch) == []


def after_a_crash(store: SqliteStore, folder: Path) -> SqliteStore:
    """Open what is on the disk at this moment; the running store goes on."""
    folder.mkdir()
    for name in (store.path.name, store.path.name + "-wal"):
        shutil.copy(store.path.with_name(name), folder / name)
    return SqliteStore(folder / store.path.name, Sealer(bytes(32)), reserve_size=0)


def decoded(store: SqliteStore, key: str) -> tuple[int, object] | None:
    found = store.get_session(key)
    return None if found is None else (found[0], msgspec.msgpack.decode(found[1]))


def rows(store: SqliteStore, table: str) -> int:
    (count,) = store._read.execute(f"SELECT count(*) FROM {table}").fetchone()
    return count


def test_sessions_of_a_killed_process_are_as_committed_last(open_store: Open, tmp_path: Path) -> None:
    store = open_store()
    put(store, NOW, ("a", 0, ["first"]), ("b", 0, ["b"]), ("c", 0, ["c"]))
    put(store, NOW + 1, ("a", 1, ["second"]), ("b", 1, None))
    again = after_a_crash(store, tmp_path / "crash")
    assert decoded(again, "a") == (2, ["second"])
    assert again.get_session("b") is None
    assert {row.key: (row.version, row.due) for row in again.load(NOW).sessions} == {
        "a": (2, NOW + 1_001),
        "c": (1, NOW + 1_000),
    }
    stale = again.batch()
    lost = stale.group()
    lost.put_state("a", 1, ["late"], None)
    assert again.commit_now(stale) == [lost]
    put(again, NOW + 2, ("a", 2, ["third"]), ("b", 0, ["new"]))
    assert decoded(again, "b") == (1, ["new"])
    assert [number for number, _ in again.journal_after(0, 100)] == list(range(1, 8))
    again.close()


def test_a_session_nobody_touches_gets_its_row_and_the_log_goes(open_store: Open, tmp_path: Path) -> None:
    store = open_store()
    put(store, NOW, ("a", 0, ["a"]), ("b", 0, ["b"]))
    put(store, NOW, ("b", 1, None))
    assert (rows(store, "session"), rows(store, "state")) == (0, 2)
    put(store, NOW + AGE_MS, ("c", 0, ["c"]))
    assert (rows(store, "session"), rows(store, "state")) == (1, 1)
    assert decoded(store, "a") == (1, ["a"])
    put(store, NOW + AGE_MS + 1, ("a", 1, ["later"]))
    put(store, NOW + AGE_MS + 2, ("a", 2, None))
    again = after_a_crash(store, tmp_path / "crash")
    assert [row.key for row in again.load(NOW).sessions] == ["c"]
    again.close()
    assert rows(store, "session") == 1
    put(store, NOW + 3 * AGE_MS, ("d", 0, ["d"]))
    assert {row.key for row in store.load(NOW).sessions} == {"c", "d"}
    keys = {key for (key,) in store._read.execute("SELECT key FROM session")}
    assert keys == {"c"}


async def test_an_idle_gateway_clears_up_too(open_store: Open) -> None:
    store = open_store()
    for number in range(20):
        put(store, NOW, (str(number), 0, [number]))
    store.tend(NOW + AGE_MS - 1)
    assert not store.busy
    store.tend(NOW + AGE_MS)
    while store.busy:
        store.drain()
    assert (rows(store, "session"), rows(store, "state")) == (20, 0)


def test_closing_leaves_no_log(open_store: Open) -> None:
    store = open_store()
    put(store, NOW, ("a", 0, ["a"]), ("b", 0, ["b"]))
    store.close()
    connection = sqlite3.connect(store.path)
    assert connection.execute("SELECT count(*) FROM state").fetchone() == (0,)
    assert connection.execute("SELECT count(*) FROM session").fetchone() == (2,)
    connection.close()
    assert decoded(open_store(), "a") == (1, ["a"])


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from("abc"), st.booleans(), st.integers(0, AGE_MS), st.booleans()), max_size=12
    )
)
def test_after_any_history_a_crash_brings_back_what_was_committed(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, bool, int, bool]]
) -> None:
    folder = tmp_path_factory.mktemp("history")
    store = SqliteStore(folder / "gudok.db", Sealer(bytes(32)), reserve_size=0)
    model: dict[str, tuple[int, object]] = {}
    now = NOW
    for number, (key, drops, later, restarts) in enumerate(steps):
        now += later
        version = model[key][0] if key in model else 0
        if drops:
            put(store, now, (key, version, None))
            model.pop(key, None)
        else:
            put(store, now, (key, version, [number]))
            model[key] = (version + 1, [number])
        again = after_a_crash(store, folder / str(number))
        assert {one.key: one.version for one in again.load(now).sessions} == {
            one: version for one, (version, _) in model.items()
        }
        for one in "abc":
            assert decoded(again, one) == decoded(store, one) == model.get(one)
        assert len(again.journal_after(0, 100)) == number + 1
        if restarts:
            store.close()
            again.close()
            store = SqliteStore(store.path, Sealer(bytes(32)), reserve_size=0)
        else:
            again.close()
    store.close()
    shutil.rmtree(folder)


def test_turns_of_one_transaction_are_read_like_any_row(open_store: Open) -> None:
    store = open_store()
    put(store, NOW, ("a", 0, ["a"]), ("b", 0, ["b"]))
    batch = store.batch(NOW)
    batch.group().journal(JournalRow(NOW + 5, "x", "edr", retention=Retention.DETAIL))
    batch.group().journal(JournalRow(NOW + 1, "x", "turn", b"x"))
    store.commit_now(batch)
    put(store, NOW + 3, ("a", 1, ["a"]), ("b", 1, None))
    every = store.journal_after(0, 100)
    assert [(number, row.session) for number, row in every] == [
        (1, "a"), (2, "b"), (3, "x"), (4, "x"), (5, "a"), (6, "b"),
    ]  # fmt: skip
    assert msgspec.msgpack.decode(every[4][1].data) == ["in", 1]
    assert every[4][1].answer == b"page"
    assert [number for number, _ in store.journal_after(1, 2)] == [2, 3]
    assert [number for number, _ in store.journal_after(5, 9)] == [6]
    assert [row.session for row in store.journal_since("turn", NOW + 1)] == ["x", "a", "b"]


def test_an_answer_that_is_in_the_data_is_written_once(open_store: Open) -> None:
    store = open_store()
    batch = store.batch(NOW)
    for key, answer in (("a", (0, 1)), ("b", b"page"), ("c", None)):
        batch.kept.append(
            ((key, 1, None, INLINE, []), (NOW, key, "turn", (["x", b"PAGE"], "in"), answer), ())
        )
    assert store.commit_now(batch) == []
    found = [(row.answer, msgspec.msgpack.decode(row.data)) for _, row in store.journal_after(0, 9)]
    assert found == [(answer, [["x", b"PAGE"], "in"]) for answer in (b"PAGE", b"page", None)]
    (data,) = store._read.execute("SELECT data FROM turns").fetchone()
    assert data.count(b"PAGE") == 3


def test_turns_of_an_older_version_are_still_read(open_store: Open) -> None:
    store = open_store()
    entries = [(NOW, "a", "last_turn", [["dialog"], []], b"page"), (NOW, "b", "turn", [], None)]
    store._write.execute("INSERT INTO turns VALUES (7, 2, ?, ?)", (NOW, msgspec.msgpack.encode(entries)))
    found = [(number, row.session, row.answer) for number, row in store.journal_after(0, 9)]
    assert found == [(7, "a", b"page"), (8, "b", None)]
    assert [row.answer for row in store.journal_since("last_turn", NOW)] == [b"page"]


def test_what_is_ready_is_lost_or_unfit_one_by_one(open_store: Open) -> None:
    store = open_store()
    put(store, NOW, ("a", 0, ["a"]), ("b", 0, ["b"]))
    batch = store.batch(NOW)

    def ready(key: str, number: int, state: object) -> Ready:
        kind = INLINE if state is not None else GONE
        return (key, number, None, kind, state), (NOW, key, "turn", ["in"], b"page"), ()

    batch.kept = [
        ready("a", 2, ["a2"]),
        ready("c", 2, ["late"]),
        ready("d", 1, ["half \ud83d"]),
        ready("e", 1, []),
    ]
    batch.ended = [ready("b", 2, None), ready("f", 7, None)]
    lost = store.commit_now(batch)
    assert sorted((group.sessions[0][0], group.unfit) for group in lost) == [
        ("c", False), ("d", True), ("f", False),
    ]  # fmt: skip
    assert [decoded(store, key) for key in "abcdef"] == [(2, ["a2"]), None, None, None, (1, []), None]
    assert sorted(row.session for _, row in store.journal_after(2, 9)) == ["a", "b", "e"]


async def test_what_is_ready_of_one_session_may_meet_in_one_transaction(open_store: Open) -> None:
    store = open_store()
    ended: list[int] = []
    for number, state in ((1, ["1"]), (2, ["2"]), (3, ["3"]), (4, None), (5, ["late"])):
        batch = store.batch(NOW)
        kind = INLINE if state is not None else GONE
        entry = (("a", number, None, kind, state), (NOW, "a", "turn", [number], None), ())
        (batch.kept if state else batch.ended).append(entry)
        store.commit(batch, lambda lost, error: ended.append(len(lost)) if error is None else None)
    store.drain()
    assert ended == [0, 0, 0, 0, 1], "nobody is at version 4 any more"
    assert store.get_session("a") is None
    assert [msgspec.msgpack.decode(row.data) for _, row in store.journal_after(0, 9)] == [[1], [2], [3], [4]]


def test_turns_are_swept_by_their_age(open_store: Open) -> None:
    store = open_store()
    week = 7 * 86_400_000
    put(store, NOW - week - 1, ("a", 0, ["a"]), ("a2", 0, ["a"]))
    put(store, NOW - week, ("b", 0, ["b"]))
    assert store.oldest()["session"] == NOW - week - 1
    batch = store.batch(NOW)
    Sweeper().plan(batch, NOW)
    store.commit_now(batch)
    assert [number for number, _ in store.journal_after(0, 9)] == [3]
    store.close()
    store = open_store()
    put(store, NOW, ("c", 0, ["c"]))
    assert [number for number, _ in store.journal_after(0, 9)] == [3, 4]


def test_sweeping_says_that_something_is_left(open_store: Open) -> None:
    store = open_store()
    week = 7 * 86_400_000
    for number in range(12):
        put(store, NOW - week - 100 + number, (f"a{number}", 0, ["a"]), (f"b{number}", 0, ["b"]))
    left = []
    for _ in range(4):
        batch = store.batch(NOW)
        Sweeper(limit=1).plan(batch, NOW)
        store.commit_now(batch)
        left.append((len(store.journal_after(0, 99)), store.behind))
    assert left == [(16, True), (8, True), (0, False), (0, False)]


def test_what_cannot_be_encoded_costs_its_own_group_only(open_store: Open) -> None:
    store = open_store()
    batch = store.batch(NOW)
    good, bad = batch.group(), batch.group()
    good.put_state("a", 0, ["a"], None)
    bad.put_state("b", 0, ["half \ud83d"], None)
    assert store.commit_now(batch) == [bad]
    assert decoded(store, "a") == (1, ["a"])
    assert store.get_session("b") is None


def test_the_write_ahead_log_is_copied_beside_the_commits(open_store: Open) -> None:
    store = open_store()
    other = sqlite3.connect(store.path, isolation_level=None, check_same_thread=False)
    copying = Checkpoint(other)
    put(store, NOW, *((str(number), 0, [bytes(40_000)]) for number in range(450)))
    copying.begin()
    while not copying.wants_end:
        pass
    copying.copy_end(store._write)
    assert not copying.wants_end
    (_, pages, copied) = store._read.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    assert pages == copied
    copying.close()
    other.close()
    put(store, NOW, ("z", 0, ["z"]))
    (_, pages, _) = store._read.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    assert pages < 50
    assert decoded(store, "z") == (1, ["z"])
