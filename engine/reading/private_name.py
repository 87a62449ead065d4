"""Names whose values a specialist is not shown in the trail: secrets, personal data, what is made of them.

It goes by names alone, over the whole set, and is meant to hide too much rather than too little: a field
that is private in one operation is private everywhere, and so is a variable that is given to a private
argument.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from engine.expressions import Expression, Template
from engine.flow import Flow, Operation, Step
from engine.steps.ask import Ask
from engine.steps.menu import Menu
from engine.steps.request import Request
from engine.steps.run_ import Run
from engine.steps.set_ import Set
from engine.types import ListOf, Privacy, Record, Type

_BUILT_IN = frozenset({"caller", "text"})


def names_in(part: Expression | Template) -> frozenset[str]:
    """Return every name in an expression or a text: variables, their fields, built-in words."""
    return part.words.union(*((use.name, *use.path) for use in part.uses))


def private_names(
    flows: Iterable[Flow], operations: Mapping[str, Operation], events: Mapping[str, Record]
) -> frozenset[str]:
    """Return the names of a flow set whose values stay private."""
    steps = [step for flow in flows for step in flow.program]
    found = set(_BUILT_IN)
    for flow in flows:
        found |= {name for name, type_ in flow.inputs.items() if type_.privacy is not Privacy.PUBLIC}
    for operation in operations.values():
        found |= {name for name, type_ in operation.takes.items() if type_.privacy is not Privacy.PUBLIC}
        if operation.returns is not None:
            found.update(_fields(Type(operation.returns)))
    for event in events.values():
        found.update(_fields(Type(event)))
    for step in steps:
        found.update(_given(step))
    while True:
        more = {name for step in steps for name in _made(step, found)} - found
        if not more:
            return frozenset(found)
        found |= more


def _fields(type_: Type) -> Iterator[str]:
    shape = type_.shape
    if isinstance(shape, ListOf):
        yield from _fields(shape.element)
    elif isinstance(shape, Record):
        for name, inner in shape.fields:
            if inner.privacy is not Privacy.PUBLIC or _is_private_list(inner):
                yield name
            yield from _fields(inner)


def _is_private_list(type_: Type) -> bool:
    return isinstance(type_.shape, ListOf) and type_.shape.element.privacy is not Privacy.PUBLIC


def _given(step: Step) -> Iterator[str]:
    """Return the variables a step declares private by itself."""
    if isinstance(step, Ask) and step.save is not None and (step.secret or step.kind == "phone"):
        yield step.save
    elif isinstance(step, Request):
        for _, value, type_ in step.arguments:
            if type_.privacy is not Privacy.PUBLIC:
                yield from (use.name for use in value.uses if len(use.path) <= 1)


def _made(step: Step, private: set[str]) -> Iterator[str]:
    """Return the variables that get a value made of private ones."""
    pairs: list[tuple[str, Expression]] = []
    match step:
        case Set(values=values):
            pairs = list(values)
        case Run(arguments=arguments):
            pairs = list(arguments)
        case Menu(elements=elements) if elements is not None:
            pairs = [(elements.name, elements.source)]
    for name, value in pairs:
        if not private.isdisjoint(names_in(value)):
            yield name
