"""The source of one expression or text: from an offset in it to a place in the file."""

from __future__ import annotations

from dataclasses import dataclass

from engine.reading.diagnostic import Diagnostic, Place, Severity


@dataclass(frozen=True, slots=True)
class Source:
    """What is written and where. `place` is that of the YAML scalar, quotes included."""

    text: str
    place: Place

    def at(self, offset: int, length: int = 1) -> Place:
        """Return the place of `text[offset:offset + length]`.

        It is exact where the scalar is on one line as written; for a folded text, or one with escapes, it
        is the place of the whole scalar.
        """
        place = self.place
        if place.end_column is None or "\n" in self.text:
            return place
        spare = place.end_column - place.column - len(self.text)
        if spare not in (0, 2):
            return place
        first = place.column + spare // 2 + min(max(offset, 0), len(self.text))
        return Place(place.file, place.line, first, first + max(length, 1))

    def error(
        self, code: str, message: str, offset: int, length: int = 1, help_: str | None = None
    ) -> Diagnostic:
        """Return an error about a part of the text."""
        return Diagnostic(code, Severity.ERROR, message, self.at(offset, length), help_)
