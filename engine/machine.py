"""The interpreter: `advance` takes a session and one input, and runs the flow to its next wait.

It is a pure function: the same flow set, session, input and time give the same turn. Which input a waiting
session takes, and what it does with it, is one table (state, input) -> action; what is not in the table
leaves the session untouched and is only noted.

    begin      Begin                        the first scene of the flow
    answer     Text Digits Silence          the question
               HungUp Unshown               the subscriber has gone
    reading    Text Digits                  turns the pages of the last text
               Silence HungUp Unshown       the subscriber has gone
    backend    BackendReplied               the request
               Late                         goes on without a screen
               HungUp                       gone; a charge is awaited all the same
    look       Looked                       the step that asked
               Late HungUp                  as above
    people     AgentLeft                    the step that handed the subscriber over
               HungUp                       the subscriber has gone
    line       LineReplied                  the step that records or transfers
               HungUp                       the subscriber has gone
    pause      Silence                      goes on
               HungUp                       the subscriber has gone
    offer      Reopened                     asks whether to go on or to begin anew
               Text Digits Silence          takes the answer
               HungUp Unshown               the subscriber has gone
    ended      Unshown                      the outcome of a charge follows by SMS
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from engine.answer import cleaned
from engine.effects import Effect, End, Note
from engine.expressions import ExpressionFailed, question_key
from engine.flow_set import FlowSet
from engine.inputs import (
    AgentLeft,
    BackendReplied,
    Begin,
    Digits,
    HungUp,
    Input,
    Late,
    LineReplied,
    Looked,
    Reopened,
    Silence,
    Text,
    Unshown,
)
from engine.key_turn import key_turn
from engine.question import Question
from engine.reopening import answer_offer, offer, resumable
from engine.run import GONE, Run
from engine.session import Session, Waiting
from engine.values import Value

STOP = -1
_ANSWER = Waiting.ANSWER


class Turn(msgspec.Struct, frozen=True, gc=False):
    """What came of one input: the next session, and what the world is asked to do, in this order."""

    session: Session
    effects: tuple[Effect, ...]


class WrongBuildError(ValueError):
    """The session belongs to another build; the caller has taken the wrong flow set."""


def begin(
    flows: FlowSet,
    *,
    channel: str,
    caller: str,
    called: str,
    lang: str,
    now: int,
    text: str = "",
    event: Mapping[str, Value] | None = None,
    memory: Mapping[str, int] | None = None,
) -> Session:
    """Return a fresh session that waits for `Begin`.

    `caller` is an MSISDN, empty if hidden; `called` must be `Start.called`, which has secrets hidden. A
    language the project does not have becomes its first one. `memory` is what is remembered for the session.
    """
    languages = flows.project.languages
    return Session(
        flows.build,
        channel,
        caller,
        called,
        lang if lang in languages else languages[0],
        now,
        cleaned(text) if text else "",
        event=event or {},
        memory=memory or {},
    )


def advance(
    flows: FlowSet,
    session: Session,
    given: Input,
    now: int,
    trace: list[tuple[str, int, str]] | None = None,
) -> Turn:
    """Run a session from one wait to the next. `now` is UTC in milliseconds.

    `trace` gets (flow id, step number, branch) of everything executed, "" for the step itself. Raises
    WrongBuildError if the session is not of this build; an input that is not awaited changes nothing.
    """
    if session.waiting is _ANSWER and type(given) is Text and trace is None:
        short = key_turn(flows, session, given.text, now)
        if short is not None:
            return Turn(short[0], (short[1],))
    return run_through(flows, session, given, now, trace)


def run_through(
    flows: FlowSet,
    session: Session,
    given: Input,
    now: int,
    trace: list[tuple[str, int, str]] | None = None,
) -> Turn:
    """As `advance`, for a turn that is known to be no `key_turn`."""
    if session.build != flows.build:
        raise WrongBuildError(f"the session is of build {session.build}, the flows are {flows.build}")
    action = _ACTIONS.get((session.waiting, type(given)))
    if action is None:
        return _ignored(session, given)
    run = Run(flows, session, now, trace)
    pc = action(run, given)
    if pc is None:
        return _ignored(session, given)
    if pc >= 0:
        run.go(pc)
    return Turn(run.after(), tuple(run.effects))


def accepts(flows: FlowSet, session: Session, text: str, now: int) -> bool:
    """Tell whether an open question would take this text as its answer (an SMS may start a flow instead)."""
    if session.build != flows.build or session.waiting is not Waiting.ANSWER:
        return False
    run = Run(flows, session, now)
    step = run.program[run.pc]
    try:
        return isinstance(step, Question) and step.takes(run, cleaned(text))
    except ExpressionFailed:
        return False


def reopen(flows: FlowSet, session: Session, now: int) -> Session:
    """Return a session that broke off, to be taken up again: give it `Reopened` next.

    `session` is as it was before the input that ended it (`End.resume_ms`). Its total time begins anew.
    Raises WrongBuildError if it is not of this build: then a fresh session is begun instead.
    """
    if session.build != flows.build:
        raise WrongBuildError(f"the session is of build {session.build}, the flows are {flows.build}")
    first = session.first
    if session.waiting is Waiting.ANSWER:  # an empty one stood for `frames`, see `Session`
        first = first or session.frames
    return msgspec.structs.replace(
        session, waiting=Waiting.OFFER, started=now, deadline=None, steps=0, first=first, asked=()
    )


def _ignored(session: Session, given: Input) -> Turn:
    flow = session.frames[-1].flow if session.frames else ""
    return Turn(session, (Note("ignored_input", flow, 0, type(given).__name__),))


def _begin(run: Run, given: Input) -> int | None:
    assert isinstance(given, Begin)
    flow = run.flows.flows.get(given.flow)
    if flow is None:
        return None
    run.ahead = given.ahead if flow.dial_ahead else ()
    if run.lang not in flow.languages:
        run.lang = flow.languages[0]
    entry = run.start(flow, dict(given.arguments))
    if run.flows.trailing:
        run.leave_trail(
            f"{run.session.called}: {run.session.text}" if run.session.text else run.session.called
        )
    if given.block != "missed":
        return entry
    return None if flow.outbound is None else flow.outbound.missed


def _answer(run: Run, given: Input) -> int | None:
    run.steps = 0
    try:
        return run.program[run.pc].resume(run, given)
    except ExpressionFailed as failure:
        run.said = ()  # it has been seen with the question
        return run.fail(failure.message)


def _resume(run: Run, given: Input) -> int:
    try:
        return run.program[run.pc].resume(run, given)
    except ExpressionFailed as failure:
        return run.fail(failure.message)


def _silence(run: Run, given: Input) -> int | None:
    total = run.capabilities.total_ms
    if total is not None and run.now >= run.session.started + total:
        return _gone(run, HungUp("the session's time is over"))
    return _answer(run, given)


def _turn_page(run: Run, given: Input) -> int:
    typed = given.text if isinstance(given, Text) else given.digits if isinstance(given, Digits) else ""
    key = typed.strip()
    if key == run.capabilities.more:
        run.page += 1
    elif key == run.capabilities.back and run.page > 1:
        run.page -= 1
    return run.read_on()


def _unread(run: Run, given: Input) -> int:
    """The pages of the last text were not read to their end; the outcome of a charge must not be lost."""
    text = run.final if run.charged else ""
    return _hang_up(run, text)


def _gone(run: Run, given: Input) -> int:
    """The subscriber left at a question. What a charge had come to stood on that screen."""
    resume_ms = resumable(run)
    return _to_be_resumed(run, _hang_up(run, ""), resume_ms)


def _abandoned(run: Run, given: Input) -> int:
    """The subscriber left while people, the line or a pause were waited for."""
    return _hang_up(run, "")


def _hidden(run: Run, given: Input) -> int:
    """The screen with the question did not arrive: what it said of a charge follows by SMS."""
    assert isinstance(given, Unshown)
    run.note("unshown", given.reason)
    resume_ms = resumable(run)
    return _to_be_resumed(run, _hang_up(run, run.final if run.charged else ""), resume_ms)


def _to_be_resumed(run: Run, pc: int, resume_ms: int) -> int:
    """Run the `hangup` block; if that ends the session at once, it may be taken up again."""
    if resume_ms:
        if pc >= 0:
            run.go(pc)
        if isinstance(run.effects[-1], End):
            run.effects[-1] = msgspec.structs.replace(run.effects[-1], resume_ms=resume_ms)
        return STOP
    return pc


def _left_by_people(run: Run, given: Input) -> int | None:
    """People have let go of the subscriber; if he has left himself, the flow ends as if he had hung up."""
    assert isinstance(given, AgentLeft)
    if given.call != run.call:
        return None
    if given.outcome == "answered":
        run.steps = 0
    pc = _resume(run, given)
    return _hang_up(run, "") if pc == GONE else pc


def _line(run: Run, given: Input) -> int | None:
    assert isinstance(given, LineReplied)
    return _resume(run, given) if given.call == run.call else None


def _offered(run: Run, given: Input) -> int | None:
    """While a callback is offered, people may become free: the place in the queue stands."""
    return _left_by_people(run, given) if run.program[run.pc].verb == "queue" else None


def _hang_up(run: Run, text: str) -> int:
    run.said = ()
    run.reason = "gone"
    if text:
        run.send_sms(run.caller, "", text, False)
    run.charged = False
    run.final = ""
    run.ahead = ()
    block = run.hangup_block()
    run.gone = run.detached = True
    if not block:
        run.stack = []
        return run.finish()
    return run.restore(block)


def _replied(run: Run, given: Input) -> int | None:
    assert isinstance(given, BackendReplied)
    if given.call != run.call:
        return None
    return _resume(run, given)


def _late(run: Run, given: Input) -> int | None:
    if run.detached:
        return None
    run.detached = True
    return STOP


def _left_waiting(run: Run, given: Input) -> int | None:
    """The subscriber left while a back end is asked.

    With a charge under way, or one whose outcome was not shown yet, the flow goes on and its closing text
    goes by SMS; then the `hangup` block runs. Otherwise the block runs at once.
    """
    if run.gone or run.farewell:
        return None
    if not run.charged:
        return _hang_up(run, "")
    run.detached = True
    run.farewell = run.hangup_block()
    return STOP


def _looked(run: Run, given: Input) -> int | None:
    assert isinstance(given, Looked)
    parts = run.flow.questions.get(run.pc, ())
    try:
        questions = run.missing(parts)
    except ExpressionFailed as failure:
        return run.fail(failure.message)
    if len(questions) != len(given.values):
        return None
    for question, value in zip(questions, given.values, strict=True):
        run.learn(question_key(question), value)
    return run.pc


def _unshown_end(run: Run, given: Input) -> int | None:
    """The last screen did not arrive: the outcome of a charge follows by SMS, once."""
    assert isinstance(given, Unshown)
    if not run.charged or not run.final or run.detached:
        return None
    run.send_sms(run.caller, "", run.final, False)
    run.charged = False
    run.final = ""
    return STOP


_Action = Callable[[Run, Input], int | None]
_ACTIONS: dict[tuple[Waiting, type], _Action] = {
    (Waiting.BEGIN, Begin): _begin,
    (Waiting.ANSWER, Text): _answer,
    (Waiting.ANSWER, Digits): _answer,
    (Waiting.ANSWER, Silence): _silence,
    (Waiting.ANSWER, HungUp): _gone,
    (Waiting.ANSWER, Unshown): _hidden,
    (Waiting.READING, Text): _turn_page,
    (Waiting.READING, Digits): _turn_page,
    (Waiting.READING, Silence): _unread,
    (Waiting.READING, HungUp): _unread,
    (Waiting.READING, Unshown): _unread,
    (Waiting.BACKEND, BackendReplied): _replied,
    (Waiting.BACKEND, Late): _late,
    (Waiting.BACKEND, HungUp): _left_waiting,
    (Waiting.LOOK, Looked): _looked,
    (Waiting.LOOK, Late): _late,
    (Waiting.LOOK, HungUp): _left_waiting,
    (Waiting.PEOPLE, AgentLeft): _left_by_people,
    (Waiting.PEOPLE, HungUp): _abandoned,
    (Waiting.ANSWER, AgentLeft): _offered,
    (Waiting.LINE, LineReplied): _line,
    (Waiting.LINE, HungUp): _abandoned,
    (Waiting.PAUSE, Silence): _resume,
    (Waiting.PAUSE, HungUp): _abandoned,
    (Waiting.OFFER, Reopened): offer,
    (Waiting.OFFER, Text): answer_offer,
    (Waiting.OFFER, Digits): answer_offer,
    (Waiting.OFFER, Silence): answer_offer,
    (Waiting.OFFER, HungUp): _gone,
    (Waiting.OFFER, Unshown): _gone,
    (Waiting.ENDED, Unshown): _unshown_end,
}
"""What each waiting session does with each input; there is nothing else."""
