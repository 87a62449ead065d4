"""Scalars and types, each case a line of tests/diagnostics/reading."""

import re
from pathlib import Path

import pytest

from engine.reading import scalars
from engine.reading.diagnostic import Place, Report
from engine.reading.scalars import Hours, Rate
from engine.reading.tree import Empty, Sequence, Text
from engine.reading.types_text import parse_parameter, read_type
from engine.reading.yaml_text import read_tree
from engine.types import Choice, ListOf, Privacy, Record, Type

DOCUMENTS = Path(__file__).parents[2] / "diagnostics" / "reading"
HERE = Place("f.yaml", 1, 1)


def lines(text):
    return [line.split(" -> ", 1) for line in text.splitlines() if line]


def scalar_cases():
    text = (DOCUMENTS / "scalars.md").read_text("utf-8")
    for reader, block in re.findall(r"^## (\w+)\n```text\n(.*?)```", text, re.MULTILINE | re.DOTALL):
        for written, expected in lines(block):
            yield pytest.param(reader, written, expected, id=f"{reader}: {written}")


@pytest.mark.parametrize(("reader", "written", "expected"), list(scalar_cases()))
def test_a_scalar_is_read_or_refused_with_its_remedy(reader, written, expected):
    report = Report()
    value = getattr(scalars, reader)(Text(written, HERE), report, "field")
    if not expected.startswith("! "):
        assert not report.diagnostics
        assert str(value) == expected
        return
    message, _, remedy = expected.removeprefix("! ").partition(" | ")
    (found,) = report.diagnostics
    assert value is None
    assert found.code == "type"
    assert message in found.message
    assert remedy in (found.help or "")


@pytest.mark.parametrize("reader", sorted({case.values[0] for case in scalar_cases()}))
def test_every_scalar_refuses_nothing_lists_and_long_soup(reader):
    read = getattr(scalars, reader)
    for node in (Empty(HERE), Sequence((), HERE), Text("9" * 5_000 + "x", HERE), Text("", HERE)):
        report = Report()
        assert read(node, report, "field") is None
        assert len(report) == 1
        assert len(report.diagnostics[0].message) <= 400


def test_limits_of_numbers_are_said():
    report = Report()
    assert scalars.integer(Text("0", HERE), report, "tries", 1, 9) is None
    assert report.diagnostics[0].help == "write a number from 1 to 9"
    assert scalars.integer(Text("9", HERE), report, "tries", 1, 9) == 9


def test_hours_over_midnight_cover_the_night():
    night = Hours(22 * 60, 6 * 60)
    assert [night.covers(hour * 60) for hour in (21, 22, 0, 5, 6)] == [False, True, True, True, False]
    assert Hours(0, 1440).covers(1439)
    assert not Hours(540, 1260).covers(1260)


def test_a_rate_is_known_by_the_second():
    assert Rate(30, 60_000).per_second == 0.5


def shown(type_: Type) -> str:
    match type_.shape:
        case Choice(values=values):
            text = "|".join(values)
        case ListOf(element=element):
            text = f"[{shown(element)}]"
        case Record(fields=fields):
            text = "{" + ", ".join(f"{name}: {shown(each)}" for name, each in fields) + "}"
        case scalar:
            text = scalar.value
    text += "?" if type_.optional else ""
    return text if type_.privacy is Privacy.PUBLIC else f"{text} {type_.privacy.name.lower()}"


def type_cases():
    text = (DOCUMENTS / "types.md").read_text("utf-8")
    return lines(re.search(r"```text\n(.*?)```", text, re.DOTALL)[1])


@pytest.mark.parametrize(("written", "expected"), type_cases(), ids=lambda text: text)
def test_a_type_expression_is_read_or_refused(written, expected):
    report = Report()
    tree = read_tree(f"it: {written}\n", "f.yaml", report)
    type_ = read_type(tree.get("it"), report, "it")
    if expected.startswith("! "):
        assert len(report) == 1
        assert expected.removeprefix("! ") in report.diagnostics[0].message
    else:
        assert not report.diagnostics
        assert shown(type_) == expected


@pytest.mark.parametrize(
    ("written", "name", "length"),
    [
        ("money", "money", None),
        ("digits(4)", "text", 4),
        ("secret(14)", "text secret", 14),
        ("text", "text", None),
    ],
)
def test_a_dialled_parameter_has_a_type_and_a_length(written, name, length):
    parameter = parse_parameter(written, HERE, Report())
    assert (shown(parameter.type), parameter.length) == (name, length)


@pytest.mark.parametrize("written", ["digits", "digits(0)", "secret", "bool", "", "digits(123)"])
def test_other_words_are_no_dialled_parameters(written):
    report = Report()
    assert parse_parameter(written, HERE, report) is None
    assert "is not a type of a dialled parameter" in report.diagnostics[0].message
