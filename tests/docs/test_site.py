"""The site is built without a warning: every page is in a table of contents, every link leads somewhere."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.document import ROOT

TOOLS = ("sphinx", "myst_parser", "furo")
MISSING = [name for name in TOOLS if importlib.util.find_spec(name) is None]
LOADED = re.compile(r"""<(?:script|img|iframe|link)\b[^>]*\b(?:src|href)=["'](https?:)?//""")
IMPORTED = re.compile(r"""(?:@import\s+|url\()\s*["']?(?:https?:)?//""")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert not MISSING, f"{', '.join(MISSING)} missing: pip install -e '.[docs]'"
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q", "-E"]
    command += ["-d", str(folder / "trees"), str(ROOT / "docs"), str(folder / "html")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder / "html"


def test_every_page_is_there(site: Path):
    pages = [path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")]
    assert len(pages) > 150
    assert not [page for page in pages if not (site / page).is_file()]


def test_nothing_is_loaded_from_elsewhere(site: Path):
    """No fonts, scripts or pictures of other hosts: the site works on a machine without the Internet."""
    for path in site.rglob("*.html"):
        assert LOADED.search(path.read_text(encoding="utf-8")) is None, path
    for path in site.rglob("*.css"):
        assert IMPORTED.search(path.read_text(encoding="utf-8")) is None, path
