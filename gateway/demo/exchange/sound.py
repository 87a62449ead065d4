"""What a call plays, as one WAV for the browser and as words to read.

Names of sounds are those that Asterisk would be given; only files below the folders of sounds
are opened.
The words of a secret are not kept: it is heard, and nothing more.
"""

from __future__ import annotations

import io
import math
import re
import struct
import wave
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from engine.spoken import JOINT, plain
from engine.values import Secret
from gateway.host.voice_sound import Sayer, Sounds

RATE = 8_000
OCTETS_A_SECOND = 2 * RATE
MOST_OCTETS = 300 * OCTETS_A_SECOND
"""Longer prompts are cut: nobody listens for five minutes."""
MOST_KNOWN = 500
BEEP = "beep"
"""A sound that every Asterisk has; here it is made."""
BEEP_S, BEEP_HZ, LOUD = 0.3, 1_000, 9_000

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}(?:/[A-Za-z0-9][A-Za-z0-9_.-]{0,99}){0,6}", re.ASCII)


class Heard(msgspec.Struct, frozen=True):
    """One thing that is played: its words (empty for a secret), a WAV, how long it is."""

    words: str = ""
    octets: bytes = b""
    seconds: float = 0.0


class Subtitles(Sounds):
    """The sounds of the voice lane, which remember what they say."""

    def __init__(self, sayer: Sayer, seen: Iterable[tuple[Path, str]]) -> None:
        super().__init__(sayer, seen)
        self._known: OrderedDict[tuple[str, ...], str] = OrderedDict()

    async def of(self, text: str | Secret, lang: str) -> tuple[str, ...]:
        """Return the sounds of a text in their order."""
        names = await super().of(text, lang)
        if names:
            self._known.pop(names, None)
            self._known[names] = "" if isinstance(text, Secret) else _read(text)
            while len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
        return names

    def words(self, names: tuple[str, ...]) -> str:
        """Return what was said by these sounds; a part of a long text stands for all of it."""
        found = self._known.get(names)
        if found is None and names:
            wanted = set(names)
            found = next((text for known, text in reversed(self._known.items()) if wanted <= set(known)), "")
        return found or ""


def _read(text: str) -> str:
    """Return a text as it is read, each of its recordings on a line."""
    return plain(text.replace(JOINT, "\n")).strip()


class Shelf:
    """The files of sounds: `roots` are folders by the name under which Asterisk knows them."""

    def __init__(self, roots: Mapping[str, Path]) -> None:
        self._roots = {name: root.resolve() for name, root in roots.items()}

    def wav(self, names: Iterable[str]) -> bytes:
        """Return sounds one after the other as a WAV; what is not there is silent. Empty: nothing to hear."""
        frames = bytearray()
        for name in names:
            frames += self._frames(name)
            if len(frames) >= MOST_OCTETS:
                del frames[MOST_OCTETS:]
                break
        return _wav(bytes(frames)) if frames else b""

    def _frames(self, name: str) -> bytes:
        if name == BEEP:
            return _beep()
        path = self._path(name)
        if path is None:
            return b""
        try:
            with wave.open(str(path), "rb") as sound:
                if (sound.getframerate(), sound.getsampwidth(), sound.getnchannels()) != (RATE, 2, 1):
                    return b""
                return sound.readframes(MOST_OCTETS // 2)
        except (OSError, EOFError, wave.Error):
            return b""

    def _path(self, name: str) -> Path | None:
        if not _NAME.fullmatch(name):
            return None
        for known, root in self._roots.items():
            if name.startswith(f"{known}/"):
                path = (root / f"{name.removeprefix(f'{known}/')}.wav").resolve()
                return path if path.is_relative_to(root) and path.is_file() else None
        return None


def seconds(octets: bytes) -> float:
    """Return how long a WAV of `Shelf.wav` lasts."""
    return max(0, len(octets) - 44) / OCTETS_A_SECOND


def _wav(frames: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(frames)
    return file.getvalue()


def _beep() -> bytes:
    count = int(BEEP_S * RATE)
    turn = 2 * math.pi * BEEP_HZ / RATE
    return struct.pack(f"<{count}h", *(int(LOUD * math.sin(turn * at)) for at in range(count)))
