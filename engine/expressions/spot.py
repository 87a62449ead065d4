"""Where in a source a closure comes from, so that its failure can be shown there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from engine.expressions.errors import ExpressionFailed
from engine.expressions.source import Source
from engine.expressions.syntax import Node, show
from engine.expressions.world import Scope
from engine.values import Value

Run: TypeAlias = Callable[[Scope], Value]


@dataclass(frozen=True, slots=True)
class Spot:
    """A node in its source. Texts and places are made only when something fails."""

    source: Source
    node: Node

    def failure(self, message: str) -> ExpressionFailed:
        """Return the error to raise: `p.fee + p.name: money and text cannot be added`."""
        return ExpressionFailed(f"{show(self.node)}: {message}", self.source.at(self.node.at))
