"""`end`: say a text and leave this flow; without a flow outside, the session ends."""

from __future__ import annotations

from dataclasses import dataclass

from engine.expressions import Template
from engine.flow import Step
from engine.glance import Glance
from engine.reading.fields import SPOKEN, Field
from engine.reading.workshop import Given
from engine.run import Run
from engine.wording import Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class End(Step):
    """The last words of a flow."""

    text: Wording

    verb = "end"
    glides = True
    FIELDS = (Field("end", SPOKEN, required=True, doc="the last thing said before the flow is left"),)
    EXAMPLE = "- end: Ответ отправлен в SMS."

    @classmethod
    def build(cls, given: Given, following: int) -> int:
        """Make the step."""
        text = given.wording("end")
        if text is None:
            return following
        return given.shop.add(cls(place=given.place, next=following, id=given.id, text=text))

    def run(self, run: Run) -> int:
        """Say it and leave the flow."""
        return run.end_with(self.text)

    def glide(self, glance: Glance) -> int:
        """Say it as the last screen."""
        return glance.end_with(self.text)

    def exits(self) -> tuple[tuple[str, int], ...]:
        """Nothing of this flow follows."""
        return ()

    def templates(self) -> tuple[Template, ...]:
        """The text."""
        return self.text.templates()
