"""A session that broke off and is dialled again: go on with the last question, or begin anew (`flow.resume`).

A charge is never crossed: a session whose charge was not seen to its end is not offered again. Who keeps the
session meanwhile is not known here.
"""

from __future__ import annotations

from engine.answer import cleaned
from engine.effects import Collect
from engine.flow import STOP
from engine.inputs import Digits, Input, Silence, Text
from engine.phrase import phrases
from engine.run import Run
from engine.session import Waiting
from engine.spoken import JOINT, press

OFFERED = -3
"""Key in `Frame.counters`: how often the offer was answered wrongly."""

TRIES = 3
"""How often it is made before the session is left."""


def resumable(run: Run) -> int:
    """Return how long the session may be taken up again when the subscriber leaves now, 0 if not at all."""
    first = run.stack[0].flow if run.stack else run.flow.id
    resume_ms = run.flows.flows[first].resume_ms
    if not resume_ms or run.charged or not run.caller or run.channel not in ("ussd", "voice"):
        return 0
    return resume_ms


def offer(run: Run, given: Input) -> int:
    """Ask whether to go on."""
    return _ask(run, "")


def _ask(run: Run, before: str) -> int:
    words = phrases(run.lang)
    if run.channel == "voice":
        lines = [press(words.press, words.yes, "1"), press(words.press, words.anew, "2")]
    else:
        lines = [f"1 {words.yes}", f"2 {words.anew}"]
    parts = [part for part in (before, words.go_on, *lines) if part]
    timeout_ms = run.within_session(run.capabilities.idle_ms)
    run.waiting = Waiting.OFFER
    run.deadline = run.now + timeout_ms
    run.effects.append(Collect((JOINT if run.channel == "voice" else "\n").join(parts), timeout_ms, False))
    return STOP


def answer_offer(run: Run, given: Input) -> int:
    """Take the answer: the last question once more, or the first step of the first flow."""
    typed = given.text if isinstance(given, Text) else given.digits if isinstance(given, Digits) else ""
    match cleaned(typed):
        case "1":
            run.count(OFFERED, None)
            return run.ask_anew((*run.stack, run.frame()))
        case "2":
            return _begin_anew(run)
    tries = run.counters.get(OFFERED, 0) + 1
    words = phrases(run.lang)
    if tries >= TRIES or (isinstance(given, Silence) and run.channel == "ussd"):
        run.said = ()
        return run.quit("no_answer")
    run.count(OFFERED, tries)
    return _ask(run, "" if isinstance(given, Silence) else words.wrong)


def _begin_anew(run: Run) -> int:
    """Begin the first flow with the inputs it was begun with."""
    frame = run.stack[0] if run.stack else run.frame()
    flow = run.flows.flows[frame.flow]
    names = {*flow.inputs, *(trigger.each_as for trigger in flow.events)}
    run.stack = []
    run.said = ()
    run.ahead = run.by_ahead = run.history = run.first = run.asked = ()
    run.looked = {}
    run.reason = run.final = ""
    run.shown = (0, 0, 1)
    return run.start(flow, {name: value for name, value in frame.variables.items() if name in names})
