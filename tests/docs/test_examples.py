"""Whoever follows README.md or docs/first-flow.md word by word sees what the page says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import main
from tests.docs.document import ROOT, Saved, Typed, pattern, steps

PAGES = ("README.md", "docs/first-flow.md")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project that the demo of the page is running on."""
    for folder in ("flows", "config"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", PAGES)
def test_the_page_can_be_followed(page: str, project: Path):
    for step in steps(ROOT / page):
        match step:
            case Saved(path, text):
                (project / path).write_text(text, encoding="utf-8")
            case Typed(arguments, printed):
                done = CliRunner().invoke(main, arguments)
                assert done.exception is None or isinstance(done.exception, SystemExit)
                assert pattern(printed).fullmatch(done.output), f"{arguments} printed:\n{done.output}"
                assert bool(done.exit_code) == (" error: " in printed)
    assert CliRunner().invoke(main, ["check"]).exit_code == 0, "the page ends with a flow that does not pass"


def test_the_tutorial_shows_a_mistake_and_its_remedy():
    """The page is only worth running while it holds what a reader needs to see."""
    done = steps(ROOT / "docs/first-flow.md")
    typed = [step for step in done if isinstance(step, Typed)]
    assert any("[charge-unknown]" in step.printed and "= help:" in step.printed for step in typed)
    assert any(step.arguments[0] == "test" for step in typed)
    assert sum(isinstance(step, Saved) for step in done) >= 4
