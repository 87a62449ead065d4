"""Plays one case: the subscriber's deeds, then what was expected of the flow.

A step that does not hold ends the case with a `Failure`. What is expected is looked at by
`engine.testing.observer`; what a conversation does is in `engine.testing.talk`, what the world answers in
`engine.testing.surroundings`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from engine.expressions import ExpressionFailed
from engine.flow_set import FlowSet
from engine.inputs import Begin, HungUp, Silence, Text
from engine.machine import accepts, begin
from engine.reading import times
from engine.reading.diagnostic import Report
from engine.reading.tree import Node
from engine.session import Waiting
from engine.testing.answer import read_answer
from engine.testing.background import event_sessions
from engine.testing.case import Action, Case
from engine.testing.field_value import argument_value, typed_inputs
from engine.testing.given import give
from engine.testing.observer import Observer
from engine.testing.outcome import Failure, Outcome
from engine.testing.step_failure import StepFailedError, entries_of, sound, text_of
from engine.testing.surroundings import NoAnswerError, Surroundings
from engine.testing.talk import Ledger, RestartError, Talk

CALLER = "79160000000"
"""The subscriber where a test does not say `from:`."""

OVER = ("ussd", "sms", "event")
"""Channels that `run` may start a flow in."""


def play(flows: FlowSet, case: Case) -> Outcome:
    """Play a case from its beginning to its end or its first failure."""
    player = Player(flows)
    failure: Failure | None = None
    try:
        player.prepare(case.answers)
    except StepFailedError as failed:
        failure = Failure(case.place, str(failed))
    for action in case.actions if failure is None else ():
        try:
            player.do(action)
        except StepFailedError as failed:
            failure = Failure(action.place, str(failed), failed.expected, failed.seen)
        except (NoAnswerError, RestartError, ExpressionFailed) as failed:
            failure = Failure(action.place, str(failed))
        if failure is not None:
            break
    ledger = player.ledger
    return Outcome(case, failure, tuple(ledger.lines), tuple(ledger.trace))


@dataclass(slots=True)
class Player:
    """The subscriber and the observer of one case."""

    flows: FlowSet
    ledger: Ledger = field(default_factory=Ledger)
    talk: Talk | None = None
    by_sms: dict[tuple[str, str], Talk] = field(default_factory=dict)
    talks: list[Talk] = field(default_factory=list)
    number: str = ""
    caller: str = CALLER
    session_memory: dict[str, int] = field(default_factory=dict)
    world: Surroundings = field(init=False)
    observer: Observer = field(init=False)

    def __post_init__(self) -> None:
        """Make the world of the case."""
        self.world = Surroundings(self.flows)
        self.observer = Observer(self.flows, self.ledger, self.talks)

    def prepare(self, answers: Mapping[str, Node]) -> None:
        """Take the answers of back ends as the case begins."""
        for name, node in answers.items():
            report = Report()
            script = read_answer(node, self.flows.operations[name], report)
            sound(report)
            if script is not None:
                self.world.answer(name, script)

    def do(self, action: Action) -> None:
        """Do one step. Raises StepFailedError and the errors of a talk."""
        deeds: dict[str, Callable[[Action], None]] = {
            "given": self.given,
            "dial": self.dial,
            "text": self.text,
            "event": self.event,
            "run": self.run,
            "press": self.press,
            "silence": self.silence,
            "hangup": self.hangup,
            "wait": self.wait,
        }
        if action.word in deeds:
            deeds[action.word](action)
        else:
            self.observer.words()[action.word](action, self.current())

    # The subscriber and the world

    def given(self, action: Action) -> None:
        """Change what the world answers from here on."""
        report = Report()
        give(action.value, self.world, self.caller, self.session_memory, report)
        sound(report)

    def dial(self, action: Action) -> None:
        """Dial a code; a dialog that is still open is over by it."""
        code = text_of(action.value)
        self.caller = text_of(action.fields.get("from"), CALLER)
        if not code.startswith(("*", "#")):
            raise StepFailedError(f"{code} is a call, and calls are not available yet; codes begin with *")
        if self.talk is not None and self.talk.session.channel == "ussd" and not self.talk.ended:
            self.talk.give(HungUp("dialled again"))
        start = self.flows.dial(code)
        self.ledger.lines.append(f"> {start.called if start is not None else code}")
        if start is None:
            raise StepFailedError(f"no flow has the code {code}")
        talk = self.open("ussd", start.called)
        talk.give(Begin(start.flow, start.arguments, start.ahead))

    def text(self, action: Action) -> None:
        """Send an SMS: an answer to the open question of that number, else what starts a flow."""
        text = text_of(action.value)
        self.caller = text_of(action.fields.get("from"), self.caller)
        if "to" not in action.fields and self.talk is not None and self.talk.session.channel == "ussd":
            self.press(action)
            return
        self.number = text_of(action.fields.get("to"), self.number)
        if not self.number:
            raise StepFailedError("to: is missing: the number the message goes to")
        open_ = self.by_sms.get((self.caller, self.number))
        if open_ is not None and self.answers(open_, text):
            self.talk = open_
            self.type(open_, text)
            return
        start = self.flows.sms(self.number, text)
        self.ledger.lines.append(f"> {self.number}: {text}")
        if start is None:
            raise StepFailedError(f"no flow takes this message to {self.number}")
        talk = self.open("sms", self.number, text)
        self.by_sms[self.caller, self.number] = talk
        talk.give(Begin(start.flow, start.arguments, start.ahead))

    def answers(self, talk: Talk, text: str) -> bool:
        """Tell whether a message answers an open question (or has it asked again)."""
        if talk.session.waiting is Waiting.READING:
            return True
        if talk.session.waiting is not Waiting.ANSWER:
            return False
        if accepts(self.flows, talk.session, text, self.world.now):
            return True
        return not self.flows.messages.is_keyword(self.number, text)

    def event(self, action: Action) -> None:
        """Something has happened: each flow of the event runs, one session for each element of `each`."""
        name = text_of(action.value)
        report = Report()
        fields = typed_inputs(name, action.fields.get("with"), self.flows, CALLER, report, action.place)
        sound(report)
        self.ledger.lines.append(f"> event {name}")
        self.world.settled(name, str(fields.get("phone", "")), fields)
        self.observer.mark()
        for flow, caller, arguments in event_sessions(self.flows, name, fields, self.world.now):
            lang = fields.get("lang")
            session = begin(
                self.flows,
                channel="event",
                caller=caller,
                called="",
                lang=str(lang or self.flows.project.languages[0]),
                event=fields,
                now=self.world.now,
            )
            self.talk = Talk(self.flows, self.world, self.ledger, session)
            self.talk.give(Begin(flow, arguments))

    def run(self, action: Action) -> None:
        """Start a flow that has no trigger."""
        name = text_of(action.value)
        flow = self.flows.flows.get(name)
        if flow is None:
            raise StepFailedError(f'there is no flow "{name}"')
        channel = text_of(action.fields.get("over"), "ussd")
        if channel not in OVER:
            raise StepFailedError(f"over: {channel} is not available yet; write one of {', '.join(OVER)}")
        self.caller = text_of(action.fields.get("from"), self.caller)
        report = Report()
        arguments = {
            key: argument_value(flow.inputs, key, node, name, report)
            for key, node in entries_of(action.fields.get("with"))
        }
        sound(report)
        self.ledger.lines.append(f"> run {name}")
        called = self.flows.project.sms_from if channel == "sms" else ""
        talk = self.open(channel, called)
        if channel == "sms":
            self.number = called
            self.by_sms[self.caller, called] = talk
        talk.give(Begin(name, arguments))

    def open(self, channel: str, called: str, text: str = "") -> Talk:
        """Begin a conversation of the subscriber."""
        self.observer.mark()
        session = begin(
            self.flows,
            channel=channel,
            caller=self.caller,
            called=called,
            lang=self.flows.project.languages[0],
            text=text,
            now=self.world.now,
            memory=dict(self.session_memory),
        )
        self.talk = Talk(self.flows, self.world, self.ledger, session)
        self.talks.append(self.talk)
        return self.talk

    def press(self, action: Action) -> None:
        """Answer the question on the screen."""
        self.type(self.current(), text_of(action.value))

    def type(self, talk: Talk, text: str) -> None:
        """Give a text to a talk that waits for one."""
        if not talk.asking:
            raise StepFailedError("nothing is asked: the session has ended", seen=talk.screen)
        self.ledger.lines.append(f"> {'••••' if talk.hides_input else text}")
        talk.give(Text(text))

    def silence(self, action: Action) -> None:
        """Nobody answers until the question's time is over."""
        talk = self.current()
        if not talk.asking or talk.session.deadline is None:
            raise StepFailedError("nothing is asked: the session has ended", seen=talk.screen)
        self.world.now = max(self.world.now, talk.session.deadline)
        self.ledger.lines.append("> …")
        talk.give(Silence())

    def hangup(self, action: Action) -> None:
        """The subscriber leaves."""
        talk = self.current()
        if talk.ended:
            raise StepFailedError("the session has ended already", seen=talk.screen)
        self.ledger.lines.append("> hangup")
        talk.give(HungUp("subscriber"))

    def wait(self, action: Action) -> None:
        """Time goes by; questions that nobody has answered by then run out in their order."""
        report = Report()
        term = times.duration(action.value, report, "wait")
        sound(report)
        until = self.world.now + (term or 0)
        self.ledger.lines.append(f"> wait {text_of(action.value)}")
        while True:
            due = [talk for talk in self.talks if talk.asking and (talk.session.deadline or until) < until]
            if not due:
                break
            first = min(due, key=lambda talk: talk.session.deadline or until)
            self.world.now = max(self.world.now, first.session.deadline or until)
            first.give(Silence())
        self.world.now = until

    def current(self) -> Talk:
        """Return the conversation that is going on."""
        if self.talk is None:
            raise StepFailedError("no session has begun: dial: or text: first")
        return self.talk
