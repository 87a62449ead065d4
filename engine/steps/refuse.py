"""`refuse`: an ordered table of conditions and texts; the first true one is said and the flow is left."""

from __future__ import annotations

from dataclasses import dataclass

from engine.expressions import Expression, Template
from engine.flow import LONG, Step
from engine.glance import Glance
from engine.reading.fields import SPOKEN, TABLE, Field, read_value
from engine.reading.workshop import Given
from engine.run import Run
from engine.wording import Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse(Step):
    """The reasons not to go on. Each refusal is counted by its condition as it is written."""

    rules: tuple[tuple[Expression, Wording], ...]

    verb = "refuse"
    glides = True
    FIELDS = (Field("refuse", TABLE, required=True, doc="conditions with the text that is said, in order"),)
    EXAMPLE = "- refuse:\n    p.blocked: Номер заблокирован.\n    p.balance < p.fee: Не хватает средств."

    @classmethod
    def build(cls, given: Given, following: int) -> int:
        """Make the step."""
        table = given.value("refuse")
        rules = []
        for entry in table or ():
            test = given.shop.expression(entry.key)
            text = given.shop.wording(read_value(entry.value, SPOKEN, given.report, entry.key.value))
            if test is not None and text is not None:
                rules.append((test, text))
        return given.shop.add(cls(place=given.place, next=following, id=given.id, rules=tuple(rules)))

    def run(self, run: Run) -> int:
        """Say the first reason that holds, or go on."""
        for test, text in self.rules:
            if test.evaluate(run):
                run.took(test.source)
                run.note("refused", test.source)
                run.speak(text)
                return run.leave("refused")
        run.took("else")
        return self.next

    def glide(self, glance: Glance) -> int:
        """Go on, unless there is a reason not to: that is counted, and takes a `Run`."""
        for test, _ in self.rules:
            if test.evaluate(glance):
                return LONG
        return self.next

    def exits(self) -> tuple[tuple[str, int], ...]:
        """Only the way on; the others leave the flow."""
        return (("else", self.next),)

    def expressions(self) -> tuple[Expression, ...]:
        """The conditions."""
        return tuple(test for test, _ in self.rules)

    def templates(self) -> tuple[Template, ...]:
        """The texts."""
        return tuple(template for _, text in self.rules for template in text.templates())
