"""Markdown of the reference: pages, tables of fields, how a default is written.

This module does not know what the pages are about.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.reading.fields import DURATION, SIZE, Field
from engine.reading.scalars import Address, NumberRange, Rate

_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1))
_LABEL_LENGTH = 90


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the reference; `path` is relative to its folder, `title` what it is listed as."""

    path: str
    title: str
    text: str
    about: str = ""
    """One line for the index."""

    @property
    def name(self) -> str:
        """The last part of its path, without the ending."""
        return self.path.rpartition("/")[2].removesuffix(".md")


def page(path: str, title: str, *parts: str, about: str = "") -> Page:
    """Return a page: its heading, then its parts with a blank line between; empty parts are left out."""
    body = "\n\n".join(part.strip("\n") for part in (f"# {title}", *parts) if part.strip("\n"))
    return Page(path, title, f"{body}\n", about)


def index(path: str, title: str, pages: Iterable[Page], *parts: str) -> Page:
    """Return a page that leads to the pages of its folder."""
    listed = sorted(pages, key=lambda one: one.path)
    rows = "\n".join(
        f"| [{one.title}]({one.path.rpartition('/')[2]}) | {cell(one.about)} |" for one in listed
    )
    return page(path, title, *parts, f"| | |\n|---|---|\n{rows}")


def code(language: str, text: str) -> str:
    """Return a fenced block."""
    body = text.strip("\n")
    return f"```{language}\n{body}\n```"


def cell(text: str) -> str:
    """Return a text as a table takes it."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def sentence(doc: str) -> str:
    """Return the few words about a field as a sentence: `how to bind` is `How to bind.`"""
    first = doc.partition(" ")[0].rstrip(",;:")
    begun = doc[:1].upper() + doc[1:] if first.isalpha() and first.islower() else doc
    return begun if begun.endswith((".", "}", "?")) else f"{begun}."


def duration(milliseconds: int) -> str:
    """Write a duration as flows do: 10s, 24h."""
    for unit, size in _UNITS:
        if milliseconds >= size and milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return "0s"


def default(field: Field) -> str:
    """Write what a field is without being written."""
    value = field.default
    if field.required:
        return "required"
    if value is None or value == "" or value in ((), {}):
        return ""
    if field.kind.label == DURATION.label:
        return duration(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Rate):
        return f"{value.count}/s"
    if isinstance(value, NumberRange):
        return f"{value.low}-{value.high}"
    if field.kind.label == SIZE.label:
        return f"{value >> 20}MiB"
    return str(value) if isinstance(value, str | int | Address) else ""


def written(field: Field) -> str:
    """Say how a field is written."""
    label = field.kind.label
    return label if len(label) <= _LABEL_LENGTH else "a table"


def table(fields: Iterable[Field]) -> str:
    """Return a table of fields."""
    rows = ["| Field | Written as | Default | Meaning |", "|---|---|---|---|"]
    rows += [
        f"| `{field.name}` | {cell(written(field))} | {cell(default(field))} | {cell(field.doc)} |"
        for field in fields
    ]
    return "\n".join(rows)
