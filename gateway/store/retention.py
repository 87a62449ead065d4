"""How long each kind of record is kept, and deleting it in time without ever holding the store up.

Terms are the safe defaults of reliability.md, section 5; the settings may shorten or lengthen them.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.store.batch import StoreBatch
from gateway.store.record import Retention

_DAY_MS = 86_400_000

DEFAULT_TERMS: Mapping[Retention, int] = {
    Retention.SESSION: 7 * _DAY_MS,
    Retention.SMS: 30 * _DAY_MS,
    Retention.DETAIL: 3 * 365 * _DAY_MS,
    Retention.RATING: 90 * _DAY_MS,
    Retention.ORDER: 3 * 365 * _DAY_MS,
    Retention.ONCE: 30 * _DAY_MS,
    Retention.TASK: 90 * _DAY_MS,
    Retention.CONTACT: 31 * _DAY_MS,
    Retention.AUDIT: 3 * 365 * _DAY_MS,
    Retention.WAIT: 400 * _DAY_MS,
}
"""Milliseconds that a record of each class is kept."""


class Sweeper:
    """Adds to a batch the deletion of what is too old, at most `limit` rows of a table each time."""

    __slots__ = ("_limit", "_terms")

    def __init__(self, terms: Mapping[Retention, int] | None = None, limit: int = 500) -> None:
        self._terms = {**DEFAULT_TERMS, **(terms or {})}
        self._limit = limit

    def plan(self, batch: StoreBatch, now: int) -> None:
        """Have everything that is older than its term at `now` (UTC ms) deleted with this batch."""
        for retention, term in self._terms.items():
            batch.sweep(retention, now - term, self._limit)
        batch.sweep(None, now, self._limit)
