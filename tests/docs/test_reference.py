"""The reference says what this version accepts: nothing is missing, nothing invented."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine.expressions import Scope, Vocabulary, World, compile_template
from engine.expressions.vocabulary import FILTERS, FUNCTIONS, VARIABLES
from engine.reading import backend_file, header, project
from engine.reading.checks import CHECKS
from engine.reading.checks.project import load_checked
from engine.reading.diagnostic import Place
from engine.steps import VERBS
from engine.testing.word import WORDS
from gateway import settings
from gateway.cli import COMMANDS, main
from gateway.reference import book, check_example, word_text
from gateway.reference.check import OWNERS
from gateway.reference.check_text import CODES
from gateway.reference.header import EXAMPLES
from gateway.reference.markdown import duration
from gateway.reference.verb_text import DOES, KNOW
from tests.docs.document import ROOT
from ussd import dialect_file

DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
PAGES = sorted(DOCS.rglob("*.md"))
TREES = ("engine", "gateway", "ussd")
OF_FILES = {"dialect", "env", "no-dialect", "not-read"}
"""Codes of settings and folders: no flow can show them."""


def text_of(path: str) -> str:
    return (REFERENCE / path).read_text(encoding="utf-8")


def test_the_reference_is_as_the_source_is():
    assert book.outdated(REFERENCE) == [], "run: gudok docs --write docs/reference"


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_and_field_is_explained(verb: str):
    text = text_of(f"verbs/{verb}.md")
    for field in VERBS[verb].FIELDS:
        assert field.doc, f"{verb}: {field.name} has no sentence"
        assert f"\n| `{field.name}` |" in text
    assert VERBS[verb].EXAMPLE in text
    assert "\nWorks in: " in text
    assert f"(reference/verbs/{verb}.md)" in (DOCS / "language.md").read_text(encoding="utf-8")


def test_nothing_is_explained_that_is_not_there():
    assert set(DOES) == set(KNOW) == set(VERBS)
    assert set(EXAMPLES) == {field.name for field in header.FIELDS}
    assert set(word_text.VARIABLES) == {*VARIABLES, "memory"}
    assert set(word_text.FUNCTIONS) == set(FUNCTIONS)
    assert set(word_text.FILTERS) == set(FILTERS)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_exists_and_every_option_is_explained(command: str):
    done = CliRunner().invoke(main, [command, "--help"])
    assert done.exit_code == 0, done.output
    text = text_of(f"commands/{command}.md")
    for option in re.findall(r"^  (--[a-z-]+)", done.output, re.MULTILINE):
        assert option == "--help" or option in text


@pytest.mark.parametrize(
    ("page", "fields"),
    [
        ("project", (*project.FIELDS, *project.USSD, *project.SMS, *project.QUEUE, *project.CALENDAR)),
        ("backends", (*backend_file.BACKEND, *backend_file.OPERATION)),
        ("gateway", (*settings.FIELDS, *settings.LINK_FIELDS, *settings.EDR_FIELDS, *settings.EVENT_FIELDS)),
        ("dialect", tuple(field for fields in dialect_file.SECTIONS.values() for field in fields)),
    ],
)
def test_every_setting_is_explained(page: str, fields):
    text = text_of(f"settings/{page}.md")
    for field in fields:
        assert field.doc, f"{page}: {field.name} has no sentence"
        assert re.search(rf"^### `([a-z]+\.)?{field.name}`$", text, re.MULTILINE), field.name


@pytest.mark.parametrize("word", sorted(WORDS))
def test_every_word_of_flow_tests_is_explained(word: str):
    page = (DOCS / "how-to" / "tests.md").read_text(encoding="utf-8")
    assert re.search(rf"`(given: {{ )?{word}[:`]", page)


def reported_codes() -> set[str]:
    """The codes that the source can report, read from it."""
    literal = re.compile(
        r"""(?<!log\.)\b(?:error|warning|hint|_problem|problem)\(\s*"([a-z]+(?:-[a-z]+)*)","""
    )
    found = set()
    for tree in TREES:
        for path in (ROOT / tree).rglob("*.py"):
            if "testing" not in path.parts and "authoring" not in path.parts:
                found |= set(literal.findall(path.read_text(encoding="utf-8")))
    return found


def test_every_code_has_a_page():
    known = {code for check in CHECKS for code in check.codes} | reported_codes()
    assert len(known) > 50
    assert known <= set(CODES)
    assert {one.code for example in check_example.examples() for one in example.found} <= set(CODES)


@pytest.mark.parametrize("code", sorted(set(CODES) - OF_FILES))
def test_every_code_is_shown_in_a_flow_and_gone_in_its_near_twin(code: str):
    found = check_example.pair(code, OWNERS[code])
    assert found is not None, f"no document of tests/diagnostics/checks or tests/docs/codes has {code}"
    case, twin = found
    assert f"[{code}]" in case.printed(code)
    assert twin is not None
    assert code not in {one.code for one in twin.found}


EXAMPLE_NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
EXAMPLE_GIVEN = {
    "p": {"balance": Decimal("89.50")},
    "scores": {"service": 4, "speed": None, "manners": 2},
    "slot": {"start": datetime(2026, 11, 23, 15, 30, tzinfo=UTC)},
}
EXAMPLE_LOOKED = {
    "announcement::": "Сегодня работаем до 18:00.",
    "memory:wrong_code:79161234567": 2,
    "recent:billing.refresh_package:79161234567": "done",
    "open:office:": True,
    "expected_wait:support:": 600,
    "position:support:": 4,
    "repeat_contact:internet:7:79161234567": True,
    "surge:internet:": True,
    "workdays:2:": timedelta(days=3),
}


@pytest.mark.parametrize(
    ("name", "word"),
    [
        (name, word)
        for words in (word_text.VARIABLES, word_text.FUNCTIONS, word_text.FILTERS)
        for name, word in words.items()
    ],
)
def test_examples_of_words_show_what_their_page_says(name: str, word: word_text.Word):
    known = Vocabulary(
        memory=("wrong_code",),
        operations=("billing.refresh_package",),
        queues=("support",),
        calendars=("office",),
    )
    world = World(
        moment=EXAMPLE_NOW,
        zone=timezone(timedelta(hours=3)),
        caller="79161234567",
        called="*929#",
        channel="ussd",
        topic="packages",
        text="баланс",
        event={"fee": Decimal(490)},
        looked=EXAMPLE_LOOKED,
    )
    template = compile_template(word.text, Place("a", 1, 1), known)
    assert template.render(Scope(EXAMPLE_GIVEN, world)) == word.shown


def test_the_examples_of_header_fields_are_headers():
    config = {
        name: (ROOT / name).read_text(encoding="utf-8")
        for name in ("config/project.yaml", "config/backends.yaml")
    }
    specialist = (ROOT / "flows" / "specialist.yaml").read_text(encoding="utf-8")
    for name, (example, _) in EXAMPLES.items():
        flow = f"flow:\n  {example}\nstart:\n  - log: начало\n"
        _, report = load_checked({**config, "flows/a.yaml": flow, "flows/specialist.yaml": specialist})
        wrong = [
            one.message
            for one in report.diagnostics
            if one.place.file == "flows/a.yaml" and one.place.line == 2 and one.severity.value == "error"
        ]
        assert not wrong, f"{name}: {wrong}"


def test_links_between_pages_lead_somewhere():
    for page in (*PAGES, ROOT / "README.md", ROOT / "CHANGELOG.md"):
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_page_is_reached_from_the_first_one():
    reached, todo = set(), [DOCS / "index.md"]
    while todo:
        page = todo.pop()
        if page not in reached:
            reached.add(page)
            targets = re.findall(r"\]\(([^)#]+\.md)", page.read_text(encoding="utf-8"))
            todo += [(page.parent / target).resolve() for target in targets]
    assert set(PAGES) <= {page.resolve() for page in reached}


def test_a_word_is_printed_in_the_terminal():
    done = CliRunner().invoke(main, ["docs", "ask", "charge-unknown"])
    assert done.exit_code == 0
    assert "# `ask`" in done.output
    assert "# `charge-unknown`" in done.output
    wrong = CliRunner().invoke(main, ["docs", "charge-unknwon"])
    assert wrong.exit_code == 1
    assert 'the reference has no "charge-unknwon"; did you mean "charge-unknown"?' in wrong.output


def test_writing_renews_what_is_old_and_deletes_what_is_nothing(tmp_path: Path):
    folder = tmp_path / "reference"
    assert CliRunner().invoke(main, ["docs", "--write", str(folder)]).exit_code == 0
    assert book.outdated(folder) == []
    (folder / "verbs" / "ask.md").write_text("old", encoding="utf-8")
    (folder / "verbs" / "sing.md").write_text("nothing", encoding="utf-8")
    judged = CliRunner().invoke(main, ["docs", "--check", str(folder)])
    assert judged.exit_code == 1
    assert "ask.md: out of date" in judged.output
    assert "sing.md: out of date" in judged.output
    assert CliRunner().invoke(main, ["docs", "--write", str(folder)]).exit_code == 0
    assert CliRunner().invoke(main, ["docs", "--check", str(folder)]).exit_code == 0
    assert not (folder / "verbs" / "sing.md").exists()


def test_pages_of_somebody_else_are_not_overwritten(tmp_path: Path):
    (tmp_path / "mine.md").write_text("mine", encoding="utf-8")
    done = CliRunner().invoke(main, ["docs", "--write", str(tmp_path)])
    assert done.exit_code == 1
    assert (tmp_path / "mine.md").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("milliseconds", "written"),
    [(800, "800ms"), (10_000, "10s"), (90_000, "90s"), (86_400_000, "1d"), (0, "0s")],
)
def test_durations_are_written_as_in_flows(milliseconds: int, written: str):
    assert duration(milliseconds) == written
