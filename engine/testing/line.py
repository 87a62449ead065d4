"""A call in a test besides its questions: the people who talk, recordings, transfers."""

from __future__ import annotations

from engine.effects import Record
from engine.inputs import HungUp, LineReplied
from engine.session import Waiting
from engine.testing.case import Action
from engine.testing.step_failure import StepFailedError, text_of
from engine.testing.talk import Talk

DEEDS = ("answer", "hangup", "solved", "unsolved", "escalate")
"""What `agent:` may do; the last three leave with that result."""


def act(action: Action, talk: Talk) -> None:
    """`agent:`: a specialist takes the subscriber from the queue, or leaves with a result."""
    deed = text_of(action.value)
    if deed not in DEEDS:
        raise StepFailedError(f"agent: {deed} is not one of {', '.join(DEEDS)}")
    if talk.session.waiting is Waiting.LINE and talk.line is not None and not isinstance(talk.line, Record):
        replied(talk, "done")
        return
    if talk.session.waiting is not Waiting.PEOPLE:
        raise StepFailedError("nobody waits for people here", "a queue", talk.screen or "no queue")
    talk.ledger.lines.append(f"> agent {deed}")
    if talk.answered is None:
        talk.answered = talk.world.now
    if deed == "answer":
        return
    topic, note = (text_of(action.fields.get(name)) for name in ("topic", "note"))
    talk.leave(result="" if deed == "hangup" else deed, topic=topic, note=note)


def fill(talk: Talk, *, heard: bool) -> bool:
    """End a recording, with something on it or nothing; tell whether one was going on."""
    if talk.session.waiting is not Waiting.LINE or not isinstance(talk.line, Record):
        return False
    if heard:
        replied(talk, "done", talk.people.record())
    else:
        talk.world.now += talk.line.max_ms
        replied(talk, "failed")
    return True


def not_reached(talk: Talk, outcome: str) -> None:
    """`busy`, `no answer`: what came of a transfer."""
    if talk.session.waiting is not Waiting.LINE or talk.line is None or isinstance(talk.line, Record):
        raise StepFailedError("no call is being transferred", "connect", talk.screen)
    talk.ledger.lines.append(f"> {outcome.replace('_', ' ')}")
    replied(talk, outcome)


def replied(talk: Talk, outcome: str, value: str | None = None) -> None:
    """Tell the flow what came of `record` or `connect`."""
    assert talk.line is not None
    call = talk.line.call
    talk.line = None
    talk.give(LineReplied(call, outcome, value))


def hang_up(talk: Talk) -> None:
    """The subscriber leaves: a queue, people who have answered him, or a question."""
    if talk.session.waiting is Waiting.PEOPLE and talk.answered is not None:
        talk.leave(stayed=False)
    else:
        talk.give(HungUp("subscriber"))
