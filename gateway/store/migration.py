"""Numbered forms of the database: `migrations/NNNN_name.sql`, each run once and in one transaction."""

from __future__ import annotations

import sqlite3
from importlib import resources

from gateway.store.error import StoreDamagedError


def _steps() -> list[tuple[int, str]]:
    folder = resources.files("gateway.store") / "migrations"
    found = [entry for entry in folder.iterdir() if entry.name.endswith(".sql")]
    return sorted((int(entry.name.split("_")[0]), entry.read_text(encoding="utf-8")) for entry in found)


def _statements(script: str) -> list[str]:
    statements, gathered = [], ""
    for line in script.splitlines(keepends=True):
        gathered += line
        if sqlite3.complete_statement(gathered):
            statements.append(gathered)
            gathered = ""
    return statements


def migrate(connection: sqlite3.Connection) -> int:
    """Bring the database to the newest form and return its number.

    Raises StoreDamagedError for a file that a newer version has written.
    """
    steps = _steps()
    (present,) = connection.execute("PRAGMA user_version").fetchone()
    if present > steps[-1][0]:
        raise StoreDamagedError(
            f"the store has form {present}, this version knows up to {steps[-1][0]}: upgrade"
        )
    for number, script in steps:
        if number <= present:
            continue
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in _statements(script):
                connection.execute(statement)
            connection.execute("PRAGMA user_version = " + str(number))
            connection.execute("COMMIT")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    return steps[-1][0]
