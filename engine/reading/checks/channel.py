"""`channel`: a step in a channel where it cannot work."""

from __future__ import annotations

from engine.flow import Step
from engine.reading.checks.passage import is_question
from engine.reading.checks.survey import Survey
from engine.reading.checks.way import reached
from engine.reading.diagnostic import Report
from engine.steps.ask import Ask
from engine.steps.end import End
from engine.steps.hangup import HangUp
from engine.steps.refuse import Refuse
from engine.steps.say import Say

CODES = ("channel",)

_ON_THE_LINE = frozenset({"queue", "record", "connect", "answer", "rate", "wait"})


def check(survey: Survey, report: Report) -> None:
    """Look at every step in every channel that reaches it."""
    for passage, _, step, _ in survey.steps():
        start = survey.starts[passage.flow.id, passage.channel]
        if passage.channel not in step.channels:
            where = [word for word in ("voice", "ussd", "sms", "event") if word in step.channels]
            test = " or ".join(f"channel == '{word}'" for word in where)
            report.error(
                "channel",
                f"{step.verb} works only in {' and '.join(where)}, but this flow is {start.by}",
                step,
                help=f"put it under if: {test}",
            )
        elif passage.channel == "event" and is_question(step):
            report.error(
                "channel",
                f"{step.verb} needs somebody on the line, but this flow is {start.by}",
                step,
                help="a background flow can send sms: instead",
            )
        elif passage.channel == "event" and isinstance(step, Say):
            report.error(
                "channel",
                f"say is heard by nobody: this flow is {start.by}",
                step,
                help="a background flow can send sms: instead",
            )
        elif passage.channel == "voice" and isinstance(step, Ask) and step.kind == "text":
            report.error(
                "channel",
                f"ask type: text needs a keyboard, but this flow is {start.by}",
                step,
                help="use type: digits, or a menu",
            )
    _after_hangup(survey, report)


def _after_hangup(survey: Survey, report: Report) -> None:
    """After the other side has left, only silent steps make sense."""
    for flow in survey.flows.flows.values():
        if flow.hangup is None:
            continue
        for number in sorted(reached(flow, [flow.hangup])):
            step = flow.program[number]
            if step.place.file == flow.file and _speaks(step):
                report.error(
                    "channel",
                    f"{step.verb} in hangup: – nobody is on the line any more",
                    step,
                    help="request, sms, callback, schedule, remember, forget, set and log work here",
                )


def _speaks(step: Step) -> bool:
    return is_question(step) or isinstance(step, Say | End | HangUp | Refuse) or step.verb in _ON_THE_LINE
