"""From the syntax tree to closures: `run(scope)` gives the value.

Each node becomes one small function that holds its parts; what does not depend on a scope is evaluated at
once and becomes a constant. Beside the closures the compiler notes the variables that are used and the
questions to be looked up. Types are inferred elsewhere (`engine.expressions.inference`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.expressions import operators, syntax
from engine.expressions.access import (
    formatted,
    length,
    logic,
    path_of,
    root_of,
    variable,
    variable_field,
    why,
)
from engine.expressions.errors import ExpressionFailed
from engine.expressions.functions import COMPUTED
from engine.expressions.language import language
from engine.expressions.question import Ask
from engine.expressions.source import Source
from engine.expressions.spot import Run, Spot
from engine.expressions.syntax import Node
from engine.expressions.text_form import TEXT_FORMS, NoTextError, count_text
from engine.expressions.vocabulary import LOOKED_UP, VARIABLES, Vocabulary
from engine.expressions.world import Scope, World
from engine.reading.diagnostic import Diagnostic, Place, Severity
from engine.reading.suggestion import did_you_mean
from engine.values import Value

_NOWHERE = Scope({}, World())


@dataclass(frozen=True, slots=True)
class Use:
    """A variable that is read: its name, and the path from it (`("p", "fee")`) as far as it is written."""

    name: str
    path: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Code:
    """A compiled node. `fixed` tells that the value is the same in every scope."""

    run: Run
    fixed: bool = False


def constant(value: Value) -> Code:
    """Return the code of a value that is known already."""
    return Code(lambda _: value, fixed=True)


class Compiler:
    """Compiles the nodes of one source; `tongue` is the language that its texts are written in."""

    def __init__(self, source: Source, known: Vocabulary, tongue: str) -> None:
        self.source = source
        self.known = known
        self.tongue = language(tongue)
        self.problems: list[Diagnostic] = []
        self.uses: list[Use] = []
        self.asks: list[Ask] = []
        self.words: set[str] = set()

    def problem(self, code: str, message: str, at: int, help_: str | None = None, length: int = 1) -> Code:
        """Note an error and return a code that stands for the node."""
        self.problems.append(self.source.error(code, message, at, length, help_))
        return constant(None)

    def spot(self, node: Node) -> Spot:
        """Return where a node comes from."""
        return Spot(self.source, node)

    def fold(self, run: Run, parts: Sequence[Code]) -> Code:
        """Return the code of a node whose parts are `parts`: a constant if all of them are."""
        if not all(part.fixed for part in parts):
            return Code(run)
        try:
            return constant(run(_NOWHERE))
        except ExpressionFailed as error:
            self.problems.append(Diagnostic("expr-type", Severity.ERROR, error.message, error.place))
            return constant(None)

    def compile(self, node: Node) -> Code:
        """Compile any node."""
        match node:
            case syntax.Constant(value=value):
                return constant(value)
            case syntax.Name():
                return self._name(node, (node.name,))
            case syntax.Field():
                return self._field(node)
            case syntax.Item(base=base, index=index):
                parts = [self.compile(base), self.compile(index)]
                return self.fold(operators.element(parts[0].run, parts[1].run, self.spot(node)), parts)
            case syntax.Compare():
                return self._compare(node)
            case syntax.Logic(all=all_, parts=nodes):
                codes = [self.compile(part) for part in nodes]
                return self.fold(logic(all_, tuple(code.run for code in codes)), codes)
            case syntax.Not(part=part):
                code = self.compile(part)
                run = code.run
                return self.fold(lambda scope: not run(scope), [code])
            case syntax.Arithmetic(operator=sign, left=left, right=right):
                parts = [self.compile(left), self.compile(right)]
                return self.fold(
                    operators.arithmetic(sign, parts[0].run, parts[1].run, self.spot(node)), parts
                )
            case syntax.Negative(part=part):
                code = self.compile(part)
                return self.fold(operators.negative(code.run, self.spot(node)), [code])
            case syntax.Choose():
                return self._choose(node)
            case syntax.IsEmpty(part=part):
                code = self.compile(part)
                run = code.run
                return self.fold(lambda scope: run(scope) is None, [code])
            case syntax.Listed(items=items):
                codes = [self.compile(item) for item in items]
                runs = [code.run for code in codes]
                return self.fold(lambda scope: [run(scope) for run in runs], codes)
            case syntax.Filter():
                return self._filter(node)
            case syntax.Call():
                return self._call(node)

    def _name(self, node: syntax.Name, path: tuple[str, ...]) -> Code:
        name = node.name
        self.words.add(name)
        if name == "announcement":
            return self._asked(Ask(name, "", self.source.at(node.at, len(name)), self.spot(node)))
        if name in VARIABLES:
            return Code(VARIABLES[name][0])
        if name == "memory":
            return self.problem("expr", "memory needs a name: memory.offer_seen", node.at, None, len(name))
        if name in self.known.consts:
            return constant(self.known.consts[name])
        self.uses.append(Use(name, path, self.source.at(node.at, len(name))))
        return Code(variable(name, self.spot(node)))

    def _field(self, node: syntax.Field) -> Code:
        if isinstance(node.base, syntax.Name):
            if node.base.name == "memory":
                self.words.add("memory")
                return self._memory(node)
            base = self._name(node.base, path_of(node))
            if base.fixed or node.base.name in VARIABLES:
                return self._plain_field(base, node)
            return Code(variable_field(node.base.name, node.name, self._plain_field(base, node).run))
        if isinstance(node.base, syntax.Field) and (root := root_of(node.base)) and root.name != "memory":
            base = self._chain(node.base, path_of(node))
        else:
            base = self.compile(node.base)
        return self._plain_field(base, node)

    def _chain(self, node: syntax.Field, path: tuple[str, ...]) -> Code:
        """Compile `a.b` as the base of a longer path, so that the whole path is noted as one use."""
        if isinstance(node.base, syntax.Field):
            return self._plain_field(self._chain(node.base, path), node)
        assert isinstance(node.base, syntax.Name)
        return self._plain_field(self._name(node.base, path), node)

    def _plain_field(self, base: Code, node: syntax.Field) -> Code:
        run = operators.field(base.run, node.name, self.spot(node), self.spot(node.base))
        return self.fold(run, [base])

    def _memory(self, node: syntax.Field) -> Code:
        known = self.known.memory
        if known is not None and node.name not in known:
            near = did_you_mean(node.name, known)
            return self.problem(
                "no-memory", f'there is no memory "{node.name}"{near}', node.at, None, len(node.name)
            )
        return self._asked(Ask("memory", node.name, self.source.at(node.at), self.spot(node)))

    def _asked(self, ask: Ask) -> Code:
        self.asks.append(ask)
        return Code(ask.reader())

    def _compare(self, node: syntax.Compare) -> Code:
        first = self.compile(node.first)
        codes = [first]
        runs: list[Run] = []
        for sign, part in node.rest:
            second = self.compile(part)
            runs.append(self._pair(sign, codes[-1], second, node))
            codes.append(second)
        return self.fold(runs[0] if len(runs) == 1 else logic(True, tuple(runs)), codes)

    def _pair(self, sign: str, left: Code, right: Code, node: Node) -> Run:
        value = right.run(_NOWHERE) if right.fixed else None
        if sign == "==":
            if value is not None:
                return operators.equal_to(left.run, value)
            return operators.equal(left.run, right.run)
        if sign == "!=":
            return operators.unequal(left.run, right.run)
        if sign in ("in", "not in"):
            if isinstance(value, list | tuple) and all(type(item) is str for item in value):
                texts = frozenset(str(item) for item in value)
                return operators.contained_in(left.run, texts, sign == "in", self.spot(node))
            return operators.contained(left.run, right.run, sign == "in", self.spot(node))
        return operators.ordered(sign, left.run, right.run, self.spot(node))

    def _choose(self, node: syntax.Choose) -> Code:
        codes = [self.compile(part) for part in (node.test, node.yes, node.no)]
        test, yes, no = (code.run for code in codes)
        if codes[0].fixed:
            return codes[1] if test(_NOWHERE) else codes[2]
        return Code(lambda scope: yes(scope) if test(scope) else no(scope))

    def _filter(self, node: syntax.Filter) -> Code:
        part = self.compile(node.part)
        spot = self.spot(node)
        if node.name == "length":
            return self.fold(length(part.run, spot), [part])
        if node.name == "count":
            return self._count(node, part)
        return Code(formatted(part.run, TEXT_FORMS[node.name], spot))

    def _count(self, node: syntax.Filter, part: Code) -> Code:
        """`n|count('минута|минуты|минут')`: the forms belong to the language that the text is written in."""
        if not node.arguments or not isinstance(node.arguments[0], syntax.Constant):
            return self.problem("expr", "the forms of count are a text: 'день|дня|дней'", node.at, None, 5)
        written = node.arguments[0].value
        forms = tuple(form.strip() for form in str(written).split("|"))
        tongue = self.tongue
        if not isinstance(written, str) or not all(forms):
            return self.problem("expr", "the forms of count are a text: 'день|дня|дней'", node.at, None, 5)
        if len(forms) != tongue.forms:
            needs = f"{tongue.code} needs {tongue.forms} form{'' if tongue.forms == 1 else 's'} in count"
            return self.problem(
                "plural-forms",
                f"{needs}, {len(forms)} given",
                node.at,
                f"in this order: {', '.join(tongue.categories)}",
                5,
            )
        run, spot = part.run, self.spot(node)

        def counted(scope: Scope) -> Value:
            try:
                return count_text(run(scope), tongue, forms)
            except (NoTextError, ArithmeticError) as error:
                raise spot.failure(why(error)) from None

        return self.fold(counted, [part])

    def _call(self, node: syntax.Call) -> Code:
        name, spot = node.name, self.spot(node)
        self.words.add(name)
        codes = [self.compile(argument) for argument in node.arguments]
        if name in LOOKED_UP:
            return self._ask(node, codes)
        function = COMPUTED[name]
        runs = tuple(code.run for code in codes)
        return self.fold(lambda scope: function(tuple(run(scope) for run in runs), spot), codes)

    def _ask(self, node: syntax.Call, codes: list[Code]) -> Code:
        ask = Ask(
            node.name,
            None,
            self.source.at(node.at, len(node.name)),
            self.spot(node),
            tuple(code.run for code in codes),
        )
        if not codes or not all(code.fixed for code in codes):
            if node.name == "recent":
                return self.problem(
                    "expr",
                    "recent takes the name of an operation: recent('billing.promise')",
                    node.at,
                    None,
                    6,
                )
            return self._asked(ask)
        try:
            name = ask.question(_NOWHERE).name
        except ExpressionFailed as error:
            return self.problem("expr-type", error.message, node.at, None, len(node.name))
        if not self._declared(node, name):
            return constant(None)
        return self._asked(Ask(ask.kind, name, ask.place, ask.spot))

    def _declared(self, node: syntax.Call, name: str) -> bool:
        """Check a name against what the project declares."""
        known = self.known
        if node.name == "recent":
            return self._check("no-op", "operation with once:", name, known.operations, node)
        if node.name in ("expected_wait", "position"):
            return self._check("no-queue", "queue", name, known.queues, node)
        if node.name == "open" and known.queues is not None and known.calendars is not None:
            both = [*known.queues, *known.calendars]
            return self._check("no-queue", "queue or calendar", name, both, node)
        return True

    def _check(
        self, code: str, what: str, name: str, among: Sequence[str] | object, node: syntax.Call
    ) -> bool:
        if among is None:
            return True
        names = [str(item) for item in among]  # type: ignore[attr-defined]
        if name in names:
            return True
        self.problem(code, f'there is no {what} "{name}"{did_you_mean(name, names)}', node.arguments[0].at)
        return False
