"""What a condition tells about types: where `net.until` is true, it is not empty.

Flow types are a mapping from variable to type; a field is narrowed by rebuilding the record around it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from engine.expressions import syntax
from engine.expressions.syntax import Node
from engine.types import Record, Type

Types = Mapping[str, Type]


def narrowed(condition: Node, types: Types, holds: bool) -> Types:
    """Return the types where the condition is true, or where it is false."""
    match condition:
        case syntax.Not(part=part):
            return narrowed(part, types, not holds)
        case syntax.Logic(all=all_, parts=parts):
            if all_ is holds:  # all parts are true, or none is
                for part in parts:
                    types = narrowed(part, types, holds)
            return types
        case syntax.IsEmpty(part=part):
            return types if holds else filled(part, types)
        case syntax.Compare(first=first, rest=rest) if holds:
            # a comparison with an empty value is false, so a true one had none
            for part in (first, *(node for _, node in rest)):
                types = filled(part, types)
            return types
        case syntax.Name() | syntax.Field() if holds:
            return filled(condition, types)
    return types


def filled(node: Node, types: Types) -> Types:
    """Return the types with the variable or field of `node` not empty; other nodes change nothing."""
    names: list[str] = []
    while isinstance(node, syntax.Field):
        names.append(node.name)
        node = node.base
    if not isinstance(node, syntax.Name) or node.name not in types:
        return types
    return {**types, node.name: _filled(types[node.name], names[::-1])}


def _filled(type_: Type, path: list[str]) -> Type:
    full = replace(type_, optional=False)
    if not path or not isinstance(type_.shape, Record):
        return full
    fields = tuple(
        (name, _filled(inner, path[1:]) if name == path[0] else inner) for name, inner in type_.shape.fields
    )
    return replace(full, shape=Record(fields))
