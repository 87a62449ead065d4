"""`undefined`: a variable is read where some way has not set it, or that nothing sets at all."""

from __future__ import annotations

from engine.expressions import Expression, Use
from engine.flow import Flow
from engine.reading.checks.survey import Reading, Survey
from engine.reading.diagnostic import Place, Report
from engine.reading.suggestion import did_you_mean

CODES = ("undefined",)


def check(survey: Survey, report: Report) -> None:
    """Report every variable that may be unknown where it is read."""
    for reading in survey.readings:
        for use in reading.fragment.part.uses:
            if use.name not in reading.fragment.types:
                _unknown(survey, reading, use, report)


def _unknown(survey: Survey, reading: Reading, use: Use, report: Report) -> None:
    flow, fragment = reading.passage.flow, reading.fragment
    setters = _setters(flow, use.name)
    if setters or use.name in flow.inputs:
        report.error(
            "undefined",
            f'"{use.name}" may be unknown here: no step sets it on every way to this line',
            use.place,
            help=f"set {use.name} on the other ways too, or end them before this line",
            further=tuple((place, "set here") for place in setters[:3]),
        )
        return
    near = did_you_mean(use.name, _names(survey, flow, dict(fragment.types)))
    remedy = "save: or set: makes a variable"
    if isinstance(fragment.part, Expression) and len(use.path) == 1:
        remedy = f"for the text write '{use.name}' in inner quotes; {remedy}"
    report.error("undefined", f'"{use.name}" is not a variable{near}', use.place, help=remedy)


def _setters(flow: Flow, name: str) -> list[Place]:
    places = (step.place for step in flow.program for saved, _ in step.saves() if saved == name)
    return list(dict.fromkeys(places))


def _names(survey: Survey, flow: Flow, known: dict[str, object]) -> list[str]:
    saved = {name for step in flow.program for name, _ in step.saves()}
    names = {*saved, *known, *flow.inputs, *survey.flows.project.consts}
    return sorted(name for name in names if " " not in name and name != "event")
