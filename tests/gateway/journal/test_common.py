"""What is kept of sessions that went the same way gives the records that working it all out anew gives."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from engine.flow_set import FlowSet
from engine.session import Frame, Session
from gateway.host.conversation import Conversation
from gateway.journal import detail
from gateway.journal.detail import Details
from gateway.journal.stencil import as_record
from gateway.journal.tally import Fact
from gateway.library import Library
from tests.gateway.host.rig import lay_out
from ussd.dialog import Dialog

NOW = 1_795_345_200_000
ENDED: tuple[Fact, ...] = (("flow", "ask"), ("end", "end"))


@pytest.fixture
def flows(tmp_path: Path) -> FlowSet:
    lay_out(tmp_path)
    return Library(tmp_path).current


def dialog(**given: Any) -> Dialog:
    named = {"group": "main", "page": 2, "turns": 3, "ended_by": "flow", **given}
    plain = {"msisdn": "7", "called": "*1#", "opened_at": 0, "service_type": b"", "dest": b"", "route": b""}
    return Dialog(**plain, **named)


def conversation(flows: FlowSet, **given: Any) -> Conversation:
    named = {
        "build": flows.build,
        "channel": "ussd",
        "caller": "79161234567",
        "called": "*1#",
        "lang": "ru",
        "started": NOW - 9_000,
    }
    of_session = {name: given.pop(name) for name in tuple(given) if name in Session.__struct_fields__}
    rest = {"key": "u:1", "dialog": dialog(), "tally": (1, ENDED), **given}
    return Conversation(flows=flows, session=Session(**(named | of_session)), **rest)


def details(**given: Any) -> Details:
    return Details(b"k" * 32, {"main": "standard"}, Counter(), **{"full_numbers": False, **given})


def made(maker: Details, one: Conversation, *names: str, now: int = NOW) -> dict[str, object]:
    stack = tuple(Frame(name, 0, {}) for name in names)
    return as_record(1, now, *maker.record(one, stack, now))


WAYS: tuple[tuple[dict[str, Any], tuple[str, ...]], ...] = (
    ({}, ("ask",)),
    ({"lang": "en"}, ("ask",)),
    ({"channel": "sms", "dialog": None}, ("ask",)),
    ({"channel": "event", "dialog": None, "key": "e:in:1"}, ("ask",)),
    ({"channel": "sms", "dialog": None, "key": "p:1"}, ("ask",)),
    ({}, ("ask", "buy")),
    ({"tally": (1, ())}, ()),
    ({"tally": (2, ENDED)}, ("ask",)),
    ({"tally": (1, (("flow", "ask"), ("end", "gone")))}, ("ask",)),
    ({"tally": (1, (*ENDED, ("call", "shop.buy", "done", "90")))}, ("ask",)),
    ({"tally": (1, (*ENDED, ("call", "shop.buy", "done", "91")))}, ("ask",)),
    ({"tally": (1, (*ENDED, ("refused", "ask", "12"), ("sms", "3")))}, ("ask",)),
    ({"dialog": dialog(page=3)}, ("ask",)),
    ({"dialog": dialog(turns=2)}, ("ask",)),
    ({"dialog": dialog(ended_by="lost")}, ("ask",)),
    ({"dialog": dialog(ours=True)}, ("ask",)),
    ({"dialog": dialog(group="other")}, ("ask",)),
)


@pytest.mark.parametrize("kept", [1, 4_096])
def test_what_is_kept_changes_no_record(flows: FlowSet, monkeypatch: pytest.MonkeyPatch, kept: int) -> None:
    monkeypatch.setattr(detail, "KEPT_MAX", kept)
    keeping = details()
    anew = [made(details(), conversation(flows, **way), *names) for way, names in WAYS]
    for _ in range(2):
        assert [made(keeping, conversation(flows, **way), *names) for way, names in WAYS] == anew
    assert len({str(record) for record in anew}) == len(WAYS)


def test_what_a_session_has_of_its_own_is_its_own(flows: FlowSet) -> None:
    maker = details()
    first = made(maker, conversation(flows), "ask")
    second = made(
        maker,
        conversation(flows, key="u:2", caller="79160000001", called="*1*5#", started=NOW),
        "ask",
        now=NOW + 500,
    )
    differ = {name for name in first if first[name] != second[name]}
    assert differ == set(detail.OWN)
    assert (second["called"], second["subscriber"], second["duration_ms"]) == ("*1*5#", "7916***0001", 500)


def test_who_was_handed_over_keeps_his_own_task_and_time(flows: FlowSet) -> None:
    counters: Counter[str] = Counter()
    maker = Details(b"k" * 32, {}, counters, full_numbers=False)
    for task, waited in (("17", 5_000), ("18", 6_000)):
        queued: Fact = ("queue", "billing", str(NOW - waited), task)
        record = made(maker, conversation(flows, tally=(1, (queued, *ENDED))), "ask")
        assert (record["queue"], record["task"], record["self_served"]) == ("billing", task, False)
        assert (record["duration_ms"], record["handling_ms"]) == (9_000, 9_000 - waited)
    assert counters == {"details.ussd": 2}
    made(maker, conversation(flows), "ask")
    assert counters == {"details.ussd": 3, "self_served.ussd": 1, "self_served_ms.ussd": 9_000}


def test_the_key_of_a_subscriber_changes_with_the_year_and_not_with_the_day(flows: FlowSet) -> None:
    maker, day = details(), 86_400_000
    keys = [
        made(maker, conversation(flows), now=now)["subscriber_key"]
        for now in (NOW, NOW + day, NOW + 365 * day, NOW)
    ]
    assert keys[0] == keys[1] == keys[3] != keys[2]
    assert made(maker, conversation(flows, caller=""))["subscriber_key"] == ""


def test_half_a_surrogate_pair_costs_no_record(flows: FlowSet) -> None:
    record = made(details(), conversation(flows, tally=(1, (("flow", "ask"), ("end", "\ud800")))))
    assert (record["reason"], record["flow"]) == ("?", "ask")
