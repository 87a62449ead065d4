"""Type expressions of `backends.yaml`, `takes` and triggers: text or table to `engine.types.Type`.

    text                       a type word
    month | day                one of these words
    [text]                     a list
    { id: text, fee: money }   a table with fields
    time?                      may be empty; also `month | day?`
    digits(4), secret(14)      in trigger patterns: text with that many digits

This module does not know where types are used.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass

from engine.reading.diagnostic import Place, Report
from engine.reading.scalars import is_name
from engine.reading.suggestion import did_you_mean
from engine.reading.tree import Empty, Node, Sequence, Table, Text
from engine.reading.written import report_empty
from engine.types import NAMED, Choice, ListOf, Record, Type

_WORD = re.compile(r"[^\W\d][\w-]*")
_HELP = f"types are {', '.join(NAMED)}; words as a | b; a list as [text]; a table as {{ name: type }}"


def read_type(node: Node, report: Report, name: str = "") -> Type | None:
    """Read a type; None after reporting `type`."""
    match node:
        case Text():
            return parse_type(node.value, node.part(0, len(node.value)), report)
        case Sequence():
            return _list_type(node, report, name)
        case Table():
            return Type(read_record(node, report))
        case Empty():
            report_empty(node, report, name, "a type, as text")
            return None


def _list_type(node: Sequence, report: Report, name: str) -> Type | None:
    if len(node) != 1:
        report.error(
            "type", "a list type names the one type of its elements: [text]", node, help="write [text]"
        )
        return None
    element = read_type(node.items[0], report, name)
    return None if element is None else Type(ListOf(element))


def read_record(table: Table, report: Report) -> Record:
    """Read the fields of a table type; a wrong field is reported and left out."""
    fields = []
    for entry in table:
        key = entry.key.value
        if not is_name(key):
            report.error(
                "type",
                f'"{key}" is not a name: small Latin letters, digits and _, a letter first',
                entry.key,
            )
            continue
        type_ = read_type(entry.value, report, key)
        if type_ is not None:
            fields.append((key, type_))
    return Record(tuple(fields))


def parse_type(text: str, place: Place, report: Report) -> Type | None:
    """Read a type that is written as one text: a word, words with `|`, each with `?` at the end."""
    body = text.strip()
    optional = body.endswith("?")
    body = body.removesuffix("?").strip()
    if "|" in body:
        shape = _choice(body, place, report)
        return None if shape is None else Type(shape, optional)
    named = NAMED.get(body)
    if named is None:
        near = did_you_mean(body, NAMED)
        report.error("type", f'there is no type "{body}"{near}', place, help=_HELP)
        return None
    return dataclasses.replace(named, optional=optional) if optional else named


def _choice(body: str, place: Place, report: Report) -> Choice | None:
    words = tuple(word.strip() for word in body.split("|"))
    for word in words:
        if not _WORD.fullmatch(word):
            report.error(
                "type",
                f'"{word}" is not a word of a choice',
                place,
                help="write words with | between: month | day",
            )
            return None
    if len(set(words)) != len(words):
        report.error("type", f'a word is twice in "{body}"', place, help="write each word once")
        return None
    return Choice(words)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A typed group of a trigger pattern: `{code:secret(14)}`. `length` is the exact number of digits."""

    type: Type
    length: int | None = None


_PARAMETER_WORDS = ("int", "money", "phone", "date", "text")
_SIZED = re.compile(r"(digits|secret)\(([0-9]{1,2})\)")


def parse_parameter(text: str, place: Place, report: Report) -> Parameter | None:
    """Read the type of a trigger parameter: `int money phone date digits(4) secret(14) text`."""
    body = text.strip()
    sized = _SIZED.fullmatch(body)
    if sized is not None and int(sized[2]) > 0:
        return Parameter(NAMED["text" if sized[1] == "digits" else "secret"], int(sized[2]))
    if body in _PARAMETER_WORDS:
        return Parameter(NAMED[body])
    known = (*_PARAMETER_WORDS, "digits(4)", "secret(14)")
    report.error(
        "type",
        f'"{body}" is not a type of a dialled parameter{did_you_mean(body, known)}',
        place,
        help=f"write one of: {', '.join(known)}",
    )
    return None
