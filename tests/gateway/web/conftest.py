"""Fixtures: the pages of a gateway on paper, on a port of loopback."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.gateway.host.rig import Rig, rigged
from tests.gateway.web.door import Door, lay_out_events, opened


@pytest.fixture
async def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    lay_out_events(tmp_path)
    async with rigged(tmp_path, monkeypatch) as one:
        yield one


@pytest.fixture
async def door(rig: Rig) -> AsyncIterator[Door]:
    async with aiohttp.ClientSession() as client, opened(rig, client) as one:
        yield one
