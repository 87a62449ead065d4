"""The books of the demo billing: subscribers in memory, everything written through to one SQLite file.

`Book.write` is the only way anything changes: one SQLite transaction, and only after its commit the
memory. Knows records, not rules: what a renewal or a night does is decided elsewhere.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import msgspec

from gateway.demo.billing.money import kopecks, kopecks_to_money
from gateway.demo.billing.record import Record
from gateway.demo.billing.subscriber import BillLine, Movement, Remembered, Subscriber

KEYS_KEPT = 24 * 3_600_000
"""Milliseconds for which a key is remembered unless the setting says otherwise."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS subscriber (phone TEXT PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ledger (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, phone TEXT NOT NULL, kind TEXT NOT NULL,
    amount INTEGER NOT NULL, balance INTEGER NOT NULL, operation TEXT NOT NULL, key TEXT NOT NULL,
    note TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS ledger_phone ON ledger (phone, id);
CREATE INDEX IF NOT EXISTS ledger_key ON ledger (key) WHERE key <> '';
CREATE TABLE IF NOT EXISTS bill (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, phone TEXT NOT NULL, text TEXT NOT NULL,
    amount INTEGER NOT NULL, first TEXT NOT NULL, last TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS bill_phone ON bill (phone, id);
CREATE TABLE IF NOT EXISTS used_card (card TEXT PRIMARY KEY, phone TEXT NOT NULL, at INTEGER NOT NULL)
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS remembered (
    key TEXT PRIMARY KEY, operation TEXT NOT NULL, fingerprint TEXT NOT NULL, at INTEGER NOT NULL,
    status INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS remembered_at ON remembered (at);
CREATE TABLE IF NOT EXISTS record (kind TEXT NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (kind, id)) WITHOUT ROWID;
"""

TABLES = ("subscriber", "ledger", "bill", "used_card", "remembered", "record")


@dataclass(slots=True)
class Change:
    """What one transaction writes."""

    subscribers: dict[str, Subscriber] = field(default_factory=dict)
    movements: list[Movement] = field(default_factory=list)
    lines: list[BillLine] = field(default_factory=list)
    cards: dict[str, tuple[str, int]] = field(default_factory=dict)
    remembered: dict[str, Remembered] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    records: dict[tuple[str, str], Record] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """True if there is anything to write."""
        return bool(
            self.subscribers
            or self.movements
            or self.lines
            or self.cards
            or self.remembered
            or self.settings
            or self.records
        )


class Book:
    """An open set of books. One process, one thread, one file."""

    def __init__(self, database: Path) -> None:
        """Open or create the file; raises sqlite3.Error or msgspec.MsgspecError if it is no such book."""
        database.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(database, isolation_level=None)
        try:
            self._open()
        except BaseException:
            self._db.close()
            raise

    def _open(self) -> None:
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(SCHEMA)
        self.settings: dict[str, str] = dict(self._db.execute("SELECT name, value FROM setting"))
        self.subscribers: dict[str, Subscriber] = {}
        for phone, record in self._db.execute("SELECT phone, record FROM subscriber ORDER BY phone"):
            self.subscribers[phone] = msgspec.json.decode(record, type=Subscriber)
        self.used_cards: dict[str, str] = dict(self._db.execute("SELECT card, phone FROM used_card"))
        self.records: dict[tuple[str, str], Record] = {}
        for kind, key, body in self._db.execute("SELECT kind, id, body FROM record"):
            self.records[kind, key] = msgspec.json.decode(body, type=Record)
        if "salt" not in self.settings:
            self.write(Change(settings={"salt": secrets.token_hex(32)}))
        self._salt = bytes.fromhex(self.settings["salt"])

    @property
    def keys_kept(self) -> int:
        """How long an idempotency key is remembered, milliseconds."""
        return int(self.settings.get("keys_kept", KEYS_KEPT))

    @property
    def store_refusals(self) -> bool:
        """True if refusals, too, are stored under their key."""
        return self.settings.get("store_refusals") == "yes"

    def close(self) -> None:
        """Close the file; the books cannot be used afterwards."""
        self._db.close()

    def write(self, change: Change) -> None:
        """Write one transaction, all of it or nothing; raises sqlite3.Error if it was not written."""
        db = self._db
        db.execute("BEGIN IMMEDIATE")
        try:
            self._rows(change)
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        self.subscribers.update(change.subscribers)
        self.used_cards.update({card: phone for card, (phone, _) in change.cards.items()})
        self.settings.update(change.settings)
        self.records.update(change.records)

    def _rows(self, change: Change) -> None:
        db = self._db
        for phone, subscriber in change.subscribers.items():
            db.execute(
                "INSERT INTO subscriber VALUES (?, ?)"
                " ON CONFLICT (phone) DO UPDATE SET record = excluded.record",
                (phone, msgspec.json.encode(subscriber)),
            )
        for m in change.movements:
            db.execute(
                "INSERT INTO ledger (at, phone, kind, amount, balance, operation, key, note)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (m.at, m.phone, m.kind, kopecks(m.amount), kopecks(m.balance), m.operation, m.key, m.note),
            )
        for b in change.lines:
            db.execute(
                "INSERT INTO bill (at, phone, text, amount, first, last) VALUES (?, ?, ?, ?, ?, ?)",
                (b.at, b.phone, b.text, kopecks(b.amount), b.first.isoformat(), b.last.isoformat()),
            )
        for card, (phone, at) in change.cards.items():
            db.execute("INSERT INTO used_card VALUES (?, ?, ?)", (card, phone, at))
        for key, r in change.remembered.items():
            db.execute(
                "INSERT OR REPLACE INTO remembered VALUES (?, ?, ?, ?, ?, ?)",
                (key, r.operation, r.fingerprint, r.at, r.status, r.body),
            )
        for name, value in change.settings.items():
            db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, value))
        for (kind, number), record in change.records.items():
            body = msgspec.json.encode(record)
            db.execute("INSERT OR REPLACE INTO record VALUES (?, ?, ?)", (kind, number, body))

    def remembered(self, key: str, since: int) -> Remembered | None:
        """Return the outcome stored under `key` at or after `since` (UTC milliseconds), else None."""
        row = self._db.execute(
            "SELECT operation, fingerprint, at, status, body FROM remembered WHERE key = ? AND at >= ?",
            (key, since),
        ).fetchone()
        return None if row is None else Remembered(*row)

    def forget(self, before: int) -> int:
        """Delete the keys stored before a moment; returns how many."""
        return self._db.execute("DELETE FROM remembered WHERE at < ?", (before,)).rowcount

    def fingerprint(self, parts: Iterable[str]) -> str:
        """Return a keyed hash of the parts, so that no argument (a card code) can be read back from it."""
        text = "\x1f".join(parts).encode()
        return hmac.new(self._salt, text, hashlib.sha256).hexdigest()

    def movements(
        self,
        *,
        phone: str = "",
        key: str = "",
        kinds: tuple[str, ...] = (),
        since: int = 0,
        after: int = 0,
        newest: bool = False,
        limit: int = 1000,
    ) -> list[tuple[int, Movement]]:
        """Return ledger lines with their numbers, oldest first (or newest first), at most `limit`.

        Empty `phone`, `key`, `kinds` mean any; `since` is UTC milliseconds; `after` is the number of the
        last line already seen.
        """
        clauses, values = ["id > ?"], [after]
        parameters: list[object] = [*values]
        for clause, value in (("phone = ?", phone), ("key = ?", key), ("at >= ?", since)):
            if value:
                clauses.append(clause)
                parameters.append(value)
        if kinds:
            clauses.append(f"kind IN ({','.join('?' * len(kinds))})")
            parameters.extend(kinds)
        order = "DESC" if newest else "ASC"
        rows = self._db.execute(
            "SELECT id, at, phone, kind, amount, balance, operation, key, note FROM ledger"  # noqa: S608 - constant clauses
            f" WHERE {' AND '.join(clauses)} ORDER BY id {order} LIMIT ?",
            (*parameters, limit),
        )
        return [(row[0], _movement(row[1:])) for row in rows]

    def totals(self) -> Mapping[str, tuple[int, int]]:
        """Return, for each phone, the sum of its ledger in kopecks and the number of its lines."""
        rows = self._db.execute("SELECT phone, SUM(amount), COUNT(*) FROM ledger GROUP BY phone")
        return {phone: (total, count) for phone, total, count in rows}

    def bill(self, phone: str) -> list[BillLine]:
        """Return the bill of a subscriber, oldest line first."""
        rows = self._db.execute(
            "SELECT at, phone, text, amount, first, last FROM bill WHERE phone = ? ORDER BY id", (phone,)
        )
        return [
            BillLine(
                at=at,
                phone=number,
                text=text,
                amount=kopecks_to_money(amount),
                first=date.fromisoformat(first),
                last=date.fromisoformat(last),
            )
            for at, number, text, amount, first, last in rows
        ]

    def clear(self) -> None:
        """Delete everything but the settings' salt; the caller fills the books afresh."""
        statements = [f"DELETE FROM {table};" for table in TABLES]  # noqa: S608 - our own names
        statements.append("DELETE FROM setting WHERE name <> 'salt';")
        try:
            self._db.executescript(f"BEGIN IMMEDIATE; {' '.join(statements)} COMMIT;")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        self.subscribers.clear()
        self.used_cards.clear()
        self.records.clear()
        self.settings = {"salt": self.settings["salt"]}


def _movement(row: tuple[int, str, str, int, int, str, str, str]) -> Movement:
    at, phone, kind, amount, balance, operation, key, note = row
    return Movement(
        at=at,
        phone=phone,
        kind=kind,
        amount=kopecks_to_money(amount),
        balance=kopecks_to_money(balance),
        operation=operation,
        key=key,
        note=note,
    )
