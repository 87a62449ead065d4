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
    ended      Unshown                      the outcome of a charge follows by SMS
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from engine.answer import cleaned
from engine.effects import Effect, Note
from engine.expressions import ExpressionFailed, question_key
from engine.flow_set import FlowSet
from engine.inputs import BackendReplied, Begin, Digits, HungUp, Input, Late, Looked, Silence, Text, Unshown
from engine.question import Question
from engine.run import Run
from engine.session import Session, Waiting
from engine.values import Value

STOP = -1


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


def _ignored(session: Session, given: Input) -> Turn:
    flow = session.frames[-1].flow if session.frames else ""
    return Turn(session, (Note("ignored_input", flow, 0, type(given).__name__),))


def _begin(run: Run, given: Input) -> int | None:
    assert isinstance(given, Begin)
    flow = run.flows.flows.get(given.flow)
    if flow is None:
        return None
    run.ahead = given.ahead if flow.dial_ahead else ()
    run.start(flow, dict(given.arguments))
    return flow.entry


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
    return _hang_up(run, "")


def _hidden(run: Run, given: Input) -> int:
    """The screen with the question did not arrive: what it said of a charge follows by SMS."""
    assert isinstance(given, Unshown)
    run.note("unshown", given.reason)
    return _hang_up(run, run.final if run.charged else "")


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
    (Waiting.ENDED, Unshown): _unshown_end,
}
"""What each waiting session does with each input; there is nothing else."""
