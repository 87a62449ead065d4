"""Texts with `{{ }}` and `{% if %}` as one closure that joins their parts.

A value of type `str` is data and goes into the text as it is, even if it looks like a template. A Secret in
any part makes the whole text a Secret. A text is at most 2 000 characters long.

A text of a call is compiled a second time (`compile_speech`): its values stand in the marks of
`engine.spoken`, and what can be recorded of it is noted. The texts of other channels know nothing of that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TypeAlias

from engine.expressions.access import formatted, why
from engine.expressions.alphabet import fits
from engine.expressions.closures import Compiler
from engine.expressions.errors import ExpressionFailed
from engine.expressions.language import currency_sign, language
from engine.expressions.operators import MAX_TEXT
from engine.expressions.source import Source
from engine.expressions.speech_form import SPEECH_FORMS, count_speech, speech_of
from engine.expressions.spot import Run, Spot
from engine.expressions.syntax import Branch, Choose, Constant, Filter, Name, Node, Output, Part, Words, show
from engine.expressions.text_form import MAX_NUMBER, NoTextError, number_text, text_of
from engine.expressions.vocabulary import VARIABLES, Vocabulary
from engine.expressions.world import Scope, World
from engine.spoken import BREAK, plain, unmarked
from engine.spoken import Words as Spoken
from engine.spoken import pieces as pieces_of
from engine.values import Secret, Value

Rendered: TypeAlias = str | Secret
Render: TypeAlias = Callable[[Scope], Rendered]
Piece: TypeAlias = str | Render

_NOWHERE = Scope({}, World())
_QUICK = frozenset({int, str})
_DIGITS = len(str(MAX_NUMBER)) - 1
"""A number of so many characters is not too large."""


def compile_parts(parts: Sequence[Part], compiler: Compiler) -> str | Render:
    """Return the closure of a text, or the text itself if nothing in it depends on a scope."""
    pieces = _pieces(parts, compiler)
    if not pieces:
        return ""
    if len(pieces) == 1 and isinstance(pieces[0], str):
        return pieces[0]
    render = _limited(_joined(pieces), compiler.source)
    names = _names(parts, compiler)
    if names:
        return _of_variables(parts, names, render)
    if any(_has_money(part) for part in parts) and all(fits(part) for part in _words(parts)):
        return _in_one_alphabet(render)
    return render


def compile_speech(parts: Sequence[Part], compiler: SpeechCompiler) -> str | Render:
    """Return the closure of a text as a call carries it, with marks in it."""
    pieces = _pieces(parts, compiler)
    if not pieces:
        return ""
    if len(pieces) == 1 and isinstance(pieces[0], str):
        return pieces[0]
    return _limited(_joined(pieces), compiler.source)


class SpeechCompiler(Compiler):
    """Compiles a text for calls. `phrases` are its fixed words, `nouns` the forms of what it counts.

    Only what stands in `{{ }}` is spoken; in conditions and arguments a filter gives its text form as ever.
    """

    def __init__(self, source: Source, known: Vocabulary, tongue: str) -> None:
        super().__init__(source, known, tongue)
        self.phrases: list[str] = []
        self.nouns: list[tuple[str, ...]] = []

    def spoken(self, node: Node) -> Run:
        """Compile what stands in `{{ }}`."""
        spot = self.spot(node)
        match node:
            case Filter(name=name, part=part) if name in SPEECH_FORMS:
                return formatted(self.compile(part).run, SPEECH_FORMS[name], spot)
            case Filter(name="count", part=part, arguments=(Constant(value=str(written)),)):
                forms = tuple(form.strip() for form in written.split("|"))
                self.nouns.append(forms)
                return _counted(self.compile(part).run, self.compile(node).run, forms)
            case Choose(test=test, yes=yes, no=no):
                condition, first, second = self.compile(test).run, self.spoken(yes), self.spoken(no)
                return lambda scope: first(scope) if condition(scope) else second(scope)
        return _said(self.compile(node).run, spot)


def _counted(number: Run, text: Run, forms: tuple[str, ...]) -> Run:
    def counted(scope: Scope) -> Value:
        shown = text(scope)  # fails for what cannot be counted
        assert isinstance(shown, str)
        return count_speech(number(scope), shown, forms)

    return counted


def _said(run: Run, spot: Spot) -> Run:
    def said(scope: Scope) -> Value:
        value = run(scope)
        try:
            return speech_of(value, scope.world)
        except (NoTextError, ArithmeticError, OverflowError, ValueError) as error:
            raise spot.failure(why(error)) from None

    return said


def _pieces(parts: Sequence[Part], compiler: Compiler) -> list[Piece]:
    aloud = isinstance(compiler, SpeechCompiler)
    pieces: list[Piece] = []
    for part in parts:
        piece = _piece(part, compiler)
        if aloud and isinstance(part, Branch):
            pieces += [BREAK, piece, BREAK]
            continue
        if isinstance(piece, str) and pieces and isinstance(pieces[-1], str):
            pieces[-1] += piece
        elif piece != "":
            pieces.append(piece)
    if isinstance(compiler, SpeechCompiler):
        fixed = (found for piece in pieces if isinstance(piece, str) for found in pieces_of(piece))
        compiler.phrases += [found.text for found in fixed if isinstance(found, Spoken)]
    return pieces


def _piece(part: Part, compiler: Compiler) -> Piece:
    match part:
        case Words(text=text):
            return unmarked(text)
        case Output():
            return _output(part, compiler)
        case Branch(cases=cases, otherwise=otherwise):
            tests = [(compiler.compile(test).run, _joined(_pieces(body, compiler))) for test, body in cases]
            return _branch(tests, _joined(_pieces(otherwise, compiler)))


def _output(part: Output, compiler: Compiler) -> Piece:
    code = compiler.compile(part.node)
    run, spot = code.run, compiler.spot(part.node)
    if code.fixed:
        value = run(_NOWHERE)
        if isinstance(value, str):
            return unmarked(value)
        if isinstance(compiler, SpeechCompiler):
            return _aloud(part.node, compiler)
        if type(value) is int or isinstance(value, Decimal):  # the same in every language
            return number_text(value)
    elif isinstance(compiler, SpeechCompiler):
        return _aloud(part.node, compiler)

    def output(scope: Scope) -> Rendered:
        value = run(scope)
        if type(value) is str and value.isprintable():
            return value
        if isinstance(value, Secret):
            return value
        try:
            return number_text(value) if type(value) is int else text_of(value, scope.world)
        except (NoTextError, ArithmeticError, ValueError) as error:
            raise spot.failure(
                str(error) if isinstance(error, NoTextError) else "the number is too large"
            ) from None

    return output


def _aloud(node: Node, compiler: SpeechCompiler) -> Render:
    run = compiler.spoken(node)

    def aloud(scope: Scope) -> Rendered:
        text = run(scope)
        assert isinstance(text, str | Secret)
        return text

    return aloud


def _branch(tests: list[tuple[Run, Render]], otherwise: Render) -> Render:
    def branch(scope: Scope) -> Rendered:
        for test, render in tests:
            if test(scope):
                return render(scope)
        return otherwise(scope)

    return branch


def _joined(pieces: Sequence[Piece]) -> Render:
    """Return the closure that joins pieces; the usual shapes without a loop."""
    texts = [piece if isinstance(piece, str) else "" for piece in pieces]
    runs = [piece for piece in pieces if not isinstance(piece, str)]
    if not runs:
        whole = "".join(texts)
        return lambda _: whole
    if len(runs) == 1:
        return _around(runs[0], *_sides(pieces))
    if len(runs) == 2 and len(pieces) <= 5:
        return _around_two(pieces)
    return _many(tuple(pieces))


def _sides(pieces: Sequence[Piece]) -> tuple[str, str]:
    """Return the text before and behind the only closure."""
    at = next(index for index, piece in enumerate(pieces) if not isinstance(piece, str))
    before = "".join(piece for piece in pieces[:at] if isinstance(piece, str))
    return before, "".join(piece for piece in pieces[at + 1 :] if isinstance(piece, str))


def _around(run: Render, before: str, behind: str) -> Render:
    if not before and not behind:
        return run

    def render(scope: Scope) -> Rendered:
        value = run(scope)
        if type(value) is str:
            return f"{before}{value}{behind}"
        return _with_secret((before, value, behind))

    return render


def _around_two(pieces: Sequence[Piece]) -> Render:
    at = [index for index, piece in enumerate(pieces) if not isinstance(piece, str)]
    gaps = [
        "".join(piece for piece in pieces[start:end] if isinstance(piece, str))
        for start, end in ((0, at[0]), (at[0], at[1]), (at[1], len(pieces)))
    ]
    before, between, behind = gaps
    first, second = (piece for piece in pieces if not isinstance(piece, str))

    def render(scope: Scope) -> Rendered:
        one, two = first(scope), second(scope)
        if type(one) is str and type(two) is str:
            return f"{before}{one}{between}{two}{behind}"
        return _with_secret((before, one, between, two, behind))

    return render


def _many(pieces: tuple[Piece, ...]) -> Render:
    def render(scope: Scope) -> Rendered:
        texts = [piece if isinstance(piece, str) else piece(scope) for piece in pieces]
        try:
            return "".join(texts)  # type: ignore[arg-type]  # a Secret is what the except is for
        except TypeError:  # one of them is a Secret
            return _with_secret(texts)

    return render


def _with_secret(texts: Sequence[Rendered]) -> Secret:
    return Secret("".join(text.reveal() if isinstance(text, Secret) else text for text in texts))


def _names(parts: Sequence[Part], compiler: Compiler) -> tuple[str, ...]:
    """Return the variables of a text that has nothing else than variables in it; else nothing."""
    names: list[str] = []
    for part in parts:
        match part:
            case Words():
                continue
            case Output(node=Name(name=name)) if name not in VARIABLES and name not in compiler.known.consts:
                names.append(name)
            case _:
                return ()
    return tuple(names)


def _of_variables(parts: Sequence[Part], names: tuple[str, ...], render: Render) -> Render:
    """Return the closure of the commonest text: words, and variables that hold numbers and plain texts.

    It does in one call what `render` does in several for each variable; any other value goes that way. Where
    all values together are short, no number among them is too large.
    """
    pattern = "".join(part.text.replace("%", "%%") if isinstance(part, Words) else "%s" for part in parts)
    words = "".join(part.text for part in parts if isinstance(part, Words))
    short = min(len(words) + _DIGITS, MAX_TEXT) if words.isprintable() else 0

    def quick(scope: Scope) -> Rendered:
        try:
            values = tuple(map(scope.variables.__getitem__, names))
            if _QUICK.issuperset(map(type, values)):
                text = pattern % values
                if len(text) <= short and text.isprintable():
                    return text
        except (KeyError, ValueError):  # unknown, or a number that Python itself will not write
            return render(scope)
        for value in values:
            if type(value) is int:
                if not -MAX_NUMBER < value < MAX_NUMBER:
                    return render(scope)
            elif type(value) is not str or not value.isprintable():
                return render(scope)
        text = pattern % values
        return text if len(text) <= MAX_TEXT else render(scope)

    return quick


def _limited(render: Render, source: Source) -> Render:
    def limited(scope: Scope) -> Rendered:
        text = render(scope)
        if len(text) > MAX_TEXT and _length(text) > MAX_TEXT:
            raise ExpressionFailed(f"the text is longer than {MAX_TEXT} characters", source.at(0))
        return text

    return limited


def _length(text: Rendered) -> int:
    return len(plain(text.reveal() if isinstance(text, Secret) else text))


def _in_one_alphabet(render: Render) -> Render:
    """Write `RUB` for `₽` where a language in Latin letters would lose its short alphabet by the sign."""

    def spared(scope: Scope) -> Rendered:
        text = render(scope)
        world = scope.world
        if isinstance(text, Secret) or not language(world.lang).latin:
            return text
        sign = currency_sign(world.currency)
        if sign not in text or fits(sign):
            return text
        short = text.replace(sign, world.currency)
        return short if fits(short) else text

    return spared


def _words(parts: Sequence[Part]) -> list[str]:
    """Return the fixed words of a text, those in its branches too."""
    found: list[str] = []
    for part in parts:
        if isinstance(part, Words):
            found.append(part.text)
        elif isinstance(part, Branch):
            for _, body in part.cases:
                found += _words(body)
            found += _words(part.otherwise)
    return found


def _has_money(part: Part) -> bool:
    match part:
        case Output(node=Filter(name="money")):
            return True
        case Output(node=node):
            return "|money" in show(node)
        case Branch(cases=cases, otherwise=otherwise):
            bodies = [*(body for _, body in cases), otherwise]
            return any(_has_money(inner) for body in bodies for inner in body)
    return False
