"""Files in flows/ that are not read are named with their remedy, and what is right is passed over."""

from pathlib import Path

import pytest

from gateway.library import Library
from gateway.project_check import check_project
from gateway.project_files import read_project

FLOW = 'flow: { title: А, ussd: "*1#" }\nstart:\n  - end: Привет.\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "project.yaml").write_text(
        "language: 1\nlanguages: [ru]\nerrors: { ussd: { end: Позже. }, sms: { end: Позже. } }\n"
    )
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "a.yaml").write_text(FLOW)
    return tmp_path


def said(root: Path) -> list[tuple[str, str, str | None]]:
    _, report = check_project(read_project(root))
    return [
        (found.place.file, found.severity.value, found.help)
        for found in report.diagnostics
        if found.code == "not-read"
    ]


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("x.yml", "x.yaml"),
        ("x.test.yml", "x.test.yaml"),
        ("X.YAML", "x.yaml"),
        ("My Flow.yml", "my_flow.yaml"),
        ("1st.yml", "flow_1st.yaml"),
        ("x.yaml.txt", "x_yaml.yaml"),
        ("тариф.yml", "flow.yaml"),
        ("x", "x.yaml"),
    ],
)
def test_a_file_that_is_not_read_is_named_with_a_better_name(root: Path, name: str, better: str):
    (root / "flows" / name).write_text(FLOW)
    assert said(root) == [
        (f"flows/{name}", "warning", f"rename it to {better}; names are a-z, 0-9 and _, a letter first")
    ]


def test_a_flow_in_a_folder_and_a_link_are_named(root: Path):
    (root / "flows" / "more").mkdir()
    (root / "flows" / "more" / "b.yaml").write_text(FLOW)
    (root / "flows" / "c.yaml").symlink_to(root / "flows" / "a.yaml")
    assert said(root) == [
        ("flows/c.yaml", "warning", "put the file itself here; links are passed over"),
        ("flows/more/b.yaml", "warning", "move it to flows/b.yaml"),
    ]


def test_notes_texts_sounds_and_hidden_files_are_nobodys_business(root: Path):
    for name in (".x.yml", "a.yaml~", "a.yaml.bak", "README.md", "sounds/ru/a.wav", "texts/en.yaml"):
        file = root / "flows" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")
    assert said(root) == []


def test_a_running_gateway_notices_such_a_file(root: Path):
    library = Library(root)
    told: list[int] = []
    library.listeners.append(lambda one: told.append(len(one.report)))
    (root / "flows" / "x.yml").write_text(FLOW)
    library.look()
    assert told == [1]
