"""The documents of tests/diagnostics/checks: flows, what is reported about them, and sound near twins.

`## title` is a case with findings, `### title` behind it its twin. Flows stand in blocks ```yaml name; the
project around them is in the folder `config` beside the documents.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from engine.reading.checks.project import load_checked
from engine.reading.diagnostic import Diagnostic, Severity

FOLDER = Path(__file__).parents[2] / "diagnostics" / "checks"
BLOCK = re.compile(r"^```yaml (\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXPECTED = re.compile(r"^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
AROUND = {
    "config/project.yaml": (FOLDER / "config" / "project.yaml").read_text("utf-8"),
    "config/backends.yaml": (FOLDER / "config" / "backends.yaml").read_text("utf-8"),
    "flows/settled.yaml": (FOLDER / "config" / "settled.yaml").read_text("utf-8"),
}


@dataclass(frozen=True)
class Document:
    """One case: `twin` tells that it is the sound one of a pair."""

    check: str
    title: str
    twin: bool
    flows: dict[str, str]
    expected: list[str]

    @property
    def id(self) -> str:
        return f"{self.check}: {self.title}"

    @property
    def codes(self) -> set[str]:
        return {line.split(": ")[0].rpartition(" ")[2] for line in self.expected}


def findings(flows: dict[str, str]) -> list[Diagnostic]:
    """Return what is found in flows by name, without operations of the shared project that nobody asks."""
    _, report = load_checked({**AROUND, **{f"flows/{name}.yaml": text for name, text in flows.items()}})
    return [found for found in report.diagnostics if found.place.file != "config/backends.yaml"]


def line_of(found: Diagnostic) -> str:
    place = found.place
    where = f"{PurePosixPath(place.file).stem}:{place.line}:{place.column}"
    return f"{where} {found.severity.value} {found.code}: {found.message}"


def documents() -> list[Document]:
    found = []
    for path in sorted(FOLDER.glob("*.md")):
        for part in re.split(r"^(?=###? )", path.read_text("utf-8"), flags=re.MULTILINE)[1:]:
            title, _, body = part.partition("\n")
            expected = EXPECTED.search(body)
            assert expected is not None, f"{path.name}: {title} says nothing of what is expected"
            flows = dict(BLOCK.findall(body))
            twin = title.startswith("###")
            found.append(Document(path.stem, title.strip("# "), twin, flows, expected[1].splitlines()))
    return found


def worst(found: list[Diagnostic]) -> list[Diagnostic]:
    return [one for one in found if one.severity is not Severity.HINT]
