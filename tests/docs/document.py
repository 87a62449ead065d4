"""Reads the fenced blocks of our Markdown: files to be saved, commands to be typed with what they print."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"# (?P<path>[\w/]+(\.test)?\.(yaml|py))\n")
_PROMPT = re.compile(r"^\$ (?P<command>.*)\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Saved:
    """A file of the reader's project."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Typed:
    """A command and what it prints; a line `...` stands for any lines."""

    command: str
    printed: str


def blocks(document: Path, language: str) -> list[str]:
    """Return the fenced blocks of one language."""
    found = _FENCE.finditer(document.read_text(encoding="utf-8"))
    return [block["text"] for block in found if block["language"] == language]


def steps(document: Path) -> list[Saved | Typed]:
    """Return what a reader does, in the order of the page."""
    found: list[Saved | Typed] = []
    for block in _FENCE.finditer(document.read_text(encoding="utf-8")):
        text = block["text"]
        if block["language"] in ("yaml", "python") and (named := _FILE.match(text)):
            found.append(Saved(named["path"], text))
        elif block["language"] == "console":
            parts = _PROMPT.split(text)
            assert not parts[0], f"{document.name}: a console block begins with a command"
            found += [Typed(*pair) for pair in zip(parts[1::2], parts[2::2], strict=True)]
    return found


def pattern(printed: str) -> re.Pattern[str]:
    """Return a pattern for what a page says that a command prints; `…` stands for anything in a line."""
    lines = [
        "(.*\n)*?" if line == "..." else re.escape(line).replace("…", ".*") + "\n"
        for line in printed.splitlines()
    ]
    return re.compile("".join(lines) + r"\s*")
