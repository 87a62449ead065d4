"""The repository as a whole: what stands where, and that it is at home on any machine."""

from __future__ import annotations

import re

import pytest

from engine.testing.rehearsal import rehearse
from gateway.project_check import check_project
from gateway.project_files import read_project
from tests.architecture.tree import PACKAGES, ROOT, files

TOP = {
    ".ci",
    ".gitignore",
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "asterisk-dialplan",
    "benchmarks",
    "config",
    "deploy",
    "docs",
    "engine",
    "flows",
    "gateway",
    "ivr",
    "pyproject.toml",
    "smpp",
    "tests",
    "ussd",
}
DATA = ("flows", "config", "tests", "asterisk-dialplan", "docs", "deploy")
LOCKS = {
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "uv.lock",
    "poetry.lock",
    "Pipfile.lock",
    ".npmrc",
}
TEXT_LIMIT = 2 << 20

# Put together here, so that this file does not find itself.
MACHINE = re.compile(
    "|".join(
        (
            "/ro" + r"ot/",
            "/ho" + r"me/[a-z]",
            "/Use" + r"rs/[a-z]",
            "/wo" + r"rk/(main|shared)",
            "/tm" + r"p/gudok",
            r"\.py" + "env",
        )
    )
)
REGISTRY = re.compile(
    "|".join(
        (
            "py" + r"pi\.org",
            "python" + "hosted",
            "npm" + r"js\.(org|com)",
            "index" + "-url",
            "artifact" + "ory",
            "devp" + "i/",
            "deb" + r"ian\.(org|net)",
            "ubuntu" + r"\.com",
            "dl-c" + r"dn\.",
        )
    )
)


def texts() -> list[tuple[str, str]]:
    found = []
    for path in files():
        data = path.read_bytes()
        if b"\0" not in data and len(data) <= TEXT_LIMIT:
            found.append((str(path.relative_to(ROOT)), data.decode("utf-8", errors="replace")))
    return found


def test_the_top_level_is_the_table_of_contents():
    assert {path.relative_to(ROOT).parts[0] for path in files()} <= TOP
    missing = [name for name in TOP if not (ROOT / name).exists()]
    assert not missing


def test_every_package_of_the_wheel_is_a_typed_package():
    for package in PACKAGES:
        assert (ROOT / package / "__init__.py").is_file()
        assert (ROOT / package / "py.typed").is_file()


@pytest.mark.parametrize("folder", DATA)
def test_data_and_tests_are_no_packages(folder: str):
    assert not [path for path in files() if path.name == "__init__.py" and path.is_relative_to(ROOT / folder)]


def test_no_file_knows_the_machine_it_was_written_on():
    assert not [
        f"{name}:{text.count(chr(10), 0, match.start()) + 1} {match[0]}"
        for name, text in texts()
        for match in MACHINE.finditer(text)
    ]


def test_no_file_names_a_package_registry():
    """Whoever installs decides where packages come from; a lock file would decide for him."""
    assert not [path for path in files() if path.name in LOCKS]
    assert not [
        f"{name}:{text.count(chr(10), 0, match.start()) + 1} {match[0]}"
        for name, text in texts()
        for match in REGISTRY.finditer(text)
    ]


def test_nothing_large_or_compiled_is_kept():
    large = [str(path.relative_to(ROOT)) for path in files() if path.stat().st_size > TEXT_LIMIT]
    compiled = [
        str(path.relative_to(ROOT)) for path in files() if path.suffix in {".pyc", ".so", ".o", ".db", ".whl"}
    ]
    assert not large
    assert not compiled


def test_every_shipped_flow_is_run_by_the_tests_beside_it():
    project = read_project(ROOT)
    flows, report = check_project(project)
    assert flows is not None, report.diagnostics
    played = rehearse(flows, project.tests, "")
    assert not played.failed
    assert played.coverage.missing == ()
