"""`translation-vars`: a translation with other values than its source."""

from __future__ import annotations

from collections.abc import Iterator

from engine.expressions import syntax
from engine.expressions.syntax import Branch, Field, Name, Node, Output, Part
from engine.reading.checks.condition import parts_of
from engine.reading.checks.survey import Survey
from engine.reading.diagnostic import Report

CODES = ("translation-vars",)


def check(survey: Survey, report: Report) -> None:
    """Compare the names in `{{ }}` of every text with those of its translations."""
    flows = survey.flows
    for language, texts in flows.translations.items():
        for flow in flows.flows.values():
            if language not in flow.languages[1:]:
                continue
            for text in flow.texts:
                written = texts.get(text.text.strip())
                if written is None or ("{" not in text.text and "{" not in written.value):
                    continue
                theirs, ours = _names(written.value), _names(text.text)
                if theirs != ours:
                    report.error(
                        "translation-vars",
                        _said(theirs - ours, ours - theirs),
                        written,
                        help=f'the source is "{text.text.strip()}" ({text.place.file}:{text.place.line})',
                    )


def _said(more: set[str], less: set[str]) -> str:
    if not more:
        return f"leaves out {_listed(less)}, which the source has"
    return f"uses {_listed(more)}, the source has {_listed(less) or 'no such value'}"


def _listed(names: set[str]) -> str:
    return ", ".join(f"{{{{ {name} }}}}" for name in sorted(names))


def _names(text: str) -> set[str]:
    return {name for part in parts_of(text.strip("\n")) for name in _of_part(part)}


def _of_part(part: Part) -> Iterator[str]:
    match part:
        case Output(node=node):
            yield from _paths(node)
        case Branch(cases=cases, otherwise=otherwise):
            for test, body in cases:
                yield from _paths(test)
                for inner in body:
                    yield from _of_part(inner)
            for inner in otherwise:
                yield from _of_part(inner)


def _paths(node: Node) -> Iterator[str]:
    """Return the variables in a node, with their fields: `p.fee`."""
    match node:
        case Field() | Name():
            yield syntax.show(node)
        case syntax.Filter(part=part):
            yield from _paths(part)  # the forms of `count` belong to the language
        case _:
            for inner in _inside(node):
                yield from _paths(inner)


def _inside(node: Node) -> tuple[Node, ...]:
    match node:
        case syntax.Item(base=base, index=index):
            return (base, index)
        case syntax.Compare(first=first, rest=rest):
            return (first, *(part for _, part in rest))
        case syntax.Logic(parts=parts):
            return parts
        case syntax.Not(part=part) | syntax.Negative(part=part) | syntax.IsEmpty(part=part):
            return (part,)
        case syntax.Arithmetic(left=left, right=right):
            return (left, right)
        case syntax.Choose(test=test, yes=first, no=second):
            return (test, first, second)
        case syntax.Call(arguments=arguments):
            return arguments
        case syntax.Listed(items=items):
            return items
    return ()
