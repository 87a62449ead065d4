"""`log`: a structured line; personal data and secrets in it are masked."""

from __future__ import annotations

from dataclasses import dataclass

from engine.expressions import Template
from engine.flow import Step
from engine.reading.fields import TEMPLATE, Field
from engine.reading.workshop import Given
from engine.run import Run
from engine.wording import Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class Log(Step):
    """A line for the log."""

    text: Wording

    verb = "log"
    FIELDS = (Field("log", TEMPLATE, required=True, doc="the line"),)
    EXAMPLE = "- log: Тариф {{ p.tariff }}"

    @classmethod
    def build(cls, given: Given, following: int) -> int:
        """Make the step."""
        text = given.note("log")
        if text is None:
            return following
        return given.shop.add(cls(place=given.place, next=following, id=given.id, text=text))

    def run(self, run: Run) -> int:
        """Note the line; a text with a secret inside shows only dots."""
        run.note("log", str(run.text_of(self.text)))
        return self.next

    def templates(self) -> tuple[Template, ...]:
        """The line."""
        return self.text.templates()
