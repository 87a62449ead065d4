"""A test that is left out says why, and is a failure where nothing may be left out (tests/conftest.py)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT

MARKED = """
import pytest

@pytest.mark.node
def test_with_node():
    pass

def test_without():
    pass
"""
BY_HAND = """
import pytest

def test_left_out():
    pytest.skip("the moon is not full")
"""
WHOLE_MODULE = """
import pytest

pytest.skip("the sun is not up", allow_module_level=True)
"""


def run_pytest(folder: Path, source: str, *, required: bool, path: str = "/nowhere") -> tuple[int, str]:
    """Run one test file beside our conftest where no service is to be found."""
    shutil.copy(ROOT / "tests" / "conftest.py", folder / "conftest.py")
    (folder / "test_it.py").write_text(source)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    node: x\n    chromium: x\n")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("GUDOK_", "PYTEST_"))
    }
    environment |= {"PATH": path, "PYTHONPATH": ""} | ({"GUDOK_REQUIRE_SERVICES": "1"} if required else {})
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-ra", "-q", "-p", "no:cacheprovider", "."],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_missing_service_leaves_its_tests_out_and_names_the_remedy(tmp_path: Path):
    status, said = run_pytest(tmp_path, MARKED, required=False)
    assert status == 0
    assert "1 passed, 1 skipped" in said
    assert "left out: 1 tests. Node.js is missing: make test-services installs it." in said


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (MARKED, "Node.js is missing"),
        (BY_HAND, "the moon is not full"),
        (WHOLE_MODULE, "the sun is not up"),
    ],
)
def test_where_services_are_required_a_test_left_out_has_failed(tmp_path: Path, source: str, reason: str):
    status, said = run_pytest(tmp_path, source, required=True)
    assert status != 0
    assert f"left out, but GUDOK_REQUIRE_SERVICES is set: {reason}" in said.replace("Skipped: ", "")
    assert "skipped" not in said.splitlines()[-1]
