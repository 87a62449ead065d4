"""`connect`: transfer a call to another number that the project allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.effects import Connect as Connecting
from engine.expressions import Template
from engine.flow import Step
from engine.inputs import Input, LineReplied
from engine.reading.fields import BLOCK, DURATION, TEMPLATE, Field
from engine.reading.workshop import Given
from engine.run import Run
from engine.session import Waiting
from engine.values import Secret
from engine.wording import Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect(Step):
    """A transfer. `blocks` are ways out by outcome: `busy`, `no_answer`."""

    number: Wording
    timeout_ms: int
    note: Wording | None
    blocks: Mapping[str, int]

    verb = "connect"
    waits = True
    outside = True
    channels = frozenset({"voice"})
    FIELDS = (
        Field("connect", TEMPLATE, required=True, doc="the number; connect: of the project must allow it"),
        Field("timeout", DURATION, default=30_000, doc="how long it may ring"),
        Field("busy", BLOCK, doc="what is done if it is busy"),
        Field("no_answer", BLOCK, doc="what is done if nobody answers"),
        Field("note", TEMPLATE, doc="a line that goes along"),
    )
    EXAMPLE = '- connect: "74957660166"\n  timeout: 20s\n  no_answer: later'

    @classmethod
    def build(cls, given: Given, following: int) -> int:
        """Make the step; a number that is written there must be allowed."""
        number, note = given.note("connect"), given.note("note")
        blocks = {}
        for outcome in ("busy", "no_answer"):
            target = given.block_or_none(outcome, following)
            if target is not None:
                blocks[outcome] = target
        if number is None:
            return following
        allowed = given.shop.around.project.connect_allow
        constants = [form.constant for form in number.main if form.constant is not None]
        for constant in constants:
            if not permitted(constant, allowed):
                given.report.error(
                    "not-allowed",
                    f'the project does not allow calls to be transferred to "{constant}"',
                    given.node("connect") or given.key,
                    help="connect: { allow: [...] } of config/project.yaml lists the numbers",
                )
        step = cls(
            place=given.place,
            next=following,
            id=given.id,
            number=number,
            timeout_ms=given.value("timeout"),
            note=note,
            blocks=blocks,
        )
        return given.shop.add(step)

    def run(self, run: Run) -> int:
        """Transfer and wait; there is no way back over it."""
        if run.channel not in self.channels:
            return run.fail(f"connect: there is no call over {run.channel}")
        if run.gone:
            return run.quit("late")
        number = run.text_of(self.number)
        if isinstance(number, Secret) or not permitted(number, run.project.connect_allow):
            return run.fail("connect: the project does not allow this number")
        note = run.text_of(self.note)
        run.cross()
        run.drop_ahead()
        run.call += 1
        run.effects.append(Connecting(run.call, number, self.timeout_ms, str(note), run.speech()))
        return run.wait_for(Waiting.LINE)

    def resume(self, run: Run, given: Input) -> int:
        """The other side has hung up and the caller stayed, or nobody was reached."""
        assert isinstance(given, LineReplied)
        if given.outcome == "done":
            run.steps = 0
            run.took("done")
            return self.next
        target = self.blocks.get(given.outcome)
        if target is None:
            return run.fail(f"connect: {given.outcome}")
        run.note("outcome", f"connect: {given.outcome}")
        run.took(given.outcome)
        return target

    def exits(self) -> tuple[tuple[str, int], ...]:
        """The way on, and the blocks."""
        return (("done", self.next), *self.blocks.items())

    def templates(self) -> tuple[Template, ...]:
        """The number and the note."""
        note = () if self.note is None else self.note.templates()
        return (*self.number.templates(), *note)


def permitted(number: str, allowed: tuple[str, ...]) -> bool:
    """Tell whether a number fits a pattern: digits, `x` for any digit, `*` at the end for any rest."""
    if not (number.isascii() and number.isdigit() and len(number) <= 15):
        return False
    return any(_fits(number, pattern) for pattern in allowed)


def _fits(number: str, pattern: str) -> bool:
    head = pattern.removesuffix("*")
    if len(number) < len(head) or (head == pattern and len(number) != len(head)):
        return False
    return all(sign in ("x", digit) for sign, digit in zip(head, number, strict=False))
