"""What `remember` and `forget` have in common: a declared memory and whose it is."""

from __future__ import annotations

from dataclasses import dataclass

from engine.effects import Question
from engine.expressions import Expression, Scope
from engine.reading.suggestion import did_you_mean
from engine.reading.workshop import Given


@dataclass(frozen=True, slots=True)
class MemoryAsk:
    """Asks in front of a step how many of a memory are kept, as `memory.name` in an expression does."""

    name: str
    to: Expression | None

    @property
    def asks(self) -> bool:
        """There is always something to ask."""
        return True

    def questions(self, scope: Scope) -> tuple[Question, ...]:
        """Return the one question."""
        subject = scope.world.caller if self.to is None else self.to.evaluate(scope)
        return (Question("memory", self.name, subject if isinstance(subject, str) else ""),)


def declared(given: Given, name: str | None) -> bool:
    """Check that the project declares the memory."""
    known = given.shop.around.project.memory
    if name is None:
        return False
    if name not in known:
        given.report.error(
            "no-memory",
            f'there is no memory "{name}"{did_you_mean(name, known)}',
            given.node(given.key.value) or given.key,
            help=f"memory: of config/project.yaml declares {', '.join(known) or 'none'}",
        )
        return False
    return True
