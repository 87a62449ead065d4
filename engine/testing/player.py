"""Plays one case: the subscriber's deeds, then what was expected of the flow.

A step that does not hold ends the case with a `Failure`. What is expected is looked at by
`engine.testing.observer`; what a conversation does is in `engine.testing.talk`, what the world answers in
`engine.testing.surroundings`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from engine.background import EventFailedError
from engine.chosen_language import chosen_language
from engine.expressions import ExpressionFailed
from engine.flow_set import FlowSet
from engine.inputs import Begin, Digits, Reopened, Silence, Text
from engine.machine import accepts, begin, reopen
from engine.masking import masked_number
from engine.reading import times
from engine.reading.diagnostic import Report
from engine.reading.tree import Node
from engine.session import Waiting
from engine.steps.schedule import Schedule
from engine.testing.answer import read_answer
from engine.testing.case import Action, Case
from engine.testing.field_value import argument_value, typed_inputs
from engine.testing.given import give
from engine.testing.handover import Handover
from engine.testing.line import act, fill, hang_up, not_reached
from engine.testing.observer import Observer
from engine.testing.outcome import Failure, Outcome
from engine.testing.outgoing import Opening, openings, skips
from engine.testing.people import People
from engine.testing.step_failure import StepFailedError, entries_of, sound, text_of
from engine.testing.surroundings import NoAnswerError, Surroundings
from engine.testing.talk import Ledger, RestartError, Talk
from engine.values import Value

CALLER = "79160000000"
"""The subscriber where a test does not say `from:`."""

OVER = ("ussd", "sms", "voice", "event")
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
        except (NoAnswerError, RestartError, ExpressionFailed, EventFailedError) as failed:
            failure = Failure(action.place, str(failed))
        if failure is not None:
            break
    ledger = player.ledger
    return Outcome(case, failure, tuple(map(_without_phones, ledger.lines)), tuple(ledger.trace))


_PHONE = re.compile(r"(?<!\d)\d{10,12}(?!\d)", re.ASCII)


def _without_phones(line: str) -> str:
    """Return a line of a transcript, which people keep, with the middle of phone numbers hidden."""
    return _PHONE.sub(lambda match: masked_number(match[0]), line)


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
    people: People = field(init=False)
    observer: Observer = field(init=False)
    handover: Handover = field(init=False)

    def __post_init__(self) -> None:
        """Make the world of the case."""
        self.world = Surroundings(self.flows)
        self.people = People(self.flows)
        self.observer = Observer(self.flows, self.ledger, self.talks)
        self.handover = Handover(self.flows, self.people)

    def prepare(self, answers: Mapping[str, Node]) -> None:
        """Take the answers of back ends as the case begins."""
        for name, node in answers.items():
            report = Report()
            script = read_answer(node, self.flows.operations[name], self.flows.project.zone, report)
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
            "say": self.say,
            "silence": self.silence,
            "hangup": self.hangup,
            "busy": self.busy,
            "no answer": self.no_answer,
            "agent": self.agent,
            "wait": self.wait,
        }
        if action.word in deeds:
            deeds[action.word](action)
        else:
            looks = {**self.observer.words(), **self.handover.words()}
            looks[action.word](action, self.current())

    # The subscriber and the world

    def given(self, action: Action) -> None:
        """Change what the world answers from here on."""
        report = Report()
        give(action.value, self.world, self.people, self.caller, self.session_memory, report)
        sound(report)

    def dial(self, action: Action) -> None:
        """Dial a code or a number; a dialog or call that is still open is over by it."""
        code = text_of(action.value)
        self.caller = text_of(action.fields.get("from"), CALLER)
        channel = "ussd" if code.startswith(("*", "#")) else "voice"
        if self.talk is not None and self.talk.session.channel == channel and not self.talk.ended:
            hang_up(self.talk)
        start = self.flows.dial(code) if channel == "ussd" else self.flows.call(code)
        self.ledger.lines.append(f"> {start.called if start is not None else code}")
        if start is None:
            raise StepFailedError(f"no flow has the {'code' if channel == 'ussd' else 'number'} {code}")
        broken = self.broken(start.flow, channel)
        if broken is not None:
            self.take_up(broken)
            return
        talk = self.open(channel, start.called, lang=self.asked_language(action))
        talk.give(Begin(start.flow, start.arguments, start.ahead))

    def broken(self, flow: str, channel: str) -> Talk | None:
        """Return the conversation of the subscriber that broke off and may still go on."""
        for talk in reversed(self.talks):
            session = talk.session
            if talk.broken is None or (session.caller, session.channel) != (self.caller, channel):
                continue
            before, until = talk.broken
            if before.frames[0].flow == flow and self.world.now < until:
                return talk
        return None

    def take_up(self, talk: Talk) -> None:
        """Go on with a conversation that broke off (`flow.resume`)."""
        assert talk.broken is not None
        self.mark()
        talk.session, talk.broken = reopen(self.flows, talk.broken[0], self.world.now), None
        self.talk = talk
        talk.give(Reopened())

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
        if open_ is not None and open_.session.waiting is Waiting.PEOPLE:
            self.talk = open_
            self.ledger.lines.append(f"> {self.number}: {text}")
            return
        if open_ is not None and self.answers(open_, text):
            self.talk = open_
            self.type(open_, text)
            return
        start = self.flows.sms(self.number, text)
        self.ledger.lines.append(f"> {self.number}: {text}")
        if start is None:
            raise StepFailedError(f"no flow takes this message to {self.number}")
        talk = self.open("sms", self.number, text, lang=self.asked_language(action))
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
        over = text_of(action.fields.get("over"))
        if over and over not in OVER:
            raise StepFailedError(f"over: {over} is not one of {', '.join(OVER)}")
        self.ledger.lines.append(f"> event {name}")
        self.world.settled(name, str(fields.get("phone", "")), fields)
        self.mark()
        self.talk = None
        answered = not ({"no answer", "busy"} & action.fields.keys())
        for opening in openings(self.flows, name, fields, self.world.now, over=over, answered=answered):
            self.world.now = max(self.world.now, opening.at)
            self.reach(opening, fields)
        if self.talk is None:
            self.open("event", "", event=fields).end()

    def reach(self, opening: Opening, fields: dict[str, Value]) -> None:
        """Begin what an event starts; a flow that reaches nobody runs its `missed` block, if it has one."""
        if opening.outbound is not None and skips(self.flows, opening.outbound, self.world):
            self.ledger.lines.append(f"· skip {opening.flow}")
            return
        if not opening.channel and not (opening.outbound is not None and opening.outbound.missed):
            self.ledger.lines.append(f"· nobody reached for {opening.flow}")
            return
        called = self.flows.project.sms_from if opening.channel == "sms" else ""
        self.caller = opening.caller or self.caller
        talk = self.open(
            opening.channel or "event",
            called,
            caller=opening.caller,
            event=fields,
            lang=self.chosen(opening.caller) or opening.lang,
        )
        if opening.channel == "sms":
            self.number = called
            self.by_sms[opening.caller, called] = talk
        block = "" if opening.channel else "missed"
        talk.give(Begin(opening.flow, opening.arguments, block=block))

    def run(self, action: Action) -> None:
        """Start a flow that has no trigger."""
        name = text_of(action.value)
        flow = self.flows.flows.get(name)
        if flow is None:
            raise StepFailedError(f'there is no flow "{name}"')
        channel = text_of(action.fields.get("over"), self.scheduled_over(name))
        if channel not in OVER:
            raise StepFailedError(f"over: {channel} is not one of {', '.join(OVER)}")
        self.caller = text_of(action.fields.get("from"), self.caller)
        report = Report()
        arguments = {
            key: argument_value(flow.inputs, key, node, name, self.flows.project.zone, report)
            for key, node in entries_of(action.fields.get("with"))
        }
        sound(report)
        self.ledger.lines.append(f"> run {name}")
        called = self.flows.project.sms_from if channel == "sms" else ""
        talk = self.open(channel, called, lang=self.asked_language(action))
        if channel == "sms":
            self.number = called
            self.by_sms[self.caller, called] = talk
        talk.give(Begin(name, arguments))

    def open(
        self,
        channel: str,
        called: str,
        text: str = "",
        *,
        caller: str | None = None,
        event: Mapping[str, Value] | None = None,
        lang: str = "",
    ) -> Talk:
        """Begin a conversation of the subscriber, in the language he has chosen if no other is given."""
        if event is None:
            self.mark()
        who = self.caller if caller is None else caller
        session = begin(
            self.flows,
            channel=channel,
            caller=who,
            called=called,
            lang=lang or self.chosen(who),
            text=text,
            event=event,
            now=self.world.now,
            memory=dict(self.session_memory),
        )
        self.talk = Talk(self.flows, self.world, self.people, self.ledger, session)
        self.talks.append(self.talk)
        return self.talk

    def asked_language(self, action: Action) -> str:
        """Return the language that a step says the session begins in, "" if it does not say."""
        language = text_of(action.fields.get("lang"))
        known = self.flows.project.languages
        if language and language not in known:
            raise StepFailedError(f'lang: the project has no "{language}", only {", ".join(known)}')
        return language

    def chosen(self, subscriber: str) -> str:
        """Return the language a subscriber has chosen in a session before, "" if none."""
        return chosen_language(self.flows.project, lambda name: self.world.remembered(name, subscriber))

    def mark(self) -> None:
        """A new session begins: what happened before is no longer looked at by the `no` words."""
        self.observer.mark()
        self.handover.mark()

    def scheduled_over(self, flow: str) -> str:
        """Return the channel in which a `schedule` step starts a flow, USSD if there is none."""
        for other in self.flows.flows.values():
            for step in other.program:
                if isinstance(step, Schedule) and step.flow == flow:
                    return step.over
        return "ussd"

    def agent(self, action: Action) -> None:
        """A specialist does something."""
        act(action, self.current())

    def busy(self, action: Action) -> None:
        """The number a call is transferred to is busy."""
        not_reached(self.current(), "busy")

    def no_answer(self, action: Action) -> None:
        """Nobody answers at the number a call is transferred to."""
        not_reached(self.current(), "no_answer")

    def press(self, action: Action) -> None:
        """Press keys: the answer to what is asked, or the end of a recording."""
        talk, keys = self.current(), text_of(action.value)
        if talk.session.waiting is Waiting.LINE:
            self.ledger.lines.append(f"> {keys}")
            if fill(talk, heard=True):
                return
        self.type(talk, keys)

    def say(self, action: Action) -> None:
        """Speak: into a recording, or an answer that speech recognition has written down."""
        talk, text = self.current(), text_of(action.value)
        if not talk.speaks:
            raise StepFailedError(f"nobody speaks over {talk.session.channel}: write press or text")
        if talk.session.waiting is Waiting.LINE:
            self.ledger.lines.append(f"> “{text}”")
            if fill(talk, heard=True):
                return
        self.type(talk, text, spoken=True)

    def type(self, talk: Talk, text: str, *, spoken: bool = False) -> None:
        """Give a text, or keys in a call, to a talk that waits for one."""
        if not talk.asking:
            raise StepFailedError(f"nothing is asked: {talk.state}", seen=talk.screen)
        self.ledger.lines.append(f"> {'••••' if talk.hides_input else text}")
        talk.give(Digits(text) if talk.speaks and not spoken else Text(text))

    def silence(self, action: Action) -> None:
        """Nobody answers until the question's time is over, or nobody speaks into a recording."""
        talk = self.current()
        self.ledger.lines.append("> …")
        if fill(talk, heard=False):
            return
        if not talk.asking or talk.session.deadline is None:
            raise StepFailedError(f"nothing is asked: {talk.state}", seen=talk.screen)
        self.world.now = max(self.world.now, talk.session.deadline)
        talk.give(Silence())

    def hangup(self, action: Action) -> None:
        """The subscriber leaves."""
        talk = self.current()
        if talk.ended:
            raise StepFailedError("the session has ended already", seen=talk.screen)
        self.ledger.lines.append("> hangup")
        hang_up(talk)

    def wait(self, action: Action) -> None:
        """Time goes by; questions that nobody has answered by then run out in their order."""
        report = Report()
        term = times.duration(action.value, report, "wait")
        sound(report)
        until = self.world.now + (term or 0)
        self.ledger.lines.append(f"> wait {text_of(action.value)}")
        while True:
            due = [talk for talk in self.talks if (talk.due or until) < until]
            if not due:
                break
            first = min(due, key=lambda talk: talk.due or until)
            self.world.now = max(self.world.now, first.due or until)
            first.come_due()
        self.world.now = until

    def current(self) -> Talk:
        """Return the conversation that is going on."""
        if self.talk is None:
            raise StepFailedError("no session has begun: dial: or text: first")
        return self.talk
