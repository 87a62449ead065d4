"""What an expression has to have looked up in front: `memory.name` and the functions that ask the world.

An `Ask` knows how to make the question from a scope, and its closure reads the answer from `World.looked`.
Who answers, and how, is not known here. Names of questions: the memory, the operation, the queue or calendar,
the topic; for `repeat_contact` the topic and the days (`internet:7`), for `workdays` the number, whose answer
is the term (a duration) from now; `announcement` has none.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.effects import Question
from engine.expressions.errors import ExpressionFailed
from engine.expressions.spot import Run, Spot
from engine.expressions.vocabulary import OF_CALLER
from engine.expressions.world import Scope, question_key
from engine.reading.diagnostic import Place
from engine.values import Value

_MOST_DAYS = 3_660


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing to look up. `name` is None where it depends on variables: `open(line)`."""

    kind: str
    name: str | None
    place: Place
    spot: Spot
    arguments: tuple[Run, ...] = ()

    def question(self, scope: Scope) -> Question:
        """Return the question. Raises ExpressionFailed if a variable in it is unknown or unfit."""
        name = self.name if self.name is not None else self._name(scope)
        return Question(self.kind, name, scope.world.caller if self.kind in OF_CALLER else "")

    def _name(self, scope: Scope) -> str:
        first = self.arguments[0](scope)
        if self.kind == "workdays":
            return str(self._days(first))
        if not isinstance(first, str) or not first:
            raise self.spot.failure("the name is no text, or is empty")
        if self.kind == "repeat_contact":
            return f"{first}:{self._days(self.arguments[1](scope))}"
        return first

    def _days(self, value: Value) -> int:
        if type(value) is not int or not 0 < value <= _MOST_DAYS:
            raise self.spot.failure(f"days are a whole number from 1 to {_MOST_DAYS}")
        return value

    def reader(self) -> Run:
        """Return the closure that reads the answer."""
        constant = self.name
        if constant is None:

            def read(scope: Scope) -> Value:
                key = question_key(self.question(scope))
                if key not in scope.world.looked:  # no KeyError, which would carry the name
                    raise self.spot.failure("it has not been looked up")
                return scope.world.looked[key]

            return read
        of_caller = self.kind in OF_CALLER
        prefix = f"{self.kind}:{constant}:"

        def read_constant(scope: Scope) -> Value:
            world = scope.world
            key = prefix + world.caller if of_caller else prefix
            if key not in world.looked:
                raise self.spot.failure("it has not been looked up")
            return world.looked[key]

        return read_constant


def questions(asks: tuple[Ask, ...], scope: Scope) -> tuple[Question, ...]:
    """Return all questions of an expression, each once.

    One whose name cannot be made is left out: if its value is wanted at all, the evaluation reports it.
    """
    found: dict[Question, None] = {}
    for ask in asks:
        try:
            found[ask.question(scope)] = None
        except ExpressionFailed:
            continue
    return tuple(found)
