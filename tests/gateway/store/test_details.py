"""Records of sessions: numbers without gaps over transactions, old rows, losses and sweeps."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from importlib import resources

import msgspec

from gateway.store.detail import details_between, opened
from gateway.store.record import Retention
from gateway.store.sqlite import SqliteStore

Open = Callable[..., SqliteStore]
NOW = 1_795_345_200_000
MIGRATIONS = resources.files("gateway.store") / "migrations"


COMMON = b'{"flow":"menu"}'


def end(store: SqliteStore, at: int, *records: str, common: bytes = COMMON) -> int:
    """Store records in one transaction; returns how many groups were lost."""
    batch = store.batch(at)
    for record in records:
        batch.group().detail(at, common, (record,))
    return len(store.commit_now(batch))


def sweep(store: SqliteStore, before: int, limit: int = 100) -> None:
    batch = store.batch(before)
    batch.sweep(Retention.DETAIL, before, limit)
    assert store.commit_now(batch) == []


def found(store: SqliteStore, number: int = 0, limit: int = 100) -> list[tuple[int, object]]:
    """The records after a number: what is its own of each, all of one of the older versions."""
    return [
        (each, own[0] if own else msgspec.json.decode(portion.common[place]))
        for row in store.details_after(number, limit)
        for portion in (opened(row, number),)
        for each, (place, _, own) in enumerate(portion.entries, portion.first)
    ]


def test_numbers_go_on_over_transactions_and_portions_begin_anywhere(open_store: Open) -> None:
    store = open_store()
    end(store, NOW, "a", "b", "c")
    end(store, NOW + 1)
    end(store, NOW + 2, "d")
    end(store, NOW + 3, "e", "f")
    everything = list(enumerate("abcdef", 1))
    assert found(store) == everything
    for number in range(8):
        for limit in range(1, 8):
            some = found(store, number, limit)
            assert some == everything[number : number + len(some)]
            assert len(some) >= min(limit, len(everything) - number)


def test_what_records_have_in_common_is_stored_once(open_store: Open) -> None:
    store = open_store()
    batch = store.batch(NOW)
    parts = [b'{"flow":"a"}', b'{"flow":"b"}']
    for number in range(100):
        batch.group().detail(NOW + number, parts[number % 2], (number,))
    assert store.commit_now(batch) == []
    (row,) = store.details_after(0, 100)
    portion = opened(row)
    assert portion.common == parts
    assert portion.entries == [(number % 2, NOW + number, [number]) for number in range(100)]
    assert sum(len(part) for part in row[1:] if isinstance(part, bytes)) < 100 * 20


def test_a_record_that_cannot_be_written_takes_no_number_and_keeps_no_other_back(open_store: Open) -> None:
    store = open_store()
    assert end(store, NOW, "a", "half a pair \ud800", "b") == 1
    assert end(store, NOW, "c") == 0
    assert found(store) == [(1, "a"), (2, "b"), (3, "c")]


def test_the_records_of_an_older_version_come_first(open_store: Open) -> None:
    store = open_store()
    store._write.executemany("INSERT INTO detail VALUES (?, ?, ?)", [(8, NOW, b'"x"'), (9, NOW + 5, b'"y"')])
    end(store, NOW + 10, "a", "b")
    end(store, NOW + 20, "c")
    everything = [(8, "x"), (9, "y"), (10, "a"), (11, "b"), (12, "c")]
    assert found(store) == everything
    assert found(store, 8, 1) == everything[1:2]
    assert found(store, 8, 2) == everything[1:4]
    assert found(store, 10) == everything[3:]
    with closing(sqlite3.connect(store.path)) as other:
        days = [one.first for one in details_between(other, NOW + 5, NOW + 20)]
    assert days == [9, 10, 11]
    assert store.oldest()["edr"] == NOW
    sweep(store, NOW + 11)
    assert found(store) == everything[4:]


def test_rows_of_whole_records_are_still_read(open_store: Open) -> None:
    """As the last version stored them: all of every record, in JSON."""
    store = open_store()
    store._write.execute(
        "INSERT INTO details (first, count, at, data) VALUES (5, 3, ?, ?)",
        (NOW + 2, b'[[%d,"x"],[%d,"y"],[%d,"z"]]' % (NOW, NOW + 1, NOW + 2)),
    )
    end(store, NOW + 9, "a")
    assert found(store) == [(5, "x"), (6, "y"), (7, "z"), (8, "a")]
    assert found(store, 5) == [(6, "y"), (7, "z"), (8, "a")]
    with closing(sqlite3.connect(store.path)) as other:
        assert [one.first for one in details_between(other, NOW + 1, NOW + 9)] == [6, 7]


def test_a_sweep_uses_no_number_twice_and_says_what_it_leaves(open_store: Open) -> None:
    store = open_store()
    for at in range(6):
        end(store, NOW + at, "a", "b")
    sweep(store, NOW + 4, limit=3)
    assert store.behind
    assert [number for number, _ in found(store)] == list(range(7, 13))
    sweep(store, NOW + 4, limit=9)
    assert not store.behind
    assert [number for number, _ in found(store)] == list(range(9, 13))
    sweep(store, NOW + 100)
    assert [number for number, _ in found(store)] == [11, 12]
    store.close()
    again = open_store()
    end(again, NOW + 200, "c")
    assert [number for number, _ in found(again)] == [11, 12, 13]


def test_a_store_from_before_there_was_a_log_is_brought_to_the_newest_form(open_store: Open) -> None:
    path = open_store().path
    with closing(sqlite3.connect(path.with_name("old.db"))) as old:
        for script in ("0001_first", "0003_people", "0004_switches"):
            old.executescript((MIGRATIONS / f"{script}.sql").read_text(encoding="utf-8"))
        old.execute("INSERT INTO session (key, version, sealed, data) VALUES ('a', 3, 0, x'93010203')")
        old.execute("INSERT INTO detail VALUES (41, 7, '\"old\"')")
        old.execute("PRAGMA user_version = 4")
        old.commit()
    store = open_store("old.db")
    assert store.get_session("a") == (3, b"\x93\x01\x02\x03")
    batch = store.batch(NOW)
    group = batch.group()
    assert group.put_state("a", 3, ["new"], None) == 4
    group.journal_turn(NOW, "a", "turn", ["in"], b"page", secret=False)
    group.detail(NOW, COMMON, ("new",))
    assert store.commit_now(batch) == []
    assert store.get_session("a") == (4, msgspec.msgpack.encode(["new"]))
    assert found(store) == [(41, "old"), (42, "new")]
