"""The whole demo over a copy of the shipped flows."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.demo.show import Show

ROOT = Path(__file__).resolve().parents[3]


def lay_out(folder: Path) -> Path:
    """Copy the shipped flows; return the project."""
    project = folder / "project"
    for name in ("flows", "config"):
        shutil.copytree(ROOT / name, project / name)
    return project


@asynccontextmanager
async def playing(project: Path, data: Path) -> AsyncIterator[Show]:
    """Run the demo."""
    one = Show(project, data, os.environ, port=0)
    await one.start()
    try:
        yield one
    finally:
        await one.close()
