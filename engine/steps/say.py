"""`say`: a text into the buffer; it leaves with the next question or the end."""

from __future__ import annotations

from dataclasses import dataclass

from engine.expressions import Template
from engine.flow import LONG, Step
from engine.glance import Glance
from engine.reading.fields import NAME, SPOKEN, Field, choice
from engine.reading.workshop import Given
from engine.run import Run
from engine.spoken import marked, plain
from engine.wording import Wording

NOTICE = "notice recording"
"""What the session remembers of the legal notice; with a space, so no memory of a project has this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Say(Step):
    """Buffered output. In text channels it is joined by a line break with what follows."""

    text: Wording
    sound: str | None = None
    notice: str | None = None

    verb = "say"
    glides = True
    FIELDS = (
        Field("say", SPOKEN, required=True, doc="what is said"),
        Field("sound", NAME, doc="a recording by name instead of one by its text (voice)"),
        Field("notice", choice("recording"), doc="a legal notice, said once a session (voice)"),
    )
    EXAMPLE = "- say: Баланс {{ a.balance|money }}"

    @classmethod
    def build(cls, given: Given, following: int) -> int:
        """Make the step."""
        text = given.wording("say")
        if text is None:
            return following
        step = cls(
            place=given.place,
            next=following,
            id=given.id,
            text=text,
            sound=given.value("sound"),
            notice=given.value("notice"),
        )
        return given.shop.add(step)

    def run(self, run: Run) -> int:
        """Put the text into the buffer; a legal notice is said once a session."""
        if self.notice is not None and (run.channel, run.lang) in self.text.forms:
            if NOTICE in run.memory:
                return self.next
            run.memory = {**run.memory, NOTICE: 1}
        if self.sound is not None and run.channel == "voice":
            self.play(run, self.sound)
        else:
            run.speak(self.text)
        return self.next

    def glide(self, glance: Glance) -> int:
        """Put the text into the buffer."""
        if self.notice is not None or self.sound is not None:
            return LONG
        return self.next if glance.speak(self.text) else LONG

    def play(self, run: Run, sound: str) -> None:
        """Say the text by the recording of this name; a text with a secret in it is no recording."""
        text = run.said_of(self.text)
        if text and isinstance(text, str):
            text = marked("sound", sound, plain(text))
        run.say(text)

    def templates(self) -> tuple[Template, ...]:
        """The text."""
        return self.text.templates()
