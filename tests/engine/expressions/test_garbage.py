"""Whatever is written is compiled or refused; whatever the data are, there is a value or a failure."""

import itertools
from decimal import Decimal

import pytest
from expression_samples import KNOWN, VALUES_OF_EVERY_TYPE, world
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.expressions import (
    ExpressionFailed,
    ExpressionProblems,
    Scope,
    compile_expression,
    compile_template,
)
from engine.reading.diagnostic import Place
from engine.values import Secret

WORDS = [
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "-",
    "if",
    "else",
    "elif",
    "endif",
    "for",
    "in",
    "not",
    "is",
    "none",
    "and",
    "or",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ".",
    "|",
    "'",
    '"',
    "\\",
    "**",
    "//",
    "~",
    "=",
    "==",
    "!=",
    "<",
    "%",
    "*",
    "+",
    "/",
    "1",
    "0",
    "2.5",
    "n",
    "p",
    "fee",
    "money",
    "count",
    "'a|b|c'",
    "lowest",
    "memory",
    "recent",
    "now",
    "days",
    "yes",
    " ",
    "\n",
    "я",
    "\u202e",
    "\x00",
    "raw",
    "set",
    "_",
    "1e9",
    "0x1",
    "'a'",
]
SOURCES = (
    st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join)
    | st.lists(st.sampled_from(WORDS), max_size=14).map("".join)
    | st.text(max_size=30)
)
DATA = [
    *VALUES_OF_EVERY_TYPE,
    [],
    [None],
    [1, "a", Decimal("2.5")],
    [[1], {"fee": 1}],
    [Secret("qwerty")],
    {},
    {"fee": None},
    {"fee": 490, "b": [1]},
]
PROGRAMS = [
    "a + b",
    "a - b",
    "a * b",
    "a / b",
    "a % b",
    "-a",
    "a < b",
    "a >= b",
    "a == b",
    "a != b",
    "a in b",
    "a not in b",
    "a and b or not a",
    "a if b else a",
    "a.fee",
    "a[b]",
    "a[0]",
    "lowest(a)",
    "average(a)",
    "min(a, b)",
    "max(a)",
    "round(a)",
    "round(a, b)",
    "days(a)",
    "hours(a)",
    "open(a)",
    "surge(a)",
    "repeat_contact(a, b)",
    "workdays(a)",
    "a|money",
    "a|date",
    "a|time",
    "a|duration",
    "a|phone",
    "a|digits",
    "a|length",
    "a|count('x|y|z')",
    "now + a",
    "today - a",
    "a is none",
    "1 < a <= b",
    "[a, b]",
]


@settings(max_examples=600, deadline=None, derandomize=True)
@given(SOURCES)
def test_any_source(source):
    place = Place("a.yaml", 1, 1, 1 + len(source))
    for compile_ in (compile_expression, compile_template):
        found = []
        try:
            compile_(source, place, KNOWN).type_in({})
        except ExpressionProblems as error:
            found = error.diagnostics or [None]
        assert all(1 <= item.place.column <= len(source) + 1 and item.message for item in found)


@pytest.mark.parametrize("source", PROGRAMS)
def test_any_data(source):
    compiled = compile_expression(source, Place("a.yaml", 1, 1), KNOWN)
    template = compile_template("{{ " + source + " }}", Place("a.yaml", 1, 1), KNOWN)
    around = world()
    failures = 0
    for first, second in itertools.product(DATA, DATA):
        scope = Scope({"a": first, "b": second}, around)
        compiled.questions(scope)
        for run in (compiled.evaluate, template.render):
            try:
                run(scope)
            except ExpressionFailed as error:
                failures += bool(error.message)
    assert failures < 2 * len(DATA) ** 2 or source.startswith(("open", "surge", "repeat_contact", "workdays"))
