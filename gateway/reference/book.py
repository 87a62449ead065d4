"""The whole reference: its parts, its first page, writing it to a folder and telling what is out of date."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from gateway.reference import check, command, header, setting, verb, word
from gateway.reference.check_text import CODES
from gateway.reference.markdown import Page, page

PARTS: Mapping[str, Callable[[], list[Page]]] = {
    "verbs": verb.pages,
    "header": header.pages,
    "functions": word.pages,
    "checks": check.pages,
    "settings": setting.pages,
    "commands": command.pages,
}
"""Folder of the reference -> what writes its pages; the index is the first of them."""

_ABOUT = {
    "verbs": "what a step can do",
    "header": "what stands under `flow:`",
    "functions": "variables, functions and filters of expressions",
    "checks": "what `gudok check` says, with an example of each",
    "settings": "the files in `config/`",
    "commands": "`gudok …`",
}
_INTRO = (
    "Written by `gudok docs` from the tables that read your files, so it is what this "
    "version accepts. `gudok docs ask` prints the page of a word in a terminal."
)


def pages() -> list[Page]:
    """Return every page, the first one first."""
    rows = []
    found: list[Page] = []
    for name, made in PARTS.items():
        part = made()
        found += part
        rows.append(f"- [{part[0].title}]({name}/index.md): {_ABOUT[name]}")
    front = page("index.md", "Reference", _INTRO, "\n".join(rows))
    return [front, *found]


def about(name: str) -> Iterator[Page]:
    """Give the pages of a word; several where it is a word of several kinds."""
    for part, made in PARTS.items():
        if part != "checks" or name in CODES:
            yield from (one for one in made() if one.name == name and one.name != "index")


def outdated(folder: Path) -> list[str]:
    """Return the names of pages in a folder that are missing, old, or pages of nothing."""
    wanted = {one.path: one.text for one in pages()}
    there = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.md")}
    old = [
        name
        for name, text in wanted.items()
        if name not in there or there[name].read_text(encoding="utf-8") != text
    ]
    return sorted(old + [name for name in there if name not in wanted])


def write(folder: Path) -> list[str]:
    """Write the reference into a folder; pages of nothing are deleted. Returns what was changed.

    Raises OSError where the folder cannot be written.
    """
    changed = outdated(folder)
    wanted = {one.path: one.text for one in pages()}
    for name in changed:
        path = folder / name
        if name in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[name], encoding="utf-8")
        else:
            path.unlink()
    return changed
