"""The key of a place in a queue (architecture, section 6): virtual arrival as Asterisk's `QUEUE_PRIO`.

Virtual arrival is arrival minus the head start of the class. It never changes while people wait, so it is set
once at the join, and nobody is overtaken by anyone who came more than the head start after him.
"""

from __future__ import annotations

EPOCH_MS = 1_767_225_600_000
"""2026-01-01 00:00 UTC."""

HIGHEST = 2_000_000_000


def queue_priority(arrival: int, head_start_ms: int) -> int:
    """Return the value of `QUEUE_PRIO`; higher is served first. `arrival` is UTC in milliseconds.

    The result has at most ten digits and is 1 or more until the year 2089.
    """
    seconds = (arrival - max(0, head_start_ms) - EPOCH_MS) // 1000
    return max(1, min(2 * HIGHEST, HIGHEST - seconds))
