"""The flows we ship: nothing is wrong with them, and their tests run all of them."""

from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.reading.checks.project import load_checked
from engine.reading.diagnostic import Severity
from engine.testing.rehearsal import rehearse
from gateway.project_files import ProjectFiles, read_project

ROOT = Path(__file__).parents[3]


@cache
def project() -> ProjectFiles:
    return read_project(ROOT)


@cache
def rehearsal():
    flows, _ = load_checked(project().texts)
    assert flows is not None
    return rehearse(flows, project().tests)


def test_there_is_nothing_to_say_about_them():
    flows, report = load_checked(project().texts)
    assert flows is not None
    assert [
        f"{found.place}: {found.message}"
        for found in report.diagnostics
        if found.severity is not Severity.HINT
    ] == []


def test_every_case_holds():
    assert [outcome.case.name for outcome in rehearsal().failed] == []
    assert len(rehearsal().outcomes) > 50


def test_every_step_and_every_branch_is_run():
    assert [str(unit) for unit in rehearsal().coverage.missing] == []
    assert rehearsal().coverage.percent == 100


@pytest.mark.parametrize(
    ("file", "old", "new", "code"),
    [
        ("refresh_package", "      unknown: checking\n  - end", "  - end", "charge-unknown"),
        ("refresh_package", "  - refuse:\n", "  - go: checking\n  - refuse:\n", "unreachable"),
        ("refresh_package", "recent('billing.refresh_package')", "channel", "redial"),
        ("refresh_package", "p.balance < p.fee", "p.balanse < p.fee", "no-field"),
        ("refresh_settled", "billing.refresh_package_settled", "billing.promise_settled", "settled-missing"),
        ("home_account", "      secret: yes\n", "", "secret-leak"),
        ("home_account", "  - end: Ответ отправлен в SMS.\n", "", "dead-end"),
        ("options", "    empty:\n      end: Для вашего тарифа опций нет.\n", "", "list-empty"),
        ("payments", "    save: below\n", "", "undefined"),
        ("payments", "    with: { code: code }\n", "", "missing-field"),
        ("my_account", "      run: payments\n", "      run: options\n", "unused"),
        ("top_up", "      used_code:\n        end: Этот код уже использован.\n", "", "error-unhandled"),
        ("tips", '  ussd: "*105#"\n', "  event: billing.promise_settled\n", "channel"),
    ],
)
def test_what_is_broken_in_them_is_noticed(file, old, new, code):
    name = f"flows/{file}.yaml"
    source = project().texts[name]
    assert old in source
    _, report = load_checked({**project().texts, name: source.replace(old, new, 1)})
    assert code in {found.code for found in report.diagnostics}, [
        f"{found.place}: {found.message} [{found.code}]" for found in report.diagnostics
    ]


@settings(derandomize=True, max_examples=25, deadline=None)
@given(st.data())
def test_no_mangled_flow_breaks_the_checks(data):
    """Whatever lines are gone, doubled or moved, there is a report and no crash."""
    texts = dict(project().texts)
    name = data.draw(st.sampled_from([name for name in texts if name.startswith("flows/")]))
    lines = texts[name].split("\n")
    at = data.draw(st.integers(0, len(lines) - 1))
    to = data.draw(st.integers(0, len(lines) - 1))
    line = lines.pop(at)
    if data.draw(st.booleans()):
        lines.insert(to, line)
    flows, report = load_checked({**texts, name: "\n".join(lines)})
    assert (flows is None) is report.has_errors
