"""The first turn of a dialog without a `Run`, where a flow finds nothing out before its first question.

Theory of operation. A plain code leads to the first scene of a flow. As long as scenes and assignments of
constants follow, every session that dials it comes to the same place with the same variables: that is found
out once for a code (`Prologue`) and kept with the flows. What is left to be done for a subscriber is the
screen, as in `engine.key_turn`, and the session.

Nothing here decides anything of its own: it is what `machine.begin`, `_begin`, `Run.go`, `Question.show` and
`Run.after` come to. Wherever anything else is about, `first_turn` gives None, and the session begins the long
way. A test holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.effects import Collect
from engine.expressions import ExpressionFailed
from engine.flow_set import FlowSet
from engine.glance import Glance
from engine.masking import trail_entry
from engine.prologue import Prologue
from engine.question import Question
from engine.session import Frame, Session, Waiting
from engine.steps.set_ import Set
from engine.target import Scene
from engine.trigger import Start

_ANSWER = Waiting.ANSWER
_WHOLE_PAGE = (0, 0, 1)
_NOTHING: Mapping[str, Any] = {}


def first_turn(
    flows: FlowSet, start: Start, channel: str, caller: str, lang: str, now: int
) -> tuple[Session, Collect] | None:
    """Return the session that `start` begins and its first screen; None where that takes more.

    `lang` is the language asked for, as `machine.begin` takes it; `now` is UTC in milliseconds.
    """
    if start.arguments or start.ahead:
        return None  # what was dialled is no plain code
    try:
        prologue = flows.prologues[start.called]
    except KeyError:
        prologue = flows.prologues[start.called] = _prologue(flows, start)
    if prologue is None:
        return None
    if lang not in prologue.languages:
        lang = _language(flows, prologue, lang)
    plate = prologue.plates.get((channel, lang))
    if plate is None:
        return None  # it is asked for the first time
    effect, timeout_ms = plate
    capabilities = flows.channels[channel]
    total = capabilities.total_ms
    if total is not None and total < timeout_ms:
        return None
    session = Session(
        flows.build,
        channel,
        caller,
        start.called,
        lang,
        now,
        "",
        prologue.frames,
        _ANSWER,
        now + timeout_ms,
        1,
        0,
        prologue.steps,
        (),
        (),
        (),
        (),  # stands for `frames`, as `asked` does
        _NOTHING,
        _NOTHING,
        False,
        False,
        _NOTHING,
        "",
        (),
        _WHOLE_PAGE,
        "",
        (),
        False,
        (),
        prologue.trail,
    )
    if effect is None:
        question = prologue.question
        try:
            text = question.whole_text(Glance(flows, session, prologue.frames[0], now, capabilities))
        except ExpressionFailed:
            return None
        if text is None:
            return None
        effect = Collect(text, timeout_ms, question.secret)
    return session, effect


def _language(flows: FlowSet, prologue: Prologue, lang: str) -> str:
    """Return the language of a session whose own one the flow does not have."""
    languages = flows.project.languages
    lang = lang if lang in languages else languages[0]
    return lang if lang in prologue.languages else prologue.languages[0]


def _prologue(flows: FlowSet, start: Start) -> Prologue | None:
    """Go from the first scene to the first question; None if anything on the way differs by session."""
    flow = flows.flows.get(start.flow)
    if flow is None:
        return None
    variables: dict[str, Any] = {}
    pc, steps = flow.entry, 1
    while steps <= flows.project.limits.steps_without_input and pc not in flow.questions:
        step = flow.program[pc]
        if isinstance(step, Question):
            frames = (Frame(flow.id, pc, variables, {}),)
            said = trail_entry(start.called) if flows.trailing else ""
            return Prologue(step, step.plates, frames, steps, flow.languages, (said,) if said else ())
        if isinstance(step, Set) and step.fixed:
            variables.update(step.fixed)
        elif not isinstance(step, Scene):
            return None
        pc, steps = step.next, steps + 1
    return None
