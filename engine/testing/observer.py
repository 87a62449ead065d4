"""What a test expects: each word that looks at what a flow has shown, sent, asked or kept.

An observer changes nothing but its own marks of what earlier steps have found already.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from engine.flow_set import FlowSet
from engine.masking import masked
from engine.reading import scalars
from engine.reading.diagnostic import Report
from engine.reading.tree import Empty
from engine.testing.case import Action
from engine.testing.field_value import argument_value, equal
from engine.testing.step_failure import StepFailedError, entries_of, sound, text_of
from engine.testing.talk import Ledger, Message, Talk
from engine.testing.text_match import matches
from engine.values import Value


@dataclass(slots=True)
class Observer:
    """Looks at the ledger of a case. `first_*` are where the last session began."""

    flows: FlowSet
    ledger: Ledger
    talks: list[Talk] = field(default_factory=list)
    next_call: int = 0
    first_call: int = 0
    first_message: int = 0

    def mark(self) -> None:
        """Requests and messages before here belong to earlier sessions."""
        self.first_call = self.next_call = len(self.ledger.calls)
        self.first_message = len(self.ledger.messages)

    def words(self) -> dict[str, Callable[[Action, Talk], None]]:
        """Return what each word looks at."""
        return {
            "see": self.see,
            "hear": self.hear,
            "pages": self.see_pages,
            "sms": self.sms,
            "no sms": self.no_sms,
            "request": self.request,
            "no request": self.no_request,
            "remembered": self.remembered,
            "no remembered": self.not_remembered,
            "log hides": self.log_hides,
            "ended": self.ended,
            "waiting": self.waiting,
        }

    def see(self, action: Action, talk: Talk) -> None:
        """The whole text of the screen."""
        expected = text_of(action.value)
        if talk.screen is None:
            raise StepFailedError("nothing was shown", expected, "nothing")
        if not matches(expected, talk.screen):
            raise StepFailedError("the screen is another", expected, talk.screen)

    def hear(self, action: Action, talk: Talk) -> None:
        """Everything that was played since the subscriber did something."""
        if not talk.speaks:
            raise StepFailedError(f"nothing is heard over {talk.session.channel}: write see")
        expected = text_of(action.value)
        if talk.screen is None:
            raise StepFailedError("nothing was played", expected, "nothing")
        if not matches(expected, talk.screen):
            raise StepFailedError("something else was played", expected, talk.screen)

    def see_pages(self, action: Action, talk: Talk) -> None:
        """The number of pages of the last screen."""
        report = Report()
        expected = scalars.integer(action.value, report, "pages")
        sound(report)
        if talk.pages != expected:
            raise StepFailedError("another number of pages", str(expected), str(talk.pages))

    def sms(self, action: Action, talk: Talk) -> None:
        """An SMS was sent that no step before has found."""
        expected = text_of(action.value)
        left = [message for message in self.ledger.messages if not message.found]
        for message in left:
            if matches(expected, message.text) and self.goes(action, message.to, message.sender):
                message.found = True
                return
        to = f" to {text_of(action.fields['to'])}" if "to" in action.fields else ""
        raise StepFailedError(f"no such SMS was sent{to}", expected, _listed(left))

    @staticmethod
    def goes(action: Action, to: str, sender: str) -> bool:
        """Tell whether a message goes to and comes from the numbers a step names."""
        return (
            text_of(action.fields.get("to"), to) == to
            and text_of(action.fields.get("from"), sender) == sender
        )

    def no_sms(self, action: Action, talk: Talk) -> None:
        """No SMS (like this) was sent in this session."""
        sent = self.ledger.messages[self.first_message :]
        wanted = None if isinstance(action.value, Empty) else text_of(action.value)
        found = [
            message
            for message in sent
            if (wanted is None or matches(wanted, message.text))
            and self.goes(action, message.to, message.sender)
        ]
        if found:
            raise StepFailedError("an SMS was sent", "no SMS", _listed(found))

    def request(self, action: Action, talk: Talk) -> None:
        """The operation was asked, after what earlier steps have found."""
        name = self.operation(action)
        operation = self.flows.operations[name]
        report = Report()
        wanted = {
            key: argument_value(operation.takes, key, node, name, self.flows.project.zone, report)
            for key, node in entries_of(action.fields.get("with"))
        }
        sound(report)
        calls = self.ledger.calls
        for number in range(self.next_call, len(calls)):
            call = calls[number]
            if call.operation == name and all(
                equal(value, call.arguments.get(key)) for key, value in wanted.items()
            ):
                self.next_call = number + 1
                return
        seen = [f"{call.operation} {_shown(call.arguments)}".rstrip() for call in calls[self.next_call :]]
        raise StepFailedError(
            f"{name} was not asked" + (" with these arguments" if wanted else ""),
            f"{name} {_shown(wanted)}".rstrip(),
            "\n".join(seen) or "no request",
        )

    def no_request(self, action: Action, talk: Talk) -> None:
        """The operation (or any) was not asked in this session."""
        name = None if isinstance(action.value, Empty) else self.operation(action)
        calls = self.ledger.calls[self.first_call :]
        found = [call for call in calls if name is None or call.operation == name]
        if found:
            shown = "\n".join(f"{call.operation} {_shown(call.arguments)}".rstrip() for call in found)
            raise StepFailedError("it was asked", "no request", shown)

    def operation(self, action: Action) -> str:
        """Return the operation a step names."""
        name = text_of(action.value)
        if name not in self.flows.operations:
            raise StepFailedError(f'there is no operation "{name}" in config/backends.yaml')
        return name

    def remembered(self, action: Action, talk: Talk) -> None:
        """A memory was counted in this case."""
        name = self.memory(action)
        if name not in self.ledger.remembered:
            raise StepFailedError(
                f"{name} was not remembered", name, ", ".join(self.ledger.remembered) or "nothing"
            )

    def not_remembered(self, action: Action, talk: Talk) -> None:
        """A memory was not counted in this case."""
        name = self.memory(action)
        if name in self.ledger.remembered:
            raise StepFailedError(f"{name} was remembered")

    def memory(self, action: Action) -> str:
        """Return the memory a step names."""
        name = text_of(action.value)
        if name not in self.flows.project.memory:
            raise StepFailedError(f'the project has no memory "{name}"')
        return name

    def log_hides(self, action: Action, talk: Talk) -> None:
        """A text is in no log line, transcript or dialled code that would be kept.

        Digits are looked for as a whole: "1234" is not in 79161234567.
        """
        hidden = text_of(action.value)
        digits = hidden.isdecimal()
        pattern = re.compile(rf"(?<!\d){hidden}(?!\d)" if digits else re.escape(hidden))
        kept = [*self.ledger.logged, *self.ledger.lines]
        kept += [f"called {talk.session.called}" for talk in self.talks]
        found = [line for line in kept if hidden and pattern.search(line)]
        if found:
            raise StepFailedError("it can be read in what is kept", f"no {hidden}", "\n".join(found[:5]))

    def ended(self, action: Action, talk: Talk) -> None:
        """The session is over."""
        if not talk.ended:
            raise StepFailedError("the session goes on", "ended", talk.screen or talk.session.waiting.value)

    def waiting(self, action: Action, talk: Talk) -> None:
        """The session waits for the subscriber."""
        if talk.ended:
            raise StepFailedError("the session has ended", "waiting", talk.screen or "ended")


def _shown(arguments: Mapping[str, Value]) -> str:
    if not arguments:
        return ""
    return "{ " + ", ".join(f"{name}: {_value(value)}" for name, value in arguments.items()) + " }"


def _value(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _listed(messages: list[Message]) -> str:
    return "\n".join(f"to {masked(item.to)}: {item.text}" for item in messages) or "no SMS"
