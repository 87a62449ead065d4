"""What is wrong in a test file is found when it is read, with its place and a remedy."""

import pytest

from engine.reading.diagnostic import Report
from engine.testing.case_file import read_suite
from engine.testing.player import play
from tests.engine.machine.script import compiled

FLOW = """
flow: {title: т, ussd: "*1#"}
start:
  - request: b.look
    save: p
    errors: { none_found: { end: Нет. } }
  - end: "{{ p.sum|money }}: {{ p.items[0] }}"
"""


@pytest.fixture(scope="module")
def flows():
    return compiled({"a": FLOW})


def read(flows, source):
    report = Report()
    suite = read_suite(source, "flows/a.test.yaml", flows, report)
    found = [f"{one.place.line}:{one.place.column} {one.code}: {one.message}" for one in report.diagnostics]
    return suite, found, report


TABLE = """
backends:
  b.look: {{ sum: 5, items: [a] }}
tests:
  Таблица:
    each:
      {row}
    {given}
    steps:
      - dial: "*1#"
      - see: {see}
"""


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("tets:\n  a: []\n", '1:1 unknown-field: "tets" is not a field of a test file'),
        ("tests:\n  a:\n    - dail: x\n", '3:7 unknown-step: "dail" is not a word of tests; did you'),
        ("tests:\n  a:\n    - ended: yes\n", "3:14 type: ended has no value"),
        ("tests:\n  a:\n    - see:\n", "3:7 type: see: the value is missing"),
        ("tests:\n  a:\n    - see: Да # нет\n", '3:15 text-cut: the text ends here'),
        ("tests:\n  a:\n    - see: [a]\n", "3:12 type: see: expected a text, not a list"),
        (
            "tests:\n  a:\n    - request: b.look\n      whit: {}\n",
            '4:7 unknown-field: "whit" is not a field of request; did you mean "with"?',
        ),
        ("tests:\n  a:\n    - dial: '*1#'\n      see: x\n", '4:7 unknown-field: "see" is not a field'),
        ("tests:\n  a: да\n", "2:3 type: expected the steps of the case"),
        ("tests:\n  a:\n    each: []\n    steps: []\n", "2:3 missing-field: a table case needs each:"),
        (
            "backends:\n  b.lok: {}\ntests:\n  a: [ended]\n",
            '2:3 no-op: there is no operation "b.lok"; did you mean "b.look"?',
        ),
        (
            "backends:\n  b.look: { summ: 1, items: [] }\ntests:\n  a: [ended]\n",
            '2:13 no-field: b.look has no field "summ"; did you mean "sum"?',
        ),
        (
            "backends:\n  b.buy: lost\ntests:\n  a: [ended]\n",
            '2:10 no-error: b.buy never ends with "lost"',
        ),
        (
            "backends:\n  b.tell: { x: 1 }\ntests:\n  a: [ended]\n",
            '2:13 no-field: b.tell returns nothing, no "x"',
        ),
        (
            TABLE.format(row="- { sum: 7, se: x }", given="given: b.look", see="=see"),
            '11:14 no-field: there is no column "see"; did you mean "se"?',
        ),
        (
            TABLE.format(row="- { sum: 7, note: x }", given="given: b.look", see="x"),
            '7:19 unknown-field: column "note" is used nowhere',
        ),
        (
            TABLE.format(row="- { sum: много }", given="given: b.look", see="x"),
            '7:16 type: sum: "много"',
        ),
        (
            TABLE.format(row="- { sum: 7 }", given="given: b.lok", see="x"),
            '8:12 no-op: given: "b.lok" is no operation that returns something; did you mean "b.look"?',
        ),
        (TABLE.format(row="- да", given="given: b.look", see="x"), "7:9 type: a row is a table"),
    ],
)  # fmt: skip
def test_a_mistake_is_reported_where_it_is(flows, source, expected):
    _, found, report = read(flows, source)
    where, _, message = expected.partition(": ")
    assert any(line.startswith(where) and message in line for line in found), found
    assert report.has_errors


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("rated: 5", "3:14 type: rated: expected a table { name: value }, not a text"),
        ("given: x", "3:14 type: given: expected a table { name: value }, not a text"),
        ("queue: { support: 1 }", "3:14 type: queue: expected a text, not a table (key: value)"),
        ("agent: solved\n      result: x", '4:7 unknown-field: "result" is not a field of agent'),
        ("busy: x", "3:13 type: busy has no value"),
        ("scheduled:", "3:7 type: scheduled: the value is missing"),
        ("callbak: x", '3:7 unknown-step: "callbak" is not a word of tests; did you mean "callback"?'),
    ],
)
def test_words_of_calls_and_people_are_checked_too(flows, step, expected):
    _, found, _ = read(flows, f"tests:\n  a:\n    - {step}\n")
    assert found == [expected]


def test_a_field_of_the_answer_is_no_idle_column(flows):
    """`sum` is used by the answer, so it need not stand in a step; another column must."""
    row = '- { sum: 7, see: "7 ₽: a" }\n      - { items: [z], see: "5 ₽: z", what: z }'
    _, found, _ = read(flows, TABLE.format(row=row, given="given: b.look", see="=see"))
    assert found == ['8:38 unknown-field: column "what" is used nowhere']


def test_rows_are_played_one_by_one_with_names_of_their_own(flows):
    source = TABLE.format(
        row="- { sum: 7, see: '7 ₽: a' }\n      - { items: [z], see: '5 ₽: z' }\n"
        "      - { sum: 8, see: '9 ₽: a' }",
        given="given: b.look",
        see="=see",
    )
    suite, found, _ = read(flows, source)
    assert found == []
    assert [case.name for case in suite.cases] == [
        "Таблица [1, sum: 7]",
        "Таблица [2, items: 2]",
        "Таблица [3, sum: 8]",
    ]
    assert [play(flows, case).failure is None for case in suite.cases] == [True, True, False]


def test_a_column_may_stand_inside_a_text(flows):
    source = TABLE.format(row="- { sum: 7, what: a }", given="given: b.look", see='"7 ₽: =what"')
    suite, found, _ = read(flows, source)
    assert found == []
    assert play(flows, suite.cases[0]).failure is None


def test_a_sound_case_beside_a_faulty_one_is_kept(flows):
    suite, found, _ = read(flows, "tests:\n  a:\n    - dail: x\n  b:\n    - dial: '*1#'\n")
    assert len(found) == 1
    assert [case.name for case in suite.cases] == ["b"]


@pytest.mark.parametrize(
    "source", ["", "- a\n", "tests: да\n", "tests:\n  a:\n    - [x]\n", "tests:\n  a:\n    - {}\n", "a: [\n"]
)
def test_anything_may_stand_in_a_file(flows, source):
    suite, found, _ = read(flows, source)
    assert suite.cases == ()
    assert found or not source


def test_a_misspelt_field_of_an_answer_is_reported_once_though_every_row_uses_it(flows):
    source = """
backends:
  b.look: { summ: 5, items: [a] }
tests:
  Таблица:
    each:
      - { items: [b], see: x }
      - { items: [c], see: x }
    given: b.look
    steps:
      - dial: "*1#"
      - see: =see
"""
    _, found, _ = read(flows, source)
    assert found == ['3:13 no-field: b.look has no field "summ"; did you mean "sum"?']
