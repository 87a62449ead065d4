"""`repeat`: a block a fixed number of times, or until a condition holds."""

from __future__ import annotations

from dataclasses import dataclass

from engine.expressions import Expression
from engine.flow import Step
from engine.reading.fields import BLOCK, EXPRESSION, Field, whole_number
from engine.reading.workshop import Given
from engine.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopStart(Step):
    """The way into a loop from outside: its rounds are counted anew."""

    def run(self, run: Run) -> int:
        """Clear the count of the loop's head, which is `next`."""
        run.count(self.next, None)
        return self.next


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat(Step):
    """The head of the loop; its block leads back to it."""

    times: int
    until: Expression | None
    body: int

    verb = "repeat"
    FIELDS = (
        Field("repeat", whole_number(1, 100), required=True, doc="how often at most"),
        Field("until", EXPRESSION, doc="the loop is over when it is true; asked after each round"),
        Field("do", BLOCK, required=True, doc="what is repeated"),
    )
    EXAMPLE = "- repeat: 3\n  until: same\n  do:\n    - run: identify\n      save: same"

    @classmethod
    def build(cls, given: Given, following: int) -> int:
        """Make the head, and the way in."""
        head = given.shop.reserve()
        until = given.expression("until")
        body = given.block("do", head)
        times = given.value("repeat")
        if times is None:
            return following
        step = cls(place=given.place, next=following, id=given.id, times=times, until=until, body=body)
        given.shop.put(head, step)
        return given.shop.add(LoopStart(place=given.place, next=head))

    def run(self, run: Run) -> int:
        """Another round, or the end of the loop."""
        done = run.counters.get(run.pc, 0)
        over = done >= self.times
        if not over and done and self.until is not None:
            over = self.until.truth(run)
        if over:
            run.count(run.pc, None)
            run.took("end")
            return self.next
        run.count(run.pc, done + 1)
        run.took("do")
        return self.body

    def exits(self) -> tuple[tuple[str, int], ...]:
        """Another round, or on."""
        return (("do", self.body), ("end", self.next))

    def expressions(self) -> tuple[Expression, ...]:
        """The condition."""
        return () if self.until is None else (self.until,)
