"""The commonest turn of all, without a `Run`: the key of a menu line that leads to the next question.

Nothing here decides anything of its own. It is what `Menu.resume`, `Run.go`, `Question.show` and `Run.after`
come to when nothing unusual is about; wherever anything is, `key_turn` gives None, and the turn goes the long
way. A test holds the two against each other.
"""

from __future__ import annotations

from engine.effects import Collect
from engine.expressions import ExpressionFailed
from engine.flow_set import FlowSet
from engine.glance import Glance
from engine.limits import HISTORY
from engine.question import Question
from engine.session import Frame, Session, Waiting
from engine.target import Scene

_ANSWER = Waiting.ANSWER
_WHOLE_PAGE = (0, 0, 1)


def key_turn(flows: FlowSet, session: Session, text: str, now: int) -> tuple[Session, Collect] | None:
    """Return the next session and its screen; None where the turn is not that simple.

    `session` waits for an answer and is of this build.
    """
    frames = session.frames
    frame = frames[-1]
    flow = flows.flows[frame.flow]
    program = flow.program
    asking = program[frame.pc]
    if not isinstance(asking, Question):
        return None
    target = asking.keys.get(text)
    if target is None or frame.counters or session.ahead or session.detached or session.shown[2] != 1:
        return None
    following, steps = program[target], 1
    if isinstance(following, Scene):
        target, steps = following.next, 2
        following = program[target]
    if not isinstance(following, Question) or flows.trailing or target in flow.questions:
        return None
    kind = (session.channel, session.lang)
    plate = following.plates.get(kind)
    if plate is None:
        return None  # it is asked for the first time
    effect, timeout_ms = plate
    capabilities = flows.channels[session.channel]
    total = capabilities.total_ms
    if total is not None and session.started + total - now < timeout_ms:
        return None
    if effect is None:
        try:
            said = following.whole_text(Glance(flows, session, frame, now, capabilities))
        except ExpressionFailed:
            return None
        if said is None:
            return None
        effect = Collect(said, timeout_ms, following.secret)
    asked, first, history = session.asked or frames, session.first or frames, session.history
    there = (*frames[:-1], Frame(frame.flow, target, frame.variables, frame.counters))
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
            (),
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
            session.trail,
        ),
        effect,
    )
