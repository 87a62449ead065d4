"""What may not be written: each is a diagnostic with its place, and nothing is ever executed."""

import time

import pytest
from expression_samples import KNOWN, expression, problems, text

from engine.expressions import BUILT_IN, ExpressionProblems, Vocabulary, compile_expression, compile_template
from engine.reading.diagnostic import Place

EXPRESSIONS = [
    ("{{ n }}", ["1 expr an expression is written without {{ }}"]),
    ("", ["1 expr an expression is missing here"]),
    ("  ", ["1 expr an expression is missing here"]),
    ("n +", ["3 expr an expression is missing here"]),
    ("n m", ['3 expr "m" is not expected here']),
    ("n = 1", ['3 expr "=" is not expected here; did you mean "=="?']),
    ("n & m", ['3 expr write "and", not "&"']),
    ("!n", ['1 expr write "not" or "!="']),
    ("n }}", ['3 expr "}}" is not expected here']),
    ("'abc", ["1 expr the text that begins here has no closing quote"]),
    ("(n", ['2 expr ")" is missing']),
    ("n ? 1 : 2", ['3 expr "?" is not expected here']),
    ("n;m", ['2 expr ";" is not expected here']),
    ("n\u200b", ["2 expr a hidden character is here"]),
    ("сумма > 1", ['1 expr "сумма" is no name: names are a-z, 0-9 and _, a letter first']),
    ("N", ['1 expr "N" is no name: names are a-z, 0-9 and _, a letter first']),
    ("_n", ['1 expr "_n" is no name: names are a-z, 0-9 and _, a letter first']),
    ("n ** 2", ["1 expr ** is not allowed here"]),
    ("9**9**9**9", ["8 expr ** is not allowed here"]),
    ("n // 2", ["1 expr // is not allowed here"]),
    ("n ~ word", ["1 expr ~ is not allowed here"]),
    ("n, m", ['2 expr "," is not expected here']),
    ("(n, m)", ["3 expr a comma is not allowed here"]),
    ("{'a': 1}", ["1 expr { } is not allowed here"]),
    ("list[1:2]", ["6 expr a slice is not allowed here"]),
    ("n if m", ["1 expr if needs else here: a if test else b"]),
    ("n|attr('x')", ['3 expr unknown filter "attr"']),
    ("n|mony", ['3 expr unknown filter "mony"; did you mean "money"?']),
    ("n|default(1)", ['3 expr unknown filter "default"']),
    ("n|map('upper')", ['3 expr unknown filter "map"']),
    ("n|format(1)", ['3 expr unknown filter "format"']),
    ("n|money(2)", ["3 expr money takes 0 arguments, not 1"]),
    ("n|count", ["3 expr count takes 1 argument, not 0"]),
    ("n|count(word)", ["3 expr the forms of count are a text: 'день|дня|дней'"]),
    ("n|count('a||c')", ["3 expr the forms of count are a text: 'день|дня|дней'"]),
    ("n is defined", ['3 expr unknown test "defined"']),
    ("n is divisibleby 2", ['3 expr unknown test "divisibleby"']),
    ("range(9)", ['1 expr there is no function "range"; did you mean "average"?']),
    ("recnt('x')", ['1 expr there is no function "recnt"; did you mean "recent"?']),
    ("word.upper()", ['11 expr "upper" cannot be called: there are fields and functions only']),
    ("lowest(list, key=1)", ["7 expr lowest takes plain arguments only, no names and no *"]),
    (
        "lowest(*list)",
        [
            "7 expr lowest takes plain arguments only, no names and no *",
            "7 expr lowest takes 1 argument, not 0",
        ],
    ),
    ("round()", ["6 expr round takes 1 to 2 arguments, not 0"]),
    ("p.__class__", ['3 expr "__class__" is no field name: names are a-z, 0-9 and _, a letter first']),
    ("p['__class__']", ['2 expr "__class__" is no field name: names are a-z, 0-9 and _, a letter first']),
    (
        "''.__class__.__mro__[1].__subclasses__()",
        ['39 expr "__subclasses__" cannot be called: there are fields and functions only'],
    ),
    (
        "cycler.__init__.__globals__.os",
        [
            '8 expr "__init__" is no field name: names are a-z, 0-9 and _, a letter first',
            '17 expr "__globals__" is no field name: names are a-z, 0-9 and _, a letter first',
        ],
    ),
    ("'a' * 100000000", ["1 expr-type 'a' * 100000000: text and int cannot be multiplied"]),
    ("[1] * 1000000000", ["1 expr-type [1] * 1000000000: a list and int cannot be multiplied"]),
    ("'%1000000000d' % 1", ["1 expr-type '%1000000000d' % 1: text and int cannot be divided"]),
    ("1 / 0", ["1 expr-type 1 / 0: division by zero"]),
    (
        "100000000000000000 * 100000000000000000",
        ["1 expr-type 100000000000000000 * 100000000000000000: the number is too large"],
    ),
    ("1e9", ["1 expr write this number with digits and a point: 490.50"]),
    ("1e999999999", ["1 expr write this number with digits and a point: 490.50"]),
    ("0x10", ["1 expr write this number with plain digits"]),
    ("0b1", ["1 expr write this number with plain digits"]),
    ("1234567890123456789", ["1 expr a number has at most 18 digits"]),
    (r"'a\d'", [r'3 expr "\d" is unknown; write \\ for a backslash']),
    (r"'\x41'", [r'2 expr "\x" is unknown; write \\ for a backslash']),
    ("memory", ["1 expr memory needs a name: memory.offer_seen"]),
    ("memory.offer_sen", ['8 no-memory there is no memory "offer_sen"; did you mean "offer_seen"?']),
    (
        "recent('billing.promis')",
        ['8 no-op there is no operation with once: "billing.promis"; did you mean "billing.promise"?'],
    ),
    ("recent(word)", ["1 expr recent takes the name of an operation: recent('billing.promise')"]),
    ("open('suport')", ['6 no-queue there is no queue or calendar "suport"; did you mean "support"?']),
    ("expected_wait('office')", ['15 no-queue there is no queue "office"']),
    ("open(5)", ["1 expr-type open(5): the name is no text, or is empty"]),
    ("lambda: 1", ['7 expr ":" is not expected here']),
    ("import os", ['8 expr "os" is not expected here']),
    (
        "n|attr('x') + p.__class__ + m()",
        [
            '3 expr unknown filter "attr"',
            '17 expr "__class__" is no field name: names are a-z, 0-9 and _, a letter first',
            '29 expr there is no function "m"',
        ],
    ),
]


@pytest.mark.parametrize(("source", "wanted"), EXPRESSIONS)
def test_expression_that_is_refused(source, wanted):
    assert problems(source, expression) == wanted


TEXTS = [
    ("{{ }}", ["4 expr an expression is missing here"]),
    ("{{ n", ['4 expr "}}" is missing']),
    ("a {{ n } b", ["8 expr unexpected '}'"]),
    ("{{ n m }}", ['6 expr "}}" is missing before "m"']),
    ("{{ n, m }}", ["5 expr a comma is not allowed here"]),
    ("{% for x in list %}a{% endfor %}", ["4 expr for is not allowed here"]),
    ("a {% set x = 1 %}", ["6 expr set is not allowed here"]),
    ("{% macro m() %}{% endmacro %}", ["4 expr macro is not allowed here"]),
    ("{% import 'x' as y %}", ["4 expr import is not allowed here"]),
    ("{% include '/etc/passwd' %}", ["4 expr include is not allowed here"]),
    ("{% from 'x' import y %}", ["4 expr from is not allowed here"]),
    ("{% extends 'x' %}", ["4 expr extends is not allowed here"]),
    ("{% block a %}{% endblock %}", ["4 expr block is not allowed here"]),
    ("{% call m() %}{% endcall %}", ["4 expr call is not allowed here"]),
    ("{% filter upper %}a{% endfilter %}", ["4 expr filter is not allowed here"]),
    ("{% with x = 1 %}{% endwith %}", ["4 expr with is not allowed here"]),
    ("{% autoescape true %}{% endautoescape %}", ["4 expr autoescape is not allowed here"]),
    ("{% raw %}{{ n }}{% endraw %}", ["1 expr raw is not allowed here"]),
    ("{% elseif n %}", ['4 expr elseif is not allowed here; did you mean "elif"?']),
    ("{% %}", ["4 expr a word (if, elif, else, endif) is missing here"]),
    ("{% if n %}a", ["11 expr the end of an {% if %} is missing: {% endif %}"]),
    ("a{% endif %}", ["5 expr this part of an {% if %} stands alone"]),
    ("{% if n %}a{% for x in y %}{% endfor %}{% endif %}", ["15 expr for is not allowed here"]),
    (
        "{{ n|attr('x') }} {{ p.__class__ }}",
        [
            '6 expr unknown filter "attr"',
            '24 expr "__class__" is no field name: names are a-z, 0-9 and _, a letter first',
        ],
    ),
]


@pytest.mark.parametrize(("source", "wanted"), TEXTS)
def test_text_that_is_refused(source, wanted):
    assert problems(source, text) == wanted


@pytest.mark.parametrize(
    "source",
    [
        "(" * 51 + "n" + ")" * 51,
        "[" * 5000,
        "not " * 60 + "n",
        "not " * 2400 + "n",
        "-" * 9000 + "1",
        "n" + ".n" * 60,
        "n" + " + 1" * 60,
        "1 if n else " * 60 + "2",
        "1 if n else " * 800 + "2",
        "round(" * 60 + "n" + ")" * 60,
        "n" + "|length" * 60,
        "n" * 10_001,
        "n" + "[0]" * 3000,
        "[" + "1," * 1001 + "]",
        "1" * 5000,
        "n or " * 1200 + "n",
    ],
)
def test_huge_sources_are_refused_at_once(source):
    began = time.perf_counter()
    with pytest.raises(ExpressionProblems) as caught:
        compile_expression(source, Place("a.yaml", 1, 1, len(source) + 1))
    assert time.perf_counter() - began < 1
    assert caught.value.diagnostics[0].code == "expr"


def test_deeply_nested_text_is_refused():
    source = "{% if n %}" * 60 + "a" + "{% endif %}" * 60
    with pytest.raises(ExpressionProblems) as caught:
        compile_template(source, Place("a.yaml", 1, 1))
    assert "nested too deeply" in caught.value.diagnostics[0].message
    source = "{% if n %}" * 500 + "a" + "{% endif %}" * 400
    with pytest.raises(ExpressionProblems):
        compile_template(source, Place("a.yaml", 1, 1))


def test_what_is_allowed_at_the_limit():
    assert expression("(" * 50 + "n" + ")" * 50)
    assert expression("not " * 48 + "n")
    assert expression("n or " * 999 + "n")


PLACES = [
    ("plain", "n + m()", Place("a.yaml", 2, 9, 16), (13, 14)),
    ("quoted", "n + m()", Place("a.yaml", 2, 9, 18), (14, 15)),
    ("escapes inside", "n + m()", Place("a.yaml", 2, 9, 24), (9, 24)),
    ("several lines", "n +\n m()", Place("a.yaml", 2, 9), (9, None)),
    ("unknown end", "n + m()", Place("a.yaml", 2, 9), (9, None)),
]


@pytest.mark.parametrize(("name", "source", "place", "wanted"), PLACES)
def test_place_in_the_file(name, source, place, wanted):
    with pytest.raises(ExpressionProblems) as caught:
        compile_expression(source, place)
    found = caught.value.diagnostics[0].place
    assert (found.line, found.column, found.end_column) == (2, *wanted)


def test_text_of_several_lines_keeps_its_offsets():
    with pytest.raises(ExpressionProblems) as caught:
        compile_template("a {%- if n -%}  b\n{% endif %} {{ x.y() }}", Place("a.yaml", 2, 9))
    assert caught.value.diagnostics[0].place == Place("a.yaml", 2, 9)


def test_names_are_not_checked_where_the_project_is_unknown():
    known = Vocabulary()
    for source in ("memory.any_name", "recent('a.b')", "open('x')", "expected_wait('x')"):
        assert expression(source, known)


def test_every_built_in_word_is_reserved():
    assert {"now", "lowest", "memory", "yes", "none", "event", "if", "not"} <= BUILT_IN
    assert all(KNOWN.reserved_name(word) for word in BUILT_IN)
