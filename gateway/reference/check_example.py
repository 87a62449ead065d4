"""Examples of what checks find: flows with findings and their sound near twins, from documents of the tests.

In a document `## title` is a case and `### title` behind it its twin; ```yaml name is a flow. An installed
Gudok has no such documents; its pages of checks then have no examples.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import gateway
from engine.reading.checks.project import load_checked
from engine.reading.diagnostic import Diagnostic, Report
from engine.reading.report import report_text

TREE = Path(gateway.__file__).resolve().parents[1]
FOLDERS = (TREE / "tests" / "diagnostics" / "checks", TREE / "tests" / "docs" / "codes")
_AROUND = {
    "config/project.yaml": "project.yaml",
    "config/backends.yaml": "backends.yaml",
    "flows/settled.yaml": "settled.yaml",
}
_BLOCK = re.compile(r"^```yaml ([\w/]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SOUNDS = re.compile(r"^```sounds\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Example:
    """One case: its files by name as the author sees them, and what is found in them."""

    document: str
    title: str
    twin: bool
    files: Mapping[str, str]
    found: tuple[Diagnostic, ...]

    def printed(self, code: str) -> str:
        """Return what `gudok check` prints of one code, without the summary."""
        report = Report()
        for one in self.found:
            if one.code == code:
                report.add(one)
        return report_text(report, self.files).rpartition("\n\n")[0]


@cache
def examples() -> tuple[Example, ...]:
    """Return all cases; none where the documents are not there."""
    around = _around()
    if not around:
        return ()
    paths = (path for folder in FOLDERS for path in sorted(folder.glob("*.md")))
    return tuple(example for path in paths for example in _read(path, around))


def pair(code: str, owners: Iterable[str]) -> tuple[Example, Example | None] | None:
    """Return the first case with a code, and its twin; a document of its own check goes first."""
    cases = examples()
    own = set(owners)
    found = [
        (number, case)
        for number, case in enumerate(cases)
        if not case.twin and any(one.code == code for one in case.found)
    ]
    if not found:
        return None
    number, case = min(found, key=lambda one: (one[1].document not in own, len(one[1].found), one[0]))
    following = cases[number + 1] if number + 1 < len(cases) else None
    return case, following if following is not None and following.twin else None


def _around() -> dict[str, str]:
    folder = FOLDERS[0] / "config"
    if not folder.is_dir():
        return {}
    return {name: (folder / file).read_text(encoding="utf-8") for name, file in _AROUND.items()}


def _read(path: Path, around: Mapping[str, str]) -> Iterable[Example]:
    for part in re.split(r"^(?=###? )", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        title, _, body = part.partition("\n")
        files = {
            f"{name}.yaml" if "/" in name else f"flows/{name}.yaml": text
            for name, text in _BLOCK.findall(body)
        }
        sounds = _SOUNDS.search(body)
        _, report = load_checked({**around, **files}, None if sounds is None else tuple(sounds[1].split()))
        found = tuple(
            one for one in report.diagnostics if one.place.file in files or one.place.file not in around
        )
        yield Example(path.stem, title.strip("# "), title.startswith("###"), files, found)
