"""`expr-type`, `no-field`, `may-be-empty`: values of the wrong type, told by the types at the line."""

from __future__ import annotations

from dataclasses import replace

from engine.reading.checks.survey import Survey
from engine.reading.diagnostic import Diagnostic, Report

CODES = ("expr-type", "no-field", "may-be-empty")

_REMEDIES = {
    "expr-type": "types come from returns: in config/backends.yaml, from type: of ask, and from takes:",
    "no-field": "fields are declared in returns: and events: of config/backends.yaml",
    "may-be-empty": "put this line under then: of an if: that tests the value",
}


def check(survey: Survey, report: Report) -> None:
    """Type every expression and text with what is known where it stands."""
    for reading in survey.readings:
        for problem in reading.typed.problems:
            report.add(_with_remedy(problem))
    for flow in survey.flows.flows.values():
        for trigger in flow.events:
            event = {"event": survey.passages[flow.id, "event"].types[flow.entry].get("event")}
            known = {name: type_ for name, type_ in event.items() if type_ is not None}
            for part in (trigger.each,) if trigger.each is not None else ():
                for problem in part.type_in(known).problems:
                    report.add(_with_remedy(problem))


def _with_remedy(problem: Diagnostic) -> Diagnostic:
    return problem if problem.help is not None else replace(problem, help=_REMEDIES.get(problem.code))
