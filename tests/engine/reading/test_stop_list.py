"""`sms: { stop, quiet }` of the project: which memory is the stop list, and when nothing unasked is sent."""

import pytest

from engine.flow import Project
from engine.reading.diagnostic import Report
from engine.reading.project import read_project
from engine.reading.yaml_text import read_tree

HEAD = "language: 1\nlanguages: [ru]\n"


def read(text: str) -> tuple[Project, list[str]]:
    report = Report()
    found = read_project(read_tree(HEAD + text, "config/project.yaml", report), report)
    assert found is not None
    return found.project, [one.message for one in report.diagnostics]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("", ""),
        ("memory: { no_ads: forever }\n", "no_ads"),
        ("memory: { no_ads: 365d }\nsms: { parts: 2 }\n", "no_ads"),
        ("memory: { refused: forever }\nsms: { stop: refused }\n", "refused"),
        ("memory: { no_ads: session }\n", ""),
    ],
)
def test_the_stop_list(text: str, name: str):
    project, said = read(text)
    assert (project.sms_stop, said) == (name, [])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("sms: { stop: no_ads }\n", "is not declared"),
        ("memory: { no_ads: forever }\nsms: { stop: no_adz }\n", 'did you mean "no_ads"?'),
        ("memory: { no_ads: session }\nsms: { stop: no_ads }\n", "for a session only"),
        ("sms: { quiet: night }\n", "quiet"),
    ],
)
def test_a_stop_list_that_could_not_work_is_an_error(text: str, wanted: str):
    _, said = read(text)
    assert any(wanted in one for one in said), said


def test_the_quiet_hours_go_over_midnight():
    project, _ = read("sms: { quiet: 21:00-09:00 }\n")
    assert project.sms_quiet == (21 * 60, 9 * 60)
