"""`unreachable`: a scene nothing leads to, a step behind one that leads away."""

from __future__ import annotations

from engine.flow import Flow
from engine.reading.checks.survey import Survey
from engine.reading.checks.way import entries, reached
from engine.reading.diagnostic import Report

CODES = ("unreachable",)


def check(survey: Survey, report: Report) -> None:
    """Report what no way leads to, whatever the channel."""
    for flow in survey.flows.flows.values():
        live = reached(flow, entries(flow))
        dead_scenes = {name: number for name, number in flow.scenes.items() if number not in live}
        below: set[int] = set()
        for name, number in dead_scenes.items():
            report.error(
                "unreachable",
                f'nothing leads to scene "{name}"',
                flow.program[number],
                help=f"go: {name} leads there, or a menu line; else remove it",
            )
            below |= reached(flow, [number])
        for number in _roots(flow, live | below):
            report.error(
                "unreachable",
                "this step is never reached: what stands before it leads away",
                flow.program[number],
                help="remove it, or move it before the step that leads away",
            )


def _roots(flow: Flow, known: set[int]) -> list[int]:
    """Return the dead steps that no other dead step leads to."""
    dead = [
        number
        for number, step in enumerate(flow.program)
        if number not in known and step.place.file == flow.file
    ]
    led = {target for number in dead for _, target in flow.program[number].exits() if target != number}
    return [number for number in dead if flow.program[number].verb and number not in led]
