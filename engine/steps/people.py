"""What `queue` and `callback` have in common: the name of a queue, and the text for the people behind it.

A name is a constant or an input of type `queue`, so that it can be checked before anyone calls.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from engine.expressions import Expression
from engine.reading.suggestion import did_you_mean
from engine.reading.tree import Text
from engine.reading.workshop import Given
from engine.run import Run
from engine.types import Scalar
from engine.values import Secret
from engine.wording import Wording

_INPUT = re.compile(r"\{\{\s*([a-z][a-z0-9_]*)\s*\}\}")


@dataclass(frozen=True, slots=True)
class QueueName:
    """The name of a queue: `constant`, or the value of an input of the flow."""

    constant: str
    source: Expression | None = None

    def of(self, run: Run) -> str | None:
        """Return the name; None if the project has no such queue."""
        name: Any = self.constant if self.source is None else self.source.evaluate(run)
        return name if isinstance(name, str) and name in run.project.queues else None


def read_queue(given: Given, field: str) -> QueueName | None:
    """Read the name; None after reporting."""
    node = given.node(field)
    if not isinstance(node, Text):
        return None
    written = node.value.strip()
    match = _INPUT.fullmatch(written)
    queues = given.shop.around.project.queues
    if match is None:
        if written not in queues:
            given.report.error(
                "no-queue",
                f'there is no queue "{written}"{did_you_mean(written, queues)}',
                node,
                help=f"queues: of config/project.yaml declares {', '.join(queues) or 'none'}",
            )
            return None
        return QueueName(written)
    name = match[1]
    input_ = given.shop.inputs.get(name)
    if input_ is None or input_.shape is not Scalar.QUEUE:
        given.report.error(
            "no-queue",
            f'"{name}" is not an input of type queue, so nobody knows which queue this is',
            node,
            help=f"takes: {{ {name}: queue }} in the header, or the name of a queue",
        )
        return None
    source = given.shop.expression(Text(name, node.part(match.start(1), match.end(1)), node.quoted))
    return None if source is None else QueueName("", source)


def note_of(run: Run, wording: Wording | None) -> str:
    """Return a note for people, in the main language; a secret in it is only dots."""
    if wording is None:
        return ""
    text = run.text_of(wording)
    return str(text) if isinstance(text, Secret) else text
