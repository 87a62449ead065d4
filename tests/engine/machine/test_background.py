"""What events start (flow-language 2.2, `event`)."""

from __future__ import annotations

import pytest

from engine.background import EventFailedError, EventStart, event_starts
from tests.engine.machine.script import PROJECT, compiled, shipped

BACKENDS = """
network:
  events:
    repaired: { area: text, reports: [{ phone: phone, number: int }] }
    order_done: { phone: phone }
"""
EACH = """
flow:
  event: { on: network.repaired, each: event.reports as r, to: r.phone, hours: 08:00-22:00 }
start: [ { sms: "Починили {{ event.area }}, заявка {{ r.number }}" } ]
"""
PAYLOAD = {"area": "Центр", "reports": [{"phone": "7916", "number": 1}, {"phone": "7917", "number": 2}]}


def test_one_session_per_element() -> None:
    flows = compiled({"m": EACH}, PROJECT, BACKENDS)
    starts = event_starts(flows, "network.repaired", PAYLOAD, 0)
    assert [(start.caller, start.arguments["r"]["number"], start.number) for start in starts] == [
        ("7916", 1, 0),
        ("7917", 2, 1),
    ]
    assert starts[0].hours == (480, 1320)
    assert event_starts(flows, "network.repaired", {"area": "x", "reports": []}, 0) == ()
    assert event_starts(flows, "network.order_done", {"phone": "1"}, 0) == ()


def test_the_phone_of_the_event_and_its_language() -> None:
    text = "flow: { event: network.order_done }\nstart: [ { sms: x } ]\n"
    flows = compiled({"m": text}, PROJECT, BACKENDS)
    payload = {"phone": "7916", "lang": "en"}
    assert event_starts(flows, "network.order_done", payload, 0) == (EventStart("m", "7916", "en", payload),)
    assert event_starts(flows, "network.order_done", {"phone": "7916", "lang": "xx"}, 0)[0].lang == "ru"
    assert event_starts(flows, "network.order_done", {}, 0)[0].caller == ""


@pytest.mark.parametrize("payload", [{"area": "x", "reports": 5}, {"area": "x"}, {"reports": [1]}])
def test_a_payload_that_does_not_fit_begins_nothing(payload: dict[str, object]) -> None:
    flows = compiled({"m": EACH}, PROJECT, BACKENDS)
    with pytest.raises(EventFailedError):
        event_starts(flows, "network.repaired", payload, 0)


def test_one_flow_for_many_events() -> None:
    flows = shipped()
    starts = event_starts(flows, "billing.top_up_settled", {"phone": "7916", "done": True}, 0)
    assert [start.flow for start in starts] == ["settled"]
    assert [flow.id for flow in flows.on_event("billing.refresh_package_settled")] == ["refresh_settled"]
