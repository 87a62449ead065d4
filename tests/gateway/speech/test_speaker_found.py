"""What was found for a text serves the next calls for a moment: never past a reload, never for a secret."""

from array import array
from pathlib import Path

import pytest

from engine.spoken import recording_name
from engine.values import Secret
from gateway.speech.folder import Made
from gateway.speech.speaker import Speaker
from gateway.speech.wave import written

TEXT = "Ваш баланс"


@pytest.fixture
def recording(tmp_path) -> Path:
    path = tmp_path / f"sounds/ru/{recording_name(TEXT)}.wav"
    path.parent.mkdir(parents=True)
    path.write_bytes(written(array("h", [1000] * 800)))
    return path


@pytest.fixture
def speaker(tmp_path, recording) -> Speaker:
    return Speaker([tmp_path / "sounds"], Made(tmp_path / "made"), None, lambda: 1_000_000.0)


def stem(recording: Path) -> tuple[str, ...]:
    return (str(recording).removesuffix(".wav"),)


async def test_a_text_that_many_calls_say_is_counted_in_each(speaker, recording):
    assert [await speaker.files(TEXT, "ru") for _ in range(3)] == [stem(recording)] * 3
    assert speaker.counts["recorded"] == 3


async def test_a_recording_that_has_gone_is_missed_after_a_reload(speaker, recording):
    assert await speaker.files(TEXT, "ru") == stem(recording)
    recording.unlink()
    speaker.reread()
    assert await speaker.files(TEXT, "ru") == ("beep",)


async def test_a_secret_is_looked_for_every_time(speaker, recording):
    assert await speaker.files(Secret(TEXT), "ru") == stem(recording)
    recording.unlink()
    assert await speaker.files(Secret(TEXT), "ru") == ("beep",)


async def test_a_text_is_found_for_its_own_language_only(tmp_path, recording):
    english = recording.parents[1] / "en" / recording.name
    english.parent.mkdir()
    english.write_bytes(recording.read_bytes())
    speaker = Speaker([tmp_path / "sounds"], Made(tmp_path / "made"), None, lambda: 1_000_000.0)
    assert await speaker.files(TEXT, "ru") == stem(recording)
    assert await speaker.files(TEXT, "en") == stem(english)
