"""Counters of what happens all the time.

`Counter` has a `__delitem__` of its own, so adding to one goes through the lookup of a method. Here it goes
straight to the dict.
"""

from __future__ import annotations

from collections import Counter


class Counts(Counter[str]):
    """A `Counter` that is cheap to add to; deleting a name that is not there raises KeyError."""

    __slots__ = ()

    __setitem__ = dict.__setitem__
    __delitem__ = dict.__delitem__  # type: ignore[assignment]
