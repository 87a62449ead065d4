"""The allow-list: from Jinja2's nodes to ours. What has no line here is refused, with its place.

Every node of Jinja2 carries the offset of its token as `lineno` (`engine.expressions.parse`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from jinja2 import nodes

from engine.expressions import syntax
from engine.expressions.syntax import Branch, Constant, Node, Output, Part, Words
from engine.expressions.vocabulary import CONSTANTS, FILTERS, FUNCTIONS
from engine.reading.suggestion import did_you_mean

MAX_DEPTH = 50
"""Nodes in nodes."""

MAX_LIST = 1_000
"""Elements of a list."""

_NAME = re.compile(r"[a-z][a-z0-9_]*\Z", re.ASCII)
_COMPARE = {
    "eq": "==", "ne": "!=", "lt": "<", "lteq": "<=", "gt": ">", "gteq": ">=", "in": "in", "notin": "not in"
}  # fmt: skip
_ARITHMETIC: dict[type[nodes.BinExpr], str] = {
    nodes.Add: "+", nodes.Sub: "-", nodes.Mul: "*", nodes.Div: "/", nodes.Mod: "%"
}  # fmt: skip
_REFUSED: dict[type[nodes.Node], tuple[str, str | None]] = {
    nodes.Pow: ("** is not allowed here", None),
    nodes.FloorDiv: ("// is not allowed here", "divide with / and take round() of it"),
    nodes.Concat: ("~ is not allowed here", "join texts with +, or put both into the text with {{ }}"),
    nodes.Tuple: ("a comma is not allowed here", "write a list in brackets: [a, b]"),
    nodes.Dict: ("{ } is not allowed here", None),
    nodes.Slice: ("a slice is not allowed here", None),
}


@dataclass(eq=False, slots=True)
class RefusalError(Exception):
    """Something that may not be there: the message, and which part of the source is meant."""

    message: str
    offset: int
    length: int = 1
    help: str | None = None


def convert(tree: nodes.Node, refused: list[RefusalError]) -> Node:
    """Return our node for an expression; what is not allowed is added to `refused`."""
    return _Converter(refused).node(tree, 1)


def convert_body(body: Sequence[nodes.Node], refused: list[RefusalError]) -> tuple[Part, ...]:
    """Return our parts of a text; what is not allowed is added to `refused`."""
    return _Converter(refused).body(body, 1)


class _Converter:
    def __init__(self, refused: list[RefusalError]) -> None:
        self.refused = refused

    def refuse(self, message: str, at: int, length: int = 1, help_: str | None = None) -> Node:
        self.refused.append(RefusalError(message, at, length, help_))
        return Constant(None, at)

    def body(self, body: Sequence[nodes.Node], depth: int) -> tuple[Part, ...]:
        parts: list[Part] = []
        for item in body:
            if isinstance(item, nodes.Output):
                parts += [
                    Words(part.data)
                    if isinstance(part, nodes.TemplateData)
                    else Output(self.node(part, depth))
                    for part in item.nodes
                ]
            elif isinstance(item, nodes.If):
                parts.append(self.branch(item, depth + 1))
            else:
                self.refuse(f"{type(item).__name__.lower()} is not allowed here", item.lineno)
        return tuple(parts)

    def branch(self, item: nodes.If, depth: int) -> Part:
        if depth > MAX_DEPTH:
            raise RefusalError("this is nested too deeply", item.lineno)
        tests = [item, *item.elif_]
        cases = tuple((self.node(part.test, depth), self.body(part.body, depth)) for part in tests)
        return Branch(cases, self.body(item.else_, depth))

    def node(self, tree: nodes.Node, depth: int) -> Node:
        """Convert one node; `depth` counts the nodes around it."""
        at = tree.lineno
        if depth > MAX_DEPTH:
            raise RefusalError(f"this is nested too deeply (more than {MAX_DEPTH} levels)", at)
        deeper = depth + 1
        match tree:
            case nodes.Const(value=value):
                return self.constant(value, at)
            case nodes.Name(name=name):
                return self.name(name, at)
            case nodes.Getattr(node=base, attr=attr):
                return syntax.Field(self.node(base, deeper), self.field_name(attr, at + 1), at + 1)
            case nodes.Getitem(node=base, arg=index):
                return self.item(self.node(base, deeper), index, at, deeper)
            case nodes.Compare(expr=first, ops=ops):
                rest = tuple((_COMPARE[part.op], self.node(part.expr, deeper)) for part in ops)
                return syntax.Compare(self.node(first, deeper), rest, at)
            case nodes.And() | nodes.Or():
                return self.logic(tree, deeper)
            case nodes.Not(node=part):
                return syntax.Not(self.node(part, deeper), at)
            case nodes.Neg(node=part):
                return syntax.Negative(self.node(part, deeper), at)
            case nodes.Pos(node=part):
                return self.node(part, deeper)
            case nodes.CondExpr():
                return self.choose(tree, deeper)
            case nodes.List(items=items):
                if len(items) > MAX_LIST:
                    return self.refuse(f"a list of more than {MAX_LIST} elements", at)
                return syntax.Listed(tuple(self.node(item, deeper) for item in items), at)
            case nodes.Filter():
                return self.filter(tree, deeper)
            case nodes.Test(node=part, name=name):
                return self.test(part, name, at, deeper)
            case nodes.Call():
                return self.call(tree, deeper)
            case nodes.BinExpr() if type(tree) in _ARITHMETIC:
                left, right = self.node(tree.left, deeper), self.node(tree.right, deeper)
                return syntax.Arithmetic(_ARITHMETIC[type(tree)], left, right, at)
        message, help_ = _REFUSED.get(type(tree), (f"{type(tree).__name__} is not allowed here", None))
        return self.refuse(message, at, 1, help_)

    def constant(self, value: object, at: int) -> Node:
        if value is None or isinstance(value, bool | int | str | Decimal):
            return Constant(value, at)
        return self.refuse("this value is not allowed here", at)

    def name(self, name: str, at: int) -> Node:
        if name in CONSTANTS:
            return Constant(CONSTANTS[name], at)
        if not _NAME.match(name):
            return self.refuse(
                f'"{name}" is no name: names are a-z, 0-9 and _, a letter first', at, len(name)
            )
        return syntax.Name(name, at)

    def field_name(self, name: str, at: int) -> str:
        if not _NAME.match(name):
            message = f'"{name}" is no field name: names are a-z, 0-9 and _, a letter first'
            self.refuse(message, at, len(name))
        return name

    def item(self, base: Node, index: nodes.Node, at: int, depth: int) -> Node:
        if isinstance(index, nodes.Const) and isinstance(index.value, str):
            return syntax.Field(base, self.field_name(index.value, at), at)
        return syntax.Item(base, self.node(index, depth), at)

    def logic(self, tree: nodes.And | nodes.Or, depth: int) -> Node:
        """`a and b and c` is a chain to the left in Jinja2's tree; make one node of it."""
        parts: list[nodes.Node] = []
        rest: nodes.Node = tree
        while isinstance(rest, nodes.And | nodes.Or) and type(rest) is type(tree):
            parts.append(rest.right)
            rest = rest.left
        parts.append(rest)
        if len(parts) > MAX_LIST:
            return self.refuse(f"more than {MAX_LIST} conditions in one", tree.lineno)
        converted = tuple(self.node(part, depth) for part in reversed(parts))
        return syntax.Logic(isinstance(tree, nodes.And), converted, tree.lineno)

    def choose(self, tree: nodes.CondExpr, depth: int) -> Node:
        if tree.expr2 is None:
            return self.refuse("if needs else here: a if test else b", tree.lineno)
        test, yes, no = (self.node(part, depth) for part in (tree.test, tree.expr1, tree.expr2))
        return syntax.Choose(test, yes, no, tree.lineno)

    def test(self, part: nodes.Node, name: str, at: int, depth: int) -> Node:
        if name != "none":
            remedy = "strict names need no test; for an empty value write: is none"
            return self.refuse(f'unknown test "{name}"', at, 2, remedy)
        return syntax.IsEmpty(self.node(part, depth), at)

    def filter(self, tree: nodes.Filter, depth: int) -> Node:
        at, name = tree.lineno, tree.name
        if name not in FILTERS or tree.node is None:
            return self.refuse(f'unknown filter "{name}"{did_you_mean(name, FILTERS)}', at, len(name))
        arguments = self.arguments(name, tree, FILTERS[name], depth)
        return syntax.Filter(self.node(tree.node, depth), name, arguments, at)

    def call(self, tree: nodes.Call, depth: int) -> Node:
        at = tree.lineno
        if not isinstance(tree.node, nodes.Name):
            called = tree.node.attr if isinstance(tree.node, nodes.Getattr) else ""
            return self.refuse(
                f'"{called}" cannot be called: there are fields and functions only'
                if called
                else "only built-in functions may be called",
                at,
                help_=f"the functions are {', '.join(FUNCTIONS)}",
            )
        name = tree.node.name
        if name not in FUNCTIONS:
            return self.refuse(
                f'there is no function "{name}"{did_you_mean(name, FUNCTIONS)}', tree.node.lineno, len(name)
            )
        arguments = self.arguments(name, tree, FUNCTIONS[name], depth)
        return syntax.Call(name, arguments, tree.node.lineno)

    def arguments(
        self, name: str, tree: nodes.Filter | nodes.Call, wanted: tuple[int, int], depth: int
    ) -> tuple[Node, ...]:
        if tree.kwargs or tree.dyn_args is not None or tree.dyn_kwargs is not None:
            self.refuse(f"{name} takes plain arguments only, no names and no *", tree.lineno)
        least, most = wanted
        if not least <= len(tree.args) <= most:
            number = str(least) if least == most else f"{least} to {most}"
            given = len(tree.args)
            self.refuse(
                f"{name} takes {number} argument{'' if number == '1' else 's'}, not {given}", tree.lineno
            )
        return tuple(self.node(argument, depth) for argument in tree.args[:most])
