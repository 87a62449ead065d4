"""The list of services: what a subscriber can dial or write, read from the flows that are in force.

A flow with a code or a number is a service; the lines of its first menu can be dialled at once and are listed
below it. Nothing is said here of how a service is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.capabilities import Channel
from engine.flow import STOP, Flow, SmsTrigger, UssdTrigger
from engine.flow_set import FlowSet
from engine.steps.menu import Menu
from engine.steps.run_ import Run
from engine.steps.set_ import Set
from engine.wording import Wording

SECTIONS: Mapping[str, tuple[str, ...]] = {
    "Money and tariff": ("account", "payments", "packages", "offers", "tariffs", "options"),
    "Network and home": ("outage", "connection", "internet"),
    "People and shops": ("complaint", "quality", "shop", "staff", "tips", "block", "business", "private"),
}
"""Which topics of flows stand together; another topic has a section of its own."""
REST = "Other"
"""The section of flows without a topic."""

SAMPLES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "refresh_package": (("9290", ""),),
    "sms_question": (("000500", "Как узнать баланс?"), ("000500", "Почему звук прерывается?")),
    "staff_line": (("0555", "Касса не печатает чек"),),
}
"""What is written to numbers that take any text: flow, number, text."""
PARAMETERS: Mapping[str, str] = {"*100*{code:secret(14)}#": "*100*12345678901234#"}
"""A dial that fits a code with parameters; the books of the demo know it."""

DEPTH = 2
"""So many menus are followed below a code."""
STEPS = 12
"""So many steps are followed to the first menu of a flow."""
MOST = 200
"""Services listed; more are an abuse of a demo."""
_STRAIGHT = frozenset({"", "request", "say", "remember", "forget", "log", "set"})
"""Verbs that go on to the next step when all is well."""


def services(flows: FlowSet) -> list[dict[str, Any]]:
    """Return the services, section by section; `ways` are how each is reached, `lines` its first menu."""
    found = [_service(flows, flow) for flow in flows.flows.values() if flow.ussd or flow.sms or flow.call]
    own = sorted({one["section"] for one in found}.difference(SECTIONS, (REST,)))
    place = {name: number for number, name in enumerate([*SECTIONS, *own, REST])}
    return sorted(found, key=lambda one: (place[one["section"]], one["title"]))[:MOST]


def languages(flows: FlowSet) -> list[dict[str, str]]:
    """Return how each language of the project is chosen: a code whose menu sets it, [] if there is none."""
    for flow in flows.flows.values():
        code = _plain_code(flow)
        menu = _first_menu(flow)
        if not code or menu is None:
            continue
        found = []
        for line in menu.lines:
            step = flow.program[line.target] if line.target != STOP else None
            values = dict(step.values) if isinstance(step, Set) else {}
            chosen = values["lang"].constant if "lang" in values and values["lang"].fixed else None
            if isinstance(chosen, str):
                label = _constant(flows, line.label) or chosen
                found.append({"lang": chosen, "label": label, "code": f"{code[:-1]}*{line.key}#"})
        if found:
            return found
    return []


def _service(flows: FlowSet, flow: Flow) -> dict[str, Any]:
    sections = [name for name, topics in SECTIONS.items() if flow.topic in topics]
    section = sections[0] if sections else flow.topic.replace("_", " ").capitalize() if flow.topic else REST
    ways = [
        *(_dialled(code) for code in flow.ussd),
        *(way for number in flow.sms for way in _written(flow, number)),
        *({"kind": "call", "to": number} for number in flow.call),
    ]
    code = _plain_code(flow)
    return {
        "id": flow.id,
        "title": flow.title.partition(" — ")[0].removesuffix(code).strip(),
        "about": flow.title.partition(" — ")[2],
        "section": section,
        "topic": flow.topic or "",
        "file": flow.file,
        "ways": ways,
        "lines": list(_lines(flows, flow, code, DEPTH)) if code and flow.dial_ahead else [],
    }


def _dialled(code: UssdTrigger) -> dict[str, str]:
    """A code with parameters that nobody has a sample for is begun, and the subscriber goes on."""
    if not code.parameters:
        return {"kind": "ussd", "code": code.pattern, "dial": code.pattern}
    sample = PARAMETERS.get(code.pattern)
    shown = code.pattern
    for name, _ in code.parameters:
        head, _, tail = shown.partition("{" + name)
        shown = f"{head}…{tail.partition('}')[2]}"
    if sample is None:
        return {"kind": "ussd", "code": shown, "begin": code.pattern.partition("{")[0]}
    return {"kind": "ussd", "code": shown, "dial": sample}


def _written(flow: Flow, number: SmsTrigger) -> Iterator[dict[str, str]]:
    if number.words:
        yield {"kind": "sms", "to": number.to, "text": number.words[0]}
        return
    samples = [text for to, text in SAMPLES.get(flow.id, ()) if to == number.to]
    yield from ({"kind": "sms", "to": number.to, "text": text} for text in samples)
    if not samples:
        yield {"kind": "sms", "to": number.to}


def _lines(flows: FlowSet, flow: Flow, code: str, depth: int) -> Iterator[dict[str, str]]:
    menu = _first_menu(flow)
    if menu is None or menu.elements is not None:
        return
    for line in menu.lines:
        label = _constant(flows, line.label)
        if not label or line.show is not None:
            continue
        dial = f"{code[:-1]}*{line.key}#"
        yield {"label": label, "dial": dial}
        step = flow.program[line.target] if line.target != STOP else None
        if depth > 1 and isinstance(step, Run) and step.flow in flows.flows:
            for deeper in _lines(flows, flows.flows[step.flow], dial, depth - 1):
                yield {**deeper, "label": f"{label}: {deeper['label']}"}


def _first_menu(flow: Flow) -> Menu | None:
    """Return the menu that a subscriber meets first, if nothing on the way to it branches."""
    number = flow.entry
    for _ in range(STEPS):
        if number == STOP:
            return None
        step = flow.program[number]
        if isinstance(step, Menu):
            return step
        if step.verb not in _STRAIGHT:
            return None
        number = step.next
    return None


def _plain_code(flow: Flow) -> str:
    return next((code.pattern for code in flow.ussd if not code.parameters), "")


def _constant(flows: FlowSet, wording: Wording) -> str:
    form = wording.forms.get((Channel.USSD, flows.project.languages[0]))
    return form.constant or "" if form is not None else ""


def listed(found: Sequence[Mapping[str, Any]], kinds: frozenset[str]) -> list[dict[str, Any]]:
    """Return the services with a way of one of these kinds, and only such ways."""
    kept = []
    for one in found:
        ways = [way for way in one["ways"] if way["kind"] in kinds]
        if ways:
            kept.append({**one, "ways": ways})
    return kept
