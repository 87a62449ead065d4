"""Which queues a flow may mean where it says `queue: "{{ line }}"`: those that its runners give it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.expressions import Expression
from engine.expressions.syntax import Choose, Constant, Name, Node
from engine.flow import Flow
from engine.reading.checks.condition import tree_of
from engine.reading.checks.survey import Survey
from engine.steps.people import QueueName
from engine.steps.run_ import Run
from engine.steps.schedule import Schedule
from engine.types import Scalar

Given = Mapping[tuple[str, str], frozenset[str]]
"""For a flow and an input of type `queue`: the names it is given anywhere."""


def choices(value: Expression) -> Iterator[Node]:
    """Return what a code field may give: itself, or both sides of `a if test else b`."""
    open_ = [tree_of(value.source)]
    while open_:
        node = open_.pop()
        if isinstance(node, Choose):
            open_ += [node.no, node.yes]
        else:
            yield node


def given_queues(survey: Survey) -> Given:
    """Follow the names of queues through all `with:`."""
    found: dict[tuple[str, str], set[str]] = {}
    passed: list[tuple[tuple[str, str], tuple[str, str]]] = []
    for flow in survey.flows.flows.values():
        for step in flow.program:
            if not isinstance(step, Run | Schedule) or step.flow not in survey.flows.flows:
                continue
            inputs = survey.flows.flows[step.flow].inputs
            for name, value in step.arguments:
                if name not in inputs or inputs[name].shape is not Scalar.QUEUE:
                    continue
                to = (step.flow, name)
                found.setdefault(to, set())
                for node in choices(value):
                    if isinstance(node, Constant) and isinstance(node.value, str):
                        found[to].add(node.value)
                    elif isinstance(node, Name):
                        passed.append(((flow.id, node.name), to))
    changed = True
    while changed:
        changed = False
        for source, to in passed:
            more = found.get(source, set()) - found[to]
            changed = changed or bool(more)
            found[to] |= more
    return {key: frozenset(names) for key, names in found.items()}


def possible(name: QueueName, flow: Flow, given: Given) -> list[str]:
    """Return the queues that a name may mean in a flow, in alphabetical order."""
    if name.source is None:
        return [name.constant]
    return sorted(given.get((flow.id, name.source.source.strip()), frozenset()))
