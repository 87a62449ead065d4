"""`unused`: what is declared and never used: a saved variable, an operation, a flow."""

from __future__ import annotations

from engine.flow import Flow
from engine.reading.checks.survey import Survey
from engine.reading.checks.way import entries, reached
from engine.reading.diagnostic import Report, Severity
from engine.steps.ask import Ask
from engine.steps.for_ import For
from engine.steps.menu import Menu
from engine.steps.request import Request

CODES = ("unused",)


def check(survey: Survey, report: Report) -> None:
    """Give hints; nothing here does harm."""
    requested: set[str] = set()
    broken = {found.place.file for found in report.diagnostics if found.severity is Severity.ERROR}
    for flow in survey.flows.flows.values():
        if flow.file not in broken:  # a misspelt name is an error where it is read, no variable too many
            _variables(flow, report)
        requested |= {step.operation.name for step in flow.program if isinstance(step, Request)}
        if flow.id in survey.unstarted:
            report.hint(
                "unused",
                f"nothing starts the flow {flow.id}: it has no trigger, and no flow runs it",
                flow.place,
                help='ussd: "*100#" in its header, or run: in another flow',
            )
    requested |= {operation.settle_operation or "" for operation in survey.flows.operations.values()}
    for name, operation in survey.flows.operations.items():
        if name not in requested:
            report.hint("unused", f"no flow asks {name}", operation.place)


def _variables(flow: Flow, report: Report) -> None:
    live = reached(flow, entries(flow))
    used: set[str] = set()
    for number in live:
        step = flow.program[number]
        parts = (*step.expressions(), *step.templates())
        used |= {use.name for part in parts for use in part.uses}
        if isinstance(step, Ask) and step.hint is not None:
            used |= {use.name for template in step.hint.templates() for use in template.uses}
    for number in sorted(live):
        step = flow.program[number]
        if isinstance(step, For):
            continue
        chosen = step.elements.name if isinstance(step, Menu) and step.elements is not None else None
        for name, _ in step.saves():
            if name not in used and name != chosen:
                report.hint("unused", f"{name} is never used", step, help="leave it out")
