"""The sounds of calls in the running gateway: read anew with the flows, swept with the rest, counted."""

import asyncio
from array import array
from pathlib import Path

import aiohttp
import pytest

from engine.spoken import recording_name
from gateway import upkeep
from gateway.call_settings import AgiSettings
from gateway.speech.wave import written
from tests.gateway.host.rig import Rig, rigged
from tests.gateway.web.door import opened

TEXT = "Новый текст."


@pytest.fixture
def sound() -> bytes:
    return written(array("h", [1000] * 800))


def listen(rig: Rig) -> None:
    """Let the gateway take calls, without a synthesiser."""
    rig.gateway.telephony.listen(AgiSettings(port=0, speech="none"))


async def test_a_recording_is_heard_from_the_next_publishing_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sound: bytes
):
    async with rigged(tmp_path, monkeypatch) as rig:
        listen(rig)
        speaker = rig.gateway.speaker
        assert speaker is not None
        assert await speaker.files(TEXT, "ru") == ("beep",)
        path = tmp_path / f"flows/sounds/ru/{recording_name(TEXT)}.wav"
        path.parent.mkdir(parents=True)
        path.write_bytes(sound)
        rig.gateway._published(rig.gateway.library)
        await rig.idle()
        assert await speaker.files(TEXT, "ru") == (str(path).removesuffix(".wav"),)


async def test_the_cache_is_swept_and_the_sounds_are_in_the_metrics(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sound: bytes
):
    monkeypatch.setattr(upkeep, "TEND_EVERY_S", 0.0)
    monkeypatch.setattr(upkeep, "SWEEP_EVERY_S", 0.0)
    async with rigged(tmp_path, monkeypatch) as rig, aiohttp.ClientSession() as client:
        listen(rig)
        speaker = rig.gateway.speaker
        assert speaker is not None
        old = speaker._made.root / "ru" / "0123456789abcdef.wav"
        old.parent.mkdir(parents=True)
        old.write_bytes(sound)
        speaker._made.keep_s = -1e12
        async with asyncio.timeout(20):
            while not speaker.counts["swept"]:  # noqa: ASYNC110 - the housekeeping sets no event
                await asyncio.sleep(0)
        assert not old.exists()
        await speaker.files(TEXT, "ru")
        rig.gateway.links = {}  # those on paper count nothing
        async with opened(rig, client) as door:
            _, metrics = await door.get("/metrics")
        assert 'gudok_sounds_total{what="swept"} 1.0' in metrics
        assert 'gudok_sounds_total{what="fallback"} 1.0' in metrics
        assert "gudok_callbacks_placed 0.0" in metrics
