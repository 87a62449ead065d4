"""`go`: jump to a scene of the file (or a word like `end`, `back`); it never comes back by itself."""

from __future__ import annotations

from dataclasses import dataclass

from engine.flow import Step
from engine.glance import Glance
from engine.reading.fields import BLOCK, Field
from engine.reading.tree import Text
from engine.reading.workshop import Given
from engine.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Go(Step):
    """A jump; `next` is where it leads."""

    verb = "go"
    glides = True
    FIELDS = (Field("go", BLOCK, required=True, doc="the scene that follows"),)
    EXAMPLE = "- go: finish"

    @classmethod
    def build(cls, given: Given, following: int) -> int:
        """Make the step."""
        node = given.node("go")
        if not isinstance(node, Text):
            given.report.error("type", "go: expected the name of a scene", node or given.key)
            return following
        target = given.shop.target(node)
        return given.shop.add(cls(place=given.place, next=target, id=given.id))

    def run(self, run: Run) -> int:
        """Jump."""
        return self.next

    def glide(self, glance: Glance) -> int:
        """Jump."""
        return self.next
