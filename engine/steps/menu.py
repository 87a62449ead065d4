"""`menu`: lines with keys, or the elements of a list; each line leads to a block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.expressions import Expression, Scope, Template
from engine.glance import Glance
from engine.inputs import Input, Text
from engine.limits import LIST_LENGTH
from engine.masking import trail_entry
from engine.phrase import phrases
from engine.prompts import Page, fits, paginate
from engine.question import Question
from engine.reading.fields import (
    BLOCK,
    DURATION,
    EXPRESSION,
    NAME,
    SPOKEN,
    TEMPLATE,
    Field,
    map_of,
    whole_number,
)
from engine.reading.workshop import Given
from engine.run import Run
from engine.spoken import JOINT, press
from engine.steps.menu_line import (
    BESIDE_LIST,
    Elements,
    Line,
    constant_lines,
    menu_screens,
    read_elements,
    read_lines,
    split_key,
)
from engine.types import ANY, TEXT, Type
from engine.values import Value
from engine.wording import Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu(Question):
    """A choice of lines."""

    text: Wording
    lines: tuple[Line, ...] = ()
    elements: Elements | None = None
    save: str | None = None
    by_key: dict[str, Line] = field(default_factory=dict)
    constant_lines: dict[tuple[str, str], str] = field(default_factory=dict)

    verb = "menu"
    FIELDS = (
        Field("menu", SPOKEN, required=True, doc="the question; the lines follow as KEY label: block"),
        Field("show", map_of(EXPRESSION, keys=None), default={}, doc="conditions of lines, by their keys"),
        Field("each", EXPRESSION, doc="a list, with the name of its element: o.options as x"),
        Field("item", TEMPLATE, doc="the label of an element"),
        Field("empty", BLOCK, doc="what is done if the list is empty"),
        Field("save", NAME, doc="the chosen label in the main language"),
        Field("tries", whole_number(1, 9), default=3, doc="how often the question is asked"),
        Field("timeout", DURATION, doc="how long an answer is awaited"),
        Field("no_input", BLOCK, doc="after silence to the last try"),
        Field("no_match", BLOCK, doc="after a wrong answer to the last try"),
    )
    EXAMPLE = "- menu: Подключить?\n  1 Да:\n  2 Нет:\n    end: Ничего не изменилось."

    @classmethod
    def owns_key(cls, key: str) -> bool:
        """A menu line is a key of the table: `1 Баланс`."""
        return bool(split_key(key)[0])

    @classmethod
    def build(cls, given: Given, following: int) -> int:
        """Make the step."""
        number = given.shop.reserve()
        text = given.wording("menu")
        lines = read_lines(given, following, number)
        elements = read_elements(given, following, number)
        no_input = given.block_or_none("no_input", following, number)
        no_match = given.block_or_none("no_match", following, number)
        save = given.variable("save")
        if not lines and not given.written("each"):
            given.report.error(
                "missing-field", "a menu needs lines", given.key, help="write 1 Баланс: balance, or each:"
            )
        if elements is not None:
            for line in lines:
                if not BESIDE_LIST.issuperset(line.key):
                    given.report.error(
                        "dup-key",
                        f'the key "{line.key}" belongs to the list; beside each: only 0, * and # may stand',
                        given.key,
                    )
        if text is None:
            return following
        step = cls(
            place=given.place,
            next=following,
            id=given.id,
            text=text,
            lines=lines,
            elements=elements,
            save=save,
            tries=given.value("tries"),
            own_tries=given.written("tries"),
            timeout_ms=given.value("timeout"),
            no_input=no_input,
            no_match=no_match,
            by_key={line.key: line for line in lines},
            keys={line.key: line.target for line in lines if line.show is None and save is None},
            constant_lines={} if elements is not None else constant_lines(given, lines),
            screens={} if elements is not None else menu_screens(given, text, lines),
        )
        return given.shop.put(number, step)

    # Showing

    def run(self, run: Run) -> int:
        """Ask, unless the list is empty."""
        if self.elements is not None and not self.list_of(run) and run.channel != "event":
            if self.elements.empty is not None:
                run.took("empty")
                return self.elements.empty
            if not self.lines:
                return run.fail(f"menu: {self.elements.source.source} is empty and there is no empty:")
        return Question.run(self, run)

    def list_of(self, run: Run) -> Sequence[Value]:
        """Return the elements of the list, none for an empty value."""
        assert self.elements is not None
        value = self.elements.source.evaluate(run)
        if isinstance(value, list | tuple):
            return value[:LIST_LENGTH]
        return ()

    def labels(self, run: Run) -> list[str]:
        """Render the labels of all elements."""
        assert self.elements is not None
        variables = dict(run.variables)
        scope = Scope(variables, run.world)
        form = self.elements.item.forms.get((run.channel, run.lang))
        labels = []
        for element in self.list_of(run):
            variables[self.elements.name] = element
            label = "" if form is None else form.constant or form.render(scope)
            labels.append(str(label).replace("\n", " "))
        return labels

    def shown_lines(self, run: Run) -> list[tuple[str, str]]:
        """Return key and label of the lines that are shown now."""
        return [
            (line.key, str(run.said_of(line.label)))
            for line in self.lines
            if line.show is None or line.show.evaluate(run)
        ]

    def pages(self, run: Run) -> tuple[Page, ...]:
        """The question with its lines."""
        head = run.head(self.text)
        below = self.constant_lines.get((run.channel, run.lang))
        if below is not None and run.channel != "voice":
            whole = f"{head}\n{below}"
            budget = run.capabilities.pages
            if budget is None or fits(whole, budget):
                return (Page(whole),)
        lines = self.shown_lines(run)
        labels = self.labels(run) if self.elements is not None else []
        keys = run.capabilities
        if run.channel == "voice":
            return _spoken(run, head, labels, lines)
        listed = [f"{key} {label}" for key, label in lines]
        footer = run.footer(back=keys.back not in self.by_key)
        if self.elements is None:
            return paginate("\n".join([head, *listed] if head else listed), (), (), keys.pages, footer, 0)
        return paginate(head, labels, listed, keys.pages, footer, keys.list_keys)

    def bare(self, run: Run) -> None:
        """Only the question."""
        run.speak(self.text)

    def whole_text(self, run: Run | Glance) -> str | None:
        """The question with its lines, where only the question varies."""
        kind = (run.channel, run.lang)
        below, form = self.constant_lines.get(kind), self.text.forms.get(kind)
        if below is None or form is None:
            return None
        head = form.render(run) if form.constant is None else form.constant
        if type(head) is not str:
            return None
        text = f"{head}\n{below}"
        budget = run.capabilities.pages
        return text if budget is None or fits(text, budget) else None

    # Answers

    def resume(self, run: Run, given: Input) -> int:
        """Take what the subscriber did; the key of a line that is always there needs no long look."""
        if type(given) is Text and self.save is None and run.shown[2] == 1:
            line = self.by_key.get(given.text)
            if line is not None and line.show is None:
                if run.flows.trailing:
                    self.leave_mark(run, line)
                self.settle(run)
                if run.trace is not None:
                    run.took(line.key)
                return line.target
        return Question.resume(self, run, given)

    def takes_key(self, key: str) -> bool:
        """Whether a global key is a line of this menu."""
        return key in self.by_key

    def prepare(self, run: Run) -> None:
        """Find out what the first page of the list would show."""
        if self.elements is not None:
            pages = self.pages(run)
            run.shown = (pages[0].first, pages[0].count, len(pages))

    def fits(self, run: Run, text: str) -> bool:
        """Whether the text is a key on the screen."""
        line = self.by_key.get(text)
        if line is not None:
            return line.show is None or line.show.truth(run)
        return self.elements is not None and self.chosen(run, text) is not None

    def leave_mark(self, run: Run, line: Line) -> None:
        """Keep for people which line was chosen; what is the same each time is made once."""
        what = f"{run.open_text(self.text)} {run.open_text(line.label)}"
        run.leave_trail(what)
        if run.is_constant(self.text) and run.is_constant(line.label):
            self.marks[run.channel, line.key] = trail_entry(what)

    def chosen(self, run: Run, text: str) -> int | None:
        """Return the number of the element with this key on the page, from 0."""
        if not (text.isascii() and text.isdigit() and len(text) <= 2):
            return None
        first, count, _ = run.shown
        key = int(text)
        return first + key - 1 if 1 <= key <= count else None

    def accept(self, run: Run, text: str) -> int | None:
        """Take the key of a line or of an element."""
        line = self.by_key.get(text)
        if line is not None and (line.show is None or line.show.evaluate(run)):
            if run.flows.trailing:
                self.leave_mark(run, line)
            if self.save is not None:
                run.set(self.save, run.main_text(line.label))
            run.took(line.key)
            return line.target
        if self.elements is None:
            return None
        number = self.chosen(run, text)
        elements = self.list_of(run)
        if number is None or number >= len(elements):
            return None
        run.set(self.elements.name, elements[number])
        if self.save is not None:
            run.set(self.save, run.main_text(self.elements.item))
        if run.flows.trailing:
            run.leave_trail(f"{run.open_text(self.text)} {run.open_text(self.elements.item)}")
        run.took("each")
        return self.next

    # For checks

    def exits(self) -> tuple[tuple[str, int], ...]:
        """The blocks of the lines, the way on of a list, and the other blocks."""
        found = [(line.key, line.target) for line in self.lines]
        if self.elements is not None:
            found.append(("each", self.next))
            if self.elements.empty is not None:
                found.append(("empty", self.elements.empty))
        return (*found, *self.blocks())

    def expressions(self) -> tuple[Expression, ...]:
        """The list and the conditions of lines."""
        shows = tuple(line.show for line in self.lines if line.show is not None)
        return shows if self.elements is None else (self.elements.source, *shows)

    def templates(self) -> tuple[Template, ...]:
        """The question and all labels; the item sees the element."""
        labels = tuple(template for line in self.lines for template in line.label.templates())
        item = () if self.elements is None else self.elements.item.templates()
        return (*self.text.templates(), *labels, *item)

    def saves(self) -> tuple[tuple[str, Type], ...]:
        """The label; in a list also the element, of the list's element type."""
        label = () if self.save is None else ((self.save, TEXT),)
        return label if self.elements is None else (*label, (self.elements.name, ANY))


def _spoken(run: Run, head: str, labels: list[str], lines: list[tuple[str, str]]) -> tuple[Page, ...]:
    """A menu as it is heard: eight elements at a time, then the key for more."""
    words, keys = phrases(run.lang), run.capabilities
    fixed = [press(words.press, label, key) for key, label in lines]
    pages = []
    for start in range(0, max(len(labels), 1), keys.list_keys):
        part = labels[start : start + keys.list_keys]
        spoken = [press(words.press, label, str(key)) for key, label in enumerate(part, 1)]
        more = [press(words.press, words.more, keys.more)] if start + len(part) < len(labels) else []
        text = JOINT.join([*([head] if head and not start else []), *spoken, *fixed, *more])
        pages.append(Page(text, start, len(part)))
    return tuple(pages)
