"""How long one waits when callers come at random (Erlang C): the model that our figures are compared with.

Poisson arrivals, exponential handling times, nobody gives up (A. K. Erlang, 1917; Cooper, Introduction to
Queueing Theory, chapter 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf


@dataclass(frozen=True, slots=True)
class Load:
    """Calls an hour, mean handling time in seconds, people who answer."""

    calls_an_hour: float
    handling_s: float
    agents: int

    @property
    def erlangs(self) -> float:
        """Work that comes in, in people who are always busy."""
        return self.calls_an_hour * self.handling_s / 3600

    def waits(self) -> float:
        """The share of callers who have to wait; 1 where the work is more than the people can do."""
        work = self.erlangs
        if self.agents <= work or self.agents < 1:
            return 1.0
        blocked = 1.0  # Erlang B by recursion, which neither overflows nor loses digits
        for servers in range(1, self.agents + 1):
            blocked = work * blocked / (servers + work * blocked)
        return blocked / (1 - work / self.agents * (1 - blocked))

    def mean_wait_s(self) -> float:
        """The mean wait of all callers, also of those who do not wait; infinite under overload."""
        spare = self.agents - self.erlangs
        return inf if spare <= 0 else self.waits() * self.handling_s / spare

    def answered_within(self, seconds: float) -> float:
        """The share of callers answered within so many seconds."""
        spare = self.agents - self.erlangs
        return 0.0 if spare <= 0 else 1 - self.waits() * exp(-spare * seconds / self.handling_s)
