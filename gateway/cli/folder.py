"""The folder of a project, as commands are told it."""

from __future__ import annotations

from pathlib import Path

import click

FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)
in_project = click.option(
    "--project", type=FOLDER, default=".", help="Folder of the project.  [default: this one]"
)
"""For commands that act in a project, and take its folder as an option beside their own arguments."""
