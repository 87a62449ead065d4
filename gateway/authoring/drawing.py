"""A flow as a drawing: boxes with steps, arrows with what leads on. Made from the compiled program.

Steps that always follow each other share a box; a step is shown by its own line of the file, so that any
verb can be drawn. How it is written (Mermaid, SVG) is the business of other modules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.flow import Flow, Step
from engine.question import Question
from engine.reading.report import source_lines
from engine.steps.go import Go
from engine.steps.menu import Menu
from engine.steps.refuse import Refuse
from engine.target import Again, Back, Leave, Main, Operator, Quit, Resume, Scene
from engine.wording import Wording

LONGEST = 46
"""Characters of a line in a box."""

MOST_LINES = 9
"""Lines of a box; a long `refuse` says how many more there are."""

_KINDS = {
    "request": "request",
    "run": "run",
    "schedule": "run",
    "queue": "people",
    "callback": "people",
    "connect": "people",
    "record": "people",
    "if": "choice",
    "when": "choice",
    "switch": "choice",
    "split": "choice",
    "repeat": "choice",
    "for": "choice",
    "refuse": "choice",
    "end": "end",
    "hangup": "end",
    "return": "end",
}
_WORDS = {Back: "back", Main: "main", Operator: "operator", Quit: "hangup", Resume: "go on"}
_LABELS = {"then": "yes", "each": "an element"}
_PLAIN = frozenset({"done", "answer"})
"""Labels of the usual way on, which need not be said where nothing else leads there."""


@dataclass(frozen=True, slots=True)
class Box:
    """A scene, question, request, run, people, choice, step, end or word; `line` is its line of the file."""

    id: str
    kind: str
    lines: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Arrow:
    """Where control goes; `label` is the key and label of a menu, a condition, an error, or empty."""

    source: str
    target: str
    label: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A flow: its boxes in the order of the file, the arrows in the order of their boxes."""

    title: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


def drawing(flow: Flow, source: str) -> Drawing:
    """Draw a flow; `source` is the text of its file."""
    return _Draughtsman(flow, source_lines(source)).draw()


class _Draughtsman:
    """Follows the program from its entries; `boxes` are by the number of their first step."""

    def __init__(self, flow: Flow, lines: list[str]) -> None:
        self.flow = flow
        self.lines = lines
        self.words: list[Box] = []
        self.reached = self._reached()
        self.entered = self._entered()
        followers = (self._follower(number) for number in self.reached)
        self.inner = {number for number in followers if number is not None}

    def entries(self) -> list[tuple[str, int]]:
        """Return the ways in: the first scene and the blocks of the header."""
        flow = self.flow
        missed = None if flow.outbound is None else flow.outbound.missed
        blocks = (("hangup", flow.hangup), ("operator", flow.operator), ("missed", missed))
        own = [(name, number) for name, number in blocks if number is not None]
        errors = [
            (f"errors {channel}", number)
            for channel, number in flow.errors.items()
            if self._own(self.flow.program[number])
        ]
        return [("", flow.entry), *own, *errors]

    def _own(self, step: Step) -> bool:
        return step.place.file == self.flow.file

    def _reached(self) -> set[int]:
        found: set[int] = set()
        work = [number for _, number in self.entries()]
        while work:
            number = work.pop()
            if number not in found:
                found.add(number)
                work += [target for _, target in self.exits(number)]
        return found

    def _entered(self) -> dict[int, int]:
        """Count the arrows into each step."""
        count = dict.fromkeys(self.reached, 0)
        for number in self.reached:
            for _, target in self.exits(number):
                count[target] = count.get(target, 0) + 1
        for _, number in self.entries():
            count[number] += 2  # a way in begins a box of its own
        return count

    def exits(self, number: int) -> list[tuple[str, int]]:
        """Return the ways out of a step; jumps (`go`, `again`) are no boxes but lead to where they go."""
        program = self.flow.program
        found = []
        for label, target in program[number].exits():
            passed: set[int] = set()
            while isinstance(program[target], Again | Go) and target not in passed:
                passed.add(target)
                step = program[target]
                target = step.target if isinstance(step, Again) else step.exits()[0][1]
            found.append((label, target))
        return found

    # Boxes

    def draw(self) -> Drawing:
        """Return the drawing."""
        order = sorted(
            (number for number in self.reached if self._begins(number)),
            key=lambda number: (self.flow.program[number].line, self.flow.program[number].place.column),
        )
        boxes: list[Box] = []
        arrows: list[Arrow] = []
        for name, number in self.entries():
            if name:
                boxes.append(Box(name.replace(" ", "_"), "scene", (f"{name}:",), 0))
                arrows.append(Arrow(name.replace(" ", "_"), self._target(name, number), ""))
        for number in order:
            box, last = self._box(number)
            boxes.append(box)
            arrows += self._arrows(box, last)
        title = f"{self.flow.title} ({self.flow.id})"
        return Drawing(title, (*boxes, *self.words), _merged(arrows))

    def _begins(self, number: int) -> bool:
        """Whether a box begins at a step: no scene head or word, and not the next of a chain."""
        step = self.flow.program[number]
        if isinstance(step, Leave | Again) or type(step) in _WORDS:
            return False
        return number not in self.inner

    def _follower(self, number: int) -> int | None:
        """Return the step that shares the box of a plain step: its only way on, entered from here only."""
        if not self._plain(number):
            return None
        ways = self.exits(number)
        if len(ways) != 1:
            return None
        target = ways[0][1]
        return target if self._plain(target) and self.entered.get(target) == 1 else None

    def _plain(self, number: int) -> bool:
        step = self.flow.program[number]
        if isinstance(step, Scene | Leave | Again) or type(step) in _WORDS:
            return False
        return self._kind(step) in ("step", "end")

    @staticmethod
    def _kind(step: Step) -> str:
        if isinstance(step, Scene):
            return "scene"
        if isinstance(step, Question):
            return "question"
        return _KINDS.get(step.verb, "step")

    def _box(self, number: int) -> tuple[Box, int]:
        lines: list[str] = []
        last, kind = number, "step"
        following: int | None = number
        while following is not None:
            last = following
            step = self.flow.program[last]
            kind = self._kind(step)
            lines += self._text(step)
            following = self._follower(last)
        first = self.flow.program[number]
        if len(lines) > MOST_LINES:
            lines = [*lines[: MOST_LINES - 1], f"… {len(lines) - MOST_LINES + 1} more"]
        return Box(f"s{number}", kind, tuple(lines), first.line), last

    def _text(self, step: Step) -> list[str]:
        if isinstance(step, Scene):
            return [f"{step.name}:"]
        if not step.verb:
            return []
        if isinstance(step, Refuse):
            return ["refuse", *(_short(f"• {text.main[0].template.source}") for _, text in step.rules)]
        written = self.lines[step.line - 1][step.place.column - 1 :] if step.line <= len(self.lines) else ""
        text = _uncommented(written) or step.verb
        if text == "set":
            below = self.lines[step.line].strip() if step.line < len(self.lines) else ""
            text = f"set: {_uncommented(below)}"
        said = getattr(step, "text", None)
        if text == step.verb and isinstance(said, Wording) and said.main:
            text = f"{text}: {said.main[0].template.source}"
        return [_short(text)]

    # Arrows

    def _arrows(self, box: Box, last: int) -> Iterator[Arrow]:
        step = self.flow.program[last]
        labels = self._menu_labels(step)
        for label, target in self.exits(last):
            if isinstance(step, Refuse):
                shown = ""
            else:
                shown = labels.get(label, _LABELS.get(label, label))
            if label == "else" and step.verb == "if":
                shown = "no"
            yield Arrow(box.id, self._target(box.id, target), _short(shown))

    @staticmethod
    def _menu_labels(step: Step) -> Mapping[str, str]:
        if not isinstance(step, Menu):
            return {}
        return {line.key: f"{line.key} {line.label.main[0].template.source}" for line in step.lines}

    def _target(self, source: str, number: int) -> str:
        """Return the box an arrow leads to; a word like `back` gets a small box for each that leads to it."""
        step = self.flow.program[number]
        word = _WORDS.get(type(step))
        if isinstance(step, Leave):
            word = {"left": "the flow is left", "end": "end", "return": "return"}[step.reason]
        if word is None:
            return f"s{number}"
        id_ = f"{source}_{word.replace(' ', '_')}"
        if all(box.id != id_ for box in self.words):
            self.words.append(Box(id_, "word", (word,), 0))
        return id_


def _merged(arrows: list[Arrow]) -> tuple[Arrow, ...]:
    """Put arrows between the same boxes into one, its labels below each other."""
    found: dict[tuple[str, str], list[str]] = {}
    for arrow in arrows:
        found.setdefault((arrow.source, arrow.target), []).append(arrow.label)
    return tuple(
        Arrow(
            source, target, "" if set(labels) <= _PLAIN else " / ".join(dict.fromkeys(filter(None, labels)))
        )
        for (source, target), labels in found.items()
    )


def _uncommented(line: str) -> str:
    """Return a line of YAML without the comment behind it and without quotes round its value."""
    text = line.rstrip()
    key, colon, value = text.partition(": ")
    if value[:1] in ('"', "'"):
        end = value.find(value[0], 1)
        return f"{key}{colon}{value[1:end]}" if end > 0 else text
    return text.split(" #")[0].rstrip().removesuffix(":") if colon or text.endswith(":") else text


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
