"""Whoever follows README.md, the tutorial or a how-to page word by word sees what the page says."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from tests.docs.document import ROOT, Saved, Typed, pattern, steps

FROM_EMPTY = frozenset({"docs/tutorial.md"})
"""Pages that begin in an empty folder; all others go on in a project with the shipped flows."""

PAGES = (
    "README.md",
    "docs/tutorial.md",
    *(f"docs/how-to/{path.name}" for path in sorted((ROOT / "docs/how-to").glob("*.md"))),
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


def lay_out(folder: Path) -> None:
    for part in ("flows", "config"):
        shutil.copytree(ROOT / part, folder / part)


def run(command: str, monkeypatch: pytest.MonkeyPatch) -> Result | None:
    """Run a command of the page; only `mkdir -p` and `cd` are none of ours."""
    name, *arguments = shlex.split(command)
    if name == "mkdir":
        assert arguments[0] == "-p"
        for folder in arguments[1:]:
            Path(folder).mkdir(parents=True)
        return None
    if name == "cd":
        monkeypatch.chdir(arguments[0])
        return None
    assert name == "gudok", command
    return CliRunner().invoke(main, arguments)


@pytest.mark.parametrize("page", PAGES)
def test_the_page_can_be_followed(page: str, project: Path, monkeypatch: pytest.MonkeyPatch):
    if page not in FROM_EMPTY:
        lay_out(project)
    todo = steps(ROOT / page)
    for step in todo:
        match step:
            case Saved(path, text):
                Path(path).parent.mkdir(parents=True, exist_ok=True)
                Path(path).write_text(text, encoding="utf-8")
            case Typed(command, printed):
                done = run(command, monkeypatch)
                if done is None:
                    assert not printed
                    continue
                assert done.exception is None or isinstance(done.exception, SystemExit)
                assert pattern(printed).fullmatch(done.output), f"{command} printed:\n{done.output}"
                assert bool(done.exit_code) == (" error: " in printed)
    if any(isinstance(step, Saved) for step in todo):
        done = CliRunner().invoke(main, ["check"])
        assert done.exit_code == 0, f"{page} ends with a flow that does not pass:\n{done.output}"


def test_the_tutorial_shows_a_mistake_and_its_remedy():
    """The page is only worth running while it holds what a reader needs to see."""
    done = steps(ROOT / "docs/tutorial.md")
    typed = [step for step in done if isinstance(step, Typed)]
    assert any("[charge-unknown]" in step.printed and "= help:" in step.printed for step in typed)
    for command in ("check", "phone", "test", "texts"):
        assert any(step.command.startswith(f"gudok {command}") for step in typed)
    assert sum(isinstance(step, Saved) for step in done) >= 10
