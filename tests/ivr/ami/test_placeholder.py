"""Callbacks that stand in a queue: how they are ordered, what is understood of their events."""

import pytest

from ivr.ami.message import Message
from ivr.ami.placeholder import News, Placeholder, headers, mark_of, news
from ivr.ami.session import Outcome

PLACE = Placeholder(
    "123456789012", "sales", 1_971_800_000, "79161234567", "Просит позвонить", "tariffs", "998877665544"
)


def message(*told: tuple[str, str]) -> Message:
    return Message((("Event", "UserEvent"), ("UserEvent", "GudokCallback"), *told))


def test_the_order_is_that_of_the_shipped_dialplan():
    told = headers(PLACE)
    assert told[:4] == (
        ("Channel", "Local/123456789012@cb-hold/n"),
        ("ChannelId", "cb-123456789012"),
        ("Context", "cb-queue"),
        ("Exten", "s"),
    )
    assert [value for name, value in told if name == "Variable"] == [
        "IVR_QUEUE=sales",
        "IVR_PRIO=1971800000",
        "CB_ID=123456789012",
        "CB_NUMBER=79161234567",
        "IVR_NOTE=Просит позвонить",
        "IVR_SKILLS=tariffs",
        "CB_FORGET=998877665544",
    ]


def test_the_events_of_a_placeholder():
    found = news(message(("Id", "123456789012"), ("Step", "over"), ("Mark", "2"), ("Status", "BUSY")))
    assert found == News("123456789012", "over", "BUSY", "", "2")
    found = news(message(("Id", "123456789012"), ("Step", "left"), ("Result", "solved")))
    assert found == News("123456789012", "left", "", "solved")


@pytest.mark.parametrize(
    "told",
    [
        (("Id", "x"), ("Step", "over")),
        (("Id", "123456789012"), ("Step", "paid")),
        (("Step", "over"),),
        (("Id", "1" * 40), ("Step", "over")),
    ],
)
def test_what_is_none_of_ours_is_no_news(told: tuple[tuple[str, str], ...]):
    assert news(message(*told)) is None
    assert news(Message((("Event", "Hangup"), ("Uniqueid", "cb-1")))) is None


def test_how_far_a_placeholder_came():
    found = Message((("Event", "DBGetResponse"), ("Family", "cb"), ("Val", "2")))
    assert mark_of(Outcome(Message((("Response", "Success"),)), (found,))) == "2"
    assert mark_of(Outcome(None, error="Database entry not found")) == ""
    assert mark_of(Outcome(None, error="connection lost: x")) is None
    assert mark_of(Outcome(None, error="Permission denied")) is None
