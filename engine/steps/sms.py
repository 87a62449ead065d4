"""`sms`: a queued message; the flow does not wait for it."""

from __future__ import annotations

from dataclasses import dataclass

from engine.expressions import Expression, Template
from engine.flow import Step
from engine.reading.fields import BOOLEAN, EXPRESSION, STRING, TEMPLATE, Field
from engine.reading.workshop import Given
from engine.run import Run
from engine.values import Secret
from engine.wording import Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class Sms(Step):
    """A message to the subscriber, or to another number."""

    text: Wording
    to: Expression | None = None
    sender: str = ""
    secret: bool = False

    verb = "sms"
    outside = True
    FIELDS = (
        Field("sms", TEMPLATE, required=True, doc="the text"),
        Field("to", EXPRESSION, doc="the receiver (the caller)"),
        Field("from", STRING, doc="the number it comes from (sms.from of the project)"),
        Field("secret", BOOLEAN, default=False, doc="a secret is inside: sent once, kept nowhere"),
    )
    EXAMPLE = "- sms: Пароль {{ a.password }}\n  secret: yes"

    @classmethod
    def build(cls, given: Given, following: int) -> int:
        """Make the step."""
        text, to = given.wording("sms"), given.expression("to")
        if text is None:
            return following
        step = cls(
            place=given.place,
            next=following,
            id=given.id,
            text=text,
            to=to,
            sender=given.value("from") or "",
            secret=given.value("secret"),
        )
        return given.shop.add(step)

    def run(self, run: Run) -> int:
        """Queue the message; there is no way back over it."""
        text = run.text_of(self.text)
        to = run.caller if self.to is None else self.to.evaluate(run)
        if not isinstance(to, str):
            return run.fail("sms: the receiver is not a phone number")
        run.cross()
        if not to:
            run.note("sms_without_receiver")
            return self.next
        hidden = self.secret or isinstance(text, Secret)
        run.send_sms(to, self.sender, text, hidden)
        return self.next

    def expressions(self) -> tuple[Expression, ...]:
        """The receiver."""
        return () if self.to is None else (self.to,)

    def templates(self) -> tuple[Template, ...]:
        """The text."""
        return self.text.templates()
