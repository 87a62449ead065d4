"""`callback`: a task for people with a deadline, to call a number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.calendar import deadline, workday_deadline
from engine.effects import OrderCallback
from engine.expressions import Expression, Template
from engine.flow import Step
from engine.inputs import BackendReplied, Input
from engine.reading.fields import EXPRESSION, NAME, TEMPLATE, TERM, Field
from engine.reading.times import Workdays
from engine.reading.workshop import Given
from engine.run import Run
from engine.session import Waiting
from engine.steps.people import QueueName, note_of, read_queue
from engine.types import INT, MOMENT, Record, Type
from engine.values import Secret
from engine.wording import Wording

WITHIN_MS = 4 * 3_600_000
"""The deadline where a step does not say: four hours in which the queue is open."""

ORDER = Type(Record((("number", INT), ("by", MOMENT))))
"""What `save` gives: the number of the task and its deadline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback(Step):
    """A call to be made. `within` is a term in milliseconds, or working days."""

    name: QueueName
    to: Expression | None = None
    at: Expression | None = None
    within: int | Workdays | None = None
    note: Wording | None = None
    key: Wording | None = None
    save: str | None = None

    verb = "callback"
    waits = True
    outside = True
    FIELDS = (
        Field("callback", TEMPLATE, required=True, doc='the queue, or an input of type queue: "{{ line }}"'),
        Field("to", EXPRESSION, doc="the number to call (the caller)"),
        Field("at", EXPRESSION, doc="the moment to call at"),
        Field("within", TERM, doc="the deadline in hours of the queue: 4h, 1 workday (4h)"),
        Field("note", TEMPLATE, doc="a line for the people who call"),
        Field("key", TEMPLATE, doc="what makes two orders the same one (the number and the queue)"),
        Field("save", NAME, doc="number and by (the moment) of the order"),
    )
    EXAMPLE = "- callback: support\n  within: 1 workday\n  note: Спросить, почему\n  save: order"

    @classmethod
    def build(cls, given: Given, following: int) -> int:
        """Make the step."""
        name, to, at = read_queue(given, "callback"), given.expression("to"), given.expression("at")
        note, key, save = given.note("note"), given.note("key"), given.variable("save")
        if name is None:
            return following
        step = cls(
            place=given.place,
            next=following,
            id=given.id,
            name=name,
            to=to,
            at=at,
            within=given.value("within"),
            note=note,
            key=key,
            save=save,
        )
        return given.shop.add(step)

    def run(self, run: Run) -> int:
        """Order the call; there is no way back over it."""
        name = self.name.of(run)
        to = run.caller if self.to is None else self.to.evaluate(run)
        at = None if self.at is None else self.at.evaluate(run)
        key = run.text_of(self.key)
        if name is None:
            return run.fail("callback: there is no such queue")
        if not isinstance(to, str) or not to:
            return run.fail("callback: there is no number to call")
        if at is not None and (not isinstance(at, datetime) or at.tzinfo is None):
            return run.fail("callback: at is not a moment")
        if isinstance(key, Secret):
            return run.fail("callback: a secret cannot be a key")
        start = run.now if at is None else max(run.now, int(at.timestamp() * 1000))
        run.cross()
        run.call += 1
        run.effects.append(
            OrderCallback(
                run.call,
                name,
                to,
                self.due(run, name, start, at is not None),
                None if at is None else start,
                note_of(run, self.note),
                key or None,
                run.trail,
            )
        )
        return run.wait_for(Waiting.BACKEND)

    def due(self, run: Run, name: str, start: int, chosen: bool) -> int:
        """Return the deadline: the term from `start` on; a chosen moment without a term is the deadline."""
        if isinstance(self.within, Workdays):
            return workday_deadline(run.project, name, self.within.count, start)
        if self.within is None and chosen:
            return start
        return deadline(run.project, name, WITHIN_MS if self.within is None else self.within, start)

    def resume(self, run: Run, given: Input) -> int:
        """Take the number of the order."""
        assert isinstance(given, BackendReplied)
        if given.outcome != "done":
            return run.fail(f"callback: {given.outcome}")
        if self.save is not None:
            run.set(self.save, given.value)
        run.took("done")
        return self.next

    def exits(self) -> tuple[tuple[str, int], ...]:
        """The way on."""
        return (("done", self.next),)

    def expressions(self) -> tuple[Expression, ...]:
        """The name, the number, the moment."""
        return tuple(part for part in (self.name.source, self.to, self.at) if part is not None)

    def templates(self) -> tuple[Template, ...]:
        """The note and the key."""
        return tuple(
            template
            for wording in (self.note, self.key)
            if wording is not None
            for template in wording.templates()
        )

    def saves(self) -> tuple[tuple[str, Type], ...]:
        """The order."""
        return () if self.save is None else ((self.save, ORDER),)
