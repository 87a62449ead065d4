"""From the texts of a project to flows that may be published: compiled, and checked as a whole."""

from __future__ import annotations

from collections.abc import Mapping

from engine.flow_set import FlowSet
from engine.reading.checks import check_flows
from engine.reading.diagnostic import Report
from engine.reading.flow_set import load_project


def load_checked(files: Mapping[str, str]) -> tuple[FlowSet | None, Report]:
    """Compile a project from its texts by name and check the whole set.

    The flow set is None if anything found is an error; the report has all findings, warnings included.
    Checks of the whole set need flows that compile, so their findings come when the files are sound.
    """
    flows, report = load_project(files)
    if flows is None:
        return None, report
    check_flows(flows, report)
    return (None if report.has_errors else flows), report
