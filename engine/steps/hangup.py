"""`hangup`: say a text and end the whole session, whatever flows are running."""

from __future__ import annotations

from dataclasses import dataclass

from engine.expressions import Template
from engine.flow import Step
from engine.reading.fields import SPOKEN, Field
from engine.reading.workshop import Given
from engine.run import Run
from engine.wording import Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class HangUp(Step):
    """The last words of a session."""

    text: Wording

    verb = "hangup"
    FIELDS = (Field("hangup", SPOKEN, required=True, doc="the last thing said before the session ends"),)
    EXAMPLE = "- hangup: До свидания."

    @classmethod
    def build(cls, given: Given, following: int) -> int:
        """Make the step."""
        text = given.wording("hangup")
        if text is None:
            return following
        return given.shop.add(cls(place=given.place, next=following, id=given.id, text=text))

    def run(self, run: Run) -> int:
        """Say it and leave all flows."""
        run.speak(self.text)
        return run.quit("hangup")

    def exits(self) -> tuple[tuple[str, int], ...]:
        """Nothing follows."""
        return ()

    def templates(self) -> tuple[Template, ...]:
        """The text."""
        return self.text.templates()
