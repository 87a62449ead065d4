"""What an expression reads while it is evaluated: variables of the flow, and the world around it.

Both are plain containers. They do not know who fills them: the machine makes one world for a turn, and what
has to be looked up outside is put into `looked` before an expression that asks for it is evaluated.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo

import msgspec

from engine.effects import Question
from engine.values import Value


class World(msgspec.Struct, eq=False, gc=False):
    """The built-in words of flow-language 2.10, as they are in this turn.

    `moment` is UTC with an offset, `zone` that of the subscriber; with `now_ms` (UTC milliseconds) it
    is made when it is first read. `caller` is an MSISDN, empty if hidden; `called` the dialled number or
    code. `currency` and `country` are ISO codes of the project. `looked` holds the answers to questions by
    `question_key`. `consts` are looked at for a name that is neither a built-in word nor a variable nor a
    constant known when the expression was compiled. It has no repr that would show the caller.
    """

    moment: datetime | None = None
    zone: tzinfo = UTC
    caller: str = ""
    called: str = ""
    lang: str = "ru"
    channel: str = ""
    topic: str = ""
    text: str = ""
    event: Mapping[str, Value] = {}
    currency: str = "RUB"
    country: str = "RU"
    looked: Mapping[str, Value] = {}
    consts: Mapping[str, Value] = {}
    now_ms: int = 0

    @property
    def now(self) -> datetime:
        """The moment of this turn."""
        if self.moment is None:
            self.moment = datetime.fromtimestamp(self.now_ms / 1000, UTC)
        return self.moment

    def __repr__(self) -> str:
        """Show nothing personal."""
        return "World()"


class Scope:
    """The variables of one run of a flow, and the world: all that an expression can see.

    Most expressions look at variables only; a subclass may give no world and make it when it is first read.
    """

    __slots__ = ("_world", "variables")

    def __init__(self, variables: Mapping[str, Value], world: World) -> None:
        self.variables = variables
        self._world: World | None = world

    @property
    def world(self) -> World:
        """What built-in words read."""
        if self._world is None:
            self._world = self.make_world()
        return self._world

    def make_world(self) -> World:
        """Return the world of a scope that was made without one: nothing is known in it."""
        return World()


def question_key(question: Question) -> str:
    """Return the key under which the answer to a question stands in `World.looked`."""
    return f"{question.kind}:{question.name}:{question.subject}"
