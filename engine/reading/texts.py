"""The texts of a flow set that subscribers see or hear, and their translations in `texts/<lang>.yaml`.

A translation is keyed by the source text as it stands in the flow; a menu label by itself, without its key.
What is missing, stale or wrong in a translation is for the checks to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from engine.expressions import Template
from engine.flow import Project, SourceText
from engine.flow_set import FlowSet
from engine.reading.diagnostic import Place, Report
from engine.reading.tree import Empty, Table, Text, describe
from engine.reading.yaml_text import read_tree

PROJECT_FILE = "config/project.yaml"
FOLDERS = ("texts/", "flows/texts/")


def variables_of(template: Template) -> frozenset[str]:
    """Return what the values of a text name: `p.fee`, `caller`, `expected_wait`."""
    paths = {".".join(use.path or (use.name,)) for use in template.uses}
    roots = {use.name for use in template.uses}
    return frozenset(paths | (template.words - roots))


def source_texts(flows: FlowSet) -> tuple[SourceText, ...]:
    """Return every text of the set, each place once: those of flows, then the project's own."""
    found: dict[Place, SourceText] = {}
    for flow in flows.flows.values():
        for text in flow.texts:
            found.setdefault(text.place, text)
    texts = list(found.values())
    project = flows.project
    place = Place(PROJECT_FILE, 1, 1)
    lines = [project.ussd_late, project.ussd_unknown]
    if project.sms_stop:  # without a stop list nobody says STOP to us
        lines.append(project.sms_stopped)
    return (*texts, *(SourceText(line, place, frozenset(), "") for line in lines))


def is_texts_file(name: str) -> bool:
    """Whether a file is a table of translations."""
    path = PurePosixPath(name)
    return f"{path.parent}/" in FOLDERS and path.suffix == ".yaml"


def read_texts(files: Mapping[str, str], project: Project, report: Report) -> dict[str, dict[str, Text]]:
    """Read all translations: by language, by source text. What is wrong is reported and left out.

    A file for a language that the project does not have is passed over.
    """
    found: dict[str, dict[str, Text]] = {}
    for name in sorted(files):
        if not is_texts_file(name) or not files[name].strip():
            continue
        language = PurePosixPath(name).stem
        if language not in project.languages[1:]:
            if language == project.languages[0]:
                report.error(
                    "type",
                    f'"{language}" is the language of the flows: their texts stand in them',
                    Place(name, 1, 1),
                    help="take the file away",
                )
            continue
        tree = read_tree(files[name], name, report)
        if tree is None or isinstance(tree, Empty):  # nothing but comments: nobody has translated yet
            continue
        if not isinstance(tree, Table):
            report.error("type", f"expected texts with their translations, not {describe(tree)}", tree)
            continue
        _entries(tree, found.setdefault(language, {}), report)
    return found


def _entries(table: Table, texts: dict[str, Text], report: Report) -> None:
    for entry in table:
        source = entry.key.value.strip()
        if not isinstance(entry.value, Text) or not entry.value.value.strip():
            report.error(
                "type",
                "expected the translation, a text",
                entry.value,
                help="leave the line out if there is none",
            )
        elif source in texts:
            report.twice(source, entry.key, texts[source])
        else:
            texts[source] = entry.value
