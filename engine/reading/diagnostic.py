"""A finding about a file: what is wrong, where, and what to do about it.

A diagnostic is data. The code that finds a fault only adds it to a `Report`; how it looks to a person or to
a program is decided by the renderers (`render`, `as_json`). This module does not know YAML or the flow
language.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Protocol, TypeAlias


class Severity(Enum):
    """How much a finding matters. An error blocks publishing; a warning and a hint do not."""

    ERROR = "error"
    WARNING = "warning"
    HINT = "hint"


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of one line of a file. Lines and columns count characters from 1, as editors do.

    `end_column` is the column after the last character; None means that only the beginning is known, or
    that the thing goes on over several lines.
    """

    file: str
    line: int
    column: int
    end_column: int | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Placed(Protocol):
    """Anything that knows where it was written: every node of the tree, for one."""

    @property
    def place(self) -> Place:
        """Where it stands."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `message` is one sentence of fact that can stand alone, `help` says what to do.

    `code` is a lower-case word with hyphens (flow-language 4.2); codes are never used anew for another
    thing. `further` are other places that belong to the finding, each with a word about it.
    """

    code: str
    severity: Severity
    message: str
    place: Place
    help: str | None = None
    further: tuple[tuple[Place, str], ...] = ()


Further: TypeAlias = tuple[tuple[Place, str], ...]


class Report:
    """Collects the findings of one reading, so that a person sees all of them at once and in order."""

    def __init__(self) -> None:
        self._found: dict[Diagnostic, None] = {}
        self._errors = 0

    def add(self, diagnostic: Diagnostic) -> None:
        """Take one finding. The very same finding is kept once."""
        diagnostic = _made_safe(diagnostic)
        if diagnostic in self._found:
            return
        self._found[diagnostic] = None
        if diagnostic.severity is Severity.ERROR:
            self._errors += 1

    def extend(self, other: Report) -> None:
        """Take over everything another report has found."""
        for diagnostic in other._found:
            self.add(diagnostic)

    def error(
        self,
        code: str,
        message: str,
        at: Place | Placed,
        help: str | None = None,  # noqa: A002 - the word of the printed report
        further: Further = (),
    ) -> None:
        """Add an error at a place or at a node."""
        self.add(Diagnostic(code, Severity.ERROR, message, place_of(at), help, further))

    def warning(
        self,
        code: str,
        message: str,
        at: Place | Placed,
        help: str | None = None,  # noqa: A002 - the word of the printed report
        further: Further = (),
    ) -> None:
        """Add a warning at a place or at a node."""
        self.add(Diagnostic(code, Severity.WARNING, message, place_of(at), help, further))

    def hint(
        self,
        code: str,
        message: str,
        at: Place | Placed,
        help: str | None = None,  # noqa: A002 - the word of the printed report
        further: Further = (),
    ) -> None:
        """Add a hint at a place or at a node."""
        self.add(Diagnostic(code, Severity.HINT, message, place_of(at), help, further))

    def withdraw(self, code: str, at: Place | Placed) -> None:
        """Take back what was found there under a code: somebody who knows more is about to say it better."""
        place = place_of(at)
        for found in list(self._found):
            there = found.place
            same = (there.file, there.line, there.column) == (place.file, place.line, place.column)
            if same and found.code == code:
                del self._found[found]
                self._errors -= found.severity is Severity.ERROR

    def twice(self, what: str, again: Place | Placed, first: Place | Placed) -> None:
        """Add the error `dup-key`: `what` is written a second time.

        Serves equal keys of a table, two menu lines with one digit, two fields that mean the same.
        """
        first_place, again_place = place_of(first), place_of(again)
        where = f"line {first_place.line}"
        if first_place.file != again_place.file:
            where = str(first_place)
        self.error(
            "dup-key",
            f'"{what}" is written twice (first at {where})',
            again_place,
            help="keep one of the two, or give one another key",
            further=((first_place, "written here first"),),
        )

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All findings in the order of files, lines and columns."""
        return tuple(sorted(self._found, key=_order))

    @property
    def has_errors(self) -> bool:
        """Whether anything found blocks publishing."""
        return self._errors > 0

    def __len__(self) -> int:
        return len(self._found)


def place_of(at: Place | Placed) -> Place:
    """Return the place itself, or the place of a node."""
    return at if isinstance(at, Place) else at.place


MAX_MESSAGE = 400
"""Characters of a message or a remedy; the author's text in it may be a megabyte long."""


def _made_safe(diagnostic: Diagnostic) -> Diagnostic:
    """Keep what the author wrote from filling the screen or steering the terminal."""
    message = _one_line(diagnostic.message)
    remedy = None if diagnostic.help is None else _one_line(diagnostic.help)
    if message is diagnostic.message and remedy is diagnostic.help:
        return diagnostic
    return replace(diagnostic, message=message, help=remedy)


def _one_line(text: str) -> str:
    if len(text) <= MAX_MESSAGE and text.isprintable():
        return text
    clipped = text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…"
    return "".join(character if character.isprintable() else " " for character in clipped)


def _order(diagnostic: Diagnostic) -> tuple[str, int, int, str, str]:
    place = diagnostic.place
    return place.file, place.line, place.column, diagnostic.code, diagnostic.message


MAX_SHOWN_LINE = 160
"""Characters of a source line that are shown; a longer line is shown around the finding."""


def render(diagnostic: Diagnostic, source_line: str | None = None) -> str:
    """Return the finding as people read it: the sentence, the source line with a caret, the remedy.

    `source_line` is the line at the place, without its line break; None leaves the excerpt out.
    """
    parts = [f"{diagnostic.place}: {diagnostic.severity.value}: {diagnostic.message} [{diagnostic.code}]"]
    if source_line is not None:
        parts.extend(_excerpt(diagnostic.place, source_line))
    parts.extend(f"  = note: {place}: {word}" for place, word in diagnostic.further)
    if diagnostic.help is not None:
        parts.append(f"  = help: {diagnostic.help}")
    return "\n".join(parts)


def _excerpt(place: Place, source_line: str) -> list[str]:
    begin = min(place.column, len(source_line) + 1) - 1
    end = min((place.end_column or place.column + 1) - 1, max(len(source_line), begin + 1))
    offset = 0
    if len(source_line) > MAX_SHOWN_LINE:
        offset = max(0, min(begin - MAX_SHOWN_LINE // 3, len(source_line) - MAX_SHOWN_LINE))
    shown = source_line[offset : offset + MAX_SHOWN_LINE]
    # A control character in the excerpt could repaint the terminal of whoever reads the report.
    shown = "".join(character if character.isprintable() else " " for character in shown)
    gutter = f"{place.line} | "
    carets = "^" * max(1, min(end, offset + MAX_SHOWN_LINE) - begin)
    caret_line = " " * (len(gutter) - 2) + "| " + " " * (begin - offset) + carets
    return [(gutter + shown).rstrip(), caret_line]


def as_json(diagnostic: Diagnostic) -> dict[str, object]:
    """Return the finding as plain data for `--json`; absent parts are left out."""
    data: dict[str, object] = {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        **_place_json(diagnostic.place),
    }
    if diagnostic.help is not None:
        data["help"] = diagnostic.help
    if diagnostic.further:
        data["further"] = [{**_place_json(place), "message": word} for place, word in diagnostic.further]
    return data


def _place_json(place: Place) -> dict[str, object]:
    data: dict[str, object] = {"file": place.file, "line": place.line, "column": place.column}
    if place.end_column is not None:
        data["end_column"] = place.end_column
    return data
