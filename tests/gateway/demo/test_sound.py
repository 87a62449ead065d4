"""What calls play, for a browser: sounds in a row, their words, and nothing from outside their folders."""

from __future__ import annotations

import io
import struct
import wave
from collections.abc import Iterable
from pathlib import Path

import pytest

from engine.spoken import JOINT, marked
from engine.values import Secret
from gateway.demo.exchange.sound import RATE, Shelf, Subtitles, seconds


def write(path: Path, samples: int, rate: int = RATE, width: int = 2, channels: int = 1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(width)
        sound.setframerate(rate)
        sound.writeframes(b"\1" * (samples * width * channels))


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    write(tmp_path / "sounds/ru/a.wav", 800)
    write(tmp_path / "sounds/ru/values/100.wav", 400)
    write(tmp_path / "made/ru/b.wav", 1600)
    write(tmp_path / "secret.wav", 800)
    write(tmp_path / "sounds/ru/other.wav", 800, rate=16_000)
    write(tmp_path / "sounds/ru/stereo.wav", 800, channels=2)
    (tmp_path / "sounds/ru/text.wav").write_text("no sound", encoding="utf-8")
    (tmp_path / "sounds/ru/link.wav").symlink_to(tmp_path / "secret.wav")
    return Shelf({"gudok": tmp_path / "sounds", "gudok-made": tmp_path / "made"})


def test_sounds_are_one_after_the_other(shelf: Shelf) -> None:
    octets = shelf.wav(("gudok/ru/a", "gudok/ru/values/100", "gudok-made/ru/b"))
    assert seconds(octets) == pytest.approx(2800 / RATE)
    with wave.open(io.BytesIO(octets)) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getnframes()) == (RATE, 1, 2800)


def test_the_sound_instead_is_heard(shelf: Shelf) -> None:
    octets = shelf.wav(("beep",))
    loudest = max(struct.unpack(f"<{(len(octets) - 44) // 2}h", octets[44:]))
    assert seconds(octets) == pytest.approx(0.3)
    assert loudest > 5_000


@pytest.mark.parametrize(
    "name",
    [
        "gudok/../secret",
        "gudok/ru/../../secret",
        "gudok/ru/link",
        "gudok//etc/passwd",
        "/etc/passwd",
        "secret",
        "other/ru/a",
        "gudok/ru/a.wav\0",
        "gudok/ru/missing",
        "gudok/ru/other",
        "gudok/ru/stereo",
        "gudok/ru/text",
        "gudok/ru/values",
        "",
        "gudok/ru/Ж",
    ],
)
def test_nothing_else_is_opened(shelf: Shelf, name: str) -> None:
    assert shelf.wav((name,)) == b""


class Sayer:
    """Says every word by a file of its own."""

    async def files(self, text: str | Secret, lang: str) -> tuple[str, ...]:
        plain = text.reveal() if isinstance(text, Secret) else text
        return tuple(f"{lang}{number}" for number in range(len(plain.split())))

    def forget(self, files: Iterable[str]) -> None:
        """Nothing was kept."""


async def test_what_is_heard_is_read_and_a_secret_is_not() -> None:
    subtitles = Subtitles(Sayer(), ())
    menu = f"Баланс {marked('money', '5.00 RUB', '5 ₽')}{JOINT}Меню"
    names = await subtitles.of(menu, "ru")
    assert subtitles.words(names) == "Баланс 5 ₽\nМеню"
    assert subtitles.words(names[:1]) == "Баланс 5 ₽\nМеню"
    secret = await subtitles.of(Secret("код 1 2 3 4 5 6 7 8 9"), "ru")
    assert subtitles.words(secret) == ""
    assert subtitles.words(("never/said",)) == ""
