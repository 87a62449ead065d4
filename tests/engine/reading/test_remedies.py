"""What a newcomer is told about a mistake: one error, at its place, with the remedy that is right.

The cases are in tests/diagnostics/remedies.md.
"""

import re
from pathlib import Path

import pytest

from engine.reading.checks.project import load_checked
from tests.engine.checks.check_document import AROUND, Document, findings

DOCUMENT = Path(__file__).parents[2] / "diagnostics" / "remedies.md"
CASE = re.compile(
    r"^## (?P<title>[^\n]+)\n```yaml\n(?P<source>.*?)```\n```text\n(?P<expected>.*?)```",
    re.MULTILINE | re.DOTALL,
)
HEAD = 'flow: {title: А, ussd: "*1#"}\nstart:\n'
CASES = [
    pytest.param(case["source"], case["expected"].splitlines(), id=case["title"])
    for case in CASE.finditer(DOCUMENT.read_text("utf-8"))
]


@pytest.mark.parametrize(("source", "expected"), CASES)
def test_a_mistake_has_the_right_remedy(source: str, expected: list[str]):
    assert [
        f"{found.place.line}:{found.place.column} {found.code}: {found.message} | {found.help}"
        for found in findings(Document("remedies", "", False, {"a": HEAD + source}, expected))
    ] == expected


@pytest.mark.parametrize("name", ["My-Flow", "1st", "тариф"])
def test_the_name_of_a_file_says_which_letters_are_allowed(name: str):
    _, report = load_checked({**AROUND, f"flows/{name}.yaml": f"{HEAD}  - end: Да.\n"})
    (found,) = [one for one in report.diagnostics if one.place.file == f"flows/{name}.yaml"]
    assert found.help is not None
    assert found.help.startswith("rename it to ")
    assert found.help.endswith("names are a-z, 0-9 and _, a letter first")
