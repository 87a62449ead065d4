"""What libyaml cannot read, said so that a flow author sees the cause.

libyaml stops at the first thing it does not understand, often far behind the cause, and speaks of tokens.
Here its error and the line it stopped at become a `Trap`: a sentence, the column of the cause, a remedy,
and, where the cause is one character, the columns to mask so that the rest of the file can still be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import yaml

from engine.reading.trap import Situation, Trap
from engine.reading.yaml_source import Source

_SHOWN = 40  # characters of the author's text that go into a message

_READ_AS = {
    "*": "an alias",
    "&": "an anchor",
    "!": "a tag",
    "@": "a reserved sign",
    "`": "a reserved sign",
    "%": "a directive",
    "|": "the beginning of a text block",
    ">": "the beginning of a text block",
    "-": "a list item",
    "?": "a complex key",
    ":": "the end of a key",
    "[": "a list",
    "]": "the end of a list",
    "{": "a table",
    "}": "the end of a table",
    ",": "a separator",
}


def starting_sign(source: Source, line: int, column: int, in_flow: bool) -> Trap:
    """Return the trap of a text that starts with a sign of YAML: `*929#`, `{{ x }}`, `!important`."""
    sample = _sample(source, line, column, in_flow)
    end = column + len(sample)
    if sample.startswith("{{"):
        return Trap(
            'text starts with "{{": put quotes round the whole text',
            line,
            column,
            end,
            help=_quote_help(sample),
            mask=(column, column + 1),
        )
    sign = source.line(line)[column : column + 1]
    if sign == "\t":
        return Trap("a tab stands here; write spaces", line, column, column + 1)
    code = "yaml"
    shown = sign
    if sign == "!":
        code, shown = "yaml-tag", _clip(sample.split(" ", 1)[0])
    remedy = "quote it" if sign == "!" else "put quotes round it"
    if '"' not in sample and "\\" not in sample and 1 < len(sample) <= _SHOWN and sign != "!":
        remedy += f', e.g. "{sample}"'
    return Trap(
        f'{"text " if sign == "!" else ""}starts with "{shown}", which YAML reads as '
        f"{_READ_AS.get(sign, 'a sign of its own')}: {remedy}",
        line,
        column,
        max(end, column + 1),
        help=_quote_help(sample) if sign == "!" else None,
        code=code,
        mask=(column,) if sign in _READ_AS else (),
    )


_BLOCK_END = re.compile(r"\s+#(?:\s.*)?$")
_FLOW_END = re.compile(r"[,}\]]")
_READ_LINE = 400  # characters of a line the patterns look at; nobody finds a fault in a longer one by eye


def _sample(source: Source, line: int, column: int, in_flow: bool) -> str:
    """Return the text that begins there, as far as the author may have meant it."""
    rest = source.line(line)[column : column + _READ_LINE]
    if not in_flow:
        return _BLOCK_END.sub("", rest).rstrip()
    if rest.startswith("{{"):
        closing = rest.rfind("}}")
        return rest[: closing + 2] if closing > 0 else rest
    end = _FLOW_END.search(rest)
    return (rest[: end.start()] if end else rest).rstrip() or rest[:1]


def _quote_help(sample: str) -> str | None:
    if not sample or len(sample) > 2 * _SHOWN or "\\" in sample:
        return None
    if '"' not in sample:
        return f'write "{sample}"'
    return f"write '{sample}'" if "'" not in sample else None


def _clip(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def explain(error: yaml.YAMLError, source: Source, situation: Situation) -> Trap:
    """Return what the parser's error means on the line it stopped at."""
    problem = str(getattr(error, "problem", None) or error)
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        return Trap(f"YAML cannot read this file: {_clip(problem)}", 0, 0)
    at = (int(mark.line), int(mark.column))
    context_mark = getattr(error, "context_mark", None)
    begun = (int(context_mark.line), int(context_mark.column)) if context_mark is not None else at
    for line, column in (at, begun):
        if situation.in_flow or line in situation.trapped:
            continue
        start = _template_start(source.line(line), column)
        if start is not None:
            return starting_sign(source, line, start, False)
    context = str(getattr(error, "context", None) or "")
    for pattern, reading in _TABLE:
        if pattern.search(f"{context}; {problem}"):
            return reading(source, at, begun, situation)
    return Trap(f"YAML cannot read this: {_clip(problem)}", *at)


_VALUE = re.compile(r"\s*(?:- +)*(?:[^\s#'\"{\[\-][^#]*?: +)?(?=\{\{)")


def _template_start(line: str, column: int) -> int | None:
    """Find an unquoted `{{` that begins the value of this line, at or before the column."""
    match = _VALUE.match(line[:_READ_LINE])
    return match.end() if match and match.end() <= column else None


_At = tuple[int, int]
_Reading = Callable[[Source, _At, _At, Situation], Trap]


def _sign_at_start(source: Source, at: _At, begun: _At, situation: Situation) -> Trap:
    return starting_sign(source, *begun, situation.in_flow)


def _sign_at_problem(source: Source, at: _At, begun: _At, situation: Situation) -> Trap:
    line = source.line(at[0])
    if not line.strip() or at[1] >= len(line):
        if situation.bracket is not None:
            return _unclosed(source, situation.bracket)
        return Trap("the file ends in the middle of a value", *at)
    return starting_sign(source, *at, situation.in_flow)


_LONGEST_KEY = 1024  # of YAML itself: farther on the parser looks for no colon
_COLON = re.compile(r":(?=\s|$)")


def _colon_in_text(source: Source, at: _At, begun: _At, situation: Situation) -> Trap:
    number, column = at
    line = source.line(number)
    before = line[:column]
    if not situation.in_flow and not _COLON.search(before):
        start = len(line) - len(line.lstrip(" "))
        if column - start > _LONGEST_KEY:
            return Trap(f"a key has at most {_LONGEST_KEY} characters", number, start)
        return Trap(
            "this line is indented deeper than the line above, which has a value already",
            number,
            start,
            help=_indent_help(situation) or "indent it like the line above, or quote the text above",
        )
    if not situation.in_flow and _MENU_LINE.match(line):
        colons = [match.start() for match in _COLON.finditer(_BLOCK_END.sub("", line))]
        if len(colons) > 1:
            return _colon_in_label(line, number, colons)
    return Trap(
        'the text has ":" inside, which YAML reads as the end of a key: put quotes round the whole text',
        number,
        column,
        column + 1,
        help="a menu label, a text and a list item with a colon and a space are quoted",
        mask=tuple(match.start() for match in _COLON.finditer(line, column)),
    )


_MENU_LINE = re.compile(r"\s*[0-9*#]{1,4} [^\"'][^']*$")


def _colon_in_label(line: str, number: int, colons: list[int]) -> Trap:
    """`1 Тариф: этот: own`: the last colon ends the key, those before it belong to the label."""
    label, target = line[: colons[-1]].strip(), _BLOCK_END.sub("", line)[colons[-1] + 1 :].strip()
    quote = "'" if '"' in label or "\\" in label else '"'
    sample = f"{quote}{label}{quote}:" + (f" {target}" if target else "")
    return Trap(
        "the label has a colon, which YAML reads as the end of a key: put quotes round key and label",
        number,
        colons[0],
        colons[0] + 1,
        help=f"write {sample}" if len(sample) <= 2 * _SHOWN else 'write "1 Тариф: этот": own',
        mask=tuple(colons[:-1]),
    )


def _missing_colon(source: Source, at: _At, begun: _At, situation: Situation) -> Trap:
    number, column = begun
    line = source.line(number)
    cut = re.search(r"(?<=\s)#", line[column:])
    if cut is not None:
        place = column + cut.start()
        return Trap(
            'the key ends here: YAML takes "#…" for a comment; quote the whole key',
            number,
            place,
            place + 1,
            code="text-cut",
        )
    key = line[column:].rstrip()
    return Trap(
        f'there is no ":" after "{_clip(key)}"',
        number,
        column,
        column + max(1, len(key)),
        help="a line is a key with a colon (key: value) or a list item (- value)",
    )


def _open_quote(source: Source, at: _At, begun: _At, situation: Situation) -> Trap:
    return Trap(
        "this quote is never closed", *begun, begun[1] + 1, help="put a closing quote at the end of the text"
    )


def _unknown_escape(source: Source, at: _At, begun: _At, situation: Situation) -> Trap:
    number, column = at
    backslash = source.line(number).rfind("\\", 0, column + 1)
    column = backslash if backslash >= 0 else column
    sign = source.line(number)[column : column + 2]
    return Trap(
        f'"{sign}" means nothing inside double quotes',
        number,
        column,
        column + 2,
        help=r"write \\ for a backslash, or use single quotes",
        mask=(column,) if sign.startswith("\\") else (),
    )


def _open_bracket(source: Source, at: _At, begun: _At, situation: Situation) -> Trap:
    number, column = at
    line = source.line(number)
    opening = source.line(begun[0])[begun[1] : begun[1] + 1]
    closing = "]" if opening == "[" else "}"
    same_line = number == begun[0] and column < len(line)
    # On a later line the first colon is the next key of the file: the bracket was forgotten.
    if line[column : column + 1] == ":" and (same_line or _COLON.search(line[:column])):
        return _colon_in_text(source, at, begun, situation)
    if not same_line:
        return _unclosed(source, begun)
    if line[:column].rstrip().endswith(("'", '"')):
        return _after_quote(source, at, situation)
    return Trap(f'"," or "{closing}" is missing here', *at, at[1] + 1)


def _unclosed(source: Source, begun: _At) -> Trap:
    opening = source.line(begun[0])[begun[1] : begun[1] + 1]
    closing = "]" if opening == "[" else "}"
    return Trap(
        f'"{opening}" is not closed: "{closing}" is missing',
        *begun,
        begun[1] + 1,
        help=f'close it with "{closing}", or quote the text if it only starts with "{opening}"',
    )


def _after_quote(source: Source, at: _At, situation: Situation) -> Trap:
    number, column = at
    quote = situation.quote
    if quote is not None and quote[0] < quote[2] == number:
        return Trap(
            f"the text in these quotes ends only at line {number + 1}: the closing quote is missing",
            quote[0],
            quote[1],
            quote[1] + 1,
            help="close the quote at the end of its line",
        )
    sign = source.line(number)[:column].rstrip()[-1:]
    mask = (quote[1],) if quote is not None and quote[0] == number and not situation.in_flow else ()
    other = "'" if sign == '"' else '"'
    return Trap(
        "text goes on after its closing quote",
        number,
        column,
        column + 1,
        help=f"put the whole text into quotes; quotes inside it are then written {other}, or twice: ''",
        mask=mask,
    )


def _out_of_place(source: Source, at: _At, begun: _At, situation: Situation) -> Trap:
    number, column = at
    line = source.line(number)
    start = len(line) - len(line.lstrip(" "))
    if column > start and not re.fullmatch(r"\s*(?:- +)+", line[:column]):
        before = line[:column].rstrip()
        if before.endswith(("'", '"')):
            return _after_quote(source, at, situation)
        if before.endswith(("]", "}")):
            bracket = _opening(before)
            if bracket is not None:
                return starting_sign(source, number, bracket, False)
        return Trap("YAML does not expect this here: put quotes round the whole text", *at)
    rest = line[column:]
    if rest.startswith(":"):
        return Trap("there is no key before this colon", *at, column + 1)
    if column in situation.columns:
        if situation.in_list and not rest.startswith("-"):
            return Trap(
                f'"{_clip(rest.rstrip())}" stands among list items: "- " is missing before it, '
                "or it is indented wrongly",
                *at,
            )
        if rest.startswith("-"):
            return Trap(
                'a list item ("- …") stands among keys',
                *at,
                column + 1,
                help="indent it under the key it belongs to, or take the dash away",
            )
    return Trap(
        "the indentation of this line fits no line above", number, start, help=_indent_help(situation)
    )


def _opening(before: str) -> int | None:
    """Find the bracket that the last character closes; quotes inside are not looked at."""
    depth = 0
    for index in range(len(before) - 1, -1, -1):
        if before[index] in "]}":
            depth += 1
        elif before[index] in "[{":
            depth -= 1
            if depth == 0:
                return index
    return None


def _indent_help(situation: Situation) -> str | None:
    columns = sorted({column for column in situation.columns if column >= 0})
    if not columns:
        return None
    spaces = ", ".join(str(column) for column in columns[-6:])
    word = "space" if spaces == "1" else "spaces"
    return f"the blocks above begin after {spaces} {word}; indent it like one of them"


def _second_document(source: Source, at: _At, begun: _At, situation: Situation) -> Trap:
    return Trap("something follows the end of the document", *at, help="one file holds one document")


def _tight_colon(source: Source, at: _At, begun: _At, situation: Situation) -> Trap:
    return Trap(
        "a colon inside { } or [ ] is followed by a space", *at, at[1] + 1, help="or quote the whole text"
    )


def _tab(source: Source, at: _At, begun: _At, situation: Situation) -> Trap:
    return Trap("a tab stands here; write spaces", *at, at[1] + 1)


def _directive(source: Source, at: _At, begun: _At, situation: Situation) -> Trap:
    return Trap(
        'a line that starts with "%" is a directive of YAML; there are none here',
        *begun,
        begun[1] + 1,
        mask=(begun[1],),
    )


_TABLE: tuple[tuple[re.Pattern[str], _Reading], ...] = tuple(
    (re.compile(pattern), reading)
    for pattern, reading in (
        (r"(scanning|parsing) an? (alias|anchor|tag)|scanning a block scalar", _sign_at_start),
        (r"cannot start any token", _sign_at_start),
        (r"scanning a directive|parsing a directive|%\w+ directive", _directive),
        (r"(sequence entries|mapping keys) are not allowed", _sign_at_problem),
        (r"node content|but found '[,\]}?]'", _sign_at_problem),
        (r"mapping values are not allowed", _colon_in_text),
        (r"could not find expected ':'", _missing_colon),
        (r"quoted scalar.*(end of stream|document (indicator|separator))", _open_quote),
        (r"escape|hexdecimal|hexadecimal", _unknown_escape),
        (r"parsing a flow (sequence|mapping)", _open_bracket),
        (r"found unexpected ':'", _tight_colon),
        (r"tab character", _tab),
        (r"document start", _second_document),
        (r"expected key|'-' indicator|<block end>|parsing a block", _out_of_place),
    )
)
"""libyaml's sentences, and PyYAML's own where it runs without libyaml, with what they mean to us."""
