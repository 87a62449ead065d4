"""Fixtures: a stage over a fresh copy of the shipped project; the demo, and a browser to look at it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.demo.show import Show
from tests.end_to_end.chromium import Browser, chromium
from tests.end_to_end.stage import Stage, staged
from tests.gateway.demo.playing import lay_out, playing


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """The whole chain with the project as it is shipped."""
    async with staged(tmp_path) as one:
        yield one


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[Browser]:
    async with chromium(tmp_path) as one:
        yield one


@pytest.fixture
async def show(tmp_path: Path) -> AsyncIterator[Show]:
    async with playing(lay_out(tmp_path), tmp_path / "data") as one:
        yield one
