"""The words of expressions: what is built in (flow-language 2.10), and what the project declares.

A name in an expression is, in this order: a built-in word, a constant of the project, a variable of the
flow. The first two cannot be taken by a variable (`reserved_name`), so the order never shows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from engine.expressions.world import Scope
from engine.types import ANY, DATE, MOMENT, PHONE, TEXT, Choice, Type
from engine.values import Value


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the project declares and expressions may name.

    None for a collection means that it is not known, and names are then not checked against it. `languages`
    are those of the project, the language of the flows first; `operations` are those with `once`.
    """

    consts: Mapping[str, Value] = field(default_factory=dict)
    languages: tuple[str, ...] = ("ru",)
    memory: Collection[str] | None = None
    operations: Collection[str] | None = None
    queues: Collection[str] | None = None
    calendars: Collection[str] | None = None

    def reserved_name(self, name: str) -> str | None:
        """Tell what a variable of this name would hide: `a built-in word`, `a constant`; None if nothing."""
        if name in BUILT_IN:
            return "a built-in word"
        return "a constant of the project" if name in self.consts else None


Read = Callable[[Scope], Value]


def _today(scope: Scope) -> Value:
    world = scope.world
    return world.now.astimezone(world.zone).date()


VARIABLES: dict[str, tuple[Read, Type]] = {
    "now": (lambda scope: scope.world.now, MOMENT),
    "today": (_today, DATE),
    "caller": (lambda scope: scope.world.caller, PHONE),
    "called": (lambda scope: scope.world.called, TEXT),
    "lang": (lambda scope: scope.world.lang, TEXT),
    "channel": (lambda scope: scope.world.channel, Type(Choice(("voice", "ussd", "sms", "event")))),
    "topic": (lambda scope: scope.world.topic, TEXT),
    "text": (lambda scope: scope.world.text, TEXT),
    "event": (lambda scope: scope.world.event, ANY),
    "announcement": (lambda scope: scope.world.looked.get("announcement::"), TEXT),
}
"""Built-in variables: how each is read, and its type."""

CONSTANTS: dict[str, Value] = {"yes": True, "no": False, "none": None, "true": True, "false": False}
"""Built-in values. `true`, `false` and `none` are known to the parser already."""

FUNCTIONS: dict[str, tuple[int, int]] = {
    "hours": (1, 1),
    "days": (1, 1),
    "minutes": (1, 1),
    "workdays": (1, 1),
    "lowest": (1, 1),
    "average": (1, 1),
    "min": (1, 20),
    "max": (1, 20),
    "round": (1, 2),
    "open": (1, 1),
    "expected_wait": (1, 1),
    "position": (1, 1),
    "recent": (1, 1),
    "repeat_contact": (2, 2),
    "surge": (1, 1),
}
"""Built-in functions: the least and the largest number of arguments."""

LOOKED_UP = frozenset({"open", "expected_wait", "position", "recent", "repeat_contact", "surge", "workdays"})
"""Functions that ask the world in front of the step (`engine.effects.Question`); `memory.name` does too."""

OF_CALLER = frozenset({"memory", "recent", "repeat_contact"})
"""Kinds of questions whose subject is the caller."""

FILTERS: dict[str, tuple[int, int]] = {
    "money": (0, 0),
    "date": (0, 0),
    "time": (0, 0),
    "duration": (0, 0),
    "phone": (0, 0),
    "digits": (0, 0),
    "count": (1, 1),
    "length": (0, 0),
}
"""Filters: the least and the largest number of arguments."""

SYNTAX = frozenset({"and", "or", "not", "in", "is", "if", "else"})

BUILT_IN = frozenset({*VARIABLES, *CONSTANTS, *FUNCTIONS, *SYNTAX, "memory"})
"""Every word that no `save`, `set`, `each … as`, `for` or input may take."""
