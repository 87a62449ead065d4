"""What is counted of a session while it lives, for its record: plain tuples that travel with its row.

A turn costs one small tuple. Everything but the number of inputs is a *fact*, noted where it happens; there
are few of them in a session, and no text of a subscriber is among them.
"""

from __future__ import annotations

from typing import TypeAlias

Fact: TypeAlias = tuple[str, ...]
"""A word and what belongs to it: `("call", operation, outcome, amount)`."""
Tally: TypeAlias = tuple[int, tuple[Fact, ...]]
"""How often the subscriber answered, and the facts in their order."""

NOTHING: Tally = (0, ())
MOST_FACTS = 200
"""Facts kept of one session; a flow that goes round for days must not grow its row for ever."""

FLOW, END, CALL, REFUSED, QUEUE, CALLBACK, SMS = "flow", "end", "call", "refused", "queue", "callback", "sms"


def noted(tally: Tally, *fact: str) -> Tally:
    """Return the tally with one more fact; a full one keeps what it has, but for the end."""
    inputs, facts = tally
    if len(facts) >= MOST_FACTS and fact[0] != END:
        return tally
    return inputs, (*facts, fact)
