"""What the tree holds: texts as written, places, and nothing that YAML would make of them."""

import re
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.reading.diagnostic import Place, Report
from engine.reading.tree import Empty, Sequence, Table, Text, plain_value
from engine.reading.yaml_text import read_tree

FLOW = """\
flow:                         # the header
  title: Обнови пакет
  sms: "000500"

start:
  - ask: Введите код      # сюда
    timeout: 10s
  - when:
      p.fee == 0: free
      else:
  - say: |
      Раз
      Два
"""


def read(source, errors=0):
    report = Report()
    tree = read_tree(source, "f.yaml", report)
    assert len(report) == errors, report.diagnostics
    return tree


@pytest.mark.parametrize(
    "written",
    ["000500", "0890", "0611", "+79161234567", "12:30", "9:00", "no", "on", "NO", "1.10", "2014-01-14", "1e3",
     "1_000", "0x10", "~", "null", "true", ".5", "=", "<x", "-5", "№1", "a#b", "http://x", "😀"],
)  # fmt: skip
def test_a_scalar_is_the_text_that_was_written(written):
    assert plain_value(read(f"key: {written}\nlist: [{written}]\n")) == {"key": written, "list": [written]}


def test_places_are_those_an_editor_shows():
    tree = read(FLOW)
    flow, start = tree.entries
    assert start.key.place == Place("f.yaml", 5, 1, 6)
    assert flow.value.get("title").place == Place("f.yaml", 2, 10, 22)
    assert flow.value.get("sms") == Text("000500", Place("f.yaml", 3, 8, 16), quoted=True)
    ask, when, say = start.value.items
    assert ask.place.column == 5
    assert ask.get("ask").cut == Place("f.yaml", 6, 27, 28)
    assert isinstance(when.get("when").get("else"), Empty)
    assert [entry.key.value for entry in when.get("when")] == ["p.fee == 0", "else"]
    assert say.get("say").value == "Раз\nДва\n"
    assert say.get("say").block
    assert say.get("say").place.end_column is None


def test_a_part_of_a_text_has_its_own_place():
    tree = read('a: Привет {{ x }}\nb: "да {{ y }}"\nc: "\\t {{ z }}"\n')
    assert tree.get("a").part(7, 14) == Place("f.yaml", 1, 11, 18)
    assert tree.get("b").part(3) == Place("f.yaml", 2, 8, 9)
    assert tree.get("c").part(3) == tree.get("c").place


def test_characters_outside_the_basic_plane_do_not_shift_places():
    tree = read("a: 😀😀\nb: { c: 😀, d: x }\n")
    assert tree.get("b").get("d").place == Place("f.yaml", 2, 15, 16)


def test_after_a_trap_the_tree_holds_what_the_author_meant():
    source = "ussd: *929#\nsay: {{ x }} руб: да\nwords: [*1, !да]\nend: { text: Хорошо, не сейчас }\n"
    assert plain_value(read(source, errors=4)) == {
        "ussd": "*929#",
        "say": "{{ x }} руб: да",
        "words": ["*1", "!да"],
        "end": {"text": "Хорошо, не сейчас"},
    }


@pytest.mark.parametrize("source", ["", "\n\n", "# only a comment\n", "---\n"])
def test_an_empty_file_is_an_empty_tree(source):
    assert isinstance(read(source), Empty)


def test_a_root_may_be_a_text_or_a_list():
    assert isinstance(read("x"), Text)
    assert isinstance(read("- x"), Sequence)
    assert isinstance(read("{}"), Table)


@pytest.mark.parametrize("level", ["[", "{a: ", "- ", "[{a: "])
def test_fifty_thousand_levels_end_at_the_sixty_fifth(level):
    report = Report()
    assert read_tree(level * 50_000, "f.yaml", report) is None
    assert "nested deeper than 64 levels" in report.diagnostics[0].message


def test_sixty_four_levels_are_read():
    assert read("[" * 64 + "]" * 64) is not None


def test_a_file_over_one_mebibyte_is_refused_by_its_bytes():
    report = Report()
    assert read_tree("a: " + "ж" * 600_000, "f.yaml", report) is None
    assert report.diagnostics[0].message == "the file has 1200003 bytes; a file may have 1048576"
    assert read_tree(b"#" * (1 << 20), "f.yaml", Report()) is not None
    assert read_tree(b"#" * ((1 << 20) + 1), "f.yaml", Report()) is None


@pytest.mark.parametrize(
    ("raw", "line", "column", "remedy"),
    [
        ("a: b\nтекст: Привет".encode("cp1251"), 2, 1, "windows-1251"),
        ("flow: ж\n".encode() + b"sms: \xff", 2, 6, "UTF-8"),
        ("flow: x".encode("utf-16"), 1, 1, "UTF-16"),
    ],
)
def test_a_file_that_is_not_utf8_is_refused_at_the_byte(raw, line, column, remedy):
    report = Report()
    assert read_tree(raw, "f.yaml", report) is None
    (found,) = report.diagnostics
    assert (found.place.line, found.place.column) == (line, column)
    assert remedy in found.help


@pytest.mark.parametrize(
    "source",
    [
        "a: {b: c" + ", d" * 250_000 + "}",
        "a: &x b\n" * 100_000,
        "a: b\n" * 190_000,
        "- {a: *x" + " " * 900_000 + "}",
        "a: [" + "b," * 400_000,
        "- menu: x\n  1 a: b\n  #" + " " * 400_000 + ":" + " " * 400_000 + "x y",
        '"' * 900_000,
        "k" * 900_000 + ": v",
    ],
    ids=lambda source: source[:12],
)
def test_a_hostile_file_is_done_with_quickly_and_in_few_words(source):
    report = Report()
    begin = time.process_time()
    read_tree(source, "f.yaml", report)
    assert time.process_time() - begin < 5  # measured below 1; quadratic work would take minutes
    assert len(report) <= 202
    assert all(len(found.message) <= 400 for found in report.diagnostics)


SOUP = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=120),
    st.lists(
        st.sampled_from(
            ["a", "- ", ": ", "\n", "  ", "{", "}", "[", "]", ",", "#", " #", '"', "'", "|", ">", "*", "&",
             "!", "%", "@", "?", "{{", "}}", "---", "...", "\t", "\\", "ж", "menu", "1 x", "\r\n", "<<", "😀"]
        ),
        max_size=40,
    ).map("".join),
)  # fmt: skip


@given(SOUP)
@settings(derandomize=True, max_examples=600, deadline=None)
def test_any_soup_gives_a_tree_or_a_located_error(soup):
    report = Report()
    tree = read_tree(soup, "f.yaml", report)
    assert tree is not None or report.has_errors
    text = soup.decode("utf-8", "replace") if isinstance(soup, bytes) else soup
    last_line = len(re.split(r"\r\n|\n|\r", text))
    for found in report.diagnostics:
        assert found.place.column >= 1
        assert 1 <= found.place.line <= last_line
        assert found.message.isprintable()
        assert "YAML cannot read" not in found.message


@given(st.recursive(
    st.text(alphabet="abcж09 *#", min_size=1, max_size=6),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text("abж1", min_size=1, max_size=4), inner, max_size=3),
    max_leaves=12,
))  # fmt: skip
@settings(derandomize=True, max_examples=150, deadline=None)
def test_what_a_yaml_writer_writes_is_read_back(value):
    source = yaml.safe_dump(value, allow_unicode=True, default_style='"', width=10_000)
    assert plain_value(read(source)) == value


def test_the_speed_of_a_thousand_flows_is_reported(record_property):
    flow = FLOW + "".join(f"  - say: Строка {number}, остаток {{{{ x }}}}\n" for number in range(9))
    begin = time.perf_counter()
    for _ in range(100):
        read(flow)
    seconds = (time.perf_counter() - begin) * 10
    record_property("seconds_per_1000_flows_of_22_lines", round(seconds, 2))
    assert flow.count("\n") == 22


def test_the_shipped_files_have_no_findings():
    root = Path(__file__).parents[3]
    for folder in ("flows", "config"):
        for path in sorted((root / folder).rglob("*.yaml")):
            report = Report()
            assert read_tree(path.read_bytes(), str(path.relative_to(root)), report) is not None
            assert not report.diagnostics
