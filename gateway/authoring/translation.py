"""Which texts of a project are translated, and a table of translations brought up to date.

`updated` changes a file by whole lines: it adds what is missing as comments that a translator fills in, and
marks what no flow says any more. What a translator has written, comments too, stays as it is; only the marks
are renewed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.flow_set import FlowSet
from engine.reading.checks.no_translation import has_words
from engine.reading.diagnostic import Place, Report
from engine.reading.report import source_lines
from engine.reading.suggestion import suggestion
from engine.reading.texts import source_texts
from engine.reading.tree import Table, plain_value
from engine.reading.yaml_text import read_tree

MISSING = "# untranslated: "
STALE = "# stale: "
LONGEST_KEY = 1_000
"""Characters of a key; YAML takes no longer ones."""

_OPEN = re.compile(r'# ("(?:[^"\\]|\\.)*"):\s*\Z')
_BEGUN = re.compile(r'#\s*("(?:[^"\\]|\\.)*"):\s*\S')


@dataclass(frozen=True, slots=True)
class Said:
    """A text that subscribers see or hear, with every place where it stands. `languages` need it."""

    text: str
    places: tuple[Place, ...]
    languages: frozenset[str]


@dataclass(frozen=True, slots=True)
class State:
    """How far a language is: texts without a translation, translations without a text."""

    language: str
    file: str
    missing: tuple[Said, ...]
    stale: Mapping[str, str]
    """Each with the text that is most like it, "" if none is."""


def said_texts(flows: FlowSet) -> tuple[Said, ...]:
    """Return the texts in the order of the files, each once; values alone need no translation."""
    places: dict[str, list[Place]] = {}
    languages: dict[str, set[str]] = {}
    for source in source_texts(flows):
        text = source.text.strip()
        if not text or not has_words(text):
            continue
        flow = flows.flows.get(source.flow)
        offered = flows.project.languages if flow is None else flow.languages
        places.setdefault(text, []).append(source.place)
        languages.setdefault(text, set()).update(offered[1:])
    said = [
        Said(text, tuple(sorted(found, key=_order)), frozenset(languages[text]))
        for text, found in places.items()
    ]
    return tuple(sorted(said, key=lambda one: _order(one.places[0])))


def _order(place: Place) -> tuple[str, int, int]:
    return place.file, place.line, place.column


def state_of(flows: FlowSet, said: Sequence[Said], language: str) -> State:
    """Return how far a language is."""
    known = flows.translations.get(language, {})
    missing = tuple(one for one in said if language in one.languages and one.text not in known)
    everything = {one.text for one in said}
    wordless = {source.text.strip() for source in source_texts(flows)}
    near: dict[str, str] = {}
    for source in known:
        if source not in everything and source not in wordless:
            near[source] = suggestion(source, (one.text for one in missing)) or ""
    return State(language, file_of(flows, language), missing, near)


def file_of(flows: FlowSet, language: str) -> str:
    """Return the file of a language: beside the flows if it, or another one, is there."""
    inside, outside = f"flows/texts/{language}.yaml", f"texts/{language}.yaml"
    if outside in flows.sources:
        return outside
    return inside if any(name.startswith("flows/texts/") for name in flows.sources) else outside


class NotUpdatedError(ValueError):
    """The file could not be changed without changing what it says."""


def updated(text: str, state: State) -> str:
    """Return the file with the marks of today. Raises NotUpdatedError."""
    before = plain_value(_tree(text, state.file))
    lines = _without_marks(source_lines(text)) if text.strip() else _heading(state.language)
    tree = _tree("\n".join(lines), state.file)
    stale = {
        entry.key.place.line - 1: state.stale[entry.key.value.strip()]
        for entry in tree
        if entry.key.value.strip() in state.stale
    }
    marked: list[str] = []
    for number, line in enumerate(lines):
        if number in stale:
            near = stale[number]
            marked.append(
                f"{STALE}the text is now {_quoted(near)}" if near else f"{STALE}no flow says this any more"
            )
        marked.append(line)
    while marked and not marked[-1].strip():
        marked.pop()
    marked += _to_do(state.missing, marked)
    changed = "\n".join(marked) + "\n"
    if plain_value(_tree(changed, state.file)) != before:
        raise NotUpdatedError(f"{state.file} is left as it is: its comments or quotes are not understood")
    return changed


def _heading(language: str) -> list[str]:
    return [f"# Texts in {language}; the key is the text as it stands in the flow."]


def _tree(text: str, file: str) -> Table:
    report = Report()
    tree = read_tree(text, file, report)
    if report.has_errors:
        raise NotUpdatedError(f"{report.diagnostics[0].place}: {report.diagnostics[0].message}")
    return tree if isinstance(tree, Table) else Table((), Place(file, 1, 1))


def _without_marks(lines: Sequence[str]) -> list[str]:
    """Return the lines without the marks of an earlier run and the lines nobody has filled in."""
    kept: list[str] = []
    for number, line in enumerate(lines):
        if line.startswith((STALE, MISSING)):
            continue
        if number and lines[number - 1].startswith(MISSING) and _OPEN.match(line):
            continue
        kept.append(line)
    return kept


def _to_do(missing: Sequence[Said], lines: Sequence[str]) -> list[str]:
    """Return the lines for what is missing; what a translator has begun as a comment is left to him."""
    begun = {_unquoted(match[1]) for line in lines if (match := _BEGUN.match(line))}
    found: list[str] = []
    for one in missing:
        if one.text in begun or len(one.text) > LONGEST_KEY:
            continue
        places = ", ".join(dict.fromkeys(f"{place.file}:{place.line}" for place in one.places[:3]))
        found += [f"{MISSING}{places}", f"# {_quoted(one.text)}:"]
    return ["", *found] if found else []


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _unquoted(text: str) -> str:
    try:
        return str(json.loads(text))
    except ValueError:
        return text
