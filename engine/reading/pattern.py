"""Trigger patterns: `*100*{code:secret(14)}#` and `ставка {n:int}`, into literal text and typed parameters.

What a pattern matches is decided by `engine.trigger`. This module does not know flows.
"""

from __future__ import annotations

from engine.reading.diagnostic import Report
from engine.reading.scalars import is_name
from engine.reading.tree import Text
from engine.reading.types_text import parse_parameter
from engine.trigger import MAX_DIALLED, Parameter

Pattern = tuple[str | Parameter, ...]

_DIALLED = frozenset("0123456789*#")


def read_pattern(node: Text, report: Report) -> Pattern | None:
    """Split a pattern into texts and parameters; None after reporting."""
    parts: list[str | Parameter] = []
    rest, at = node.value, 0
    names: set[str] = set()
    while rest:
        literal, opened, tail = rest.partition("{")
        if literal:
            parts.append(literal)
        if not opened:
            break
        start = at + len(literal)
        body, closed, rest = tail.partition("}")
        place = node.part(start, start + len(body) + 2)
        name, colon, type_text = body.partition(":")
        if not closed or not colon or not is_name(name.strip()):
            report.error(
                "type", f'"{{{body}" is not a parameter', place, help="write {name:type}: {code:int}"
            )
            return None
        if name.strip() in names:
            report.twice(name.strip(), place, node)
            return None
        names.add(name.strip())
        known = parse_parameter(type_text, place, report)
        if known is None:
            return None
        if parts and isinstance(parts[-1], Parameter):
            report.error("type", "two parameters need something between them", place)
            return None
        parts.append(Parameter(name.strip(), known.type, known.length))
        at = start + len(body) + 2
    return tuple(parts)


def read_code(node: Text, report: Report) -> Pattern | None:
    """Read a USSD code or pattern: it begins with `*` or `#` ends with `#`; parameters are whole groups."""
    pattern = read_pattern(node, report)
    if pattern is None:
        return None
    text = node.value
    literals = "".join(part for part in pattern if isinstance(part, str))
    wrong = sorted(set(literals) - _DIALLED)
    if wrong:
        report.error("type", f'"{wrong[0]}" cannot be dialled', node, help="codes have digits, * and #")
    elif not text.startswith(("*", "#")) or not text.endswith("#") or len(text) < 3:
        report.error("type", f'"{text}" is not a USSD code', node, help='write it as "*929#"')
    elif len(literals) > MAX_DIALLED:
        report.error("type", f"a code has at most {MAX_DIALLED} characters", node)
    elif not _whole_groups(pattern):
        report.error("type", "a parameter is a whole group, between * and * or #", node)
    else:
        return pattern
    return None


def _whole_groups(pattern: Pattern) -> bool:
    for number, part in enumerate(pattern):
        if not isinstance(part, Parameter):
            continue
        before = pattern[number - 1] if number else ""
        after = pattern[number + 1] if number + 1 < len(pattern) else ""
        if not (isinstance(before, str) and before.endswith(("*", "#"))):
            return False
        if not (isinstance(after, str) and after.startswith(("*", "#"))):
            return False
    return True


def shape_of(pattern: Pattern) -> tuple[str | None, ...]:
    """Return the pattern without names and types: two of one shape match the same dials."""
    return tuple(part if isinstance(part, str) else None for part in pattern)


def overlap(one: Pattern, other: Pattern) -> bool:
    """Whether two patterns of one shape may match the same dial and neither is the narrower one.

    A parameter of a fixed length is narrower than one without, and is tried first.
    """
    lengths = [
        (first.length, second.length)
        for first, second in zip(one, other, strict=True)
        if isinstance(first, Parameter) and isinstance(second, Parameter)
    ]
    return all(first == second for first, second in lengths)
