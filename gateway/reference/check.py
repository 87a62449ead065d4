"""Pages of the codes that `gudok check` prints: what is wrong, a flow that has it, its sound near twin."""

from __future__ import annotations

from engine.reading.checks import CHECKS
from engine.reading.diagnostic import Severity
from gateway.reference.check_example import Example, pair
from gateway.reference.check_text import CODES
from gateway.reference.markdown import Page, code, index, page

OWNERS = {word: [check.name for check in CHECKS if word in check.codes] for word in CODES}
"""The checks that report a code; none where it is found while a file is read."""

_INTRO = (
    "`gudok check` prints the place, what is wrong, the code in brackets and the remedy. An "
    "*error* keeps a version from being taken over; a *warning* fails only with `--strict`; "
    "a *hint* never fails. The flows of these pages stand in a small project of their own "
    "with a back end `b`."
)
_WHAT = {
    Severity.ERROR: "An error: a version with it is not taken over.",
    Severity.WARNING: "A warning.",
    Severity.HINT: "A hint.",
}


def pages() -> list[Page]:
    """Return the page of each code and their index."""
    found = [_page(word) for word in sorted(CODES)]
    return [index("checks/index.md", "Checks", found, _INTRO), *found]


def _page(word: str) -> Page:
    parts = [CODES[word]]
    example = pair(word, OWNERS[word])
    if example is not None:
        case, twin = example
        parts += [
            _severity(case, word),
            f"Found: {case.title}.",
            *_files(case),
            code("text", case.printed(word)),
        ]
        if twin is not None:
            parts += [f"Not found: {twin.title}.", *_files(twin)]
    return page(f"checks/{word}.md", f"`{word}`", *parts, about=CODES[word])


def _severity(case: Example, word: str) -> str:
    levels = dict.fromkeys(one.severity for one in case.found if one.code == word)
    return " ".join(_WHAT[level] for level in levels)


def _files(example: Example) -> list[str]:
    shown = []
    for name, text in example.files.items():
        shown.append(f"`{name}`:")
        shown.append(code("yaml", text))
    return shown
