"""`unused`: what is declared and never used: a variable, an operation, a constant, a flow, a recording."""

from __future__ import annotations

import re

from engine.flow import Flow
from engine.phrase import own_words
from engine.reading.checks.fragment import every_template
from engine.reading.checks.survey import Survey
from engine.reading.checks.way import entries, reached
from engine.reading.diagnostic import Place, Report, Severity
from engine.spoken import recording_name
from engine.steps.ask import Ask
from engine.steps.for_ import For
from engine.steps.menu import Menu
from engine.steps.request import Request
from engine.steps.say import Say

CODES = ("unused",)

PROJECT = "config/project.yaml"


def check(survey: Survey, report: Report) -> None:
    """Give hints; nothing here does harm."""
    requested: set[str] = set()
    broken = {found.place.file for found in report.diagnostics if found.severity is Severity.ERROR}
    for flow in survey.flows.flows.values():
        if flow.file not in broken:  # a misspelt name is an error where it is read, no variable too many
            _variables(flow, report)
        requested |= {step.operation.name for step in flow.program if isinstance(step, Request)}
        if flow.id in survey.unstarted and survey.complete:
            report.hint(
                "unused",
                f"nothing starts the flow {flow.id}: it has no trigger, and no flow runs it",
                flow.place,
                help='ussd: "*100#" in its header, or run: in another flow',
            )
    if not survey.complete:
        return
    requested |= {operation.settle_operation or "" for operation in survey.flows.operations.values()}
    for name, operation in survey.flows.operations.items():
        if name not in requested:
            report.hint("unused", f"no flow asks {name}", operation.place, help="leave it out")
    _constants(survey, report)
    _recordings(survey, report)


def _constants(survey: Survey, report: Report) -> None:
    named: set[str] = set()
    for flow in survey.flows.flows.values():
        header = [part for trigger in flow.events for part in (trigger.to, trigger.each) if part is not None]
        if flow.outbound is not None:
            header += [part for part in (flow.outbound.to, flow.outbound.skip) if part is not None]
        for step in flow.program:
            for part in (*step.expressions(), *every_template(step)):
                named |= part.words
        for part in header:
            named |= part.words
    for name in survey.flows.project.consts:
        if name not in named:
            place = _const(survey, name)
            report.hint("unused", f"no flow uses the constant {name}", place, help="leave it out")


def _const(survey: Survey, name: str) -> Place:
    """Return where a constant of the project is written."""
    lines = survey.flows.sources.get(PROJECT, "").split("\n")
    first = next((at for at, line in enumerate(lines) if line.startswith("consts:")), 0)
    for at, line in enumerate(lines[first:], first + 1):
        found = re.search(rf"(?<![\w.]){re.escape(name)}\s*:", line)
        if found:
            return Place(PROJECT, at, found.start() + 1, found.start() + 1 + len(name))
    return Place(PROJECT, 1, 1)


def _recordings(survey: Survey, report: Report) -> None:
    if not survey.recordings:
        return
    steps = [step for flow in survey.flows.flows.values() for step in flow.program]
    wanted = {step.sound for step in steps if isinstance(step, Say)}
    wanted |= {
        recording_name(words)
        for step in steps
        for template in every_template(step)
        for words in (*template.speech.phrases, *(form for noun in template.speech.nouns for form in noun))
    }
    wanted |= {recording_name(words) for lang in survey.flows.project.languages for words in own_words(lang)}
    for name in sorted(survey.recordings):
        if name.rpartition("/")[2] not in wanted:
            report.hint(
                "unused",
                f"nothing plays the recording {name}",
                Place(f"flows/sounds/{name}.wav", 1, 1),
                help="take the file away",
            )


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
