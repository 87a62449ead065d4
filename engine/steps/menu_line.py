"""The lines of a menu and the elements of a list: how they are written, and what is constant in them.

What a subscriber chooses, and where it leads, is in `engine.steps.menu`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from engine.capabilities import Channel
from engine.expressions import Expression
from engine.phrase import phrases
from engine.prompts import Page
from engine.reading.fields import FieldValue
from engine.reading.tree import Text
from engine.reading.workshop import Given
from engine.screens import constant_screens
from engine.spoken import press
from engine.wording import Wording

_KEYS = frozenset("0123456789*#")
BESIDE_LIST = frozenset("0*#")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a menu: its key, its label, when it is shown, where it leads."""

    key: str
    label: Wording
    target: int
    show: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Elements:
    """The list of a menu: `each: expression as name`, `item`, `empty`."""

    source: Expression
    name: str
    item: Wording
    empty: int | None


def split_key(written: str) -> tuple[str, str]:
    """Return the key and the label of a menu line as written (`1 Баланс`); no key: an empty text."""
    key, _, label = written.partition(" ")
    return (key, label.strip()) if key and _KEYS.issuperset(key) and len(key) <= 4 else ("", written)


def read_lines(given: Given, following: int, number: int) -> tuple[Line, ...]:
    """Compile the lines of a menu; `number` is the menu, for `again` in their blocks."""
    shows: dict[str, FieldValue] = given.value("show") or {}
    lines: list[Line] = []
    seen: dict[str, Text] = {}
    for entry in given.table:
        key, label = split_key(entry.key.value)
        if not key:
            continue
        if not label:
            given.report.error(
                "missing-field", f'menu line "{key}" has no label', entry.key, help=f"write {key} Баланс:"
            )
            continue
        if key in seen:
            given.report.twice(f"{key} …", entry.key, seen[key])
            continue
        seen[key] = entry.key
        text = Text(label, entry.key.part(entry.key.value.index(label)), entry.key.quoted)
        wording = given.shop.wording(text)
        show = shows.get(key)
        test = given.shop.expression(show.value) if show is not None else None
        with given.shop.owner(number):
            target = given.shop.block(entry.value, following)
        if wording is not None:
            lines.append(Line(key=key, label=wording, target=target, show=test))
    for key, value in shows.items():
        if key not in seen:
            given.report.error(
                "unknown-field", f'show: there is no line with the key "{key}"', value.key or given.key
            )
    return tuple(lines)


def read_elements(given: Given, following: int, number: int) -> Elements | None:
    """Compile `each`, `item` and `empty`; None if there is no list, or after reporting."""
    node = given.value("each")
    if node is None:
        for name in ("item", "empty"):
            if given.written(name):
                given.report.error(
                    "missing-field", f"{name}: belongs to each:", given.node(name) or given.key
                )
        return None
    source, word, name = node.value.rpartition(" as ")
    if not word:
        given.report.error(
            "expr", "the name of the element is missing", node, help=f"write {node.value} as x"
        )
        return None
    name = name.strip()
    known = given.shop.variable(Text(name, node.part(len(source) + 4), node.quoted))
    expression = given.shop.expression(Text(source, node.part(0, len(source)), node.quoted))
    item = given.wording("item")
    empty = given.block_or_none("empty", following, number)
    if not given.written("item"):
        given.report.error(
            "missing-field",
            "each: needs item:, the label of an element",
            given.key,
            help='item: "{{ x.name }}"',
        )
    if known is None or expression is None or item is None:
        return None
    return Elements(source=expression, name=known, item=item, empty=empty)


def _below(lines: tuple[Line, ...], channel: str, language: str) -> tuple[str, ...] | None:
    """Return the lines as they are shown where they are the same in every session, else None."""
    found = []
    for line in lines:
        form = line.label.forms.get((channel, language))
        if line.show is not None or form is None or form.constant is None:
            return None
        if channel == "voice":
            found.append(press(phrases(language).press, form.constant, line.key))
        else:
            found.append(f"{line.key} {form.constant}")
    return tuple(found)


def constant_lines(given: Given, lines: tuple[Line, ...]) -> dict[tuple[str, str], str]:
    """Return the lines by (channel, language) as one text, where none of them varies."""
    found = {}
    for channel in ("ussd", "sms"):
        for language in given.shop.languages:
            below = _below(lines, channel, language)
            if below:
                found[channel, language] = "\n".join(below)
    return found


def menu_screens(
    given: Given, text: Wording, lines: tuple[Line, ...]
) -> dict[tuple[str, str], tuple[Page, ...]]:
    """Return the pages of a constant menu; a line that takes the key of a next page is an error."""
    project = given.shop.around.project
    takes_back = any(keys.back in {line.key for line in lines} for keys in project.capabilities.values())
    screens = constant_screens(project, text, partial(_below, lines), back=not takes_back)
    for line in lines:
        for (channel, _), pages in screens.items():
            if len(pages) > 1 and line.key == project.capabilities[Channel(channel)].more:
                given.report.error(
                    "menu-key",
                    f'the menu has {len(pages)} pages, so the key "{line.key}" turns them and is no line',
                    given.key,
                    help="give the line another key, or shorten the menu to one page",
                )
    return screens
