"""From source text to the syntax tree: Jinja2's lexer and parser, and an allow-list behind them.

Jinja2 knows lines only. Its parser copies the number of a token into each node it makes, so we number the
tokens by their offset in the source instead, and every node and every error has an exact place.
No Jinja2 code generation or run time is used. What the words mean is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.lexer import Token, TokenStream, operators
from jinja2.parser import Parser

from engine.expressions.allow import RefusalError, convert, convert_body
from engine.expressions.errors import ExpressionProblems
from engine.expressions.source import Source
from engine.expressions.syntax import Node, Part
from engine.reading.suggestion import did_you_mean

MAX_SOURCE = 10_000
"""Characters of one expression or text, as written."""

MAX_BRACKETS = 50
"""Brackets in brackets; the parser goes deeper with each one."""

_MAX_DIGITS = 18
_ENVIRONMENT = Environment(autoescape=False, keep_trailing_newline=True)  # noqa: S701 - it only parses
_STATEMENTS = ("if", "elif", "else", "endif")
_ELIF = frozenset({"elseif", "elsif"})
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")
_IGNORED = frozenset({"whitespace", "comment_begin", "comment", "comment_end"})
_ESCAPE = re.compile(r"\\(.?)", re.DOTALL)
_ESCAPES = {"\\": "\\", "'": "'", '"': '"', "n": "\n", "t": "\t"}
_EXPECTED = re.compile(r"expected token '(.*)', got '(.*)'$", re.DOTALL)
_ENDED = re.compile(r"unexpected end of template, expected '(.*)'", re.DOTALL)
_CHARACTER = re.compile(r"unexpected char (.+) at (\d+)$", re.DOTALL)
_ASSIGNED = '"=" is not expected here; did you mean "=="?'
_WORDS = {
    "end of print statement": "}}",
    "end of statement block": "%}",
    "begin of print statement": "{{",
    "begin of statement block": "{%",
}


def parse_expression(source: Source) -> Node:
    """Read a bare expression. Raises ExpressionProblems."""
    text = source.text
    start = len(text) - len(text.lstrip())
    if text.startswith(("{{", "{%"), start):
        raise ExpressionProblems([source.error("expr", "an expression is written without {{ }}", start, 2)])
    if not text.strip():
        raise ExpressionProblems([source.error("expr", "an expression is missing here", 0)])
    refused: list[RefusalError] = []
    try:
        parser = _parser(source, "variable")
        tree = parser.parse_expression()
        if not parser.stream.eos:
            token = parser.stream.current
            word = _word(token)
            raise RefusalError(_ASSIGNED if word == "=" else f'"{word}" is not expected here', token.lineno)
        node = convert(tree, refused)
    except (RefusalError, TemplateSyntaxError, RecursionError) as error:
        raise _problems(source, [*refused, _refusal(error)]) from None
    if refused:
        raise _problems(source, refused)
    return node


def parse_text(source: Source) -> tuple[Part, ...]:
    """Read a text with `{{ }}` and `{% if %}`. Raises ExpressionProblems."""
    refused: list[RefusalError] = []
    try:
        body: list[nodes.Node] = _parser(source, None).parse().body
        parts = convert_body(body, refused)
    except (RefusalError, TemplateSyntaxError, RecursionError) as error:
        raise _problems(source, [*refused, _refusal(error)]) from None
    if refused:
        raise _problems(source, refused)
    return parts


def _problems(source: Source, refused: list[RefusalError]) -> ExpressionProblems:
    return ExpressionProblems(
        source.error("expr", item.message, item.offset, item.length, item.help) for item in refused
    )


def _parser(source: Source, state: str | None) -> Parser:
    """Return a parser whose tokens are numbered by their offset."""
    if len(source.text) > MAX_SOURCE:
        raise RefusalError(f"this is longer than {MAX_SOURCE} characters", 0)
    parser = Parser(_ENVIRONMENT, "", state=state)
    parser.stream = TokenStream(_tokens(source.text, state), None, None)
    return parser


def _tokens(text: str, state: str | None) -> Iterator[Token]:
    depth = 0
    previous = ""
    for offset, kind, value in _located(text, state):
        if kind in _IGNORED:
            continue
        if previous == "block_begin" and kind != "name":
            raise RefusalError("a word (if, elif, else, endif) is missing here", offset)
        if previous == "block_begin" and value not in _STATEMENTS:
            message = f"{value} is not allowed here"
            near = (
                '; did you mean "elif"?' if value in ("elseif", "elsif") else did_you_mean(value, _STATEMENTS)
            )
            raise RefusalError(message + near, offset, len(value), "texts know {{ }} and {% if %} only")
        previous = kind
        if kind == "operator":
            depth += (value in _OPENING) - (value in _CLOSING)
            if depth > MAX_BRACKETS:
                raise RefusalError(f"this is nested too deeply (more than {MAX_BRACKETS} levels)", offset)
        yield _token(offset, kind, value)


def _located(text: str, state: str | None) -> Iterator[tuple[int, str, str]]:
    """Give the lexer's tokens with their offsets in place of the lines."""
    position = 0
    try:
        for _, kind, value in _ENVIRONMENT.lexer.tokeniter(text, None, None, state):
            # Only white space can lie between two tokens: what {%- and -%} have taken away.
            found = text.find(value, position)
            position = found if found >= 0 else position
            yield position, kind, value
            position += len(value)
    except TemplateSyntaxError as error:
        match = _CHARACTER.match(error.message or "")
        if match:
            raise RefusalError(_unexpected(text, int(match[2])), int(match[2])) from None
        raise RefusalError(_plain(error.message or ""), position) from None


def _unexpected(text: str, position: int) -> str:
    character = text[position]
    if character in "\"'":
        return "the text that begins here has no closing quote"
    if character == "&":
        return 'write "and", not "&"'
    if character == "!":
        return 'write "not" or "!="'
    return f'"{character}" is not expected here' if character.isprintable() else "a hidden character is here"


def _token(offset: int, kind: str, value: str) -> Token:
    match kind:
        case "name":
            if not value.isidentifier():
                raise RefusalError(f'"{value}" is no name', offset, len(value))
            return Token(offset, "name", value)
        case "string":
            return Token(offset, "string", _unescaped(value, offset))
        case "integer":
            if len(value) > _MAX_DIGITS:
                raise RefusalError(f"a number has at most {_MAX_DIGITS} digits", offset, len(value))
            return Token(offset, "integer", _whole(value, offset))  # type: ignore[arg-type]
        case "float":
            if len(value) > _MAX_DIGITS or "e" in value.lower():
                raise RefusalError("write this number with digits and a point: 490.50", offset, len(value))
            return Token(offset, "float", Decimal(value.replace("_", "")))  # type: ignore[arg-type]
        case "operator":
            return Token(offset, operators[value], value)
        case "raw_begin" | "raw_end":
            raise RefusalError("raw is not allowed here", offset, len(value))
    return Token(offset, kind, value)


def _whole(value: str, offset: int) -> int:
    digits = value.replace("_", "")
    if not digits.isdecimal() or (len(digits) > 1 and digits[0] == "0"):
        raise RefusalError("write this number with plain digits", offset, len(value))
    return int(digits)


def _unescaped(value: str, offset: int) -> str:
    def letter(match: re.Match[str]) -> str:
        if match[1] not in _ESCAPES:
            message = f'"{match[0]}" is unknown; write \\\\ for a backslash'
            raise RefusalError(message, offset + 1 + match.start(), 2)
        return _ESCAPES[match[1]]

    return _ESCAPE.sub(letter, value[1:-1])


def _refusal(error: RefusalError | TemplateSyntaxError | RecursionError) -> RefusalError:
    if isinstance(error, RefusalError):
        return error
    if isinstance(error, RecursionError):
        return RefusalError("this is nested too deeply", 0)
    return RefusalError(_plain(error.message or ""), error.lineno)


def _plain(message: str) -> str:
    """Say Jinja2's message in the words of the language."""
    if match := _EXPECTED.match(message):
        wanted, got = (_WORDS.get(word, word) for word in match.groups())
        if got == "=":
            return _ASSIGNED
        return (
            f'"{wanted}" is missing before "{got}"' if got != "end of template" else f'"{wanted}" is missing'
        )
    if message.startswith("Expected an expression") or "unexpected 'end of" in message:
        return "an expression is missing here"
    if match := _ENDED.match(message):
        return f'"{_WORDS.get(match[1], match[1])}" is missing'
    if message.startswith("Unexpected end of template"):
        return "the end of an {% if %} is missing: {% endif %}"
    if message.startswith("Encountered unknown tag"):
        return "this part of an {% if %} stands alone"
    return message[:1].lower() + message[1:].rstrip(".")


def _word(token: Token) -> str:
    return _WORDS.get(token.type, str(token.value))
