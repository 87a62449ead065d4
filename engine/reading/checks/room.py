"""How much room a text takes: its fixed words, and the shortest or the longest form of every value in it.

The longest form goes by the type: an enumeration has its longest word, money five digits and cents, a whole
number three digits. Of a text that comes from outside nobody knows; `TEXT_LENGTH` characters are assumed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from engine.capabilities import PageBudget
from engine.expressions import Template
from engine.expressions.inference import Inference
from engine.expressions.language import language
from engine.expressions.narrowing import Types
from engine.expressions.source import Source
from engine.expressions.syntax import Branch, Choose, Constant, Filter, Name, Node, Output, Part, Words, show
from engine.prompts import in_gsm7
from engine.reading.checks.condition import parts_of
from engine.reading.diagnostic import Place
from engine.types import Choice, Scalar, Type

TEXT_LENGTH = 20
"""Characters assumed of a text that comes from outside: a name, an address, a contract."""

_SHORTEST = {"money": "0 ₽", "date": "1 мая", "time": "9:00", "duration": "1 минута", "phone": "7" * 11}
_SIGN = "8"
_WHOLE = "999"
_MONEY = "99 999,99 ₽"
_PHONE = "+7 999 999-99-99"
_NOWHERE = Source("", Place("", 1, 1))


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


@dataclass(slots=True)
class Longest:
    """Makes the longest form of a text with these types; `guessed` are the values of unknown length.

    Those have `unknown` characters.
    """

    template: Template
    types: Types
    unknown: int = TEXT_LENGTH
    guessed: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Return the text with values as long as they may be."""
        if self.template.constant is not None:
            return self.template.constant
        return _in_its_alphabet(self._joined(parts_of(self.template.source)))

    def _joined(self, parts: tuple[Part, ...]) -> str:
        return "".join(map(self._part, parts))

    def _part(self, part: Part) -> str:
        match part:
            case Words(text=text):
                return text
            case Output(node=node):
                return self._value(node)
            case Branch(cases=cases, otherwise=otherwise):
                return max((*(self._joined(body) for _, body in cases), self._joined(otherwise)), key=len)

    def _value(self, node: Node) -> str:
        match node:
            case Constant(value=value):
                return str(value)
            case Name(name=name) if name in self.template.known.consts:
                return str(self.template.known.consts[name])
            case Choose(yes=first, no=second):
                return max(self._value(first), self._value(second), key=len)
            case Filter(name="count", arguments=(Constant(value=str(forms)), *_)):
                return f"{_WHOLE} {max(forms.split('|'), key=len)}"
            case Filter(name=name, part=inner) if name in _FILTERED:
                return _FILTERED[name](self.template.language) or self._value(inner)
        return self._typed(node, Inference(_NOWHERE, self.template.known).type_of(node, self.types))

    def _typed(self, node: Node, type_: Type) -> str:
        if isinstance(type_.shape, Choice):
            return max(type_.shape.values, key=len)
        if isinstance(type_.shape, Scalar) and type_.shape in _TYPED:
            return _TYPED[type_.shape](self.template.language)
        name = show(node)
        if name not in self.guessed:
            self.guessed.append(name)
        return _SIGN * self.unknown


def _day(tongue: str) -> str:
    return max((pattern.format(30, 2030) for pattern in language(tongue).day), key=len)


def _term(tongue: str) -> str:
    words = language(tongue)
    return f"{words.counted(23, 1)} {words.counted(59, 2)}"


_FILTERED: dict[str, Callable[[str], str]] = {
    "money": lambda _: _MONEY,
    "date": _day,
    "time": lambda _: "23:59",
    "duration": _term,
    "phone": lambda _: _PHONE,
    "length": lambda _: "999",
    "digits": lambda _: "",
}
_TYPED: dict[Scalar, Callable[[str], str]] = {
    Scalar.INT: lambda _: _WHOLE,
    Scalar.BOOL: lambda tongue: max(language(tongue).yes, language(tongue).no, key=len),
    Scalar.MONEY: lambda _: "99999.99",
    Scalar.DATE: _day,
    Scalar.TIME: lambda _: "23:59",
    Scalar.MOMENT: lambda tongue: f"{_day(tongue)} 23:59",
    Scalar.DURATION: _term,
    Scalar.PHONE: lambda _: "7" * 11,
    Scalar.QUEUE: lambda _: _SIGN * TEXT_LENGTH,
}


def _in_its_alphabet(text: str) -> str:
    """Money in a text that is otherwise in the short alphabet is written with letters."""
    latin = text.replace("₽", "RUB")
    return latin if in_gsm7(latin) else text


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
