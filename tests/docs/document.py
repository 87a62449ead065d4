"""Reads the fenced blocks of our Markdown: files to be saved, commands to be typed with what they print."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"# (?P<path>(flows|config)/[\w./]+\.yaml)\n")


@dataclass(frozen=True, slots=True)
class Saved:
    """A file of the reader's project."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Typed:
    """A command and what it prints; a line `...` stands for any lines."""

    arguments: tuple[str, ...]
    printed: str


def steps(document: Path) -> list[Saved | Typed]:
    """Return what a reader does, in the order of the page."""
    found: list[Saved | Typed] = []
    for block in _FENCE.finditer(document.read_text(encoding="utf-8")):
        text = block["text"]
        if block["language"] == "yaml" and (named := _FILE.match(text)):
            found.append(Saved(named["path"], text))
        elif block["language"] == "console":
            command, _, printed = text.partition("\n")
            assert command.startswith("$ gudok "), command
            found.append(Typed(tuple(command.removeprefix("$ gudok ").split()), printed))
    return found


def pattern(printed: str) -> re.Pattern[str]:
    """Return a pattern for what a page says that a command prints; `…` stands for anything in a line."""
    lines = [
        "(.*\n)*?" if line == "..." else re.escape(line).replace("…", ".*") + "\n"
        for line in printed.splitlines()
    ]
    return re.compile("".join(lines) + r"\s*")
