"""A fault of syntax as data, and the masking that lets the reading go on behind it.

Masking: a character that stops the parser is replaced by a stand-in from the private use area that YAML
takes for a letter; `unmasked` puts the author's characters back into the texts of the tree. So one run
reports all traps of a file, and later phases see what the author meant. What each fault means is found in
`engine.reading.yaml_trap`.
"""

from __future__ import annotations

from dataclasses import dataclass

_STAND_IN = 0xF800  # + the code of an ASCII character: private use, printable for YAML, in nobody's texts


@dataclass(frozen=True, slots=True)
class Trap:
    """One fault of syntax. Line and columns count from 0; `mask` are columns of that line."""

    message: str
    line: int
    column: int
    end_column: int | None = None
    help: str | None = None
    code: str = "yaml"
    mask: tuple[int, ...] = ()


class TrapError(Exception):
    """The tree cannot be built on: carries the trap that stopped it."""

    def __init__(self, trap: Trap) -> None:
        super().__init__(trap.message)
        self.trap = trap


@dataclass(frozen=True, slots=True)
class Situation:
    """What the builder knew when the parser stopped."""

    in_flow: bool = False
    """Inside `{ }` or `[ ]`."""
    columns: tuple[int, ...] = ()
    """Where the open blocks begin: the indentations that a line may have."""
    in_list: bool = False
    """The innermost open block is a list."""
    quote: tuple[int, int, int] | None = None
    """The last quoted text: line and column of its quote, line of its end."""
    bracket: tuple[int, int] | None = None
    """Where the innermost open `{` or `[` stands."""
    trapped: frozenset[int] = frozenset()
    """Lines whose trap is known already."""


def masked(text: str, start: int, columns: tuple[int, ...]) -> str:
    """Return the text with stand-ins at `start + column` for each column of a trap."""
    characters = text
    for column in columns:
        index = start + column
        if index < len(characters) and characters[index].isascii():
            stand_in = chr(_STAND_IN + ord(characters[index]))
            characters = characters[:index] + stand_in + characters[index + 1 :]
    return characters


_UNMASK = {_STAND_IN + code: code for code in range(0x80)}


def unmasked(text: str) -> str:
    """Return the author's text of a masked one."""
    return text.translate(_UNMASK)
