"""How much room a text takes at least: its fixed words, and the shortest form of every value in it."""

from __future__ import annotations

from engine.capabilities import PageBudget
from engine.expressions import Template
from engine.expressions.syntax import Branch, Filter, Output, Part, Words
from engine.prompts import in_gsm7
from engine.reading.checks.condition import parts_of

_SHORTEST = {"money": "0 ₽", "date": "1 мая", "time": "9:00", "duration": "1 минута", "phone": "7" * 11}


def shortest(template: Template) -> str:
    """Return the text with values as short as they can be."""
    if template.constant is not None:
        return template.constant
    return _joined(parts_of(template.source))


def _joined(parts: tuple[Part, ...]) -> str:
    return "".join(map(_part, parts))


def _part(part: Part) -> str:
    match part:
        case Words(text=text):
            return text
        case Output(node=Filter(name=name)):
            return _SHORTEST.get(name, "0")
        case Branch(cases=cases, otherwise=otherwise):
            return min((*(_joined(body) for _, body in cases), _joined(otherwise)), key=len)
    return "0"


def units(text: str, budget: PageBudget) -> tuple[int, int]:
    """Return the size of a text and the room of a page, in the units of its alphabet."""
    if in_gsm7(text):
        return len(text) + sum(text.count(sign) for sign in "^{}[]~\\|€"), budget.gsm7
    return len(text.encode("utf-16-le", "surrogatepass")) // 2, budget.ucs2


def size_in(part: str, whole: str) -> int:
    """Return the size of a part of a text, in the units of the alphabet that the whole text needs."""
    if in_gsm7(whole):
        return units(part, PageBudget())[0]
    return len(part.encode("utf-16-le", "surrogatepass")) // 2


def sms_parts(text: str) -> int:
    """Return the number of SMS parts: 160 or 70 characters in one, 153 or 67 in each of several."""
    size, one = units(text, PageBudget(160, 70))
    if size <= one:
        return 1
    each = 153 if one == 160 else 67
    return -(-size // each)
