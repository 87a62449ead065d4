"""A finding is data; how people and programs see it is tested here."""

import pytest

from engine.reading.diagnostic import MAX_SHOWN_LINE, Diagnostic, Place, Report, Severity, as_json, render
from engine.reading.report import report_json, report_text, summary
from engine.reading.suggestion import suggestion
from engine.reading.yaml_text import read_tree

BYE = Diagnostic(
    "no-scene",
    Severity.ERROR,
    'there is no scene "byee"',
    Place("flows/bye.yaml", 4, 9, 13),
    help='did you mean "bye"?',
)


def test_the_text_has_the_line_the_caret_and_the_remedy():
    assert render(BYE, "  - go: byee") == (
        'flows/bye.yaml:4:9: error: there is no scene "byee" [no-scene]\n'
        "4 |   - go: byee\n"
        "  |         ^^^^\n"
        '  = help: did you mean "bye"?'
    )


def test_without_the_source_there_is_no_excerpt():
    assert render(BYE).splitlines() == [
        'flows/bye.yaml:4:9: error: there is no scene "byee" [no-scene]',
        '  = help: did you mean "bye"?',
    ]


def test_a_long_line_is_shown_around_the_finding():
    line = "x" * 5_000 + "HERE" + "y" * 5_000
    shown = render(Diagnostic("a", Severity.HINT, "m", Place("f", 120, 5_001, 5_005)), line).splitlines()
    assert len(shown[1]) <= MAX_SHOWN_LINE + len("120 | ")
    assert shown[1][shown[2].index("^") :][:4] == "HERE"
    assert shown[2].count("^") == 4


def test_the_caret_stands_behind_a_line_that_ends_too_early():
    shown = render(Diagnostic("a", Severity.ERROR, "m", Place("f", 1, 9)), "key:").splitlines()
    assert shown[2] == "  |     ^"


def test_the_authors_text_cannot_steer_the_terminal():
    report = Report()
    report.error("a", "x\x1b[31m\nsecond", Place("f", 1, 1), help="h\x07")
    (found,) = report.diagnostics
    assert found.message == "x [31m second"
    assert "\x1b" not in render(found, "\x1b[2J")


def test_json_leaves_out_what_is_absent():
    assert as_json(BYE) == {
        "code": "no-scene",
        "severity": "error",
        "message": 'there is no scene "byee"',
        "file": "flows/bye.yaml",
        "line": 4,
        "column": 9,
        "end_column": 13,
        "help": 'did you mean "bye"?',
    }
    assert set(as_json(Diagnostic("a", Severity.HINT, "m", Place("f", 1, 1)))) == {
        "code", "severity", "message", "file", "line", "column",
    }  # fmt: skip


def test_a_report_is_in_the_order_of_places_and_counts_errors():
    report = Report()
    report.warning("w", "later", Place("b.yaml", 1, 1))
    report.hint("h", "third", Place("a.yaml", 10, 1))
    assert not report.has_errors
    report.error("e", "second", Place("a.yaml", 2, 7))
    report.error("e", "first", Place("a.yaml", 2, 3))
    report.error("e", "first", Place("a.yaml", 2, 3))
    assert report.has_errors
    assert [found.message for found in report.diagnostics] == ["first", "second", "third", "later"]
    assert summary(report) == "2 errors, 1 warning, 1 hint"
    assert summary(Report()) == "no errors"


def test_a_key_twice_names_the_first_place_also_in_another_file():
    report = Report()
    report.twice("1", Place("b.yaml", 4, 3), Place("a.yaml", 2, 3))
    (found,) = report.diagnostics
    assert found.message == '"1" is written twice (first at a.yaml:2:3)'
    assert report_json(report)[0]["further"] == [
        {"file": "a.yaml", "line": 2, "column": 3, "message": "written here first"}
    ]


def test_the_whole_report_shows_each_line():
    report = Report()
    source = "flow:\r\n  ussd: *929#\r\n"
    read_tree(source, "f.yaml", report)
    assert report_text(report, {"f.yaml": source}) == (
        'f.yaml:2:9: error: starts with "*", which YAML reads as an alias: '
        'put quotes round it, e.g. "*929#" [yaml]\n'
        "2 |   ussd: *929#\n"
        "  |         ^^^^^\n"
        "\n"
        "1 error"
    )


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("digit", "digits"),
        ("timout", "timeout"),
        ("byee", None),
        ("SAVE", "save"),
        ("", None),
        ("x" * 10_000, None),
    ],
)
def test_the_nearest_word_is_suggested_or_none(word, near):
    assert suggestion(word, ["save", "digits", "timeout", "tries"]) == near
