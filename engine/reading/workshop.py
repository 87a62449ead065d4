"""Where steps are made: blocks to step numbers, texts and expressions to closures, names checked.

A `Workshop` compiles one flow file. A verb's `build` gets a `Given` (its fields as read) and puts finished
steps into the program. The verbs are handed in, so that this module does not know them. Blocks are compiled
from their end to their beginning, because a step is told the number of the step behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol

from engine.expressions import (
    Expression,
    ExpressionProblems,
    Scope,
    Template,
    Vocabulary,
    compile_expression,
    compile_template,
)
from engine.flow import Operation, Project, Step
from engine.reading.diagnostic import Place, Report
from engine.reading.fields import STRING, Field, FieldValue, Spoken, read_fields
from engine.reading.kinds import report_braces
from engine.reading.scalars import is_name
from engine.reading.suggestion import did_you_mean, suggestion
from engine.reading.tree import Empty, Node, Sequence, Table, Text, describe
from engine.target import Again, Back, Leave, Main, Operator, Quit, Resume, Scene
from engine.types import Type
from engine.values import Secret
from engine.wording import Form, Wording

CHANNELS = ("voice", "ussd", "sms", "event")
"""Channels a text is compiled for."""

TARGETS = ("end", "return", "again", "back", "main", "operator", "hangup")
"""Words a block may name beside scenes; no scene may be called so."""

INSTEAD = {"transfer": "connect", "goto": "go", "play": "say", "sleep": "wait", "pause": "wait"}
"""Words of other languages, with the verb that does it here."""

SAMPLE_LINE = "1 Баланс"
"""A menu line: a verb to which it belongs has lines."""

LABEL_COLON = 'a menu label with a colon is quoted with its key: "1 Тариф: этот": own'

ID = Field("id", STRING, doc="a name that keeps the statistics of the step over changes of the file")
"""The field every step may have."""


class Verb(Protocol):
    """What the registry of verbs holds: a class of steps with its field table."""

    verb: ClassVar[str]
    FIELDS: ClassVar[tuple[Any, ...]]
    EXAMPLE: ClassVar[str]

    @classmethod
    def build(cls, given: Given, following: int) -> int:
        """Make the step; return its number."""

    @classmethod
    def owns_key(cls, key: str) -> bool:
        """Whether a key that is no field belongs to the step all the same (menu lines)."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all flows of a build are compiled against."""

    project: Project
    operations: Mapping[str, Operation]
    flows: frozenset[str]
    known: Vocabulary
    verbs: Mapping[str, type[Verb]]
    translations: Mapping[str, Mapping[str, Text]]


class Workshop:
    """Compiles one file. `program` grows; a number is reserved before the step behind it is known.

    `languages` are those of the project, which a session may have; `offered` are those of the flow, the
    language of its texts first. `inputs` are the typed inputs of the flow. `heard` are the texts that a
    subscriber sees or hears, which is what translations are for.
    """

    def __init__(
        self, around: Surroundings, report: Report, file: str, languages: tuple[str, ...], top: Place
    ) -> None:
        self.around = around
        self.report = report
        self.file = file
        self.languages = around.project.languages
        self.offered = languages
        self.program: list[Step | None] = []
        self.scenes: dict[str, int] = {}
        self.used: set[str] = set()
        self.inputs: Mapping[str, Type] = {}
        self.heard: dict[Place, tuple[Text, Template]] = {}
        self._owners: list[int] = []
        self._templates: dict[tuple[str, int, int, str], Template | None] = {}
        self.left = self.add(Leave(place=top, next=0, reason="left"))
        self.words = {
            "end": self.add(Leave(place=top, next=0, reason="end")),
            "return": self.add(Leave(place=top, next=0, reason="return")),
            "back": self.add(Back(place=top, next=0)),
            "main": self.add(Main(place=top, next=0)),
            "operator": self.add(Operator(place=top, next=0)),
            "hangup": self.add(Quit(place=top, next=0)),
        }
        self.resume = self.add(Resume(place=top, next=0))

    # The program

    def reserve(self) -> int:
        """Return the number of a step that is put in later."""
        self.program.append(None)
        return len(self.program) - 1

    def put(self, number: int, step: Step) -> int:
        """Put a finished step at its number."""
        self.program[number] = step
        return number

    def add(self, step: Step) -> int:
        """Add a finished step."""
        return self.put(self.reserve(), step)

    def finished(self) -> tuple[Step, ...]:
        """Return the program; numbers whose step could not be made lead out of the flow."""
        leave = self.program[self.left]
        assert leave is not None
        return tuple(step or leave for step in self.program)

    # Blocks

    def declare(self, table: Table, header: str) -> None:
        """Take the names of all scenes, so that blocks may name them before they are compiled."""
        for entry in table:
            name = entry.key.value
            if name == header:
                continue
            if name in TARGETS:
                self.report.error(
                    "reserved-name", f'a scene cannot be called "{name}": blocks use this word', entry.key
                )
            elif not is_name(name):
                self.report.error(
                    "type",
                    f'"{name}" is not a name: small Latin letters, digits and _, a letter first',
                    entry.key,
                    help=f'the only other key at the beginning of a line is "{header}"',
                )
            else:
                self.scenes[name] = self.reserve()

    def scene(self, name: str, key: Text, node: Node) -> None:
        """Compile a scene; behind its last step the flow is left."""
        number = self.scenes.get(name)
        if number is None:
            return
        if isinstance(node, Text):
            self.report.error(
                "type", f"scene {name}: expected a list of steps, not a text", node, help="write - go: scene"
            )
            return
        first = self.block(node, self.left)
        self.put(number, Scene(place=key.place, next=first, name=name))

    @contextmanager
    def owner(self, number: int | None) -> Iterator[None]:
        """While blocks of a question or request are compiled, `again` means that step."""
        if number is None:
            yield
            return
        self._owners.append(number)
        try:
            yield
        finally:
            self._owners.pop()

    def block(self, node: Node | None, following: int) -> int:
        """Compile a block; return the number of its first step, `following` if it is empty."""
        match node:
            case None | Empty():
                return following
            case Text():
                return self.target(node)
            case Table():
                return self.step(node, following)
            case Sequence(items=items):
                for item in reversed(items):
                    following = self.item(item, following)
                return following

    def item(self, node: Node, following: int) -> int:
        if isinstance(node, Table):
            return self.step(node, following)
        remedy = self._as_step(node.value.strip()) if isinstance(node, Text) else "write - say: text"
        self.report.error("type", f"expected a step, not {describe(node)}", node, help=remedy)
        return following

    def _as_step(self, text: str) -> str:
        """Return how a text that stands alone is written as a step."""
        shown = text if len(text) <= 40 else text[:40] + "…"
        if text in self.around.verbs:
            return f"write - {text}: …"
        verb, space, rest = shown.partition(" ")
        if space and verb in self.around.verbs:
            return f"write - {verb}: {rest}"
        if is_name(text) and (text in self.scenes or text in TARGETS or suggestion(text, self.scenes)):
            return f"write - go: {shown}"
        return f"write - say: {shown}"

    def target(self, node: Text) -> int:
        """Return the step number of a scene or of a word like `end`."""
        name = node.value.strip()
        if name == "again":
            return self.again(node)
        if name in self.words:
            return self.words[name]
        number = self.scenes.get(name)
        if number is None:
            near = did_you_mean(name, (*self.scenes, *TARGETS))
            shown = name if len(name) <= 40 else name[:40] + "…"
            remedy = None if is_name(name) else f"to say it, write - say: {shown}; {LABEL_COLON}"
            self.report.error("no-scene", f'there is no scene "{shown}"{near}', node, help=remedy)
            return self.left
        self.used.add(name)
        return number

    def again(self, node: Text) -> int:
        if not self._owners:
            self.report.error(
                "no-scene",
                '"again" repeats a question or a request, and this block belongs to none',
                node,
                help="name a scene instead",
            )
            return self.left
        return self.add(Again(place=node.place, next=0, target=self._owners[-1]))

    def step(self, table: Table, following: int) -> int:
        """Compile one step: its first key is its verb."""
        if not table.entries:
            self.report.error("type", "a step is missing here", table)
            return following
        key = table.entries[0].key
        verb = self.around.verbs.get(key.value)
        if verb is None:
            self.unknown(table, key)
            return following
        values = read_fields(table, (*verb.FIELDS, ID), self.report, key.value, self._lines(verb, table))
        return verb.build(Given(self, table, key, values), following)

    def _lines(self, verb: type[Verb], table: Table) -> Callable[[str], bool]:
        """Return which keys that are no fields belong to a verb; a line without its key is reported."""
        if not verb.owns_key(SAMPLE_LINE):
            return verb.owns_key

        def owns(key: str) -> bool:
            if verb.owns_key(key):
                return True
            entry = table.entry(key)
            if entry is None or is_name(key):
                return False
            shown = key if len(key) <= 40 else key[:40] + "…"
            self.report.error(
                "unknown-field",
                f'"{shown}" has no key: a menu line begins with the key that is pressed',
                entry.key,
                help=f"write 1 {shown}: with the key it should have",
            )
            return True

        return owns

    def unknown(self, table: Table, key: Text) -> None:
        later = [entry.key.value for entry in table if entry.key.value in self.around.verbs]
        if later:
            self.report.error(
                "unknown-step",
                f'the first key of a step is its verb, but "{key.value}" stands before "{later[0]}"',
                key,
                help=f"put {later[0]}: first",
            )
            return
        shown = key.value if len(key.value) <= 40 else key.value[:40] + "…"
        instead = INSTEAD.get(key.value)
        near = f'; did you mean "{instead}"?' if instead else did_you_mean(key.value, self.around.verbs)
        self.report.error(
            "unknown-step",
            f'"{shown}" is not a step{near}',
            key,
            help=f"the steps are {', '.join(self.around.verbs)}",
        )

    # Texts and expressions

    def expression(self, text: Text | None) -> Expression | None:
        """Compile a code field; None after reporting."""
        if text is None or report_braces(text, self.report):
            return None
        try:
            return compile_expression(text.value, text.place, self.around.known)
        except ExpressionProblems as problems:
            for problem in problems.diagnostics:
                self.report.add(problem)
        return None

    def template(self, text: Text, language: str | None = None) -> Template | None:
        """Compile a text; None after reporting. `language` is that of a translation."""
        key = (text.place.file, text.place.line, text.place.column, language or "")
        if key not in self._templates:
            try:
                made = compile_template(text.value.strip("\n"), text.place, self.around.known, language)
            except ExpressionProblems as problems:
                made = None
                for problem in problems.diagnostics:
                    self.report.add(problem)
            self._templates[key] = made
        return self._templates[key]

    def wording(self, spoken: Spoken | Text | None, heard: bool = True) -> Wording | None:
        """Compile a text for all channels and languages; None if there is none, or after reporting.

        A text that is not `heard` by a subscriber (a note, a key) has no translations.
        """
        if spoken is None:
            return None
        if isinstance(spoken, Text):
            spoken = Spoken((("", spoken),))
        forms: dict[tuple[str, str], Form] = {}
        main: dict[int, Form] = {}
        for channel in CHANNELS:
            text = spoken.for_channel(channel)
            if text is None:
                continue
            for language in self.languages:
                form = self.form(text, language if heard else self.offered[0])
                if form is None:
                    return None
                if heard and channel == "voice" and form.constant is None:
                    form = replace(form, render=_aloud(form.template))
                if heard and form.lang == self.offered[0]:
                    self.heard.setdefault(text.place, (text, form.template))
                forms[channel, language] = form
                if form.lang == self.offered[0]:
                    main.setdefault(id(form.template), form)
        return Wording(forms, tuple(main.values()))

    def form(self, text: Text, language: str) -> Form | None:
        """Compile a text in one language: its translation, or itself where there is none.

        A language the flow does not offer is served in its main one.
        """
        main = self.offered[0]
        translated = None
        if language != main and language in self.offered:
            translated = self.around.translations.get(language, {}).get(text.value.strip())
        if translated is not None:
            template = self.template(translated, language)
        else:
            language = main
            template = self.template(text, main)
        return None if template is None else Form(template, language, template.constant, template.render)

    # Names

    def variable(self, node: Text) -> str | None:
        """Check the name of a variable that is being set."""
        name = node.value.strip()
        if not is_name(name):
            self.report.error(
                "type",
                f'"{name}" is not a name: small Latin letters, digits and _, a letter first',
                node,
            )
            return None
        hidden = self.around.known.reserved_name(name)
        if hidden is not None:
            self.report.error("reserved-name", f"{name} hides {hidden}; choose another name", node)
            return None
        return name


def _aloud(template: Template) -> Callable[[Scope], str | Secret]:
    """Return how a text is rendered in a call; few flows are called, so it is compiled at its first use."""

    def render(scope: Scope) -> str | Secret:
        return template.speech.render(scope)

    return render


@dataclass(frozen=True, slots=True)
class Given:
    """One step as it is written: its fields, and the workshop to compile them with."""

    shop: Workshop
    table: Table
    key: Text
    values: Mapping[str, FieldValue]

    @property
    def place(self) -> Place:
        """The place of the verb, which is that of the step."""
        return self.key.place

    @property
    def report(self) -> Report:
        """Where findings go."""
        return self.shop.report

    @property
    def id(self) -> str:
        """The author's name of the step, or nothing."""
        return str(self.values["id"].value or "")

    def value(self, name: str) -> Any:
        """The typed value of a field, its default if it is not written."""
        return self.values[name].value

    def written(self, name: str) -> bool:
        """Whether a field is in the file."""
        return self.values[name].written

    def node(self, name: str) -> Node | None:
        """The field as it is written."""
        return self.values[name].node

    def wording(self, name: str) -> Wording | None:
        """A text field, compiled."""
        return self.shop.wording(self.values[name].value)

    def note(self, name: str) -> Wording | None:
        """A text field that no subscriber sees: a note for people, a key; it has no translations."""
        return self.shop.wording(self.values[name].value, heard=False)

    def expression(self, name: str) -> Expression | None:
        """A code field, compiled."""
        return self.shop.expression(self.values[name].value)

    def block(self, name: str, following: int, owner: int | None = None) -> int:
        """A block field, compiled; `following` if it is not written or empty."""
        with self.shop.owner(owner):
            return self.shop.block(self.values[name].node, following)

    def block_or_none(self, name: str, following: int, owner: int | None = None) -> int | None:
        """A block field, compiled, or None if it is not written."""
        return self.block(name, following, owner) if self.written(name) else None

    def variable(self, name: str) -> str | None:
        """A field that names a variable to set; None if it is not written."""
        node = self.values[name].node
        return self.shop.variable(node) if isinstance(node, Text) else None
