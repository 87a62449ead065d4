"""Texts into screens: what fits a page, where a text is broken, which keys turn the pages.

The rules of flow-language 2.6: the room of a page depends on the alphabet of the finished page, pages break
between lines, a line that is too long at a space, and each page keeps room for its footer. Where a channel
has no pages (SMS, voice) a text stays whole and only lists are cut. This module does not know flows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from engine.capabilities import PageBudget
from engine.limits import SCREEN_PAGES

_GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
    "^{}[]~\\|€\f"
)
_TWO_SEPTETS = frozenset("^{}[]~\\|€\f")
_ASCII_SEPTETS = bytes(
    code if code < 128 and chr(code) in _GSM7 - _TWO_SEPTETS else ~code & 0xFF for code in range(256)
)
"""A table that changes every octet but ASCII characters of one septet."""


def in_gsm7(text: str) -> bool:
    """Tell whether GSM 03.38 with its extension table can write every character."""
    return _GSM7.issuperset(text)


def fits(text: str, budget: PageBudget) -> bool:
    """Tell whether the text has room on one page: septets if GSM-7 can write it, else UTF-16 units."""
    size = len(text)
    # No character takes more than two septets or two units, so a short text fits in either alphabet.
    if size * 2 <= budget.gsm7 and (
        size * 2 <= budget.ucs2
        or (
            size <= budget.ucs2
            and (text.isascii() or len(text.encode("utf-16-le", "surrogatepass")) <= 2 * budget.ucs2)
        )
    ):
        return True
    if text.isascii() and (octets := text.encode()).translate(_ASCII_SEPTETS) == octets:
        return size <= budget.gsm7
    if _GSM7.issuperset(text):
        doubled = 0 if _TWO_SEPTETS.isdisjoint(text) else sum(text.count(sign) for sign in _TWO_SEPTETS)
        return size + doubled <= budget.gsm7
    return len(text.encode("utf-16-le", "surrogatepass")) <= 2 * budget.ucs2


class Page(msgspec.Struct, frozen=True):
    """One screen. `first` and `count` tell which elements of a list it shows, by number from 0."""

    text: str
    first: int = 0
    count: int = 0


@dataclass(frozen=True, slots=True)
class Footer:
    """The lines under a page that turn it: `9 Ещё` and `0 Назад`; empty ones are not shown.

    `ends` tells that the session is over with the last page, so that nothing can be pressed there.
    """

    more: str = ""
    back: str = ""
    ends: bool = False


def paginate(
    head: str,
    elements: Sequence[str],
    fixed: Sequence[str],
    budget: PageBudget | None,
    footer: Footer,
    list_keys: int,
) -> tuple[Page, ...]:
    """Cut a screen into pages.

    `head` is the text with its own lines; `elements` are list lines, which get the keys 1, 2, … anew on
    each page, at most `list_keys` of them; `fixed` lines stand on every page. Without a budget only lists
    are cut. Always returns at least one page; at most `SCREEN_PAGES`.
    """
    if budget is None:
        return _by_number(head, elements, fixed, footer, list_keys)
    if len(elements) <= list_keys:
        whole = _joined([head] if head else [], elements, fixed, "")
        if fits(whole, budget):
            return (Page(whole, 0, len(elements)),)
    return _by_room(head, elements, fixed, budget, footer, list_keys)


def _joined(lines: Sequence[str], elements: Sequence[str], fixed: Sequence[str], footer: str) -> str:
    numbered = [f"{key} {text}" for key, text in enumerate(elements, 1)]
    return "\n".join((*lines, *numbered, *fixed, footer) if footer else (*lines, *numbered, *fixed))


def _footer(footer: Footer, *, first: bool, last: bool) -> str:
    back = "" if first or (last and footer.ends) else footer.back
    more = "" if last else footer.more
    return f"{back}\n{more}" if back and more else back or more


def _by_number(
    head: str, elements: Sequence[str], fixed: Sequence[str], footer: Footer, list_keys: int
) -> tuple[Page, ...]:
    pages: list[Page] = []
    lines = [head] if head else []
    start = 0
    while True:
        chunk = elements[start : start + list_keys]
        last = start + list_keys >= len(elements) or len(pages) + 1 == SCREEN_PAGES
        text = _joined(lines, chunk, fixed, _footer(footer, first=not pages, last=last))
        pages.append(Page(text, start, len(chunk)))
        if last:
            return tuple(pages)
        start += list_keys
        lines = []


def _by_room(
    head: str,
    elements: Sequence[str],
    fixed: Sequence[str],
    budget: PageBudget,
    footer: Footer,
    list_keys: int,
) -> tuple[Page, ...]:
    lines = head.split("\n") if head else []
    pages: list[Page] = []
    at = 0
    while True:
        first = not pages
        left = elements[at:]
        if len(left) <= list_keys or len(pages) + 1 == SCREEN_PAGES:
            text = _joined(lines, left, fixed, _footer(footer, first=first, last=True))
            if fits(text, budget):
                return (*pages, Page(text, at, len(left)))
        foot = _footer(footer, first=first, last=False)
        taken, lines = _take_lines(lines, fixed, foot, budget)
        count = 0
        while not lines and count < min(list_keys, len(left)):
            if not fits(_joined(taken, left[: count + 1], fixed, foot), budget) and (taken or count):
                break
            count += 1
        shown = list(left[:count])
        if count == 1 and not taken:
            shown = [_cut(shown[0], budget, fixed, foot)]
        if len(pages) + 1 == SCREEN_PAGES:
            return (*pages, Page(_joined(taken, shown, fixed, ""), at, count))
        pages.append(Page(_joined(taken, shown, fixed, foot), at, count))
        at += count
        if not lines and at >= len(elements):
            # Nothing follows after all: the page is the last one and offers no more.
            foot = _footer(footer, first=first, last=True)
            return (*pages[:-1], Page(_joined(taken, shown, fixed, foot), at - count, count))


def _take_lines(
    lines: list[str], fixed: Sequence[str], foot: str, budget: PageBudget
) -> tuple[list[str], list[str]]:
    """Fill a page with whole lines; return them and the rest. A line longer than a page is broken."""
    taken: list[str] = []
    for number, line in enumerate(lines):
        if fits(_joined([*taken, line], (), fixed, foot), budget):
            taken.append(line)
            continue
        if fits(_joined([line], (), fixed, foot), budget):
            return taken, lines[number:]
        part = _longest(line, [*taken], fixed, foot, budget)
        if not part and not taken:
            part = line[:1]
        if not part:
            return taken, lines[number:]
        rest = line[len(part) :].lstrip(" ")
        return [*taken, part.rstrip(" ")], ([rest] if rest else []) + lines[number + 1 :]
    return taken, []


def _longest(line: str, taken: list[str], fixed: Sequence[str], foot: str, budget: PageBudget) -> str:
    """Return the longest beginning of a line that has room, ending before a space where there is one."""
    low, high = 0, len(line)
    while low < high:
        middle = (low + high + 1) // 2
        if fits(_joined([*taken, line[:middle]], (), fixed, foot), budget):
            low = middle
        else:
            high = middle - 1
    if low == len(line):
        return line
    space = line.rfind(" ", 0, low + 1)
    if space > 0:
        return line[:space]
    return "" if taken else line[:low]


def _cut(element: str, budget: PageBudget, fixed: Sequence[str], foot: str) -> str:
    """Shorten a list element that is longer than a whole page, so that its key and the footer stay."""
    shown = element
    while shown and not fits(_joined((), (shown,), fixed, foot), budget):
        shown = shown[:-1]
    return shown
