"""`gudok init`: a project to begin with, and nothing of anybody's overwritten."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from click.testing import CliRunner

from gateway.cli import main
from gateway.cli.init import PARTS, SAMPLE

ROOT = Path(__file__).parents[2]


def test_a_project_is_laid_out(tmp_path: Path):
    done = CliRunner().invoke(main, ["init", str(tmp_path / "new" / "mine")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "new" / "mine" / "flows" / "refresh_package.yaml").is_file()
    assert (tmp_path / "new" / "mine" / "config" / "dialects" / "standard.yaml").is_file()
    assert not list((tmp_path / "new").rglob(".*"))


def test_what_is_there_stays(tmp_path: Path):
    flow = tmp_path / "flows" / "mine.yaml"
    flow.parent.mkdir()
    flow.write_text("flow: {}\n")
    done = CliRunner().invoke(main, ["init", str(tmp_path)])
    assert done.exit_code == 1
    assert "has flows/ already" in done.output
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["mine.yaml"]


def test_a_folder_with_other_things_may_be_used(tmp_path: Path):
    (tmp_path / "README").write_text("mine\n")
    assert CliRunner().invoke(main, ["init", str(tmp_path)]).exit_code == 0
    assert (tmp_path / "README").read_text() == "mine\n"


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    done = CliRunner().invoke(main, ["init", str(tmp_path / "file" / "mine")])
    assert done.exit_code == 1
    assert "Not a directory" in done.output
    assert "Traceback" not in done.output


def test_only_what_comes_with_gudok_is_copied(tmp_path: Path, monkeypatch):
    checkout = tmp_path / "checkout"
    for part in PARTS:
        shutil.copytree(ROOT / part, checkout / part)
    (checkout / "flows" / "my_own.yaml").write_text("flow: {}\n")
    monkeypatch.setattr("gateway.cli.init.sample", lambda: checkout)
    done = CliRunner().invoke(main, ["init", str(tmp_path / "mine")])
    assert done.exit_code == 0, done.output
    laid = {
        str(file.relative_to(tmp_path / "mine"))
        for file in (tmp_path / "mine").rglob("*.*")
        if file.is_file()
    }
    assert laid == set(SAMPLE)


def test_a_sample_flow_has_its_place_in_the_list():
    """What is not in the list is not laid out: flows, tests and settings that are tracked must be in it."""
    listed = subprocess.run(
        ["git", "ls-files", *PARTS], cwd=ROOT, capture_output=True, text=True, check=False
    )
    tracked = {name for name in listed.stdout.splitlines() if (ROOT / name).is_file()}
    assert tracked <= set(SAMPLE)
    assert all((ROOT / name).is_file() for name in SAMPLE)
