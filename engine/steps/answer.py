"""`answer`: answer a call that has only had early media so far (`answer: late` of the header)."""

from __future__ import annotations

from dataclasses import dataclass

from engine.effects import Answer as Answering
from engine.flow import Step
from engine.reading.fields import ANY, Field
from engine.reading.tree import Empty
from engine.reading.workshop import Given
from engine.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Step):
    """From here on the caller pays; a call that is answered already stays so."""

    verb = "answer"
    channels = frozenset({"voice"})
    FIELDS = (Field("answer", ANY, doc="nothing: answer a late call now"),)
    EXAMPLE = "- answer:"

    @classmethod
    def build(cls, given: Given, following: int) -> int:
        """Make the step."""
        node = given.node("answer")
        if node is not None and not isinstance(node, Empty):
            given.report.error("type", "answer takes nothing", node, help="write - answer:")
        return given.shop.add(cls(place=given.place, next=following, id=given.id))

    def run(self, run: Run) -> int:
        """Answer."""
        if run.channel not in self.channels:
            return run.fail(f"answer: there is no call over {run.channel}")
        if not run.gone:
            run.effects.append(Answering())
        return self.next
