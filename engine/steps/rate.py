"""`rate`: scores on a scale, one question per topic; each answer is stored at once."""

from __future__ import annotations

from dataclasses import dataclass

from engine import answer
from engine.effects import Rate as Rating
from engine.expressions import Template
from engine.flow import Step
from engine.glance import Glance
from engine.phrase import phrases
from engine.prompts import Page, fits, paginate
from engine.question import Question
from engine.reading.fields import (
    NAME,
    NUMBER_RANGE,
    SPOKEN,
    TABLE,
    Field,
    read_value,
    whole_number,
)
from engine.reading.scalars import NumberRange, is_name
from engine.reading.workshop import Given
from engine.run import Run
from engine.screens import constant_screens
from engine.types import Record, Scalar, Type
from engine.wording import Wording

HIGHEST = 10
"""The highest score a scale may have; it is one key or two."""

SCORE = Type(Scalar.INT, optional=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateStart(Step):
    """The way into the scores: none of them is known yet."""

    save: str
    topics: tuple[str, ...]

    def run(self, run: Run) -> int:
        """Make the record."""
        run.set(self.save, dict.fromkeys(self.topics))
        return self.next

    def saves(self) -> tuple[tuple[str, Type], ...]:
        """The record, whose fields may stay empty."""
        return ((self.save, Type(Record(tuple((topic, SCORE) for topic in self.topics)))),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate(Question):
    """One score. `end` is the step after the last topic."""

    topic: str
    text: Wording
    low: int
    high: int
    save: str | None
    end: int

    verb = "rate"
    FIELDS = (
        Field("rate", TABLE, required=True, doc="topics with their questions"),
        Field("scale", NUMBER_RANGE, default=NumberRange(1, 5), doc="the lowest and the highest score"),
        Field("save", NAME, doc="the scores by topic; one that was not answered is empty"),
        Field(
            "tries", whole_number(1, 9), default=3, doc="how often a question is asked, then it is skipped"
        ),
    )
    EXAMPLE = "- rate:\n    shop: Оцените обслуживание от одного до пяти.\n  save: mark"

    @classmethod
    def build(cls, given: Given, following: int) -> int:
        """Make a question per topic, the last one first, and the way in."""
        scale: NumberRange = given.value("scale")
        if scale.high > HIGHEST or scale.high == scale.low:
            given.report.error(
                "type",
                f"a scale has two scores or more, of 0 to {HIGHEST}",
                given.node("scale") or given.key,
                help="scale: 1-5",
            )
        save = given.variable("save")
        number = following
        topics = []
        for entry in reversed(list(given.value("rate") or ())):
            topic = entry.key.value
            if not is_name(topic):
                given.report.error(
                    "type",
                    f'"{topic}" is not a name: small Latin letters, digits and _, a letter first',
                    entry.key,
                )
                continue
            text = given.shop.wording(read_value(entry.value, SPOKEN, given.report, topic))
            topics.append(topic)
            if text is None:
                continue
            number = given.shop.add(
                cls(
                    place=entry.key.place,
                    next=number,
                    id=given.id,
                    topic=topic,
                    text=text,
                    low=scale.low,
                    high=scale.high,
                    save=save,
                    end=following,
                    tries=given.value("tries"),
                    own_tries=given.written("tries"),
                    screens=constant_screens(given.shop.around.project, text),
                )
            )
        if given.value("rate") is not None and not given.value("rate").entries:
            given.report.error(
                "missing-field", "rate needs topics", given.key, help="service: Как вас обслужили?"
            )
        if save is None:
            return number
        return given.shop.add(
            RateStart(place=given.place, next=number, save=save, topics=tuple(reversed(topics)))
        )

    # Asking

    def pages(self, run: Run) -> tuple[Page, ...]:
        """The question."""
        return paginate(run.head(self.text), (), (), run.capabilities.pages, run.footer(), 0)

    def whole_text(self, run: Run | Glance) -> str | None:
        """The question, where it is nothing but its text."""
        form = self.text.forms.get((run.channel, run.lang))
        text = "" if form is None else form.render(run) if form.constant is None else form.constant
        budget = run.capabilities.pages
        return text if type(text) is str and (budget is None or fits(text, budget)) else None

    def bare(self, run: Run) -> None:
        """Only the question."""
        run.speak(self.text)

    def wrong_words(self, run: Run) -> str:
        """A score outside the scale."""
        return phrases(run.lang).no_such

    # Answers

    def score(self, text: str) -> int | None:
        """Return the score, or None if it is none of the scale."""
        number = answer.whole_number(text) if len(text) <= 2 else None
        return number if number is not None and self.low <= number <= self.high else None

    def takes_key(self, key: str) -> bool:
        """Whether a global key is a score."""
        return self.score(key) is not None

    def fits(self, run: Run, text: str) -> bool:
        """Whether the text is a score."""
        return self.score(text) is not None

    def accept(self, run: Run, text: str) -> int | None:
        """Store a score."""
        score = self.score(text)
        if score is None:
            return None
        self.store(run, score)
        if run.flows.trailing:
            run.leave_trail(f"{self.topic}: {score}")
        run.took("answer")
        return self.next

    def spare(self, run: Run) -> int | None:
        """The question is skipped, which is not a zero."""
        self.store(run, None)
        run.took("skipped")
        return self.next

    def give_up(self, run: Run, *, silent: bool) -> int:
        """All tries are used up; who is silent in SMS is not asked the other questions either."""
        target = Question.give_up(self, run, silent=silent)
        return self.end if silent and run.channel == "sms" else target

    def store(self, run: Run, score: int | None) -> None:
        """Note the score, and put it into the record of the flow."""
        run.effects.append(Rating(self.topic, score, self.low, self.high, run.flow.id))
        if self.save is not None:
            known = run.variables.get(self.save)
            run.set(self.save, {**(known if isinstance(known, dict) else {}), self.topic: score})

    # For checks

    def exits(self) -> tuple[tuple[str, int], ...]:
        """The next question, answered or not."""
        return (("answer", self.next), ("skipped", self.next))

    def templates(self) -> tuple[Template, ...]:
        """The question."""
        return self.text.templates()
