"""How the site is built from the pages of this folder: `make docs`. Nothing is fetched from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

project = "Gudok"
author = "the authors of Gudok"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "Gudok"
html_show_sphinx = False
html_copy_source = False
html_theme_options: dict[str, Any] = {"footer_icons": []}
myst_heading_anchors = 3
nitpicky = True
smartquotes = False

CHAPTERS = {
    "index": ("tutorial", "language", "how-to/index", "reference/index", "operate", "how-it-works"),
    "reference/index": (
        "reference/verbs/index",
        "reference/header/index",
        "reference/functions/index",
        "reference/checks/index",
        "reference/settings/index",
        "reference/commands/index",
    ),
}
"""Pages that lead to chosen pages; any other index leads to all pages of its folder."""


def add_tree(_: object, name: str, source: list[str]) -> None:
    """Put the table of contents behind an index page, where readers of the plain files do not see it."""
    if name != "index" and not name.endswith("/index"):
        return
    folder = (HERE / name).parent
    inside = sorted(path.stem for path in folder.glob("*.md") if path.stem != "index")
    pages = CHAPTERS.get(name) or tuple(f"{name.rpartition('/')[0]}/{one}" for one in inside)
    listed = "\n".join(f"/{page}" for page in pages)
    source[0] += f"\n```{{toctree}}\n:hidden:\n\n{listed}\n```\n"


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("source-read", add_tree)
