"""Fixtures: a stage over a fresh copy of the shipped project."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.end_to_end.stage import Stage, staged


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """The whole chain with the project as it is shipped."""
    async with staged(tmp_path) as one:
        yield one
