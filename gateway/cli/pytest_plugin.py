"""Flow tests as pytest items: every case of `flows/*.test.yaml`, and every row of a table, is one.

The project is the folder above `flows/`; it is loaded once for all its test files.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.flow_set import FlowSet
from engine.reading.checks.project import load_checked
from engine.reading.diagnostic import Report
from engine.reading.report import report_text
from engine.testing.case import Case
from engine.testing.case_file import read_suite
from engine.testing.outcome import Outcome, failure_text
from engine.testing.player import play
from gateway.project_files import TEST_ENDING, ProjectError, read_project, read_text

LOADED: pytest.StashKey[dict[Path, FlowSet]] = pytest.StashKey()


NAME = "gudok"
"""The name of the plugin's entry point."""


class Known:
    """Stands under the entry point's name when the plugin was named on the command line."""


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Take the entry point's name too: `-p gateway.cli.pytest_plugin` may come before the entry point.

    pytest would otherwise register the same module a second time and give up.
    """
    if not pluginmanager.has_plugin(NAME):
        pluginmanager.register(Known(), NAME)


class FlowTestFailedError(Exception):
    """A case does not hold; its text is shown instead of a traceback."""


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> FlowTestFile | None:
    """Collect test files that stand in a folder `flows`."""
    if file_path.name.endswith(TEST_ENDING) and file_path.parent.name == "flows":
        file: FlowTestFile = FlowTestFile.from_parent(parent, path=file_path)
        return file
    return None


def flows_of(config: pytest.Config, root: Path) -> FlowSet:
    """Return the flows of a project; a project with errors is a collection error with its report."""
    known = config.stash.setdefault(LOADED, {})
    if root not in known:
        try:
            files = read_project(root)
        except ProjectError as error:
            raise pytest.Collector.CollectError(str(error)) from error
        flows, report = load_checked(files.texts)
        if flows is None:
            raise pytest.Collector.CollectError(report_text(report, files.texts))
        known[root] = flows
    return known[root]


class FlowTestFile(pytest.File):
    """One test file."""

    def collect(self) -> Iterator[FlowTest]:
        """Read the cases."""
        root = self.path.parent.parent
        flows = flows_of(self.config, root)
        file = str(self.path.relative_to(root))
        report = Report()
        source = read_text(self.path)
        suite = read_suite(source, file, flows, report)
        if report.has_errors:
            raise self.CollectError(report_text(report, {file: source}))
        for case in suite.cases:
            item: FlowTest = FlowTest.from_parent(self, name=case.name, case=case, flows=flows, source=source)
            yield item


class FlowTest(pytest.Item):
    """One case."""

    def __init__(self, *, case: Case, flows: FlowSet, source: str, **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type]  # pytest passes name and parent
        self.case = case
        self.flows = flows
        self.source = source

    def runtest(self) -> None:
        """Play it."""
        outcome: Outcome = play(self.flows, self.case)
        if outcome.failure is not None:
            transcript = "\n".join(f"  {line}" for line in outcome.transcript)
            raise FlowTestFailedError(f"{failure_text(outcome, self.source)}\n\ntranscript:\n{transcript}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> str:  # type: ignore[override]
        """Show the case, not the player."""
        if isinstance(excinfo.value, FlowTestFailedError):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        """Point to the line of the case."""
        return self.path, self.case.place.line - 1, self.case.name
