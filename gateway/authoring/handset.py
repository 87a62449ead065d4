"""A subscriber at a terminal: runs flows line by line, without a network, and tells what each line did.

The conversation itself is that of the flow tests (`engine.testing.player`); what is new here is that the
answers of back ends may be changed on the way, and that an operation nobody has answered answers all the
same. How it looks is in `gateway.authoring.handset_view`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.background import EventFailedError
from engine.effects import CallBackend, Record
from engine.expressions import ExpressionFailed
from engine.flow import Operation
from engine.flow_set import FlowSet
from engine.reading.diagnostic import Report
from engine.reading.tree import Node, Table, Text
from engine.reading.yaml_text import read_tree
from engine.session import Waiting
from engine.testing.answer import Answer, read_answer
from engine.testing.case import Action
from engine.testing.player import CALLER, Player
from engine.testing.step_failure import StepFailedError
from engine.testing.surroundings import NoAnswerError, Surroundings
from engine.testing.talk import Message, RestartError, Talk
from engine.values import Value
from gateway.authoring.command_line import (
    PLACE,
    CommandError,
    action,
    deed,
    given,
    text_node,
)
from gateway.authoring.sample import sample_answer

KEYS = re.compile(r"[0-9*#]+")
_FAULTS = (StepFailedError, NoAnswerError, RestartError, ExpressionFailed, EventFailedError, CommandError)


@dataclass(frozen=True, slots=True)
class Heard:
    """What a request was answered; `made_up` tells that no test file says so."""

    outcome: str
    value: Value
    made_up: bool


@dataclass(slots=True)
class Listening(Surroundings):
    """The world of the handset: it notes every answer, and makes one up where it has none.

    `known` is the last success of each operation, which `given … field=value` changes.
    """

    heard: list[Heard] = field(default_factory=list)
    known: dict[str, Node] = field(default_factory=dict)
    made_up: set[str] = field(default_factory=set)

    def take(self, operation: Operation, node: Node) -> None:
        """Let an operation answer so from here on. Raises CommandError with what is wrong."""
        report = Report()
        script = read_answer(node, operation, self.flows.project.zone, report)
        if script is None:
            raise CommandError("; ".join(found.message for found in report.diagnostics))
        self.answer(operation.name, script)
        if isinstance(node, Table):
            self.known[operation.name] = node

    def call(self, caller: str, effect: CallBackend) -> tuple[Answer, bool]:
        """Answer a request, and keep the answer for the log."""
        operation = self.flows.operations[effect.operation]
        if operation.name not in self.scripts and operation.returns is not None:
            self.take(operation, sample_answer(operation))
            self.made_up.add(operation.name)
        answer, sent = Surroundings.call(self, caller, effect)
        self.heard.append(Heard(answer.outcome, answer.value, operation.name in self.made_up))
        return answer, sent


@dataclass(frozen=True, slots=True)
class Turn:
    """What one line did. `screen` is None if nothing was shown, `fault` is empty if the line made sense."""

    line: str
    channel: str
    called: str
    now: int
    state: str
    screen: str | None
    pages: int
    steps: tuple[tuple[str, int, str], ...]
    lines: tuple[str, ...]
    heard: tuple[Heard, ...]
    messages: tuple[Message, ...]
    fault: str = ""


@dataclass(slots=True)
class Handset:
    """The handset with its world. `caller` is who holds it."""

    flows: FlowSet
    caller: str = CALLER
    player: Player = field(init=False)
    world: Listening = field(init=False)

    def __post_init__(self) -> None:
        """Put the listening world under the player."""
        self.player = Player(self.flows)
        self.world = Listening(self.flows)
        self.player.world = self.world

    @property
    def talk(self) -> Talk | None:
        """The conversation on the screen."""
        return self.player.talk

    def answers(self, nodes: Mapping[str, Node]) -> None:
        """Take the answers of test files. Raises CommandError."""
        for name, node in nodes.items():
            self.world.take(self.flows.operations[name], node)

    def do(self, line: str) -> Turn:
        """Do what a line says; a line that makes no sense has a `fault` and changes nothing."""
        line = line.strip()
        ledger = self.player.ledger
        trace, lines, heard = len(ledger.trace), len(ledger.lines), len(self.world.heard)
        messages = len(ledger.messages)
        fault = ""
        try:
            self._do(line)
            self._left_out()
        except _FAULTS as error:
            fault = _sentence(error)
            talk = self.talk
            if talk is not None and talk.session.waiting in (Waiting.BACKEND, Waiting.LOOK):
                talk.end()  # nobody will answer any more
        talk, told = self.talk, tuple(ledger.lines[lines:])
        shown = any(row.startswith("<") for row in told)
        return Turn(
            line=next((row[2:] for row in told if row.startswith("> ") and "•" in row), line),
            channel="" if talk is None else talk.session.channel,
            called="" if talk is None else talk.session.called,
            now=self.world.now,
            state=self.state(),
            screen=talk.screen if talk is not None and shown else None,
            pages=1 if talk is None else talk.pages,
            steps=tuple(ledger.trace[trace:]),
            lines=told,
            heard=tuple(self.world.heard[heard:]),
            messages=tuple(ledger.messages[messages:]),
            fault=fault,
        )

    def _do(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        rest = rest.strip()
        if word == "given":
            self._given(rest)
        elif word == "from" and KEYS.fullmatch(rest):
            self.caller = self.player.caller = rest
        elif self._calls(line):
            self.player.do(action("dial", line, {"from": text_node(self.caller)}))
        else:
            self.player.do(deed(line, self.caller) or self._answer(line))

    def _left_out(self) -> None:
        """A flow with errors has its triggers, but nothing behind them. Raises CommandError."""
        talk = self.talk
        if talk is not None and talk.session.waiting is Waiting.BEGIN:
            talk.end()
            raise CommandError("the flow has errors, so it is not run: gudok check tells them")

    def _given(self, rest: str) -> None:
        wanted = given(rest)
        operation = self.flows.operations.get(wanted.name)
        if operation is None:
            node = wanted.whole
            if node is None:
                raise CommandError(f"given {wanted.name}: there is no such operation")
            key = Text(wanted.name, PLACE)
            table = Table((), PLACE).replaced(key.value, node)
            self.player.do(Action("given", table, {}, PLACE))
            return
        node = wanted.whole
        if node is None:
            base = self.world.known.get(operation.name)
            answer = base if isinstance(base, Table) else sample_answer(operation)
            assert isinstance(answer, Table)
            for entry in wanted.fields:
                answer = answer.replaced(entry.key.value, entry.value)
            node = answer
        elif isinstance(node, Text):
            node = Text(node.value, PLACE)
        self.world.take(operation, node)
        self.world.made_up.discard(operation.name)

    def _calls(self, line: str) -> bool:
        """Whether a bare number is called: nothing is asked, and a flow has the number."""
        asked = self.talk is not None and not self.talk.ended
        return not asked and KEYS.fullmatch(line) is not None and self.flows.call(line) is not None

    def _answer(self, line: str) -> Action:
        talk = self.talk
        if talk is None or talk.ended:
            raise CommandError(f'"{line}" is no command, and nothing is asked (help tells the commands)')
        if talk.session.channel == "sms":
            return Action("text", text_node(line), {"from": text_node(self.caller)}, PLACE)
        if talk.speaks and not KEYS.fullmatch(line):
            return action("say", line)
        return action("press", line)

    def state(self) -> str:
        """Tell what is waited for, in words."""
        talk = self.talk
        if talk is None:
            return "nothing has begun: dial a code, or type help"
        match talk.session.waiting:
            case Waiting.ENDED:
                return "ended"
            case Waiting.READING:
                return "more to read"
            case Waiting.PEOPLE:
                queue = "" if talk.queued is None else f" {talk.queued.queue}"
                return f"waits in queue{queue}: agent solved, agent escalate, hangup"
            case Waiting.LINE if talk.line is not None and isinstance(talk.line, Record):
                return "records: say something, # ends it, silence"
            case Waiting.LINE:
                return "is being transferred: agent answer, busy, no answer"
        return "waits for an answer"


def _sentence(error: Exception) -> str:
    text = str(error).removeprefix("line 1: ")
    seen = getattr(error, "seen", None)
    return f"{text} (the screen: {seen})" if seen and "asked" not in text else text


def answers_of_tests(
    tests: Mapping[str, str], flows: FlowSet, chosen: str = ""
) -> tuple[dict[str, Node], tuple[str, ...]]:
    """Return the `backends:` of test files, those of the `chosen` file first; and what could not be used.

    Without a choice the first file in the order of names that answers for an operation is taken, a success
    before an error.
    """
    found: dict[str, Node] = {}
    fixed: set[str] = set()
    complaints: list[str] = []
    for name in sorted(tests, key=lambda name: (name != chosen, name)):
        tree = read_tree(tests[name], name, Report())
        table = tree.get("backends") if isinstance(tree, Table) else None
        for entry in table if isinstance(table, Table) else ():
            operation = flows.operations.get(entry.key.value)
            if operation is None or operation.name in fixed:
                continue
            if operation.name in found and not isinstance(entry.value, Table):
                continue
            report = Report()
            if read_answer(entry.value, operation, flows.project.zone, report) is None:
                complaints += [f"{item.place}: {item.message}" for item in report.diagnostics]
            else:
                found[operation.name] = entry.value
                if name == chosen or isinstance(entry.value, Table):
                    fixed.add(operation.name)
    return found, tuple(complaints)
