"""What an expression reads while it is evaluated: variables of the flow, and the world around it.

Both are plain containers. They do not know who fills them: the machine makes one world for a turn, and what
has to be looked up outside is put into `looked` before an expression that asks for it is evaluated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from engine.effects import Question
from engine.values import Value

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True, repr=False, eq=False)  # no repr: it would show the caller
class World:
    """The built-in words of flow-language 2.10, as they are in this turn.

    `now` is UTC with an offset, `zone` that of the subscriber. `caller` is an MSISDN, empty if hidden;
    `called` the dialled number or code. `currency` and `country` are ISO codes of the project. `looked`
    holds the answers to questions by `question_key`. `consts` are looked at for a name that is neither a
    built-in word nor a variable nor a constant known when the expression was compiled.
    """

    now: datetime = _EPOCH
    zone: tzinfo = UTC
    caller: str = ""
    called: str = ""
    lang: str = "ru"
    channel: str = ""
    topic: str = ""
    text: str = ""
    event: Mapping[str, Value] = field(default_factory=dict)
    announcement: str = ""
    currency: str = "RUB"
    country: str = "RU"
    looked: Mapping[str, Value] = field(default_factory=dict)
    consts: Mapping[str, Value] = field(default_factory=dict)


class Scope:
    """The variables of one run of a flow, and the world: all that an expression can see."""

    __slots__ = ("variables", "world")

    def __init__(self, variables: Mapping[str, Value], world: World) -> None:
        self.variables = variables
        self.world = world


def question_key(question: Question) -> str:
    """Return the key under which the answer to a question stands in `World.looked`."""
    return f"{question.kind}:{question.name}:{question.subject}"
