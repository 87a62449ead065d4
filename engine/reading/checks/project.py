"""From the texts of a project to flows that may be published: compiled, and checked as a whole."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from engine.flow_set import FlowSet
from engine.reading.checks import check_flows
from engine.reading.diagnostic import Report
from engine.reading.flow_set import compile_project


def load_checked(
    files: Mapping[str, str], recordings: Collection[str] | None = None
) -> tuple[FlowSet | None, Report]:
    """Compile a project from its texts by name and check the whole set.

    The flow set is None if anything found is an error; the report has all findings, warnings included. Where
    some flows do not compile, the others are checked all the same, without them. `recordings` are the names
    of the project's sounds (`ru/greeting`), None if they are not known.
    """
    flows, report = compile_project(files)
    if flows is not None:
        check_flows(flows, report, not report.has_errors, recordings)
    return (None if report.has_errors else flows), report
