"""Recordings that a test can read by ear: every frame of 20 ms carries the number of its recording.

A-law octets that a file holds as samples reach the caller as the same octets, so the number is simply there
in the voice. What was played can be told word by word, and how far each recording came.
"""

from __future__ import annotations

import shutil
import struct
import wave
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.asterisk import sound
from tests.asterisk.peer.phone import Call
from tests.asterisk.server import Asterisk
from tests.end_to_end.telephone import recorded

MARK = b"\xd1\x2e\x93\x6c"
"""Begins a frame of ours; then the number of the recording and that of the frame."""
VALUE_FRAMES, TEXT_FRAMES = 3, 7
PATIENCE_S = 20.0
"""A machine that is busy with other things is no fault of the service."""


@dataclass(frozen=True)
class Recordings:
    """The texts of all recordings by name, as Asterisk sees them (`gudok/ru/values/100`)."""

    texts: Mapping[str, str]

    def lay_out(self, folder: Path) -> None:
        """Write them below `folder`, which Asterisk has as `gudok`."""
        for number, name in enumerate(self.names):
            path = folder / f"{name.removeprefix('gudok/')}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            frames = self.frames(name)
            samples = [one for n in range(frames) for one in sound.expand(_frame(number, n))]
            with wave.open(str(path), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(sound.RATE)
                file.writeframes(struct.pack(f"<{len(samples)}h", *samples))

    def frames(self, name: str) -> int:
        """Return how long a recording is."""
        return VALUE_FRAMES if "/values/" in name else TEXT_FRAMES

    @cached_property
    def names(self) -> Sequence[str]:
        """The recordings by number."""
        return tuple(self.texts)


@dataclass
class Played:
    """A recording that was heard, and so many frames of it."""

    name: str
    frames: int = 0


class Ear:
    """What the caller of a call hears of recordings."""

    def __init__(self, call: Call, recordings: Recordings) -> None:
        self.call = call
        self.played: list[Played] = []
        self._recordings = recordings
        self._place = 0
        self._taken = 0

    def listen(self) -> list[Played]:
        """Return all that was heard so far."""
        frames, names = self.call.media.frames, self._recordings.names
        while self._place < len(frames):
            octets = frames[self._place]
            self._place += 1
            if octets[:4] != MARK:
                continue
            number, frame = struct.unpack_from(">HB", octets, 4)
            if frame == 0 or not self.played or self.played[-1].name != names[number]:
                self.played.append(Played(names[number]))
            self.played[-1].frames = frame + 1
        return self.played

    def words(self) -> str:
        """Return what was said since `take`."""
        return " ".join(self._recordings.texts[one.name] for one in self.listen()[self._taken :])

    def files(self) -> list[str]:
        """Return the names of the recordings since `take`."""
        return [one.name for one in self.listen()[self._taken :]]

    def cut(self) -> list[str]:
        """Return the names of those since `take` of which the end was not heard."""
        heard = self.listen()[self._taken :]
        return [one.name for one in heard if one.frames < self._recordings.frames(one.name)]

    def take(self) -> str:
        """Return what was said since the last `take`, and forget it."""
        words = self.words()
        self._taken = len(self.played)
        return words

    async def hears(self, text: str, within: float = PATIENCE_S) -> str:
        """Wait until a text was said since `take`; return everything said."""
        try:
            await self.call._until(lambda: text in self.words(), within, "not said")
        except AssertionError as error:
            raise AssertionError(f"{error}: {text!r}; heard {self.words()!r}") from None
        return self.words()

    async def asked(self, text: str, keys: str = "") -> str:
        """Wait for a text, forget what was said up to it, and press keys."""
        await self.hears(text)
        said = self.take()
        await self.call.press(keys)
        return said


def shown(root: Path, asterisk: Asterisk) -> Recordings:
    """Give a project the recordings that Asterisk has; they are made when they are wanted first."""
    recordings, folder = Recordings(recorded()), asterisk.folder / "data/sounds/gudok"
    if not folder.exists():
        recordings.lay_out(folder)
    shutil.rmtree(root / "flows/sounds", ignore_errors=True)
    (root / "flows/sounds").symlink_to(folder)
    return recordings


def _frame(number: int, frame: int) -> bytes:
    cell = MARK + struct.pack(">HB", number, frame) + b"\xd5"
    return cell * (sound.FRAME // len(cell))
