"""The schemas for editors: every file we ship passes them, and a misspelt field is named where it stands."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from engine.steps import VERBS
from gateway.authoring.schema import SCHEMAS
from gateway.cli import main

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted([*(ROOT / "flows").glob("*.yaml"), *(ROOT / "flows" / "texts").glob("*.yaml"),
                *(ROOT / "texts").glob("*.yaml"), *(ROOT / "config").glob("*.yaml")])  # fmt: skip


class Editor(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """YAML as an editor reads it: the core schema of YAML 1.2, where bare digits are numbers."""


Editor.yaml_implicit_resolvers = {}
for tag, pattern, first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
):
    Editor.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(rf"^(?:{pattern})$"), first)
Editor.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(node.value))


def read(text: str) -> Any:
    return json.loads(json.dumps(yaml.load(text, Editor), default=str))


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(SCHEMAS[name][0]())


def schema_of(path: Path) -> str | None:
    file = path.relative_to(ROOT).as_posix()
    for name, (_, patterns) in SCHEMAS.items():
        wanted = [pattern for pattern in patterns if not pattern.startswith("!")]
        refused = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
        fits = any(fnmatch(file, one) and file.count("/") == one.count("/") for one in wanted)
        if fits and not any(fnmatch(file, one) for one in refused):
            return name
    return None


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_the_schema_is_one(name: str):
    Draft202012Validator.check_schema(SCHEMAS[name][0]())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_shipped_file_passes(path: Path):
    name = schema_of(path)
    assert name is not None
    errors = list(validator(name).iter_errors(read(path.read_text(encoding="utf-8"))))
    assert not [f"{list(error.absolute_path)}: {error.message}" for error in errors]


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_the_example_of_every_verb_passes(verb: str):
    text = "flow: { title: т }\nstart:\n" + "\n".join(f"  {line}" for line in VERBS[verb].EXAMPLE.split("\n"))
    assert not list(validator("flow").iter_errors(read(text)))


def test_no_verb_is_the_field_of_another():
    """Else a step would be taken for two verbs at once."""
    fields = {(verb, field.name) for verb, kind in VERBS.items() for field in kind.FIELDS[1:]}
    assert not [(verb, name) for verb, name in fields if name in VERBS]


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("  - ask: Код?\n    digit: 6", ["start", 0], "digit"),
        ("  - menu: Что?\n    1 Да:\n      - say: да\n        timout: 5s", ["start", 0, "1 Да", 0], "timout"),
        (
            "  - request: b.x\n    errors:\n      unknown:\n        ende: Нет",
            ["start", 0, "errors", "unknown"],
            "ende",
        ),
        ("  - ask: Код?\n    type: digit", ["start", 0, "type"], "digit"),
        ("  - when:\n      a > 1:\n        - go: 5", ["start", 0, "when", "a > 1", 0, "go"], "5"),
    ],
)
def test_a_fault_is_named_at_its_place(text: str, place: list[str | int], words: str):
    found = list(validator("flow").iter_errors(read(f"flow: {{ title: т }}\nstart:\n{text}\n")))
    assert any(list(error.absolute_path) == place and words in error.message for error in found)


def test_a_fault_in_the_header_and_in_the_settings():
    assert list(validator("flow").iter_errors(read("flow: { titel: т }\nstart:\n  - end: т\n")))
    assert list(validator("flow").iter_errors(read("start:\n  - end: т\n")))
    assert list(validator("project").iter_errors(read("language: 1\nlanguages: [ru]\nqueue: {}\n")))
    assert list(validator("backends").iter_errors(read("b:\n  x: { get: /x, chrage: yes }\n")))
    assert list(validator("test").iter_errors(read("tests:\n  т:\n    - dail: '*1#'\n")))


def test_the_command_prints_one_and_writes_all(tmp_path: Path):
    run = CliRunner()
    assert json.loads(run.invoke(main, ["schema", "test"]).output)["title"] == "tests of flows"
    result = run.invoke(main, ["schema", "--output", str(tmp_path / "s")])
    assert result.exit_code == 0
    assert '"yaml.schemas"' in result.output
    assert sorted(path.name for path in (tmp_path / "s").iterdir()) == [
        f"{name}.schema.json" for name in sorted(SCHEMAS)
    ]
    assert '"flows/*.test.yaml"' in result.output


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path):
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(main, ["schema", "-o", str(tmp_path / "file" / "s")])
    assert result.exit_code == 1
    assert "cannot be written" in result.output
