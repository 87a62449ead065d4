"""`channel`: a step in a channel where it cannot work."""

from __future__ import annotations

from engine.flow import Step
from engine.reading.checks.passage import is_question
from engine.reading.checks.survey import Start, Survey
from engine.reading.checks.way import reached
from engine.reading.diagnostic import Report
from engine.steps.ask import Ask
from engine.steps.end import End
from engine.steps.hangup import HangUp
from engine.steps.refuse import Refuse
from engine.steps.say import Say

CODES = ("channel",)


def check(survey: Survey, report: Report) -> None:
    """Look at every step in every channel that reaches it."""
    for passage, _, step, _ in survey.steps():
        start = survey.starts[passage.flow.id, passage.channel]
        if passage.channel == "event" and is_question(step):
            report.error(
                "channel",
                f"{step.verb} needs somebody on the line, but this flow is {_started(start, 'event')}",
                step,
                help="a background flow can send sms: instead",
            )
        elif passage.channel == "event" and isinstance(step, Say):
            report.error(
                "channel",
                f"say is heard by nobody: this flow is {_started(start, 'event')}",
                step,
                help="a background flow can send sms: instead",
            )
        elif passage.channel == "voice" and isinstance(step, Ask) and step.kind == "text":
            report.error(
                "channel",
                f"ask type: text needs a keyboard, but this flow is {_started(start, 'voice')}",
                step,
                help="use type: digits, or a menu",
            )
    _after_hangup(survey, report)


def _started(start: Start, channel: str) -> str:
    if start.trigger:
        return f"started by {channel} (line {start.place.line})"
    return f"run in {channel} by {start.place.file}:{start.place.line}"


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
                    help="request, sms, remember, forget, set and log work here",
                )


def _speaks(step: Step) -> bool:
    return is_question(step) or isinstance(step, Say | End | HangUp | Refuse)
