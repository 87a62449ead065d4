"""The syntax tree of expressions and texts: the only shapes that are ever compiled.

`engine.expressions.parse` makes it from Jinja2's tree and lets nothing else through. `at` is the offset of a
node in its source.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from engine.values import Value


@dataclass(frozen=True, slots=True)
class Constant:
    """A value written in the source."""

    value: Value
    at: int


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, a constant of the project or a built-in word."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Field:
    """`base.name`: the field of a record; `at` points to the name."""

    base: Node
    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Item:
    """`base[index]`: an element of a list or a field of a record."""

    base: Node
    index: Node
    at: int


@dataclass(frozen=True, slots=True)
class Compare:
    """`a < b`, also chained (`1 <= x <= 5`). Operators: == != < <= > >= in, not in."""

    first: Node
    rest: tuple[tuple[str, Node], ...]
    at: int


@dataclass(frozen=True, slots=True)
class Logic:
    """`and` (all is true) or `or` of two or more parts; the value is that of the deciding part."""

    all: bool
    parts: tuple[Node, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Not:
    """`not a`."""

    part: Node
    at: int


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`a + b`; operators: + - * / %."""

    operator: str
    left: Node
    right: Node
    at: int


@dataclass(frozen=True, slots=True)
class Negative:
    """`-a`."""

    part: Node
    at: int


@dataclass(frozen=True, slots=True)
class Choose:
    """`yes if test else no`."""

    test: Node
    yes: Node
    no: Node
    at: int


@dataclass(frozen=True, slots=True)
class Filter:
    """`part|name(arguments)`; `at` points to the name."""

    part: Node
    name: str
    arguments: tuple[Node, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Call:
    """`name(arguments)`: a built-in function."""

    name: str
    arguments: tuple[Node, ...]
    at: int


@dataclass(frozen=True, slots=True)
class IsEmpty:
    """`a is none`."""

    part: Node
    at: int


@dataclass(frozen=True, slots=True)
class Listed:
    """`[a, b]`."""

    items: tuple[Node, ...]
    at: int


Node: TypeAlias = (
    Constant
    | Name
    | Field
    | Item
    | Compare
    | Logic
    | Not
    | Arithmetic
    | Negative
    | Choose
    | Filter
    | Call
    | IsEmpty
    | Listed
)


@dataclass(frozen=True, slots=True)
class Words:
    """Text as it stands."""

    text: str


@dataclass(frozen=True, slots=True)
class Output:
    """`{{ node }}`."""

    node: Node


@dataclass(frozen=True, slots=True)
class Branch:
    """`{% if %}`: the first true test's part, else the last one."""

    cases: tuple[tuple[Node, tuple[Part, ...]], ...]
    otherwise: tuple[Part, ...]


Part: TypeAlias = Words | Output | Branch

_TIGHT = 9
_LEVEL: dict[type[Node], int] = {
    Choose: 0, Logic: 1, Not: 2, Compare: 3, IsEmpty: 3, Arithmetic: 4, Negative: 5
}  # fmt: skip


def show(node: Node) -> str:
    """Return the node as it may be written, for a message; a long one is shortened."""
    text = _show(node)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _tight(node: Node, level: int) -> str:
    text = _show(node)
    return f"({text})" if _LEVEL.get(type(node), _TIGHT) < level else text


def _show_constant(value: Value) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return repr(value) if isinstance(value, str) else str(value)


def _show(node: Node) -> str:
    match node:
        case Constant(value=value):
            return _show_constant(value)
        case Name(name=name):
            return name
        case Field(base=base, name=name):
            return f"{_tight(base, _TIGHT)}.{name}"
        case Item(base=base, index=index):
            return f"{_tight(base, _TIGHT)}[{_show(index)}]"
        case Compare(first=first, rest=rest):
            return _tight(first, 4) + "".join(f" {sign} {_tight(part, 4)}" for sign, part in rest)
        case Logic(all=all_, parts=parts):
            return (" and " if all_ else " or ").join(_tight(part, 2) for part in parts)
        case Not(part=part):
            return f"not {_tight(part, 3)}"
        case Arithmetic(operator=sign, left=left, right=right):
            return f"{_tight(left, 4)} {sign} {_tight(right, 5)}"
        case Negative(part=part):
            return f"-{_tight(part, 5)}"
        case Choose(test=test, yes=yes, no=no):
            return f"{_tight(yes, 1)} if {_tight(test, 1)} else {_show(no)}"
        case Filter(part=part, name=name, arguments=arguments):
            extra = f"({', '.join(map(_show, arguments))})" if arguments else ""
            return f"{_tight(part, 6)}|{name}{extra}"
        case Call(name=name, arguments=arguments):
            return f"{name}({', '.join(map(_show, arguments))})"
        case IsEmpty(part=part):
            return f"{_tight(part, 4)} is none"
        case Listed(items=items):
            return f"[{', '.join(map(_show, items))}]"
