"""`queue`: hand the subscriber over to people, and go on when they have talked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from engine.answer import cleaned
from engine.calendar import deadline
from engine.effects import Collect, Enqueue, OrderCallback, Schedule
from engine.expressions import Expression, Template
from engine.flow import STOP, Step
from engine.inputs import AgentLeft, BackendReplied, Digits, Input, Silence, Text
from engine.phrase import phrases
from engine.reading.fields import (
    BLOCK,
    DURATION,
    EXPRESSION,
    NAME,
    TEMPLATE,
    Field,
    list_of,
)
from engine.reading.workshop import Given
from engine.run import GONE, Run
from engine.session import Waiting
from engine.spoken import JOINT, press
from engine.steps.callback import WITHIN_MS
from engine.steps.people import QueueName, note_of, read_queue
from engine.steps.subflow import read_flow
from engine.types import INT, PII, Choice, Privacy, Record, Scalar, Type
from engine.values import Value
from engine.wording import Wording

OFFERING, ORDERING = 1, 2
"""What the step does beside waiting, in `Frame.counters`: it offers a callback, it has ordered one."""

OFFER_TRIES = 2
MOST_PRIORITY = 100_000

CALL = Type(
    Record(
        (
            ("result", Type(Choice(("solved", "unsolved", "escalate")), optional=True)),
            ("topic", Type(Scalar.TEXT, optional=True)),
            ("note", Type(PII.shape, optional=True, privacy=Privacy.PERSONAL)),
            ("waited", INT),
        )
    )
)
"""What `save` gives: what the specialist has said of the talk, and the wait in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue(Step):
    """A place in a queue. `blocks` are ways out by outcome: `closed`, `full`, `no_agent`."""

    name: QueueName
    priority: Expression | None = None
    skills: tuple[Expression, ...] = ()
    note: Wording | None = None
    callback_after_ms: int | None = None
    timeout_ms: int | None = None
    survey: str = ""
    save: str | None = None
    blocks: Mapping[str, int]

    verb = "queue"
    waits = True
    outside = True
    channels = frozenset({"voice", "sms"})
    saving = frozenset({"answered"})
    FIELDS = (
        Field("queue", TEMPLATE, required=True, doc='the queue, or an input of type queue: "{{ line }}"'),
        Field("priority", EXPRESSION, doc="the head start, in steps of the queue"),
        Field("skills", list_of(EXPRESSION), default=(), doc="what the specialist must be able to do"),
        Field("note", TEMPLATE, doc="a line for the specialist, beside what he sees by itself"),
        Field("callback_after", DURATION, doc="after so long a wait the subscriber is offered a callback"),
        Field("survey", NAME, doc="the flow that asks about the talk; not after escalate"),
        Field("save", NAME, doc="result, topic, note and waited (seconds) of the talk"),
        Field("closed", BLOCK, doc="what is done outside the hours of the queue"),
        Field("full", BLOCK, doc="what is done when nobody more may wait"),
        Field("timeout", DURATION, doc="the longest wait; then no_agent"),
        Field("no_agent", BLOCK, doc="what is done when nobody is there to answer"),
    )
    EXAMPLE = "- queue: support\n  priority: 50\n  survey: identify\n  save: call\n  closed: later"

    @classmethod
    def build(cls, given: Given, following: int) -> int:
        """Make the step."""
        number = given.shop.reserve()
        name, priority, note = read_queue(given, "queue"), given.expression("priority"), given.note("note")
        skills = tuple(
            skill
            for item in given.value("skills")
            if (skill := given.shop.expression(item.value)) is not None
        )
        blocks = {}
        for outcome in ("closed", "full", "no_agent"):
            target = given.block_or_none(outcome, following, number)
            if target is not None:
                blocks[outcome] = target
        survey, save = read_flow(given, "survey") or "", given.variable("save")
        if name is None:
            return following
        step = cls(
            place=given.place,
            next=following,
            id=given.id,
            name=name,
            priority=priority,
            skills=skills,
            note=note,
            callback_after_ms=given.value("callback_after"),
            timeout_ms=given.value("timeout"),
            survey=survey,
            save=save,
            blocks=blocks,
        )
        return given.shop.put(number, step)

    # The way in

    def run(self, run: Run) -> int:
        """Put the subscriber into the queue and wait; there is no way back over it."""
        if run.channel not in self.channels:
            return run.fail(f"queue: nobody can be talked to over {run.channel}")
        if run.gone or run.detached:
            return run.quit("late")
        name = self.name.of(run)
        if name is None:
            return self.refused(run, "there is no such queue")
        skills = [str(skill.evaluate(run)) for skill in self.skills]
        priority, note = self.head_start(run), note_of(run, self.note)
        run.cross()
        run.drop_ahead()
        run.count(run.pc, None)
        text = run.speech()
        if run.channel != "voice" and text:
            run.send_sms(run.caller, "", text, not isinstance(text, str))
            text = ""
        run.call += 1
        run.effects.append(
            Enqueue(
                run.call,
                name,
                priority,
                tuple(skills),
                note,
                run.trail,
                self.survey,
                self.callback_after_ms,
                self.timeout_ms,
                text,
            )
        )
        return run.wait_for(Waiting.PEOPLE)

    def head_start(self, run: Run) -> int:
        """Return the priority as a whole number that is not negative."""
        value = 0 if self.priority is None else self.priority.evaluate(run)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            return 0
        return max(0, min(MOST_PRIORITY, int(value)))

    # What comes of it

    def resume(self, run: Run, given: Input) -> int:
        """Take what the people did, or the answer to the offer of a callback."""
        match given:
            case AgentLeft():
                return self.left(run, given)
            case BackendReplied():
                return self.ordered(run, given)
            case Text(text=typed) | Digits(digits=typed):
                return self.decided(run, cleaned(typed))
            case Silence():
                return self.run(run)
        raise AssertionError(f"a queue does not take {type(given).__name__}")

    def left(self, run: Run, given: AgentLeft) -> int:
        """The place in the queue is gone, or a callback is to be offered."""
        if given.outcome == "waiting":
            return STOP if run.waiting is Waiting.ANSWER else self.offer(run, "")
        run.count(run.pc, None)
        if given.outcome != "answered":
            outcome = "no_agent" if given.outcome == "timeout" else given.outcome
            target = self.blocks.get(outcome)
            if target is None:
                return self.refused(run, given.outcome)
            run.note("outcome", f"queue: {given.outcome}")
            run.took(outcome)
            return target
        run.charged = False
        run.final = ""
        run.said = ()
        run.took("answered")
        if self.save is not None:
            run.set(self.save, record_of(given))
        survey = run.flows.flows.get(self.survey) if given.result != "escalate" else None
        if not given.stayed:
            if survey is not None and run.caller:
                run.effects.append(Schedule(survey.id, run.now, run.caller, "sms"))
            return GONE
        return self.next if survey is None else run.call_flow(survey, {})

    def returned(self, run: Run, value: Value) -> int:
        """The survey is over."""
        return self.next

    def refused(self, run: Run, why: str) -> int:
        """Nobody can be reached: the project's errors; the second time the session ends with an apology.

        The error block of a call leads to people as a rule, and so to this queue again.
        """
        again = run.reason in ("failed", "limit")
        target = run.fail(f"queue: {why}")
        if not again:
            return target
        run.said = ()
        return run.apologize()

    # The offer of a callback

    def offer(self, run: Run, before: str) -> int:
        """Ask whether to be called back; the place in the queue stands meanwhile."""
        words = phrases(run.lang)
        if run.channel == "voice":
            lines = [press(words.press, words.yes, "1"), press(words.press, words.wait, "2")]
        else:
            lines = [f"1 {words.yes}", f"2 {words.wait}"]
        run.count(run.pc, OFFERING)
        run.waiting = Waiting.ANSWER
        run.shown = (0, 0, 1)
        run.page = 1
        timeout_ms = run.within_session(run.capabilities.idle_ms)
        run.deadline = run.now + timeout_ms
        parts = [part for part in (before, words.call_back, *lines) if part]
        text = (JOINT if run.channel == "voice" else "\n").join(parts)
        run.effects.append(Collect(text, timeout_ms, False))
        return STOP

    def decided(self, run: Run, answer: str) -> int:
        """A callback is wanted, or the wait goes on; a wrong key is asked about once more."""
        if answer == "2":
            return self.run(run)
        if answer != "1":
            tries = run.counters.get(TRIED, 0) + 1
            run.note("no_match")
            if tries >= OFFER_TRIES:
                run.count(TRIED, None)
                return self.run(run)
            run.count(TRIED, tries)
            return self.offer(run, phrases(run.lang).no_such)
        run.count(TRIED, None)
        name = self.name.of(run)
        if name is None:
            return self.refused(run, "there is no such queue")
        run.count(run.pc, ORDERING)
        run.call += 1
        by = deadline(run.project, name, WITHIN_MS, run.now)
        note = note_of(run, self.note)
        run.effects.append(OrderCallback(run.call, name, run.caller, by, None, note, None, run.trail))
        return run.wait_for(Waiting.BACKEND)

    def ordered(self, run: Run, given: BackendReplied) -> int:
        """The callback is ordered: say so and leave the flow."""
        run.count(run.pc, None)
        if given.outcome != "done":
            return self.refused(run, f"callback: {given.outcome}")
        run.took("callback")
        run.say(phrases(run.lang).ordered)
        return run.leave("end")

    # For checks

    def exits(self) -> tuple[tuple[str, int], ...]:
        """After the talk, and the blocks."""
        return (("answered", self.next), *self.blocks.items())

    def expressions(self) -> tuple[Expression, ...]:
        """The name, the priority, the skills."""
        parts = (self.name.source, self.priority, *self.skills)
        return tuple(part for part in parts if part is not None)

    def templates(self) -> tuple[Template, ...]:
        """The note."""
        return () if self.note is None else self.note.templates()

    def saves(self) -> tuple[tuple[str, Type], ...]:
        """What came of the talk."""
        return () if self.save is None else ((self.save, CALL),)


TRIED = -4
"""Key in `Frame.counters`: how often the offer of a callback was answered wrongly."""


def record_of(given: AgentLeft) -> dict[str, Value]:
    """Return what a specialist has said of a talk; what he has not said is empty."""
    result = given.result if given.result in ("solved", "unsolved", "escalate") else None
    return {
        "result": result,
        "topic": given.topic or None,
        "note": given.note or None,
        "waited": given.waited_s,
    }
