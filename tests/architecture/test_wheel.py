"""The wheel: built without a network, installed in a fresh environment, used from another folder."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from gateway import __version__
from tests.architecture.tree import PACKAGES, ROOT, files

SHARED = ("flows", "config", "asterisk-dialplan")


def run(*command: str | Path, cwd: Path) -> str:
    """Run a program with an environment that knows nothing of this checkout; its output, or a failure."""
    clean = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**clean, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel in it; the libraries are those of the test environment."""
    home = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(home, symlinks=True, with_pip=False)
    run(
        sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", home / "bin" / "python",
        "install", "--no-deps", "--no-index", "--quiet", wheel,
        cwd=home,
    )  # fmt: skip
    site = Path(
        run(
            home / "bin" / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=home
        ).strip()
    )
    borrowed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    # Only the path, not a `.pth` of that folder: an editable gudok there must not be found through ours.
    (site / "zz_test_environment.pth").write_text("".join(f"{path}\n" for path in sorted(borrowed)))
    return home


def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_the_wheel_holds_the_five_packages_and_nothing_else(wheel: Path):
    top = {name.partition("/")[0] for name in names(wheel)}
    assert top == {*PACKAGES, f"gudok-{__version__}.dist-info"}


def test_the_wheel_carries_every_module_and_the_sample_project(wheel: Path):
    there = set(names(wheel))
    wanted = set()
    for path in files():
        parts = path.relative_to(ROOT).parts
        if parts[0] in PACKAGES:
            wanted.add("/".join(parts))
        elif parts[0] in SHARED and not path.name.startswith("."):
            wanted.add("/".join(("gateway", "share", *parts)))
    assert not wanted - there
    assert not {name for name in there if "__pycache__" in name or name.endswith(".pyc") or "/tests/" in name}


def test_the_wheel_says_what_it_is(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(f"gudok-{__version__}.dist-info/METADATA").decode()
        scripts = archive.read(f"gudok-{__version__}.dist-info/entry_points.txt").decode()
    metadata = Parser().parsestr(text)
    assert (metadata["Name"], metadata["Version"]) == ("gudok", __version__)
    assert metadata["Requires-Python"] == ">=3.11"
    assert "gudok = gateway.cli:main" in scripts


def test_gudok_runs_from_the_root_folder(installed: Path):
    assert __version__ in run(installed / "bin" / "gudok", "--version", cwd=Path("/"))


def test_the_installed_program_is_not_the_checkout(installed: Path):
    place = run(installed / "bin" / "python", "-c", "import gateway; print(gateway.__file__)", cwd=Path("/"))
    assert Path(place.strip()).is_relative_to(installed)


def test_init_lays_out_a_project_that_passes_its_own_tests(installed: Path, tmp_path: Path):
    project = tmp_path / "mine"
    gudok = installed / "bin" / "gudok"
    said = run(gudok, "init", project, cwd=Path("/"))
    assert f"gudok check {project}" in said
    for name in SHARED:
        assert (project / name).is_dir()
    run(gudok, "check", project, cwd=Path("/"))
    run(gudok, "test", project, "--min-cover", "90", cwd=Path("/"))
