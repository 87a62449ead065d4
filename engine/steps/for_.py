"""`for`: a block for each element of a list, `max` of them at most."""

from __future__ import annotations

from dataclasses import dataclass

from engine.expressions import Expression
from engine.flow import Step
from engine.reading.fields import BLOCK, EXPRESSION, NAME, Field, whole_number
from engine.reading.workshop import Given
from engine.run import Run
from engine.types import ANY, Type


@dataclass(frozen=True, slots=True, kw_only=True)
class ForStart(Step):
    """The way into the loop: the list is taken once, so that a change of it inside does no harm."""

    elements: Expression
    most: int
    head: int

    def run(self, run: Run) -> int:
        """Take the list."""
        elements = self.elements.evaluate(run)
        if elements is None:
            elements = []
        if not isinstance(elements, list | tuple):
            return run.fail(f"for: {self.elements.source} is not a list")
        run.count(self.head, None)
        run.set(hidden_name(self.head), list(elements[: self.most]))
        return self.head

    def exits(self) -> tuple[tuple[str, int], ...]:
        """The head."""
        return (("", self.head),)

    def expressions(self) -> tuple[Expression, ...]:
        """The list."""
        return (self.elements,)


def hidden_name(head: int) -> str:
    """Return the variable that keeps the list of a loop; with a space, so no flow can name it."""
    return f"for {head}"


@dataclass(frozen=True, slots=True, kw_only=True)
class For(Step):
    """The head of the loop; its block leads back to it."""

    name: str
    most: int
    body: int

    verb = "for"
    FIELDS = (
        Field("for", NAME, required=True, doc="the variable of the element"),
        Field("in", EXPRESSION, required=True, doc="the list"),
        Field("max", whole_number(1, 100), required=True, doc="how many elements at most"),
        Field("do", BLOCK, required=True, doc="what is done with each"),
    )
    EXAMPLE = '- for: p\n  in: h.payments\n  max: 4\n  do:\n    say: "{{ p.sum|money }}"'

    @classmethod
    def build(cls, given: Given, following: int) -> int:
        """Make the head, and the way in."""
        head = given.shop.reserve()
        elements, name, most = given.expression("in"), given.variable("for"), given.value("max")
        body = given.block("do", head)
        if elements is None or name is None or most is None:
            return following
        given.shop.put(
            head, cls(place=given.place, next=following, id=given.id, name=name, most=most, body=body)
        )
        start = ForStart(place=given.place, next=following, elements=elements, most=most, head=head)
        return given.shop.add(start)

    def run(self, run: Run) -> int:
        """The next element, or the end of the loop."""
        elements = run.variables.get(hidden_name(run.pc))
        done = run.counters.get(run.pc, 0)
        if not isinstance(elements, list | tuple) or done >= len(elements):
            run.count(run.pc, None)
            run.unset(hidden_name(run.pc))
            run.took("end")
            return self.next
        run.count(run.pc, done + 1)
        run.set(self.name, elements[done])
        run.took("do")
        return self.body

    def exits(self) -> tuple[tuple[str, int], ...]:
        """Another round, or on."""
        return (("do", self.body), ("end", self.next))

    def saves(self) -> tuple[tuple[str, Type], ...]:
        """The element, inside the block; its type is that of the list's elements."""
        return ((self.name, ANY),)
