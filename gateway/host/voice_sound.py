"""The texts of a call as names of sounds that Asterisk finds: below its sounds folder, never a path of ours.

Asterisk and the gateway see the same two folders, each by its own way: the recordings of the project and the
cache of synthesised speech. A link in the sounds folder of Asterisk leads to each of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from engine.phrase import phrases
from engine.values import Secret


class Sayer(Protocol):
    """What makes files of texts: `gateway.speech.speaker.Speaker`."""

    async def files(self, text: str | Secret, lang: str) -> tuple[str, ...]:
        """Return the files that say a text: paths without ending, or a name that every Asterisk has."""
        ...

    def forget(self, files: Iterable[str]) -> None:
        """Delete what was made of a secret."""
        ...


class Sounds:
    """Names of sounds. `seen` are our folders and the names that Asterisk has for them."""

    def __init__(self, sayer: Sayer, seen: Iterable[tuple[Path, str]]) -> None:
        self._sayer = sayer
        self._seen = [(f"{root.absolute()}/", name) for root, name in seen]

    async def of(self, text: str | Secret, lang: str) -> tuple[str, ...]:
        """Return the sounds of a text in their order."""
        return tuple(map(self._name, await self._sayer.files(text, lang)))

    async def moment(self, lang: str) -> tuple[str, ...]:
        """Return what is said while something slow is waited for."""
        return await self.of(phrases(lang).moment, lang)

    def _name(self, file: str) -> str:
        for root, name in self._seen:
            if file.startswith(root):
                return f"{name}/{file.removeprefix(root)}"
        return file

    def forget(self, names: Iterable[str]) -> None:
        """Delete what was made of a secret, once it has been heard."""
        self._sayer.forget([self._file(name) for name in names])

    def _file(self, sound: str) -> str:
        for root, name in self._seen:
            if sound.startswith(f"{name}/"):
                return root + sound.removeprefix(f"{name}/")
        return sound
