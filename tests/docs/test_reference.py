"""The reference says what this version accepts: no verb, field, word or setting is missing or invented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine.expressions.vocabulary import FILTERS, FUNCTIONS, VARIABLES
from engine.steps import VERBS
from engine.testing.word import WORDS
from gateway.cli import COMMANDS, main
from gateway.cli.docs import DOES, REFERENCES, duration, renewed
from tests.docs.document import ROOT

PAGES = sorted((ROOT / "docs").glob("*.md"))
LANGUAGE = ROOT / "docs" / "language.md"
OPERATE = ROOT / "docs" / "operate.md"


def test_the_pages_are_as_the_field_tables_are():
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert renewed(text) == text, f"run: gudok docs {page.relative_to(ROOT)}"


def test_every_reference_is_on_a_page():
    everything = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert set(re.findall(r"<!-- reference: (\w+) -->", everything)) == set(REFERENCES)


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_and_field_is_explained(verb: str):
    text = LANGUAGE.read_text(encoding="utf-8")
    _, found, section = text.partition(f"\n### `{verb}`\n")
    assert found, f"docs/language.md does not explain {verb}"
    section = section.partition("\n##")[0]
    for field in VERBS[verb].FIELDS:
        assert field.doc, f"{verb}: {field.name} has no sentence"
        assert f"\n| `{field.name}` |" in section
    assert VERBS[verb].EXAMPLE in section


def test_no_verb_is_explained_that_is_not_there():
    assert set(DOES) == set(VERBS)


@pytest.mark.parametrize("word", sorted({*VARIABLES, *FUNCTIONS, *FILTERS}))
def test_every_word_of_expressions_is_explained(word: str):
    assert re.search(rf"`[^`]*\b{word}\b[^`]*`", LANGUAGE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("word", sorted(WORDS))
def test_every_word_of_flow_tests_is_explained(word: str):
    section = LANGUAGE.read_text(encoding="utf-8").partition("\n## Tests of flows\n")[2]
    assert re.search(rf"`{word}[:`]", section)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_exists_and_is_explained(command: str):
    assert f"`gudok {command}" in OPERATE.read_text(encoding="utf-8")
    done = CliRunner().invoke(main, [command, "--help"])
    assert done.exit_code == 0, done.output


def test_links_between_pages_lead_somewhere():
    for page in (*PAGES, ROOT / "README.md", ROOT / "CHANGELOG.md"):
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_renewing_a_page_writes_only_between_the_marks(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text(
        "before\n<!-- reference: header -->\nold\n<!-- end of reference -->\nafter\n", encoding="utf-8"
    )
    assert CliRunner().invoke(main, ["docs", str(page)]).exit_code == 0
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n<!-- reference: header -->\n")
    assert text.endswith("<!-- end of reference -->\nafter\n")
    assert "| `ussd` |" in text
    assert "old" not in text


def test_an_unknown_reference_is_refused(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text("<!-- reference: nothing -->\n<!-- end of reference -->\n", encoding="utf-8")
    done = CliRunner().invoke(main, ["docs", str(page)])
    assert done.exit_code == 1
    assert "there is no reference 'nothing'" in done.output


@pytest.mark.parametrize(
    ("milliseconds", "written"),
    [(800, "800ms"), (10_000, "10s"), (90_000, "90s"), (86_400_000, "1d"), (0, "0s")],
)
def test_durations_are_written_as_in_flows(milliseconds: int, written: str):
    assert duration(milliseconds) == written
