"""The flows that are in force: loaded from a project folder, looked after while they are edited.

A session keeps the build it began with; the library keeps every build that a session may still need. A
saved file with an error changes nothing: the build before it stays in force, and the report says what is
wrong. The folder is looked at, never watched, so it works on any file system.
"""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from engine.flow_set import FlowSet
from engine.reading.diagnostic import Report
from engine.reading.flow_set import load_project
from gateway.project_check import check_project
from gateway.project_files import ProjectError, Stamp, read_project, stamp

LOOK_EVERY_S = 0.3
"""A saved file is noticed within a second."""

Listener = Callable[["Library"], None]


class FlowsBrokenError(Exception):
    """The project has errors, so there is nothing to start with; `report` says which."""

    def __init__(self, report: Report, sources: Mapping[str, str]) -> None:
        super().__init__("the flows have errors")
        self.report = report
        self.sources = sources


class Library:
    """The builds of one project folder.

    `current` is what new sessions get; `report` and `sources` belong to the files as they are on disk now,
    which may be a later state with errors. `listeners` are called after each look that found a change.
    """

    def __init__(self, root: Path) -> None:
        """Load the project. Raises ProjectError, FlowsBrokenError."""
        self.root = root
        self.listeners: list[Listener] = []
        self.builds: dict[str, FlowSet] = {}
        self.report = Report()
        self.sources: Mapping[str, str] = {}
        self.problem: str | None = None
        self._stamp: Stamp | None = None
        self._log = structlog.get_logger()
        self._stamp = stamp(root)
        flows = self._load()
        if flows is None:
            raise FlowsBrokenError(self.report, self.sources)
        self.current = flows
        self.builds[flows.build] = flows

    def _load(self) -> FlowSet | None:
        files = read_project(self.root)
        self.sources = files.texts
        flows, self.report = check_project(files)
        return flows

    def look(self) -> bool:
        """Load again if a file has changed; True if new flows are in force."""
        try:
            seen = stamp(self.root)
            if seen == self._stamp:
                return False
            self._stamp = seen
            flows = self._load()
            self.problem = None
        except (ProjectError, OSError) as error:
            if self.problem != str(error):
                self.problem = str(error)
                self._log.error("flows_unreadable", reason=str(error))
                self._tell()
            return False
        changed = flows is not None and flows.build != self.current.build
        if flows is not None and changed:
            self.current = flows
            self.builds.setdefault(flows.build, flows)
            self._log.info("flows_published", build=flows.build, flows=len(flows.flows))
        elif flows is None:
            errors = [finding for finding in self.report.diagnostics if finding.severity.name == "ERROR"]
            self._log.error(
                "flows_refused", errors=len(errors), first=f"{errors[0].place}: {errors[0].message}"
            )
        self._tell()
        return changed

    def _tell(self) -> None:
        for listener in self.listeners:
            listener(self)

    async def watch(self) -> None:
        """Look again and again; cancel it to stop."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                self.look()
            except Exception:
                # A fault of ours in one look must not end the looking: the builds in force stay.
                self._log.error("flows_look_fault", exc_info=True)

    def pack_current(self) -> bytes:
        """Return the sources of the current build, for the store: sessions outlive a restart with it."""
        return zlib.compress(json.dumps(dict(self.current.sources), ensure_ascii=False).encode())

    def adopt(self, build: str, packed: bytes) -> bool:
        """Compile a build that the store has kept; False if this version cannot read it any more."""
        if build in self.builds:
            return True
        flows, _ = load_project(json.loads(zlib.decompress(packed)))
        if flows is None or flows.build != build:
            return False
        self.builds[build] = flows
        return True

    def drop_unused(self, used: set[str]) -> None:
        """Forget builds that no session holds; the current one stays."""
        for build in list(self.builds):
            if build not in used and build != self.current.build:
                del self.builds[build]
