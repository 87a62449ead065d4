"""Which recordings a project has: an index over their names. It reads no files.

A name is the path below the folder of the sounds, without the ending: `ru/greeting` is a recording by name,
`ru/1f0c…` one by its text (`engine.spoken.recording_name`), `ru/values/100` a part of spoken values.
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.spoken import recording_name

VALUES = "values"
"""The folder of a language with the parts of values."""


def text_name(lang: str, text: str) -> str:
    """Return the name of the recording of a text."""
    return f"{lang}/{recording_name(text)}"


def value_name(lang: str, part: str) -> str:
    """Return the name of the recording of a part of a value (`100`, `rubles-2`)."""
    return f"{lang}/{VALUES}/{part}"


class Catalogue:
    """The recordings that there are."""

    __slots__ = ("_langs", "_names")

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = frozenset(names)
        self._langs = tuple(sorted({name.partition("/")[0] for name in self._names}))

    def of_text(self, lang: str, text: str) -> str | None:
        """Return the recording of a text, None if there is none.

        A text that has no translation is heard as it is recorded in the language it is written in.
        """
        own = text_name(lang, text)
        if own in self._names:
            return own
        return next((name for other in self._langs if (name := text_name(other, text)) in self._names), None)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __len__(self) -> int:
        return len(self._names)
