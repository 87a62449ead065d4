"""All tests of a project, read and played: what `gudok test` runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.flow_set import FlowSet
from engine.reading.diagnostic import Report
from engine.testing.case_file import read_suite
from engine.testing.coverage import Coverage, covered
from engine.testing.outcome import Outcome
from engine.testing.player import play


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What came of it. `report` has the faults of the test files themselves."""

    outcomes: tuple[Outcome, ...]
    coverage: Coverage
    report: Report

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The cases that do not hold."""
        return tuple(outcome for outcome in self.outcomes if outcome.failure is not None)


def rehearse(flows: FlowSet, tests: Mapping[str, str], only: str = "") -> Rehearsal:
    """Play all cases whose `file: name` contains `only` (without regard to case), in their order."""
    report = Report()
    wanted = only.casefold()
    cases = [case for file in sorted(tests) for case in read_suite(tests[file], file, flows, report).cases]
    outcomes = [play(flows, case) for case in cases if wanted in f"{case.place.file}: {case.name}".casefold()]
    trace = (step for outcome in outcomes for step in outcome.trace)
    return Rehearsal(tuple(outcomes), covered(flows, trace), report)
