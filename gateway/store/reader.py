"""What the store has committed, read back: every query, on a connection of its own that cannot write.

It knows the tables and how their rows are opened; open batches, commits and the file's lock it does not.
"""

from __future__ import annotations

import heapq
import sqlite3
from itertools import islice
from operator import itemgetter

from gateway.store.detail import Row, details_after
from gateway.store.form import Form
from gateway.store.record import (
    AuditRow,
    JournalRow,
    Loaded,
    OrderRow,
    RatingRow,
    Retention,
    StoredSession,
    SwitchRow,
    TaskRow,
    WaitRow,
)
from gateway.store.trail import Trail
from gateway.store.turns import oldest_turn, turns_after, turns_since

SLOT_MS = 600_000
"""Contacts are counted in slots of ten minutes."""
_OLDEST_JOURNAL = "SELECT min(at) FROM journal WHERE retention = ?"
_OLDEST_ROW = {
    Retention.ONCE: "SELECT min(at) FROM once",
    Retention.TASK: "SELECT min(closed_at) FROM task WHERE open = 0",
    Retention.RATING: "SELECT min(at) FROM rating WHERE data IS NOT NULL",
    Retention.CONTACT: "SELECT min(at) FROM contact",
    Retention.DETAIL: (
        "SELECT min(at) FROM (SELECT at FROM rating UNION ALL SELECT at FROM detail"
        " UNION ALL SELECT at FROM details)"
    ),
    Retention.AUDIT: "SELECT min(at) FROM audit",
    Retention.WAIT: "SELECT min(arrival) FROM wait",
}


class Reader:
    """Reads one database; what is written meanwhile is seen once it is committed. Raises sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection, form: Form) -> None:
        connection.execute("PRAGMA query_only = 1")
        self._read = connection
        self._form = form
        self._trail = Trail(connection)
        """Where the sessions are; whoever commits tells it."""

    def load(self, now: int) -> Loaded:
        """Return what must be known again after a start at `now` (UTC ms)."""
        read, form = self._read.execute, self._form
        return Loaded(
            sessions=tuple(StoredSession(*row[:3]) for row in self._trail.all(self._read)),
            outbox=tuple(
                map(form.open_outbox, read("SELECT * FROM outbox WHERE final = 0 ORDER BY next_at, id"))
            ),
            orders=tuple(
                map(
                    form.open_order,
                    read(
                        "SELECT * FROM ledger WHERE open = 1 UNION SELECT * FROM ledger WHERE useful_to > ?"
                        " ORDER BY asked_at",
                        (now,),
                    ),
                )
            ),
            schedule=tuple(map(form.open_schedule, read("SELECT * FROM schedule ORDER BY due, id"))),
            tasks=tuple(map(form.open_task, read("SELECT * FROM task WHERE open = 1 ORDER BY number"))),
        )

    def get_session(self, key: str) -> tuple[int, bytes] | None:
        """Return the committed version and data of a session; raises SealError."""
        row = self._trail.find(self._read, key)
        return None if row is None else (row[1], self._form.open_session(key, row[3], row[4]))

    def find_turn(self, source: str) -> tuple[int, JournalRow] | None:
        """Return number and journal row of the message that came as `source`, for answering its repeat."""
        row = self._read.execute(
            "SELECT id, at, session, kind, retention, source, sealed, data, answer FROM journal"
            " WHERE source = ? ORDER BY id DESC LIMIT 1",
            (source,),
        ).fetchone()
        return None if row is None else (row[0], self._form.open_journal(row[1:]))

    def journal_after(self, number: int, limit: int) -> list[tuple[int, JournalRow]]:
        """Return at most `limit` journal rows with numbers above `number`, in order."""
        rows = self._read.execute(
            "SELECT id, at, session, kind, retention, source, sealed, data, answer FROM journal"
            " WHERE id > ? ORDER BY id LIMIT ?",
            (number, limit),
        )
        singly = ((row[0], self._form.open_journal(row[1:])) for row in rows)
        together = turns_after(self._read, number, limit)
        return list(islice(heapq.merge(singly, together, key=itemgetter(0)), limit))

    def journal_since(self, kind: str, at: int) -> list[JournalRow]:
        """Return the rows of one kind of class `session` that are not older than `at` (UTC ms), in order."""
        rows = self._read.execute(
            "SELECT id, at, session, kind, retention, source, sealed, data, answer FROM journal"
            " WHERE retention = ? AND at >= ? AND kind = ?",
            (Retention.SESSION.value, at, kind),
        )
        found = [(row[0], self._form.open_journal(row[1:])) for row in rows]
        found.extend(turns_since(self._read, kind, at))
        found.sort(key=lambda item: (item[1].at, item[0]))
        return [row for _, row in found]

    def find_order(self, identity: str) -> OrderRow | None:
        """Return the latest order with this identity, however old."""
        row = self._read.execute(
            "SELECT * FROM ledger WHERE identity = ? ORDER BY asked_at DESC, key DESC LIMIT 1", (identity,)
        ).fetchone()
        return None if row is None else self._form.open_order(row)

    def find_message(self, link: str, message_id: str) -> tuple[str, int] | None:
        """Return outbox id and part of the message that the centre of `link` calls `message_id`."""
        row = self._read.execute(
            "SELECT outbox_id, part FROM message WHERE link = ? AND message_id = ?", (link, message_id)
        ).fetchone()
        return None if row is None else (row[0], row[1])

    def seen(self, kind: str, id: str) -> bool:  # noqa: A002 - the name of the column
        """Tell whether an outside id was taken by a committed group."""
        found = self._read.execute("SELECT 1 FROM once WHERE kind = ? AND id = ?", (kind, id)).fetchone()
        return found is not None

    def last_task(self) -> int:
        """Return the highest number a task has had, 0 if there was none."""
        (number,) = self._read.execute("SELECT max(number) FROM task").fetchone()
        return number or 0

    def find_task(self, number: int) -> TaskRow | None:
        """Return a task, open or closed; raises SealError."""
        row = self._read.execute("SELECT * FROM task WHERE number = ?", (number,)).fetchone()
        return None if row is None else self._form.open_task(row)

    def find_task_of(self, key: str) -> TaskRow | None:
        """Return the latest task with this key, open or closed; raises SealError."""
        row = self._read.execute(
            "SELECT * FROM task WHERE key = ? ORDER BY number DESC LIMIT 1", (key,)
        ).fetchone()
        return None if row is None else self._form.open_task(row)

    def closed_tasks(self, since: int, limit: int) -> list[TaskRow]:
        """Return at most `limit` tasks closed at or after `since` (UTC ms), the latest first."""
        rows = self._read.execute(
            "SELECT * FROM task WHERE open = 0 AND closed_at >= ? ORDER BY closed_at DESC LIMIT ?",
            (since, limit),
        )
        return [self._form.open_task(row) for row in rows]

    def ratings(self, since: int, limit: int) -> list[RatingRow]:
        """Return at most `limit` ratings given at or after `since` (UTC ms), the oldest first."""
        rows = self._read.execute(
            "SELECT at, flow, topic, score, low, high, channel, data FROM rating"
            " WHERE at >= ? ORDER BY at, id LIMIT ?",
            (since, limit),
        )
        return [self._form.open_rating(row) for row in rows]

    def was_here(self, who: bytes, topic: str, since: int) -> bool:
        """Tell whether a session of `who` (keyed hash) about `topic` has ended at or after `since`."""
        found = self._read.execute(
            "SELECT 1 FROM contact WHERE who = ? AND topic = ? AND at >= ? LIMIT 1", (who, topic, since)
        ).fetchone()
        return found is not None

    def contacts_by_slot(self, since: int) -> list[tuple[str, int, int]]:
        """Return (topic, number of the slot since 1970, sessions) of all slots from `since` (UTC ms)."""
        return self._read.execute(
            "SELECT topic, at / ?, count(*) FROM contact WHERE at >= ? GROUP BY 1, 2", (SLOT_MS, since)
        ).fetchall()

    def waits(self, since: int, limit: int) -> list[WaitRow]:
        """Return at most `limit` waits that began at or after `since` (UTC ms), in the order they ended.

        If there are more, the latest are returned.
        """
        rows = self._read.execute(
            "SELECT queue, arrival, waited, how, talk FROM wait WHERE arrival >= ? ORDER BY id DESC LIMIT ?",
            (since, limit),
        )
        return [WaitRow(*row) for row in rows][::-1]

    def switches(self) -> list[SwitchRow]:
        """Return everything that is switched by hand."""
        rows = self._read.execute("SELECT kind, name, value, at, who FROM switch ORDER BY kind, name")
        return [SwitchRow(*row) for row in rows]

    def audit(self, limit: int) -> list[AuditRow]:
        """Return the last `limit` acts of staff, the latest first."""
        rows = self._read.execute(
            "SELECT at, who, act, object, detail FROM audit ORDER BY id DESC LIMIT ?", (limit,)
        )
        return [AuditRow(*row) for row in rows]

    def details_after(self, number: int, limit: int) -> list[Row]:
        """Return rows with records of sessions with numbers above `number`, for `gateway.store.detail`.

        These are at least `limit` records, if there are so many.
        """
        return details_after(self._read, number, limit)

    def last_journal(self) -> int:
        """Return the highest number a journal row has had, 0 if there was none."""
        (last,) = self._read.execute("SELECT max(id) FROM journal").fetchone()
        (plain,) = self._read.execute(
            "SELECT max(first + count - 1) FROM turns WHERE first = (SELECT max(first) FROM turns)"
        ).fetchone()
        return max(last or 0, plain or 0, int(self.get_meta("journal") or b"0"))

    def get_meta(self, name: str) -> bytes | None:
        """Return a small value of the gateway's own."""
        row = self._read.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else row[0]

    def meta_names(self, prefix: str) -> list[str]:
        """Return the names of the gateway's own values that begin so, in order."""
        rows = self._read.execute(
            "SELECT name FROM meta WHERE substr(name, 1, ?) = ? ORDER BY name", (len(prefix), prefix)
        )
        return [name for (name,) in rows]

    def oldest(self) -> dict[str, int]:
        """Return per retention class the time (UTC ms) of the oldest row that is subject to it."""
        found: dict[str, int] = {}
        for retention in Retention:
            times = [self._read.execute(_OLDEST_JOURNAL, (retention.value,)).fetchone()[0]]
            if retention is Retention.SESSION:
                times.append(oldest_turn(self._read))
            elif retention is Retention.SMS:
                times.append(self._read.execute("SELECT min(at) FROM outbox WHERE final = 1").fetchone()[0])
                times.append(self._read.execute("SELECT min(at) FROM message").fetchone()[0])
            elif retention is Retention.ORDER:
                times.append(self._read.execute("SELECT min(asked_at) FROM ledger").fetchone()[0])
            elif retention in _OLDEST_ROW:
                times.append(self._read.execute(_OLDEST_ROW[retention]).fetchone()[0])
            known = [at for at in times if at is not None]
            if known:
                found[retention.value] = min(known)
        return found

    def check(self) -> str:
        """Return `ok`, or what SQLite finds wrong with the file (reads all of it)."""
        (verdict,) = self._read.execute("PRAGMA integrity_check(1)").fetchone()
        return str(verdict)

    def ends_of_memory(self, subject: str, name: str) -> list[int | None]:
        """Return when each of `name` that is remembered of `subject` ends (UTC ms), None for never."""
        rows = self._read.execute("SELECT until FROM memory WHERE subject = ? AND name = ?", (subject, name))
        return [until for (until,) in rows]
