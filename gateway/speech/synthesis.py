"""Speech from text by a program of the machine: espeak-ng or festival behind one small interface.

The text goes in by stdin, never through a shell or as an argument, so nothing in it can be an option or a
command. Time and size of what comes out are bounded, and so is how many run at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
from collections.abc import Mapping
from typing import Protocol

from engine.spoken import plain
from gateway.speech.wave import WaveError, to_telephone

WITHIN_S = 10.0
AT_ONCE = 2
MOST_TEXT = 2_000
MOST_BYTES = 32 << 20
_UNSPOKEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ue000-\uf8ff<>\[\]{}|\\^~`]+")


class SynthesisError(Exception):
    """Nothing was spoken; the message says why, without the text."""


class Synthesizer(Protocol):
    """What makes speech of text."""

    @property
    def voice(self) -> str:
        """The name of the voice and its settings; another one makes other files."""

    async def speak(self, text: str, lang: str) -> bytes:
        """Return a WAV of 8 kHz, 16 bit, one channel. Raises SynthesisError."""


def spoken_text(text: str) -> str:
    """Return a text as a program is given it: one line, without what one takes for markup or phonemes."""
    line = " ".join(_UNSPOKEN.sub(" ", plain(text)).split())[:MOST_TEXT]
    if not any(sign.isalnum() for sign in line):
        raise SynthesisError("there is nothing to speak")
    return line.encode("utf-8", "ignore").decode()


class Program:
    """A program that reads text and writes a WAV; `voices` are its arguments by language."""

    def __init__(
        self, path: str, name: str, arguments: tuple[str, ...], voices: Mapping[str, tuple[str, ...]]
    ) -> None:
        self._path = path
        self._name = name
        self._arguments = arguments
        self._voices = voices
        self._free = asyncio.Semaphore(AT_ONCE)
        self.within_s = WITHIN_S

    @property
    def voice(self) -> str:
        """The program with its settings."""
        return " ".join((self._name, *self._arguments))

    async def speak(self, text: str, lang: str) -> bytes:
        """Return the speech of a text."""
        voice = self._voices.get(lang) or self._voices.get(lang.partition("-")[0])
        if voice is None:
            raise SynthesisError(f"{self._name} has no voice for {lang}")
        line = spoken_text(nearest_letters(text) if lang.startswith("tg") else text)
        async with self._free:
            data = await self._run((*self._arguments, *voice), f"{line}\n".encode())
        try:
            return await asyncio.to_thread(to_telephone, data)
        except WaveError as error:
            raise SynthesisError(f"{self._name}: {error}") from error

    async def _run(self, arguments: tuple[str, ...], text: bytes) -> bytes:
        try:
            process = await asyncio.create_subprocess_exec(
                self._path,
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"},
            )
        except OSError as error:
            raise SynthesisError(f"{self._name}: {error.strerror}") from error
        try:
            async with asyncio.timeout(self.within_s):
                data = await _talk(process, text)
                status = await process.wait()
        except TimeoutError:
            raise SynthesisError(f"{self._name} took longer than {self.within_s:g} s") from None
        except OSError as error:
            raise SynthesisError(f"{self._name}: {error.strerror}") from error
        finally:
            await _end(process)
        if status:
            raise SynthesisError(f"{self._name} ended with status {status}")
        return data


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a program with all that it has started; its pipe is read to the end, else `wait` never returns."""
    assert process.stdout is not None
    if process.returncode is None or not process.stdout.at_eof():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    while await process.stdout.read(1 << 16):
        pass
    await process.wait()


async def _talk(process: asyncio.subprocess.Process, text: bytes) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(text)
    process.stdin.close()
    found = bytearray()
    while chunk := await process.stdout.read(1 << 16):
        found += chunk
        if len(found) > MOST_BYTES:
            raise SynthesisError("the speech is longer than anybody listens")
    return bytes(found)


_NEAREST = str.maketrans("ғӣқӯҳҒӢҚӮҲ", "гикухГИКУХ")


def nearest_letters(text: str) -> str:
    """Return a Tajik text in letters that a Russian voice can read."""
    return text.replace("ҷ", "дж").replace("Ҷ", "Дж").translate(_NEAREST)


def espeak(path: str) -> Program:
    """Return espeak-ng: many languages, robotic, fast."""
    codes = {"en": "en-us", "tg": "ru"}
    known = ("ru", "en", "tg", "uz", "kk", "ky", "az", "uk", "be", "tt", "ba", "ka", "hy")
    voices = {lang: ("-v", codes.get(lang, lang)) for lang in known}
    return Program(path, "espeak-ng", ("--stdin", "--stdout", "-b", "1", "-s", "150", "-g", "2"), voices)


def festival(path: str) -> Program:
    """Return festival's text2wave with `festvox-ru`: one male Russian voice, slower than espeak-ng."""
    return Program(path, "festival", ("-F", "8000"), {"ru": ("-eval", "(voice_msu_ru_nsh_clunits)")})


def installed(name: str = "") -> Program | None:
    """Return a synthesiser of this machine: the named one (`espeak-ng`, `festival`), else the first found."""
    for program, command, made in (("espeak-ng", "espeak-ng", espeak), ("festival", "text2wave", festival)):
        if name in ("", program) and (path := shutil.which(command)) is not None:
            return made(path)
    return None
