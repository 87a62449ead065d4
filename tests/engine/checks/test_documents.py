"""Every check has a flow that it finds something in, and a near twin in which it finds nothing."""

import pytest

from engine.reading.checks import CHECKS
from tests.engine.checks.check_document import documents, file_of, findings, line_of

ALL = documents()


@pytest.mark.parametrize("document", ALL, ids=lambda document: document.id)
def test_what_is_found_is_what_the_document_says(document):
    assert [line_of(found) for found in findings(document)] == document.expected


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_every_code_of_every_check_has_a_trigger_and_a_sound_twin(check):
    own = [document for document in ALL if document.check == check.name]
    for code in check.codes:
        assert [one for one in own if not one.twin and code in one.codes], (
            f"{check.name}: nothing triggers {code}"
        )
    twins = [one for one in own if one.twin]
    triggers = [one for one in own if not one.twin]
    assert len(twins) == len(triggers) > 0
    for twin in twins:
        assert not twin.codes & set(check.codes), twin.title


@pytest.mark.parametrize("document", [one for one in ALL if not one.twin], ids=lambda document: document.id)
def test_every_finding_points_into_its_line(document):
    for found in findings(document):
        texts = {file_of(name): text for name, text in document.flows.items()}
        if found.place.file not in texts:
            assert found.place.file.endswith(".wav")
            continue
        lines = texts[found.place.file].split("\n")
        line = lines[found.place.line - 1]
        assert 1 <= found.place.column <= len(line)
        assert line[found.place.column - 1] != " "


def test_every_finding_of_a_check_says_what_to_do():
    own = {check.name: set(check.codes) for check in CHECKS}
    silent = [
        line_of(found)
        for document in ALL
        for found in findings(document)
        if found.code in own.get(document.check, ()) and not found.help
    ]
    assert not silent


def test_the_five_mistakes_of_a_newcomer_and_two_more_are_there():
    codes = [sorted(one.codes) for one in ALL if one.check == "newcomer" and not one.twin]
    assert codes == [
        ["yaml"],
        ["unknown-step"],
        ["no-scene"],
        ["yaml"],
        ["charge-unknown"],
        ["undefined"],
        ["type"],
    ]


def test_a_newcomer_is_told_what_to_write():
    for document in ALL:
        if document.check == "newcomer" and not document.twin:
            told = " ".join(f"{found.message} {found.help or ''}" for found in findings(document))
            words = ("put quotes", "did you mean", "errors: unknown:", "save: or set:", "10s, 5m")
            assert any(word in told for word in words), told
