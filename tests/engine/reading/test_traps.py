"""Each YAML trap is a document in tests/diagnostics/reading: a source and what is reported about it."""

import re
from pathlib import Path

import pytest
import yaml

from engine.reading import yaml_text
from engine.reading.diagnostic import Report
from engine.reading.yaml_text import read_tree

DOCUMENTS = Path(__file__).parents[2] / "diagnostics" / "reading"
CASE = re.compile(
    r"^## (?P<title>.+)\n```yaml\n(?P<source>.*?)```\n```text\n(?P<expected>.*?)```", re.MULTILINE | re.DOTALL
)
SEEN = str.maketrans({"⇥": "\t", "␀": "\0", "␛": "\x1b", "␤": "\u2028"})


def cases():
    for name in ("signs", "comments", "structure", "keys"):
        for match in CASE.finditer((DOCUMENTS / f"{name}.md").read_text("utf-8")):
            yield pytest.param(
                match["source"].translate(SEEN),
                match["expected"].splitlines(),
                id=f"{name}: {match['title']}",
            )


def found(source):
    report = Report()
    read_tree(source, "f.yaml", report)
    return [(f"{d.place.line}:{d.place.column} {d.code}: ", d.message) for d in report.diagnostics], report


@pytest.mark.parametrize(("source", "expected"), list(cases()))
def test_a_trap_is_reported_where_it_is_with_its_remedy(source, expected):
    reported, _ = found(source)
    assert len(reported) == len(expected), reported
    for (where, message), line in zip(reported, expected, strict=True):
        assert line.startswith(where), reported
        assert line.removeprefix(where) in message


@pytest.mark.parametrize(("source", "expected"), list(cases()))
def test_windows_line_ends_and_a_byte_order_mark_change_no_place(source, expected):
    plain, _ = found(source)
    windows, _ = found("\ufeff" + source.replace("\n", "\r\n"))
    assert windows == plain


@pytest.mark.parametrize(("source", "expected"), list(cases()))
def test_without_libyaml_the_same_lines_are_reported(source, expected, monkeypatch):
    monkeypatch.setattr(yaml_text, "_LOADER", yaml.Loader)
    reported, _ = found(source)
    assert bool(reported) == bool(expected), reported
    lines = {where.split(":")[0] for where, _ in reported}
    assert lines <= {line.split(":")[0] for line in expected}, reported
    assert not [message for _, message in reported if "YAML cannot read" in message]
