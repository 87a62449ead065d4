"""Expressions and texts as the rest of the engine uses them: compiled once at load, evaluated in every turn.

`compile_expression` and `compile_template` raise ExpressionProblems with everything that is wrong in a
source. Whether a variable is known at a line is the caller's question (it knows the ways through a flow):
`uses` lists the variables. Types are checked when `type_in` is called with the types at that line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from engine.effects import Question
from engine.expressions.closures import Code, Compiler, Use
from engine.expressions.errors import ExpressionProblems
from engine.expressions.inference import Inference
from engine.expressions.narrowing import narrowed
from engine.expressions.parse import parse_expression, parse_text
from engine.expressions.question import Ask, questions
from engine.expressions.source import Source
from engine.expressions.syntax import Node, Part, show
from engine.expressions.text import Render, Rendered, SpeechCompiler, compile_parts, compile_speech
from engine.expressions.vocabulary import Vocabulary
from engine.expressions.world import Scope, World
from engine.reading.diagnostic import Diagnostic, Place
from engine.spoken import words_of
from engine.types import Type
from engine.values import Value

_NOTHING = Vocabulary()
_NOWHERE = Scope({}, World())


@dataclass(frozen=True, slots=True)
class Typed:
    """The type of an expression at one line of a flow, and what is wrong with the types in it."""

    type: Type
    problems: list[Diagnostic]


class _Compiled:
    """What expressions and texts have in common.

    `uses` are the variables that are read; `words` all names, built-in ones and constants included; `asks`
    what has to be looked up before evaluating. `language` is the one that the source is written in.
    """

    __slots__ = ("asks", "known", "language", "source", "uses", "words")

    def __init__(self, source: Source, compiler: Compiler, language: str) -> None:
        self.source = source.text
        self.language = language
        self.known = compiler.known
        self.uses: tuple[Use, ...] = tuple(compiler.uses)
        self.words: frozenset[str] = frozenset(compiler.words)
        self.asks: tuple[Ask, ...] = tuple(compiler.asks)

    def questions(self, scope: Scope) -> tuple[Question, ...]:
        """Return what has to be looked up in front of an evaluation; `asks` is empty if there is nothing."""
        return questions(self.asks, scope) if self.asks else ()


class Expression(_Compiled):
    """A bare expression (`p.balance < p.fee`).

    `evaluate(scope)` gives its value or raises ExpressionFailed; `fixed` tells that it is the same in every
    scope, and `constant` is it then (None otherwise, and for the constant `none`).
    """

    __slots__ = ("_node", "_place", "constant", "evaluate", "fixed")

    def __init__(self, source: Source, node: Node, code: Code, compiler: Compiler, language: str) -> None:
        super().__init__(source, compiler, language)
        self._node = node
        self._place = source
        self.evaluate: Callable[[Scope], Value] = code.run
        self.fixed = code.fixed
        self.constant: Value = code.run(_NOWHERE) if code.fixed else None

    def truth(self, scope: Scope) -> bool:
        """Return whether the value is true: not empty, not zero, not false."""
        return bool(self.evaluate(scope))

    def type_in(self, types: Mapping[str, Type]) -> Typed:
        """Infer the type where the variables have these types; one that is missing may be anything."""
        inference = Inference(self._place, self.known)
        return Typed(inference.type_of(self._node, types), inference.problems)

    def narrowed(self, types: Mapping[str, Type], holds: bool = True) -> Mapping[str, Type]:
        """Return the types where the expression is known to be true (or false): tested is not empty."""
        return narrowed(self._node, types, holds)

    def __repr__(self) -> str:
        return f"Expression({show(self._node)})"


@dataclass(frozen=True, slots=True)
class Speech:
    """A text for calls. `render` gives it with the marks of `engine.spoken`.

    `phrases` are its fixed words as they are recorded, one for each piece, and `nouns` the forms of the words
    that it counts.
    """

    render: Render
    phrases: tuple[str, ...]
    nouns: tuple[tuple[str, ...], ...]


class Template(_Compiled):
    """A text (`Не хватает {{ (p.fee - p.balance)|money }}.`).

    `render(scope)` gives the text or raises ExpressionFailed; it is a Secret if one is inside. `constant` is
    the text if nothing in it depends on the scope, else None.
    """

    __slots__ = ("_parts", "_place", "_speech", "constant", "render")

    def __init__(
        self,
        source: Source,
        parts: Sequence[Part],
        compiled: str | Render,
        compiler: Compiler,
        language: str,
    ) -> None:
        super().__init__(source, compiler, language)
        self._parts = tuple(parts)
        self._place = source
        self.constant: str | None = compiled if isinstance(compiled, str) else None
        self.render: Render = _always(compiled) if isinstance(compiled, str) else compiled
        self._speech: Speech | None = None

    @property
    def speech(self) -> Speech:
        """The text as a call carries it; compiled when it is first asked for."""
        if self._speech is None:
            compiler = SpeechCompiler(self._place, self.known, self.language)
            made = compile_speech(self._parts, compiler)
            render = _always(made) if isinstance(made, str) else made
            phrases = compiler.phrases if self.constant is None else [words_of(self.constant)]
            self._speech = Speech(render, tuple(filter(None, phrases)), tuple(compiler.nouns))
        return self._speech

    def type_in(self, types: Mapping[str, Type]) -> Typed:
        """Check the values inside; the type is a text, as private as the most private of them."""
        inference = Inference(self._place, self.known)
        return Typed(inference.type_of_text(self._parts, types), inference.problems)

    def __repr__(self) -> str:
        return f"Template({self.source!r})"


def _always(text: str) -> Callable[[Scope], Rendered]:
    return lambda _: text


def narrowed_by(condition: Expression, types: Mapping[str, Type], holds: bool = True) -> Mapping[str, Type]:
    """Return the types in code that runs only if `condition` is true (`holds`), or only if it is false."""
    return condition.narrowed(types, holds)


def compile_expression(source: str, place: Place, known: Vocabulary = _NOTHING) -> Expression:
    """Compile a bare expression. `place` is that of its YAML scalar, quotes included.

    Raises ExpressionProblems: codes expr, expr-type, plural-forms, no-memory, no-op, no-queue.
    """
    where = Source(source, place)
    node = parse_expression(where)
    language = known.languages[0] if known.languages else "en"
    compiler = Compiler(where, known, language)
    code = compiler.compile(node)
    if compiler.problems:
        raise ExpressionProblems(compiler.problems)
    return Expression(where, node, code, compiler, language)


def compile_template(
    source: str, place: Place, known: Vocabulary = _NOTHING, language: str | None = None
) -> Template:
    """Compile a text. `language` is the one it is written in: the project's first one if not given.

    Raises ExpressionProblems with the same codes as `compile_expression`.
    """
    where = Source(source, place)
    parts = parse_text(where)
    tongue = language or (known.languages[0] if known.languages else "en")
    compiler = Compiler(where, known, tongue)
    compiled = compile_parts(parts, compiler)
    if compiler.problems:
        raise ExpressionProblems(compiler.problems)
    return Template(where, parts, compiled, compiler, tongue)
