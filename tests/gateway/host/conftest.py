"""Fixtures: a gateway on paper."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.gateway.host.rig import Rig, rigged


@pytest.fixture
async def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    async with rigged(tmp_path, monkeypatch) as one:
        yield one
