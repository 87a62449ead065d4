"""The documents of tests/diagnostics/checks: flows, what is reported about them, and sound near twins.

`## title` is a case with findings, `### title` behind it its twin. Flows stand in blocks ```yaml name; the
project around them is in the folder `config` beside the documents. A block ```yaml config/project takes the
place of a file of it, ```yaml texts/en is a translation, ```sounds names recordings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from engine.reading.checks.project import load_checked
from engine.reading.diagnostic import Diagnostic, Severity

FOLDER = Path(__file__).parents[2] / "diagnostics" / "checks"
BLOCK = re.compile(r"^```yaml ([\w/]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SOUNDS = re.compile(r"^```sounds\n(.*?)^```$", re.MULTILINE | re.DOTALL)
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
    recordings: tuple[str, ...] | None = None

    @property
    def id(self) -> str:
        return f"{self.check}: {self.title}"

    @property
    def codes(self) -> set[str]:
        return {line.split(": ")[0].rpartition(" ")[2] for line in self.expected}


def file_of(name: str) -> str:
    return f"{name}.yaml" if "/" in name else f"flows/{name}.yaml"


def findings(document: Document) -> list[Diagnostic]:
    """Return what is found in a document, without what nobody uses of the shared project around it."""
    files = {file_of(name): text for name, text in document.flows.items()}
    _, report = load_checked({**AROUND, **files}, document.recordings)
    return [
        found for found in report.diagnostics if found.place.file in files or found.place.file not in AROUND
    ]


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
            sounds = SOUNDS.search(body)
            recordings = None if sounds is None else tuple(sounds[1].split())
            lines = expected[1].splitlines()
            found.append(Document(path.stem, title.strip("# "), twin, flows, lines, recordings))
    return found


def worst(found: list[Diagnostic]) -> list[Diagnostic]:
    return [one for one in found if one.severity is not Severity.HINT]
