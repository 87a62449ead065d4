"""The list of services: everything in it does what it says, and nothing that can be begun is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.flow_set import FlowSet
from gateway.demo.service import SECTIONS, languages, listed, services
from gateway.library import Library

ROOT = Path(__file__).resolve().parents[3]
TEXT = frozenset({"ussd", "sms"})


@pytest.fixture(scope="module")
def flows() -> FlowSet:
    return Library(ROOT).current


@pytest.fixture(scope="module")
def found(flows: FlowSet) -> dict[str, Any]:
    return {one["id"]: one for one in listed(services(flows), TEXT)}


def test_every_flow_that_a_handset_can_begin_is_listed(flows: FlowSet, found: dict[str, Any]) -> None:
    assert set(found) == {flow.id for flow in flows.flows.values() if flow.ussd or flow.sms}


def test_every_way_begins_its_flow(flows: FlowSet, found: dict[str, Any]) -> None:
    for name, one in found.items():
        for way in one["ways"]:
            if way["kind"] == "ussd":
                start = flows.dial(way["dial"])
            else:
                start = flows.sms(way["to"], way["text"])
            assert start is not None, way
            assert start.flow == name, way


def test_every_line_of_a_menu_is_dialled_behind_its_code(flows: FlowSet, found: dict[str, Any]) -> None:
    lines = [(name, line) for name, one in found.items() for line in one["lines"]]
    assert ("my_account", {"label": "Платежи: Обещанный платёж", "dial": "*100*4*3#"}) in lines
    for name, line in lines:
        start = flows.dial(line["dial"])
        assert start is not None, line
        assert start.flow == name
        assert "*".join(start.ahead) in line["dial"]


def test_services_stand_in_sections_by_topic(flows: FlowSet) -> None:
    order = list(dict.fromkeys(one["section"] for one in services(flows)))
    assert order[: len(SECTIONS)] == list(SECTIONS)
    assert order[-1] == "Other"
    sections = {one["id"]: one["section"] for one in services(flows)}
    assert sections["refresh_package"] == "Money and tariff"
    assert sections["outage_report"] == "Network and home"


def test_calls_are_listed_for_who_can_call(flows: FlowSet) -> None:
    ways = [way for one in listed(services(flows), frozenset({"call"})) for way in one["ways"]]
    assert {"kind": "call", "to": "0890"} in ways
    assert all(way["kind"] == "call" for way in ways)


def test_each_language_has_the_code_that_chooses_it(flows: FlowSet) -> None:
    codes = {one["lang"]: one["code"] for one in languages(flows)}
    assert codes == {"ru": "*111*1#", "tg": "*111*2#", "en": "*111*3#"}
