"""Answers of back ends kept for a short time (`cache:`). Never secrets, never errors; bounded."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from gateway.backends.outcome import Outcome

CAPACITY = 10_000


class AnswerCache:
    """The last answers by request; the time is an argument (ms)."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, tuple[int, Outcome]] = OrderedDict()

    def get(self, request: Hashable, now: int) -> Outcome | None:
        """Return the answer if it is still good at `now`."""
        found = self._kept.get(request)
        if found is None:
            return None
        until, outcome = found
        if until <= now:
            del self._kept[request]
            return None
        return outcome

    def put(self, request: Hashable, outcome: Outcome, until: int) -> None:
        """Keep an answer until `until`."""
        self._kept[request] = (until, outcome)
        self._kept.move_to_end(request)
        if len(self._kept) > CAPACITY:
            self._kept.popitem(last=False)
