"""Pages of the words of expressions, each with an example and its result."""

from __future__ import annotations

from collections.abc import Mapping

from engine.expressions.vocabulary import LOOKED_UP
from gateway.reference.markdown import Page, cell, code, page
from gateway.reference.word_text import FILTERS, FUNCTIONS, VARIABLES, Word

FAMILIES: tuple[tuple[str, Mapping[str, Word]], ...] = (
    ("Functions", FUNCTIONS),
    ("Filters", FILTERS),
    ("Variables", VARIABLES),
)
_KIND = {"Functions": "A function.", "Filters": "A filter.", "Variables": "A variable."}
_INTRO = (
    "The whole built-in vocabulary of expressions and of `{{ }}` in texts; everything else a "
    "project declares. No variable may take one of these names, nor `yes`, `no`, `true`, "
    "`false`, `none`. The examples are in Russian because the first language of the shipped "
    "project is; they are shown as of 22 November 2026, 15:00 in Moscow."
)


def pages() -> list[Page]:
    """Return the page of each word and their index."""
    found: list[Page] = []
    parts: list[str] = []
    for family, words in FAMILIES:
        own = [_page(family, name, word) for name, word in sorted(words.items())]
        found += own
        rows = "\n".join(
            f"| [`{cell(words[one.name].form)}`]({one.name}.md) | {cell(one.about)} |" for one in own
        )
        parts += [f"## {family}", f"| | |\n|---|---|\n{rows}"]
    front = page("functions/index.md", "Words of expressions", _INTRO, *parts)
    return [front, *found]


def _page(family: str, name: str, word: Word) -> Page:
    outside = name in LOOKED_UP or name == "memory"
    return page(
        f"functions/{name}.md",
        f"`{name}`",
        f"{_KIND[family]} {word.means}",
        f"Written as `{word.form}`.",
        code("yaml", f"- say: {_quoted(word.text)}") + "\n\n" + f"shows: {word.shown}",
        word.more,
        "Looked up in front of the step that uses it, so it is as of that moment." if outside else "",
        about=word.means,
    )


def _quoted(text: str) -> str:
    return f'"{text}"' if text.startswith("{{") else text
