"""`redial`: a refusal that the charge itself makes true, so who dials again is told a falsehood.

After the money is taken, the balance is lower; a second dial that refuses for it tells the subscriber that
nothing was done. `recent()` in front gives the true outcome (flow-language 2.10).
"""

from __future__ import annotations

from engine.flow import Flow, Step
from engine.reading.checks.fragment import wordings
from engine.reading.checks.survey import Survey
from engine.reading.checks.way import reached
from engine.reading.diagnostic import Report
from engine.steps.refuse import Refuse
from engine.steps.request import Request

CODES = ("redial",)


def check(survey: Survey, report: Report) -> None:
    """For each charge, look at the refusals before it that rest on what a back end has answered."""
    for flow, number, step in survey.each_step():
        if not isinstance(step, Request) or not step.operation.charge or not step.operation.once_ms:
            continue
        before = [
            earlier
            for earlier, other in enumerate(flow.program)
            if other.verb and earlier != number and number in reached(flow, [earlier])
        ]
        if any(_asks_recent(flow.program[earlier], step.operation.name) for earlier in before):
            continue
        saved = _answers(flow)
        for earlier in before:
            refusal = flow.program[earlier]
            if isinstance(refusal, Refuse):
                _refusals(refusal, step.operation.name, saved, report)


def _refusals(refusal: Refuse, operation: str, saved: set[str], report: Report) -> None:
    for test, _ in refusal.rules:
        use = next((use for use in test.uses if use.name in saved), None)
        if use is not None:
            report.warning(
                "redial",
                f"{'.'.join(use.path)} may be refused here because {operation} has just been done: "
                f"ask recent('{operation}') first",
                use.place,
                help=f"switch: recent('{operation}') in front, with the cases done and unknown",
            )
            return


def _answers(flow: Flow) -> set[str]:
    return {step.save for step in flow.program if isinstance(step, Request) and step.save is not None}


def _asks_recent(step: Step, operation: str) -> bool:
    texts = [template for wording in wordings(step) for template in wording.templates()]
    return any(
        ask.kind == "recent" and ask.name == operation
        for part in (*step.expressions(), *texts)
        for ask in part.asks
    )
