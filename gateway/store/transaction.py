"""The statements of one batch, run on the loop's thread; the COMMIT is somebody else's.

Decides which groups are lost, gathers the rows of the others table by table and runs one `executemany` per
table. The versions of the sessions are held in memory: one process owns the file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from itertools import chain, islice, repeat
from operator import add, itemgetter
from typing import Any

from gateway.store.batch import Group, Kind, Ready, StoreBatch, Turn
from gateway.store.detail import sweep_details, write_details
from gateway.store.form import GONE, Columns, State
from gateway.store.record import Retention
from gateway.store.trail import Step, Trail
from gateway.store.turns import sweep_turns, write_turns

_JOURNAL = (
    "INSERT INTO journal (at, session, kind, retention, source, sealed, data, answer, id)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_JOURNAL_NEXT = (
    "INSERT INTO journal (at, session, kind, retention, source, sealed, data, answer)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
"""As `_JOURNAL`, with the number after the highest there is: SQLite's own counting costs nothing here."""
_OUTBOX = "INSERT OR REPLACE INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_ORDER = "INSERT OR REPLACE INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SCHEDULE = "INSERT OR REPLACE INTO schedule (id, due, kind, sealed, data) VALUES (?, ?, ?, ?, ?)"
_MESSAGE = "INSERT OR REPLACE INTO message (link, message_id, outbox_id, part, at) VALUES (?, ?, ?, ?, ?)"
_META = "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)"
_UNMETA = "DELETE FROM meta WHERE name = ?"
_REMEMBER = "INSERT INTO memory (subject, name, at, until) VALUES (?, ?, ?, ?)"
_FORGET = "DELETE FROM memory WHERE subject = ? AND name = ?"
_TASK = "INSERT OR REPLACE INTO task VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_RATING = (
    "INSERT INTO rating (at, flow, topic, score, low, high, channel, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_CONTACT = "INSERT INTO contact (at, topic, who) VALUES (?, ?, ?)"
_WAIT = "INSERT INTO wait (queue, arrival, waited, how, talk) VALUES (?, ?, ?, ?, ?)"
_SWITCH = "INSERT OR REPLACE INTO switch (kind, name, value, at, who) VALUES (?, ?, ?, ?, ?)"
_UNSWITCH = "DELETE FROM switch WHERE kind = ? AND name = ?"
_AUDIT = "INSERT INTO audit (at, who, act, object, detail) VALUES (?, ?, ?, ?, ?)"
_ONCE = "INSERT OR IGNORE INTO once (kind, id, at) VALUES (?, ?, ?)"

_SWEEP_JOURNAL = (
    "DELETE FROM journal WHERE id IN"
    " (SELECT id FROM journal WHERE retention = ? AND at < ? ORDER BY at LIMIT ?)"
)
_SWEEP_MESSAGE = (
    "DELETE FROM message WHERE (link, message_id) IN"
    " (SELECT link, message_id FROM message WHERE at < ? LIMIT ?)"
)
_SWEEP_TASK = (
    "DELETE FROM task WHERE number IN (SELECT number FROM task WHERE open = 0 AND closed_at < ?"
    " AND number < (SELECT max(number) FROM task) LIMIT ?)"
)
"""The row with the highest number stays, so that no number is used twice."""
_SWEEP_RATING = (
    "UPDATE rating SET data = NULL WHERE id IN"
    " (SELECT id FROM rating WHERE data IS NOT NULL AND at < ? LIMIT ?)"
)
"""A rating without the one who gave it is a figure, and figures are kept as long as bills."""
_SWEEP: dict[Retention | None, tuple[str, ...]] = {
    Retention.SMS: (
        "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE final = 1 AND at < ? LIMIT ?)",
        _SWEEP_MESSAGE,
    ),
    Retention.ORDER: (
        "DELETE FROM ledger WHERE key IN (SELECT key FROM ledger WHERE open = 0 AND asked_at < ? LIMIT ?)",
    ),
    Retention.ONCE: (
        "DELETE FROM once WHERE (kind, id) IN (SELECT kind, id FROM once WHERE at < ? LIMIT ?)",
    ),
    Retention.TASK: (_SWEEP_TASK,),
    Retention.RATING: (_SWEEP_RATING,),
    Retention.DETAIL: ("DELETE FROM rating WHERE id IN (SELECT id FROM rating WHERE at < ? LIMIT ?)",),
    Retention.AUDIT: ("DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ? LIMIT ?)",),
    Retention.CONTACT: ("DELETE FROM contact WHERE id IN (SELECT id FROM contact WHERE at < ? LIMIT ?)",),
    Retention.WAIT: ("DELETE FROM wait WHERE id IN (SELECT id FROM wait WHERE arrival < ? LIMIT ?)",),
    None: ("DELETE FROM memory WHERE id IN (SELECT id FROM memory WHERE until < ? LIMIT ?)",),
}


_AT_LEAST = 16_384
"""Octets that the smallest transaction puts into the write-ahead log, about."""
_key, _number = itemgetter(0), itemgetter(1)

UNFIT = (ValueError, OverflowError, TypeError, sqlite3.IntegrityError, sqlite3.InterfaceError)
"""What statements raise for a value that the database cannot take; the disk is not to blame."""


class Change:
    """One transaction: what it did to the numbers held in memory, so that a failure can be undone."""

    __slots__ = (
        "_before",
        "_connection",
        "_gone",
        "_sessions",
        "_trail",
        "_versions",
        "batches",
        "behind",
        "journal",
        "lost",
        "size",
        "step",
    )

    def __init__(
        self,
        connection: sqlite3.Connection,
        versions: dict[str, int],
        journal: int,
        batches: list[StoreBatch],
        trail: Trail,
    ) -> None:
        self._connection = connection
        self._versions = versions
        self._trail = trail
        self.step: Step | None = None
        self.size = _AT_LEAST
        self.behind = False
        self.batches = batches
        self.journal = journal
        self.lost: list[list[Group]] = []
        self._sessions: dict[str, State] = {}
        self._gone: dict[str, State] = {}
        self._before: dict[str, int] = {}
        """First versions of the sessions that come more than once."""

    def run(self) -> None:
        """Begin the transaction and run every statement; raises sqlite3.Error, then call `undo`."""
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        sessions, ended = self._sessions, self._gone
        turns: list[Turn] = []
        tables: tuple[list[tuple[str, Any]], ...] = tuple([] for _ in Kind)
        versions = self._versions
        find, note = versions.get, self._before.setdefault
        for batch in self.batches:
            lost = []
            groups = batch.groups
            if batch.kept and not self._take_ready(batch.kept, turns, tables, gone=False):
                groups = groups + batch.unfolded(batch.kept)
            if batch.ended and not self._take_ready(batch.ended, turns, tables, gone=True):
                groups = groups + batch.unfolded(batch.ended)
            for group in groups:
                states = group.sessions
                if len(states) != 1 or group.once or group.unfit:
                    won = self._wins(group)
                else:  # as `_wins` would find out
                    won = find(states[0][0], 0) == states[0][1] - 1
                if not won:
                    group.lost = True
                    lost.append(group)
                    continue
                for state in states:
                    key, version, _, form, _ = state
                    if key in sessions:
                        note(key, sessions[key][1] - 1)
                    elif key in ended:
                        note(key, ended[key][1] - 1)
                    if form == GONE:
                        sessions.pop(key, None)
                        ended[key] = state
                        versions.pop(key, None)
                    else:
                        ended.pop(key, None)
                        sessions[key] = state
                        versions[key] = version
                if group.turn is not None:
                    turns.append(group.turn)
                for kind, name, columns in group.rows:
                    tables[kind].append((name, columns))
            self.lost.append(lost)
        self.step = self._trail.write(self._connection, sessions, ended, self.batches[-1].now)
        self.size += self.step.size
        self._write_journal([columns for _, columns in tables[Kind.JOURNAL]])
        if turns:
            self.size += write_turns(self._connection, self.journal + 1, turns)
            self.journal += len(turns)
        self._write_tables(tables)
        for batch in self.batches:
            self._sweep(batch)

    def _take_ready(
        self, ready: list[Ready], turns: list[Turn], tables: tuple[list[tuple[str, Any]], ...], *, gone: bool
    ) -> bool:
        """Take groups that are ready, all together; False, and nothing done, if one of them is not as usual.

        Usual is that each is at the version that it should be at, and has not been changed by a batch before
        in this transaction.
        """
        states, more, rows = zip(*ready, strict=True)
        versions, sessions, ended = self._versions, self._sessions, self._gone
        keys, numbers = list(map(_key, states)), list(map(_number, states))
        if (
            list(map(add, map(versions.get, keys, repeat(0)), repeat(1))) != numbers
            or not ended.keys().isdisjoint(keys)
            or not sessions.keys().isdisjoint(keys)
        ):
            return False
        turns.extend(more)
        if gone:
            ended.update(zip(keys, states, strict=True))
            for key in keys:
                versions.pop(key, None)
        else:
            sessions.update(zip(keys, states, strict=True))
            versions.update(zip(keys, numbers, strict=True))
        if any(rows):
            for kind, name, columns in chain.from_iterable(rows):
                tables[kind].append((name, columns))
        return True

    def _wins(self, group: Group) -> bool:
        if group.unfit:
            return False
        versions = self._versions
        for key, version, *_ in group.sessions:
            if versions.get(key, 0) != version - 1:
                return False
        if not group.once:
            return True
        taken: list[tuple[str, str, int]] = []
        for once in group.once:
            if self._connection.execute(_ONCE, once).rowcount == 0:
                for kind, id_, _ in taken:
                    self._connection.execute("DELETE FROM once WHERE kind = ? AND id = ?", (kind, id_))
                return False
            taken.append(once)
        return True

    def _write_journal(self, rows: list[Any]) -> None:
        if rows:
            # The number outlives swept rows, so the first is given; the others follow it without gaps.
            self._connection.execute(_JOURNAL, (*rows[0], self.journal + 1))
            self._connection.executemany(_JOURNAL_NEXT, islice(rows, 1, None))
            self.journal += len(rows)

    def _write_tables(self, tables: tuple[list[tuple[str, Any]], ...]) -> None:
        many = self._connection.executemany
        if entries := tables[Kind.OUTBOX]:
            many(_OUTBOX, dict(entries).values())
        if entries := tables[Kind.ORDER]:
            many(_ORDER, dict(entries).values())
        if entries := tables[Kind.MESSAGE]:
            many(_MESSAGE, [columns for _, columns in entries])
        if entries := tables[Kind.META]:
            final = dict(entries)
            many(_META, [columns for columns in final.values() if columns is not None])
            many(_UNMETA, [(name,) for name, columns in final.items() if columns is None])
        if entries := tables[Kind.TASK]:
            many(_TASK, dict(entries).values())
        if entries := tables[Kind.RATING]:
            many(_RATING, [columns for _, columns in entries])
        if entries := tables[Kind.CONTACT]:
            many(_CONTACT, [columns for _, columns in entries])
        if entries := tables[Kind.WAIT]:
            many(_WAIT, [columns for _, columns in entries])
        if entries := tables[Kind.DETAIL]:
            self.size += write_details(self._connection, [columns for _, columns in entries])
        if entries := tables[Kind.SWITCH]:
            last = dict(entries).values()
            many(_SWITCH, [columns for columns in last if columns is not None and len(columns) > 2])
            many(_UNSWITCH, [columns for columns in last if columns is not None and len(columns) == 2])
        if entries := tables[Kind.AUDIT]:
            many(_AUDIT, [columns for _, columns in entries])
        if entries := tables[Kind.MEMORY]:
            self._write_memory(columns for _, columns in entries)
        if entries := tables[Kind.SCHEDULE]:
            final = dict(entries)
            many(_SCHEDULE, [columns for columns in final.values() if columns is not None])
            gone = [(name,) for name, columns in final.items() if columns is None]
            many("DELETE FROM schedule WHERE id = ?", gone)

    def _write_memory(self, entries: Iterable[Columns]) -> None:
        cleared: dict[tuple[str, str], None] = {}
        kept: list[Columns] = []
        for columns in entries:
            if len(columns) == 2:
                kept = [row for row in kept if row[:2] != columns]
                cleared[columns] = None
            else:
                kept.append(columns)
        self._connection.executemany(_FORGET, cleared)
        self._connection.executemany(_REMEMBER, kept)

    def _sweep(self, batch: StoreBatch) -> None:
        for retention, before, limit in batch.swept:
            for statement in _SWEEP.get(retention, ()):
                self.behind |= self._connection.execute(statement, (before, limit)).rowcount >= limit
            if retention is not None:
                swept = self._connection.execute(_SWEEP_JOURNAL, (retention.value, before, limit)).rowcount
                self.behind |= swept >= limit
            if retention is Retention.SESSION:
                self.behind |= sweep_turns(self._connection, before, limit)
            elif retention is Retention.DETAIL:
                self.behind |= sweep_details(self._connection, before, limit)
        if batch.swept:  # the number outlives its rows, so that none is used twice
            self._connection.execute(_META, ("journal", str(self.journal).encode()))

    def undo(self) -> None:
        """The transaction did not happen: put the versions back."""
        for key, state in chain(self._sessions.items(), self._gone.items()):
            version = self._before.get(key, state[1] - 1)
            if version:
                self._versions[key] = version
            else:
                self._versions.pop(key, None)

    def end(self, stored: bool) -> None:
        """Tell every group, and the log, how it ended."""
        if stored and self.step is not None:
            self._trail.stored(self.step)
        for batch in self.batches:
            for group in batch.groups:
                if group.remembered:
                    group.end(stored and not group.lost)


def mark_unfit(
    connection: sqlite3.Connection,
    versions: dict[str, int],
    journal: int,
    batches: list[StoreBatch],
    trail: Trail,
) -> None:
    """Try every group alone, roll it back, and mark those that cannot be stored.

    Which of them are lost is found out anew.
    """
    for batch in batches:
        batch.groups += batch.unfolded(batch.kept) + batch.unfolded(batch.ended)
        batch.kept, batch.ended = [], []
        for group in batch.groups:
            change = Change(connection, dict(versions), journal, [batch.alone(group)], trail)
            try:
                change.run()
            except UNFIT:
                group.unfit = True
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                group.lost = False
