"""From a text to files: recordings first, then speech made once, then the fallback; secrets leave nothing."""

from __future__ import annotations

import asyncio
import hashlib
import os
from array import array
from pathlib import Path

import pytest

from engine.spoken import JOINT, marked, recording_name
from engine.values import Secret
from gateway.speech.folder import Made, listed
from gateway.speech.speaker import Speaker
from gateway.speech.synthesis import SynthesisError
from gateway.speech.wave import written

SOUND = written(array("h", [1000] * 800))
BALANCE = marked("money", "153.20 RUB", "153,20 ₽")


class Voice:
    """A synthesiser that notes what it was asked."""

    def __init__(self, voice="test voice"):
        self.voice = voice
        self.asked = []
        self.go = asyncio.Event()
        self.go.set()
        self.fails = False

    async def speak(self, text, lang):
        self.asked.append((text, lang))
        await self.go.wait()
        if self.fails:
            raise SynthesisError("no voice")
        return SOUND


def record(root, *names):
    for name in names:
        path = root / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(SOUND)


@pytest.fixture
def now():
    return [1_000_000.0]


@pytest.fixture
def speaker(tmp_path, now):
    record(
        tmp_path / "flows/sounds",
        f"ru/{recording_name('Ваш баланс')}",
        "ru/greeting",
        *(f"ru/values/{part}" for part in ("100", "50", "3", "rubles-2", "20", "kopecks-5")),
    )
    return Speaker([tmp_path / "flows/sounds"], Made(tmp_path / "made"), Voice(), lambda: now[0])


def content(name):
    """Return what is in the file of a sound, None if there is none."""
    path = Path(f"{name}.wav")
    return path.read_bytes() if path.is_file() else None


def short(files):
    return [Path(name).name for name in files]


async def test_a_text_with_a_value_is_a_row_of_recordings(speaker, tmp_path):
    files = await speaker.files(f"Ваш баланс {BALANCE}.", "ru")
    root = tmp_path / "flows/sounds/ru"
    assert files[0] == str(root / recording_name("Ваш баланс"))
    assert files[1:] == tuple(
        str(root / "values" / part) for part in ("100", "50", "3", "rubles-2", "20", "kopecks-5")
    )
    assert all(map(content, files))
    assert speaker.counts == {"recorded": 7}


async def test_a_recording_by_name(speaker):
    assert short(await speaker.files(marked("sound", "greeting", "Здравствуйте."), "ru")) == ["greeting"]
    await speaker.files(marked("sound", "farewell", "До свидания."), "ru")
    assert speaker._synthesizer.asked == [("До свидания.", "ru")]


async def test_what_is_missing_is_made_once_for_all_calls(speaker):
    voice = speaker._synthesizer
    voice.go.clear()
    calls = [asyncio.create_task(speaker.files("Новый текст.", "ru")) for _ in range(5)]
    await asyncio.sleep(0)
    voice.go.set()
    found = await asyncio.gather(*calls)
    assert len(set(found)) == 1
    assert voice.asked == [("Новый текст.", "ru")]
    assert await speaker.files("Новый текст.", "ru") == found[0]
    assert voice.asked == [("Новый текст.", "ru")]
    assert content(found[0][0]) == SOUND


async def test_a_value_with_one_part_missing_is_made_as_a_whole(speaker):
    """Asterisk says "fifty-three" for 153 where a file is missing; we do not."""
    await speaker.files(marked("money", "154.00 RUB", "154 ₽"), "ru")
    assert speaker._synthesizer.asked == [("сто пятьдесят четыре рубля", "ru")]


async def test_another_voice_makes_another_file(tmp_path, now):
    made = Made(tmp_path / "made")
    one = Speaker([], made, Voice("one"), lambda: now[0])
    two = Speaker([], made, Voice("two"), lambda: now[0])
    assert await one.files("Текст", "ru") != await two.files("Текст", "ru")


async def test_without_a_synthesiser_the_fallback_is_played(tmp_path, now):
    speaker = Speaker([], Made(tmp_path / "made"), None, lambda: now[0])
    assert await speaker.files(f"Текст{JOINT}ещё", "ru") == ("beep", "beep")
    assert speaker.counts["fallback"] == 2


async def test_a_voice_that_fails_or_is_slow_does_not_hold_a_call(speaker):
    voice = speaker._synthesizer
    voice.fails = True
    assert await speaker.files("Раз", "ru") == ("beep",)
    voice.fails = False
    voice.go.clear()
    assert await speaker.files("Два", "ru", within_s=0.0) == ("beep",)
    voice.go.set()
    await asyncio.gather(*speaker._running.values())
    assert short(await speaker.files("Два", "ru")) != ["beep"]
    await speaker.close()


async def test_a_call_that_leaves_does_not_take_the_speech_from_another(speaker):
    voice = speaker._synthesizer
    voice.go.clear()
    first = asyncio.create_task(speaker.files("Общий", "ru"))
    second = asyncio.create_task(speaker.files("Общий", "ru"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    first.cancel()
    voice.go.set()
    assert short(await second) != ["beep"]


async def test_a_secret_leaves_no_file(speaker, tmp_path):
    files = await speaker.files(Secret("Код ABCD"), "ru")
    assert content(files[0]) == SOUND
    assert hashlib.sha256(b"test voice\0" + "Код ABCD".encode()).hexdigest()[:32] not in files[0]
    speaker.forget([*files, str(tmp_path / "flows/sounds/ru/greeting")])
    assert content(files[0]) is None
    assert content(tmp_path / "flows/sounds/ru/greeting") == SOUND


async def test_texts_never_become_paths(speaker, tmp_path):
    for text in (
        "../../etc/passwd",
        "/etc/passwd",
        "a&b,c|d",
        "${SHELL(id)}",
        "\0\n",
        "\ue000sound ../../x\ue001т\ue002",
    ):
        for name in await speaker.files(text, "ru"):
            assert Path(name).is_relative_to(tmp_path)
            assert not set("&,|$(){} ") & set(Path(name).name)
    assert await speaker.files("Текст", "../ru") == ("beep",)


def test_the_cache_keeps_what_is_played(tmp_path, now):
    made = Made(tmp_path, most_bytes=3 * len(SOUND), keep_s=100.0)
    paths = [made.path("ru", f"s{number}") for number in range(5)]
    record(tmp_path, *(f"ru/s{number}" for number in range(5)))
    for age, path in enumerate(paths):
        os.utime(path, (now[0] - 10 * age, now[0] - 10 * age))
    assert made.sweep(now[0]) == 2
    assert [path.exists() for path in paths] == [True, True, True, False, False]
    assert made.has(paths[2], now[0] + 90)
    assert not made.has(paths[4], now[0])
    assert made.sweep(now[0] + 105) == 2
    assert [path.exists() for path in paths] == [False, False, True, False, False]


def test_a_listing_has_only_sounds(tmp_path):
    record(tmp_path, "ru/a", "ru/values/100", "ru/values/deep/x", "en-GB/b", "odd name/c", "ru/.hidden")
    (tmp_path / "ru/text.txt").write_text("no sound")
    (tmp_path / "ru/link.wav").symlink_to(tmp_path / "ru/a.wav")
    assert listed(tmp_path, tmp_path / "nowhere") == {"ru/a", "ru/values/100", "en-GB/b"}


async def test_flows_that_are_loaded_anew_take_no_secret_from_a_call(speaker, tmp_path):
    (name,) = await speaker.files(Secret("Код 1234."), "ru")
    speaker.reread()
    assert content(name) == SOUND
    speaker.forget([name])
    assert content(name) is None


async def test_a_secret_that_a_call_has_left_behind_goes_with_the_start_or_within_the_hour(
    speaker, tmp_path, now
):
    (name,) = await speaker.files(Secret("Код 1234."), "ru")
    (other,) = await speaker.files("Новый текст.", "ru")
    made = os.stat(f"{name}.wav").st_mtime
    now[0] = made + 3_599
    speaker.sweep()
    assert content(name) == SOUND
    now[0] = made + 3_601
    assert speaker.sweep() == 0
    assert content(name) is None
    assert content(other) == SOUND
    (name,) = await speaker.files(Secret("Код 1234."), "ru")
    Speaker([tmp_path / "flows/sounds"], Made(tmp_path / "made"), Voice(), lambda: now[0])
    assert content(name) is None


async def test_what_has_to_go_is_counted(tmp_path, now):
    speaker = Speaker([], Made(tmp_path / "made", most_bytes=0), Voice(), lambda: now[0])
    await speaker.files("Текст", "ru")
    assert (speaker.sweep(), speaker.counts["swept"], speaker.counts["made"]) == (1, 1, 1)
