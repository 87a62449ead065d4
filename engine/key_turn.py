"""The commonest turns of all, without a `Run`: the key of a menu line that leads to a question or to the end.

Theory of operation. Nothing here decides anything of its own. It is what `Menu.resume`, `Run.go`,
`Question.show`, `Run.close` and `Run.after` come to when nothing unusual is about: between the key and the
next screen there are only steps that a `Glance` can do (`Step.glide`: scenes, conditions, assignments,
texts), and few of them. A session is not changed by looking at it, so wherever anything else turns up
`key_turn` gives None, and the turn goes the long way from its beginning. A test holds the two against each
other.
"""

from __future__ import annotations

from typing import TypeAlias

from engine.effects import Collect, End
from engine.expressions import ExpressionFailed
from engine.flow import Flow, Step
from engine.flow_set import FlowSet
from engine.glance import Glance
from engine.limits import HISTORY, LEAST_STEPS, TRAIL_LENGTH
from engine.prompts import fits
from engine.question import Question
from engine.session import Frame, Session, Waiting
from engine.target import Scene

Trail: TypeAlias = tuple[str, ...]

_ANSWER, _ENDED = Waiting.ANSWER, Waiting.ENDED
_WHOLE_PAGE = (0, 0, 1)


def key_turn(flows: FlowSet, session: Session, text: str, now: int) -> tuple[Session, Collect | End] | None:
    """Return the next session and its screen; None where the turn is not that simple.

    `session` waits for an answer. What it shows is no secret.
    """
    if session.build != flows.build:
        return None  # whoever goes the long way is told
    frame = session.frames[-1]
    flow = flows.flows[frame.flow]
    program = flow.program
    asking = program[frame.pc]
    if not isinstance(asking, Question):
        return None
    target = asking.keys.get(text)
    if target is None or frame.counters or session.ahead or session.detached or session.shown[2] != 1:
        return None
    trail = session.trail
    if flows.trailing:
        mark = asking.marks.get((session.channel, text))
        if mark is None:
            return None  # it varies, or is left for the first time
        trail = (*(trail if len(trail) < TRAIL_LENGTH else trail[1:]), mark)
    following, steps = program[target], 1
    if type(following) is Scene:
        target, steps = following.next, 2
        following = program[target]
    if isinstance(following, Question):
        return (
            None
            if target in flow.questions
            else _asked(flows, session, following, target, steps, now, trail, None)
        )
    if not following.glides:
        return None  # a request, for instance
    try:
        return _walk(flows, session, flow, following, target, steps, now, trail)
    except ExpressionFailed:
        return None


def _walk(
    flows: FlowSet, session: Session, flow: Flow, step: Step, at: int, steps: int, now: int, trail: Trail
) -> tuple[Session, Collect | End] | None:
    """Do what stands before the next question or the end, from `step` on, which is number `at`."""
    glance = Glance(flows, session, session.frames[-1], now, flows.channels[session.channel])
    program, questions = flow.program, flow.questions
    while not isinstance(step, Question):
        if not step.glides or at in questions or steps == LEAST_STEPS:
            return None
        at = step.glide(glance)
        if at < 0:
            return None if glance.end is None else (_ended(session, glance.end, steps, trail), glance.end)
        step = program[at]
        steps += 1
    return None if at in questions else _asked(flows, session, step, at, steps, now, trail, glance)


def _asked(
    flows: FlowSet,
    session: Session,
    question: Question,
    at: int,
    steps: int,
    now: int,
    trail: Trail,
    glance: Glance | None,
) -> tuple[Session, Collect] | None:
    """Return what asking a question that is one page comes to; `glance` is what there is of the turn."""
    plate = question.plates.get((session.channel, session.lang))
    if plate is None:
        return None  # it is asked for the first time
    effect, timeout_ms = plate
    frames = session.frames
    frame = frames[-1]
    capabilities = flows.channels[session.channel]
    total = capabilities.total_ms
    if total is not None and session.started + total - now < timeout_ms:
        return None
    said: tuple[tuple[str, bool], ...] = ()
    if effect is None or (glance is not None and glance.said):
        if glance is None:
            glance = Glance(flows, session, frame, now, capabilities)
        try:
            shown = question.whole_text(glance)
        except ExpressionFailed:
            return None
        if shown is None:
            return None
        if glance.said:
            budget = capabilities.pages
            shown = "\n".join((*glance.said, shown))
            if budget is not None and not fits(shown, budget):
                return None
            said = tuple([(text, False) for text in glance.said])
        effect = Collect(shown, timeout_ms, question.secret)
    variables = frame.variables if glance is None else glance.variables
    asked, first, history = session.asked or frames, session.first or frames, session.history
    there = (*frames[:-1], Frame(frame.flow, at, variables, frame.counters))
    if len(first) > 1 and len(there) == 1:
        first = ()  # stands for `there`
    return (
        Session(
            session.build,
            session.channel,
            session.caller,
            session.called,
            session.lang,
            session.started,
            session.text,
            there,
            _ANSWER,
            now + timeout_ms,
            1,
            session.call,
            steps,
            said,
            (),
            (*(history if len(history) < HISTORY else history[1:]), asked),
            first,
            {},
            session.memory,
            False,
            False,
            session.event,
            "",
            (),
            _WHOLE_PAGE,
            session.reason,
            (),
            session.gone,
            session.farewell,
            trail,
        ),
        effect,
    )


def _ended(session: Session, end: End, steps: int, trail: Trail) -> Session:
    """Return the session as it has ended with a page that is no list, or without one."""
    return Session(
        session.build,
        session.channel,
        session.caller,
        session.called,
        session.lang,
        session.started,
        session.text,
        (),
        _ENDED,
        None,
        session.page,
        session.call,
        steps,
        (),
        (),
        (),
        (),
        {},
        session.memory,
        False,
        False,
        session.event,
        "",
        (),
        _WHOLE_PAGE,
        end.reason,
        (),
        session.gone,
        session.farewell,
        trail,
    )
