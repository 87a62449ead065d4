"""The small closures that expressions are made of besides operators: variables, `and`/`or`, filters."""

from __future__ import annotations

from collections.abc import Callable

from engine.expressions import operators, syntax
from engine.expressions.spot import Run, Spot
from engine.expressions.syntax import Node
from engine.expressions.text_form import NoTextError
from engine.expressions.world import Scope, World
from engine.values import Secret, Value


def why(error: Exception) -> str:
    """Return what a text form has failed of, in words without the value."""
    return str(error) if isinstance(error, NoTextError) else "the number is too large"


def root_of(node: Node) -> syntax.Name | None:
    """Return the name that `a.b.c` begins with, None if it is no name."""
    while isinstance(node, syntax.Field):
        node = node.base
    return node if isinstance(node, syntax.Name) else None


def path_of(node: Node) -> tuple[str, ...]:
    """Return `("p", "fee")` for `p.fee`, and () for what does not begin with a name."""
    names: list[str] = []
    while isinstance(node, syntax.Field):
        names.append(node.name)
        node = node.base
    return (node.name, *reversed(names)) if isinstance(node, syntax.Name) else ()


def variable(name: str, spot: Spot) -> Run:
    """Read a variable, else a constant that was unknown when this was compiled."""

    def run(scope: Scope) -> Value:
        try:
            return scope.variables[name]
        except KeyError:
            if name in scope.world.consts:
                return scope.world.consts[name]
            raise spot.failure("it is unknown here") from None

    return run


def variable_field(name: str, key: str, otherwise: Run) -> Run:
    """Read a field of a variable; whatever is unusual takes the long way, which names the fault."""

    def run(scope: Scope) -> Value:
        try:
            return scope.variables[name][key]  # type: ignore[index, call-overload]
        except (KeyError, TypeError, IndexError):
            return otherwise(scope)

    return run


def logic(all_: bool, parts: tuple[Run, ...]) -> Run:
    """`and` (all) or `or` of two or more parts; gives the value of the deciding one."""
    if len(parts) == 2:
        first, second = parts
        if all_:
            return lambda scope: first(scope) and second(scope)
        return lambda scope: first(scope) or second(scope)
    *early, last = parts
    leading = tuple(early)

    def every(scope: Scope) -> Value:
        for part in leading:
            value = part(scope)
            if not value:
                return value
        return last(scope)

    def some(scope: Scope) -> Value:
        for part in leading:
            value = part(scope)
            if value:
                return value
        return last(scope)

    return every if all_ else some


def length(part: Run, spot: Spot) -> Run:
    """`part|length`: characters of a text or a secret, elements of a list, fields of a record."""

    def run(scope: Scope) -> Value:
        value = part(scope)
        if isinstance(value, str | Secret | list | tuple | dict):
            return len(value)
        raise spot.failure(f"{operators.kind(value)} has no length")

    return run


def formatted(part: Run, form: Callable[[Value, World], str], spot: Spot) -> Run:
    """`part|money` and the other text forms that depend on the world."""

    def run(scope: Scope) -> Value:
        value = part(scope)
        try:
            return form(value, scope.world)
        except (NoTextError, ArithmeticError, OverflowError, ValueError) as error:
            if value is None:
                raise spot.failure("it is empty") from None
            raise spot.failure(
                "a secret has no such form" if isinstance(value, Secret) else why(error)
            ) from None

    return run
