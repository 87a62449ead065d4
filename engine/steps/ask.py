"""`ask`: one answer of a type, checked, with hints and a default."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from engine import answer
from engine.expressions import Expression, Scope, Template
from engine.glance import Glance
from engine.phrase import phrases
from engine.prompts import Page, fits, paginate
from engine.question import Question
from engine.reading.fields import (
    ANY,
    BLOCK,
    BOOLEAN,
    DURATION,
    EXPRESSION,
    NAME,
    NUMBER_RANGE,
    SPOKEN,
    Field,
    choice,
    whole_number,
)
from engine.reading.plain import plain
from engine.reading.workshop import Given
from engine.run import Run
from engine.screens import constant_screens
from engine.spoken import JOINT, press
from engine.types import SECRET, Type
from engine.values import Secret, Value
from engine.wording import Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(Question):
    """A question whose answer is a value."""

    text: Wording
    kind: str
    low: int = 1
    high: int = 64
    check: Expression | None = None
    save: str | None = None
    default: Value = None
    has_default: bool = False

    verb = "ask"
    FIELDS = (
        Field("ask", SPOKEN, required=True, doc="the question"),
        Field("save", NAME, doc="the variable of the answer"),
        Field("type", choice(*answer.TYPES), default="text", doc="what is accepted"),
        Field("digits", NUMBER_RANGE, doc="how many digits: 6 or 6-12"),
        Field("check", EXPRESSION, doc="a condition for the answer, which is called it"),
        Field("hint", SPOKEN, doc="said when the answer is not accepted"),
        Field("tries", whole_number(1, 9), default=3, doc="how often the question is asked"),
        Field("timeout", DURATION, doc="how long an answer is awaited"),
        Field("no_input", BLOCK, doc="after silence to the last try; must set the variable if it goes on"),
        Field("no_match", BLOCK, doc="after a wrong answer to the last try"),
        Field("default", ANY, doc="the value without an answer, as plain text"),
        Field("secret", BOOLEAN, default=False, doc="the answer is recorded nowhere"),
    )
    EXAMPLE = "- ask: Введите 14 цифр кода с карты.\n  type: digits\n  digits: 14\n  save: code"

    @classmethod
    def build(cls, given: Given, following: int) -> int:
        """Make the step."""
        number = given.shop.reserve()
        text, hint, check = given.wording("ask"), given.wording("hint"), given.expression("check")
        kind, digits = given.value("type"), given.value("digits")
        if digits is not None and kind != "digits":
            given.report.error("type", "digits: is only for type: digits", given.node("digits") or given.key)
        default = given.node("default")
        value = None if default is None else plain(default, answer.TYPES[kind], given.report, "default")
        no_input = given.block_or_none("no_input", following, number)
        no_match = given.block_or_none("no_match", following, number)
        save = given.variable("save")
        if text is None:
            return following
        step = cls(
            place=given.place,
            next=following,
            id=given.id,
            text=text,
            kind=kind,
            low=digits.low if digits is not None else 1,
            high=digits.high if digits is not None else 64,
            check=check,
            save=save,
            hint=hint,
            default=value,
            has_default=default is not None,
            tries=given.value("tries"),
            own_tries=given.written("tries"),
            timeout_ms=given.value("timeout"),
            no_input=no_input,
            no_match=no_match,
            secret=given.value("secret"),
            screens=constant_screens(given.shop.around.project, text, _keys if kind == "yes_no" else None),
        )
        return given.shop.put(number, step)

    def pages(self, run: Run) -> tuple[Page, ...]:
        """The question; `yes_no` shows its keys over USSD."""
        head = run.head(self.text)
        if self.kind == "yes_no":
            joint = JOINT if run.channel == "voice" else "\n"
            head = joint.join((head, *_keys(run.channel, run.lang)))
        return paginate(head, (), (), run.capabilities.pages, run.footer(), 0)

    def whole_text(self, run: Run | Glance) -> str | None:
        """The question, where it is nothing but its text."""
        form = self.text.forms.get((run.channel, run.lang))
        if form is None or self.kind == "yes_no":
            return None
        text = form.render(run) if form.constant is None else form.constant
        budget = run.capabilities.pages
        return text if type(text) is str and (budget is None or fits(text, budget)) else None

    def bare(self, run: Run) -> None:
        """Only the question."""
        run.speak(self.text)

    def value_of(self, run: Run, text: str) -> Value:
        """Read an answer and check it; None if it is not valid."""
        value: Value
        match self.kind:
            case "text":
                keys = run.capabilities
                value = None if text and text in (keys.back, keys.main) else text or None
            case "digits":
                value = answer.digits(text, self.low, self.high)
            case "int":
                value = answer.whole_number(text)
            case "money":
                value = answer.amount(text)
            case "phone":
                value = answer.phone(text, run.project.country)
            case "date":
                value = answer.calendar_date(text, today(run))
            case "time":
                value = answer.clock_time(text)
            case _:
                value = answer.yes_or_no(text, run.lang)
        if value is None:
            return None
        if self.secret and isinstance(value, str):
            value = Secret(value)
        if self.check is not None:
            scope = Scope({**run.variables, "it": value}, run.world)
            if not self.check.evaluate(scope):
                return None
        return value

    def fits(self, run: Run, text: str) -> bool:
        """Whether the text is a valid answer."""
        return self.value_of(run, text) is not None

    def accept(self, run: Run, text: str) -> int | None:
        """Take a valid answer."""
        value = self.value_of(run, text)
        if value is None:
            return None
        if run.flows.trailing:
            closed = self.secret or self.kind == "phone" or self.save in run.flows.private
            run.leave_trail(f"{run.open_text(self.text)} {'…' if closed else self.shown(run, value, text)}")
        if self.save is not None:
            run.set(self.save, value)
        run.took("answer")
        return self.next

    def shown(self, run: Run, value: Value, text: str) -> str:
        """Return an answer as a specialist reads it."""
        if not isinstance(value, bool):
            return text
        words = phrases(run.project.languages[0])
        return words.yes if value else words.no

    def spare(self, run: Run) -> int | None:
        """The default, if there is one."""
        if not self.has_default:
            return None
        if self.save is not None:
            run.set(self.save, self.default)
        run.took("default")
        return self.next

    def exits(self) -> tuple[tuple[str, int], ...]:
        """The answer, the default, and the blocks."""
        spare = (("default", self.next),) if self.has_default else ()
        return (("answer", self.next), *spare, *self.blocks())

    def expressions(self) -> tuple[Expression, ...]:
        """The check."""
        return () if self.check is None else (self.check,)

    def templates(self) -> tuple[Template, ...]:
        """The question and the hint."""
        return (*self.text.templates(), *(() if self.hint is None else self.hint.templates()))

    def saves(self) -> tuple[tuple[str, Type], ...]:
        """The answer."""
        if self.save is None:
            return ()
        return ((self.save, SECRET if self.secret else answer.TYPES[self.kind]),)


def today(run: Run) -> date:
    """Return the day of the subscriber."""
    return run.world.now.astimezone(run.project.zone).date()


def _keys(channel: str, language: str) -> tuple[str, ...]:
    words = phrases(language)
    if channel == "ussd":
        return (f"1 {words.yes}", f"2 {words.no}")
    if channel == "voice":
        return tuple(press(words.press, label, key) for key, label in (("1", words.yes), ("2", words.no)))
    return ()
