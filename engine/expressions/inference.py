"""Static types: what an expression gives where the variables have the types it is told.

It does not know the ways through a flow: the caller hands in the types at a line, narrowed by the conditions
around it. Inside one expression and one text the narrowing is done here (`net.until and net.until < now`).
A variable without a type may be anything; that it may be unknown is the caller's to report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from engine.expressions import operand, syntax
from engine.expressions.narrowing import narrowed
from engine.expressions.operand import family, joined, more_private, word
from engine.expressions.source import Source
from engine.expressions.syntax import Branch, Node, Output, Part, show
from engine.expressions.vocabulary import VARIABLES, Vocabulary
from engine.reading.diagnostic import Diagnostic
from engine.reading.suggestion import did_you_mean
from engine.types import (
    ANY,
    BOOL,
    INT,
    MONEY,
    TEXT,
    Choice,
    ListOf,
    Privacy,
    Record,
    Scalar,
    Type,
)

Types = Mapping[str, Type]

_FILTERED: dict[str, tuple[frozenset[str], str]] = {
    "money": (frozenset({"number"}), "a number"),
    "date": (frozenset({"date", "moment"}), "a date or a moment"),
    "time": (frozenset({"time", "moment"}), "a time or a moment"),
    "duration": (frozenset({"duration", "number"}), "a duration or a number of seconds"),
    "phone": (frozenset({"text"}), "a phone"),
    "digits": (frozenset({"text", "number"}), "a text or a whole number"),
    "count": (frozenset({"number"}), "a number"),
    "length": (frozenset({"text", "list", "record"}), "a text or a list"),
}
_RECENT = Type(Choice(("done", "unknown")), optional=True)
_ANSWERS = {
    "open": BOOL,
    "expected_wait": INT,
    "position": INT,
    "recent": _RECENT,
    "repeat_contact": BOOL,
    "surge": BOOL,
    "hours": operand.DURATION,
    "days": operand.DURATION,
    "minutes": operand.DURATION,
    "workdays": operand.DURATION,
}
_FIELDS_SHOWN = 12
_NUMERIC_ARGUMENT = frozenset({"hours", "days", "minutes", "workdays"})
_QUEUE_ARGUMENT = frozenset({"open", "expected_wait", "position"})


class Inference:
    """Infers types in one source and collects what is wrong with them."""

    def __init__(self, source: Source, known: Vocabulary) -> None:
        self.source = source
        self.known = known
        self.problems: list[Diagnostic] = []

    def problem(self, message: str, node: Node, code: str = "expr-type", help_: str | None = None) -> None:
        """Note an error about a node."""
        length = len(node.name) if isinstance(node, syntax.Name | syntax.Field | syntax.Filter) else 1
        found = self.source.error(code, message, node.at, length, help_)
        if found not in self.problems:
            self.problems.append(found)

    def type_of_text(self, parts: Sequence[Part], types: Types) -> Type:
        """Infer the type of a text: as private as what it shows."""
        privacy = Privacy.PUBLIC
        for part in parts:
            match part:
                case Output(node=node):
                    shown = self.full(node, types)
                    privacy = more_private(privacy, operand.inner_privacy(shown))
                case Branch():
                    privacy = more_private(privacy, self._branch(part, types).privacy)
        return replace(TEXT, privacy=privacy)

    def _branch(self, part: Branch, types: Types) -> Type:
        result = TEXT
        for test, body in part.cases:
            self.type_of(test, types)
            result = joined(result, self.type_of_text(body, narrowed(test, types, True)))
            types = narrowed(test, types, False)
        return joined(result, self.type_of_text(part.otherwise, types))

    def full(self, node: Node, types: Types) -> Type:
        """Infer the type where an empty value will not do."""
        type_ = self.type_of(node, types)
        if type_.optional:
            name = show(node)
            self.problem(f"{name} may be empty here: test it first (if: {name})", node, "may-be-empty")
        return replace(type_, optional=False)

    def open_value(self, node: Node, types: Types) -> Type:
        """Infer the type where neither an empty value nor a secret will do."""
        type_ = self.full(node, types)
        if type_.privacy is Privacy.SECRET:
            self.problem(
                f"{show(node)} is secret: it can only be compared (== !=), measured (length) or said", node
            )
        return type_

    def type_of(self, node: Node, types: Types) -> Type:
        """Infer the type of a node."""
        match node:
            case syntax.Constant(value=value):
                return operand.type_of_value(value)
            case syntax.Name(name=name):
                return self._name(name, types)
            case syntax.Field():
                return self._field(node, types)
            case syntax.Item():
                return self._item(node, types)
            case syntax.Compare():
                return self._compare(node, types)
            case syntax.Logic():
                return self._logic(node, types)
            case syntax.Not(part=part) | syntax.IsEmpty(part=part):
                self.type_of(part, types)
                return BOOL
            case syntax.Arithmetic():
                return self._arithmetic(node, types)
            case syntax.Negative(part=part):
                type_ = self.open_value(part, types)
                if family(type_) not in ("number", "duration", "any"):
                    self.problem(f"{show(node)}: {word(type_)} has no sign", node)
                return type_
            case syntax.Choose(test=test, yes=yes, no=no):
                self.type_of(test, types)
                return joined(
                    self.type_of(yes, narrowed(test, types, True)),
                    self.type_of(no, narrowed(test, types, False)),
                )
            case syntax.Listed(items=items):
                return self._list(items, types)
            case syntax.Filter():
                return self._filter(node, types)
            case syntax.Call():
                return self._call(node, types)

    def _name(self, name: str, types: Types) -> Type:
        if name in types:
            return types[name]
        if name in VARIABLES:
            return VARIABLES[name][1]
        if name in self.known.consts:
            return operand.type_of_value(self.known.consts[name])
        return ANY

    def _field(self, node: syntax.Field, types: Types) -> Type:
        if isinstance(node.base, syntax.Name) and node.base.name == "memory":
            return INT
        base = self.full(node.base, types)
        if isinstance(base.shape, Record):
            found = base.shape.field(node.name)
            if found is not None:
                return replace(found, privacy=more_private(found.privacy, base.privacy))
            names = [name for name, _ in base.shape.fields]
            near = did_you_mean(node.name, names) or _instead(names)
            self.problem(f'{show(node.base)} has no field "{node.name}"{near}', node, "no-field")
        elif base.shape is not Scalar.ANY:
            self.problem(f"{show(node.base)} is {word(base)} and has no fields", node, "no-field")
        return ANY

    def _item(self, node: syntax.Item, types: Types) -> Type:
        base = self.open_value(node.base, types)
        index = self.open_value(node.index, types)
        if isinstance(base.shape, ListOf):
            if index.shape not in (Scalar.INT, Scalar.ANY):
                self.problem(f"{show(node)}: an element of a list is chosen by int, not {word(index)}", node)
            return base.shape.element
        if not isinstance(base.shape, Record) and base.shape is not Scalar.ANY:
            self.problem(f"{show(node.base)} is {word(base)} and has no elements", node)
        return replace(ANY, privacy=operand.inner_privacy(base))

    def _compare(self, node: syntax.Compare, types: Types) -> Type:
        left_node, left = node.first, self.type_of(node.first, types)
        for sign, right_node in node.rest:
            right = self.type_of(right_node, types)
            self._pair(node, sign, (left_node, left), (right_node, right))
            left_node, left = right_node, right
        return BOOL

    def _pair(self, node: Node, sign: str, first: tuple[Node, Type], second: tuple[Node, Type]) -> None:
        (left_node, left), (right_node, right) = first, second
        for part in (left_node, right_node):
            if isinstance(part, syntax.Constant) and part.value is None:
                other = show(right_node if part is left_node else left_node)
                self.problem(
                    f"{show(node)}: a comparison with an empty value is always false",
                    node,
                    help_=f"write: not {other}, or: {other} is none",
                )
                return
        if sign in ("in", "not in"):
            self._contained(node, left, right_node, right)
            return
        if Privacy.SECRET in (left.privacy, right.privacy) and sign not in ("==", "!="):
            self.problem(f"{show(node)}: a secret can only be compared by == and !=", node)
            return
        kinds = {family(left), family(right)}
        if "any" in kinds:
            return
        if len(kinds) > 1 or kinds & {"list", "record"}:
            self.problem(f"{show(node)}: {word(left)} is compared with {word(right)}", node)
        elif sign not in ("==", "!=") and not operand.has_order(left):
            self.problem(f"{show(node)}: {word(left)} has no order", node)
        else:
            self._chosen(node, left, right_node)
            self._chosen(node, right, left_node)

    def _chosen(self, node: Node, type_: Type, other: Node) -> None:
        """A text that is compared with an enumeration must be one of its values."""
        if isinstance(type_.shape, Choice) and isinstance(other, syntax.Constant):
            values, value = type_.shape.values, other.value
            if isinstance(value, str) and value not in values:
                near = did_you_mean(value, values)
                self.problem(f'{show(node)}: "{value}" is not one of {", ".join(values)}{near}', other)

    def _contained(self, node: Node, left: Type, right_node: Node, right: Type) -> None:
        if Privacy.SECRET in (left.privacy, operand.inner_privacy(right)):
            self.problem(f"{show(node)}: a secret can only be compared by == and !=", node)
            return
        kind = family(right)
        if isinstance(right.shape, ListOf):
            kinds = {family(left), family(right.shape.element)}
            if "any" not in kinds and len(kinds) > 1:
                self.problem(f"{show(node)}: {word(left)} in a list of {word(right.shape.element)}", node)
            for item in right_node.items if isinstance(right_node, syntax.Listed) else ():
                self._chosen(node, left, item)
        elif kind == "text":
            if family(left) not in ("text", "any"):
                self.problem(f"{show(node)}: {word(left)} cannot be in a text", node)
        elif kind != "any":
            self.problem(f"{show(node)}: {word(right)} is no list", node)

    def _logic(self, node: syntax.Logic, types: Types) -> Type:
        result: Type | None = None
        last = len(node.parts) - 1
        for index, part in enumerate(node.parts):
            type_ = self.type_of(part, types)
            if not node.all and index < last:
                type_ = replace(type_, optional=False)  # `or` gives it only if it is true
            result = type_ if result is None else joined(result, type_)
            types = narrowed(part, types, node.all)
        return result or BOOL

    def _arithmetic(self, node: syntax.Arithmetic, types: Types) -> Type:
        left = self.open_value(node.left, types)
        right = self.open_value(node.right, types)
        result = operand.arithmetic(node.operator, left, right)
        if result is None:
            verb = operand.VERBS[node.operator]
            self.problem(f"{show(node)}: {word(left)} and {word(right)} cannot be {verb}", node)
            return ANY
        return result

    def _list(self, items: Sequence[Node], types: Types) -> Type:
        element: Type | None = None
        for item in items:
            type_ = self.type_of(item, types)
            element = type_ if element is None else joined(element, type_)
        return Type(ListOf(element or ANY))

    def _filter(self, node: syntax.Filter, types: Types) -> Type:
        if node.name == "length":
            type_ = self.full(node.part, types)
        else:
            type_ = self.open_value(node.part, types)
        allowed, wanted = _FILTERED[node.name]
        if family(type_) not in allowed and family(type_) != "any":
            self.problem(f"{show(node)}: {node.name} takes {wanted}, not {word(type_)}", node)
        if node.name == "length":
            return INT
        return replace(TEXT, privacy=more_private(TEXT.privacy, type_.privacy))

    def _call(self, node: syntax.Call, types: Types) -> Type:
        name = node.name
        if name in ("lowest", "average", "min", "max"):
            return self._of_many(node, types)
        arguments = [self.open_value(argument, types) for argument in node.arguments]
        if name == "round":
            self._wants(node, arguments, {"number"}, "a number")
            precise = len(arguments) > 1
            return replace(MONEY if precise else INT, privacy=arguments[0].privacy)
        if name in _NUMERIC_ARGUMENT:
            self._wants(node, arguments, {"number"}, "a number")
        elif name in _QUEUE_ARGUMENT:
            self._wants_queue(node, arguments[0])
        elif name == "repeat_contact":
            self._wants(node, arguments[:1], {"text"}, "a topic")
            self._wants(node, arguments[1:], {"number"}, "a number of days")
        elif name in ("surge", "recent"):
            self._wants(node, arguments, {"text"}, "a text")
        return _ANSWERS[name]

    def _wants(self, node: syntax.Call, arguments: Sequence[Type], allowed: set[str], wanted: str) -> None:
        for type_ in arguments:
            if family(type_) not in allowed and family(type_) != "any":
                self.problem(f"{show(node)}: {node.name} takes {wanted}, not {word(type_)}", node)

    def _wants_queue(self, node: syntax.Call, type_: Type) -> None:
        if isinstance(node.arguments[0], syntax.Constant):
            self._wants(node, [type_], {"text"}, "the name of a queue")
        elif type_.shape not in (Scalar.QUEUE, Scalar.ANY):
            self.problem(
                f"{show(node)}: {node.name} takes a queue, not {word(type_)}",
                node,
                help_="write the name in quotes, or declare the input: takes: { line: queue }",
            )

    def _of_many(self, node: syntax.Call, types: Types) -> Type:
        """`lowest`, `average`, `min`, `max`: of a list or record of answers, or of the arguments."""
        if len(node.arguments) > 1:
            given = [self.open_value(argument, types) for argument in node.arguments]
            element, empty = given[0], False
            for type_ in given[1:]:
                self._alike(node, element, type_)
                element = joined(element, type_)
        else:
            element, empty = self._element(node, self.open_value(node.arguments[0], types))
        wanted = {"number"} if node.name == "average" else {"number", "date", "time", "moment", "duration"}
        if family(element) not in wanted and family(element) != "any":
            self.problem(f"{show(node)}: {node.name} takes numbers, not {word(element)}", node)
            return ANY
        result = MONEY if node.name == "average" else element
        return replace(result, optional=empty, privacy=element.privacy)

    def _alike(self, node: syntax.Call, left: Type, right: Type) -> None:
        kinds = {family(left), family(right)}
        if len(kinds) > 1 and "any" not in kinds:
            self.problem(f"{show(node)}: {word(left)} is compared with {word(right)}", node)

    def _element(self, node: syntax.Call, type_: Type) -> tuple[Type, bool]:
        """Return the type of the parts, and whether all of them may be empty."""
        if isinstance(type_.shape, ListOf):
            return replace(type_.shape.element, optional=False), type_.shape.element.optional
        if isinstance(type_.shape, Record) and type_.shape.fields:
            inner = [field for _, field in type_.shape.fields]
            element = inner[0]
            for other in inner[1:]:
                element = joined(element, other)
            return replace(element, optional=False), all(field.optional for field in inner)
        if type_.shape is not Scalar.ANY:
            self.problem(f"{show(node)}: {node.name} takes a list or several values", node)
        return ANY, False


def _instead(names: Sequence[str]) -> str:
    """Say which fields there are, where none is like the one that is meant."""
    if not names:
        return ""
    more = ", …" if len(names) > _FIELDS_SHOWN else ""
    return f"; it has {', '.join(names[:_FIELDS_SHOWN])}{more}"
