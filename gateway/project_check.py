"""A project folder judged as a whole: its flows, and the files that look like flows and are not read.

`gudok check`, `gudok test` and the running gateway all ask here, so that they say the same.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from engine.flow_set import FlowSet
from engine.reading.checks.project import load_checked
from engine.reading.diagnostic import Place, Report
from engine.reading.file_name import ALLOWED, better_name
from gateway.project_files import ProjectFiles


def check_project(files: ProjectFiles) -> tuple[FlowSet | None, Report]:
    """Compile and check a project; the flow set is None if anything found is an error."""
    flows, report = load_checked(files.texts, files.recordings)
    for name in files.unread:
        _warn(name, report)
    return flows, report


def _warn(name: str, report: Report) -> None:
    path = PurePosixPath(name)
    what = f'"{path.name}" is not read: '
    if path.parent != PurePosixPath("flows"):
        what += "flows stand in flows/ itself"
        remedy = f"move it to flows/{better_name(path.name)}"
    elif path.name == better_name(path.name):
        what += "it is no regular file"
        remedy = "put the file itself here; links are passed over"
    else:
        what += "flows and their tests end in .yaml"
        remedy = f"rename it to {better_name(path.name)}; {ALLOWED}"
    report.warning("not-read", what, Place(name, 1, 1), help=remedy)
