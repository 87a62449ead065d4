"""How much of the flows the tests have run: steps, and every branch of steps that have several.

Only what some channel can reach counts: a branch for calls is no gap of a project without calls. Every
branch of a charging step must be run, whatever the percentage asked for (flow-language 4.1).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.flow import Step
from engine.flow_set import FlowSet
from engine.reading.checks.condition import decided
from engine.reading.checks.passage import Passage
from engine.reading.checks.survey import surveyed
from engine.reading.diagnostic import Place
from engine.steps.refuse import Refuse
from engine.steps.request import Request

_MADE = frozenset({"failed"})
"""Ways that are no branches of a step: an error the flow says nothing about."""


@dataclass(frozen=True, slots=True, order=True)
class Unit:
    """A step, or one branch of a step; `branch` is empty for the step itself."""

    file: str
    line: int
    column: int
    verb: str
    branch: str
    charging: bool = False

    @property
    def place(self) -> Place:
        """Where the step is written."""
        return Place(self.file, self.line, self.column)

    def __str__(self) -> str:
        branch = f" ({self.branch})" if self.branch else ""
        return f"{self.file}:{self.line}: {self.verb}{branch}"


@dataclass(frozen=True, slots=True)
class Coverage:
    """What there is to run, and what was not."""

    total: int
    missing: tuple[Unit, ...]

    @property
    def percent(self) -> float:
        """The share that was run, in percent; a project without steps is covered."""
        return 100.0 if not self.total else 100.0 * (self.total - len(self.missing)) / self.total

    @property
    def charging(self) -> tuple[Unit, ...]:
        """Branches of charging steps that were not run."""
        return tuple(unit for unit in self.missing if unit.charging)


def covered(flows: FlowSet, traces: Iterable[tuple[str, int, str]]) -> Coverage:
    """Compare what was executed with everything that can be."""
    run = set(traces)
    units: dict[Unit, bool] = {}
    for passage in surveyed(flows).passages.values():
        for number, step, _ in passage.steps():
            for branch in ("", *_branches(passage, number, step)):
                unit = _unit(step, branch)
                units[unit] = units.get(unit, False) or (passage.flow.id, number, branch) in run
    missing = sorted(unit for unit, done in units.items() if not done)
    return Coverage(len(units), tuple(missing))


def _branches(passage: Passage, number: int, step: Step) -> list[str]:
    if isinstance(step, Refuse):
        possible = [test.source for test, _ in step.rules if decided(test, passage.channel) is not False]
        return [*possible, "else"]
    labels = [label for label, _, _ in passage.ways(number) if label and label not in _MADE]
    return list(dict.fromkeys(labels)) if len(labels) > 1 or isinstance(step, Request) else []


def _unit(step: Step, branch: str) -> Unit:
    charging = isinstance(step, Request) and step.operation.charge
    place = step.place
    return Unit(place.file, place.line, place.column, step.verb, branch, charging)
