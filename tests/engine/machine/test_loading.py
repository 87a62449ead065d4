"""Diagnostics of the flow compiler and of the settings files, as data; what a loaded project offers."""

from __future__ import annotations

from typing import Any

import pytest

from engine.capabilities import Channel
from engine.reading.diagnostic import render
from engine.reading.flow_set import load_project
from engine.types import MONEY, Privacy
from tests.engine.machine.script import Player, cases, compiled, files_of, shipped

CASES = cases("compile")


@pytest.mark.parametrize("case", [case for _, case in CASES], ids=[name for name, _ in CASES])
def test_diagnostics(case: dict[str, Any]) -> None:
    flows, report = load_project(files_of(case))
    assert [render(item).split("\n")[0] for item in report.diagnostics] == case["found"]
    assert (flows is None) == report.has_errors


def test_the_shipped_project_compiles() -> None:
    flows = shipped()
    assert len(flows.build) == 16
    assert {"refresh_package", "home_account", "my_account", "top_up"} <= set(flows.flows)
    assert flows.operations["billing.refresh_package"].charge
    assert flows.operations["billing.refresh_package"].errors == {402: "low_balance", 409: "not_allowed"}
    assert flows.operations["billing.top_up"].secret_args == {"code"}
    assert flows.project.memory["no_ads"] is None
    assert flows.project.memory["identified"] == 0
    assert flows.project.capabilities[Channel.USSD].main == "00"
    assert flows.project.queues["complaints"].hours == "office"


def test_a_settled_event_carries_the_arguments_without_secrets() -> None:
    events = shipped().events
    charge = events["billing.refresh_package_settled"]
    assert charge.field("fee") == MONEY
    assert charge.field("phone").privacy is Privacy.PERSONAL
    top_up = events["billing.top_up_settled"]
    assert top_up.field("code") is None
    assert top_up.field("sum").optional


def test_the_build_depends_on_every_text() -> None:
    one = compiled({"m": "flow: {}\nstart: [ { end: x } ]\n"})
    same = compiled({"m": "flow: {}\nstart: [ { end: x } ]\n"})
    other = compiled({"m": "flow: {}\nstart: [ { end: y } ]\n"})
    assert one.build == same.build != other.build


def test_translations_are_used_and_the_rest_stays_in_the_main_language() -> None:
    files = files_of(
        {"flows": {"m": "flow: {}\nstart:\n  - menu: Что?\n    1 Баланс: end\n    2 Тариф: end\n"}}
    )
    files["texts/en.yaml"] = "Что?: What?\nБаланс: Balance\n"
    flows, report = load_project(files)
    assert flows is not None, report.diagnostics
    assert Player(flows).start("m", lang="en") == ["? What? / 1 Balance / 2 Тариф"]
    assert Player(flows).start("m", lang="fr") == ["? Что? / 1 Баланс / 2 Тариф"]


def test_a_flow_may_offer_fewer_languages() -> None:
    files = files_of({"flows": {"m": "flow: { languages: [ru] }\nstart: [ { end: Всё } ]\n"}})
    files["texts/en.yaml"] = "Всё: Done\n"
    flows, _ = load_project(files)
    assert flows is not None
    assert Player(flows).start("m", lang="en") == ["= Всё [end]"]


def test_tests_and_other_files_are_passed_over() -> None:
    files = files_of({"flows": {"m": "flow: {}\nstart: [ { end: x } ]\n"}})
    files |= {"flows/m.test.yaml": "tests: {", "README.md": "{", "config/gateway.yaml": "{"}
    flows, report = load_project(files)
    assert flows is not None, report.diagnostics
