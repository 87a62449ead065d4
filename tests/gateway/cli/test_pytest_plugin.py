"""Flow tests collected by pytest, in a process of its own: by its option, by the entry point, by both."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parents[3]


@pytest.fixture
def installed(tmp_path_factory):
    """A folder that looks like an installed distribution with our entry point."""
    folder = tmp_path_factory.mktemp("site")
    info = folder / "gudok_sample-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gudok-sample\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[pytest11]\ngudok = gateway.cli.pytest_plugin\n")
    return folder


def pytest_in(root, *arguments, path=()):
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    environment["PYTHONPATH"] = os.pathsep.join([str(HERE), *map(str, path)])
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "-q", *arguments]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("by_option", [True, False])
def test_each_case_and_each_row_is_an_item(root, installed, by_option):
    option = ("-p", "gateway.cli.pytest_plugin") if by_option else ()
    status, output = pytest_in(root, "--collect-only", *option, "flows", path=(installed,))
    assert status == 0, output
    items = [line.partition("::")[2] for line in output.splitlines() if "::" in line]
    assert items == [
        "Куплено",
        "Иначе [1, answer: low]",
        "Иначе [2, answer: unknown]",
        "Итог",
    ]


def test_a_failure_shows_the_case_and_no_traceback(root, edit):
    edit("flows/buy.yaml", "end: Куплено.", "end: Продано.")
    status, output = pytest_in(root, "-p", "gateway.cli.pytest_plugin", "flows")
    assert status == 1
    assert ">    4 |     - see: Куплено." in output
    assert "  seen:     Продано." in output
    assert "  < Продано." in output
    assert "Traceback" not in output
    assert "1 failed, 3 passed" in output


def test_a_project_with_errors_is_an_error_of_collection(root, edit):
    edit("flows/buy.yaml", "request: b.buy", "request: b.bye")
    status, output = pytest_in(root, "-p", "gateway.cli.pytest_plugin", "flows")
    assert status == 2
    assert 'there is no operation "b.bye"; did you mean "b.buy"? [no-op]' in output
