"""Whom we call by ourselves, when, and when not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from engine.background import EventFailedError
from engine.expressions import question_key
from engine.flow_set import FlowSet
from engine.inputs import Begin
from engine.machine import advance, begin
from engine.outbound import next_try, outbound_questions, outbound_skip, outbound_starts
from engine.values import Value
from tests.engine.machine.script import CALLER, Player, compiled

HOUR = 3_600_000
NOW = int(datetime(2026, 11, 22, 8, tzinfo=UTC).timestamp() * 1000)  # Sunday, 11:00 in Moscow
FLOW = """
flow:
  title: Опрос
  outbound:
    on: b.done
    after: 24h
    within: 2d
    hours: 10:00-20:00
    tries: 2
    every: 3h
    over: [voice, sms]
    skip: memory.stop or event.sum < 1
    missed: { log: Не дозвонились }
start:
  - say: Ваша сумма {{ event.sum|money }}.
  - ask: Всё работает?
    type: yes_no
    save: ok
  - end: Спасибо.
"""
EVENT: dict[str, Value] = {"phone": CALLER, "sum": 5}


def flows(header: str = FLOW) -> FlowSet:
    return compiled({"m": header})


def test_a_start_says_whom_when_and_how() -> None:
    (start,) = outbound_starts(flows(), "b.done", EVENT, NOW)
    assert (start.flow, start.to, start.lang) == ("m", CALLER, "ru")
    assert start.not_before == NOW + 24 * HOUR
    assert start.not_after == NOW + 48 * HOUR
    assert (start.hours, start.tries, start.every_ms) == ((600, 1200), 2, 3 * HOUR)
    assert start.over == ("voice", "sms")
    assert start.skip == "memory.stop or event.sum < 1"
    assert start.missed
    assert outbound_starts(flows(), "b.other", EVENT, NOW) == ()


@pytest.mark.parametrize(("kept", "sum_", "wanted"), [(0, 5, False), (1, 5, True), (0, 0, True)])
def test_the_condition_is_asked_with_what_is_remembered(kept: int, sum_: int, wanted: bool) -> None:
    (start,) = outbound_starts(flows(), "b.done", {**EVENT, "sum": sum_}, NOW)
    (question,) = outbound_questions(flows(), start, NOW)
    assert (question.kind, question.name, question.subject) == ("memory", "stop", CALLER)
    assert outbound_skip(flows(), start, {question_key(question): kept}, NOW) is wanted


def test_nobody_is_called_when_the_condition_cannot_be_told() -> None:
    (start,) = outbound_starts(flows(), "b.done", EVENT, NOW)
    assert outbound_skip(flows(), start, {}, NOW)
    assert outbound_skip(flows("flow: {}\nstart: [ { end: x } ]\n"), start, {}, NOW)


def test_without_a_condition_nothing_is_asked() -> None:
    flow = flows(FLOW.replace("    skip: memory.stop or event.sum < 1\n", ""))
    (start,) = outbound_starts(flow, "b.done", EVENT, NOW)
    assert outbound_questions(flow, start, NOW) == ()
    assert not outbound_skip(flow, start, {}, NOW)


def test_tries_lie_inside_the_hours_and_the_term() -> None:
    (start,) = outbound_starts(flows(), "b.done", EVENT, NOW)
    assert next_try(flows(), start, NOW) == NOW + 24 * HOUR
    assert next_try(flows(), start, NOW + 33 * HOUR) == NOW + 47 * HOUR  # 20:00 is over, 10:00 is next
    assert next_try(flows(), start, NOW + 49 * HOUR) is None


def test_hours_may_be_those_of_a_calendar() -> None:
    flow = flows(FLOW.replace("10:00-20:00", "office").replace("within: 2d", "within: 10d"))
    (start,) = outbound_starts(flow, "b.done", EVENT, NOW)
    assert start.hours == "office"
    # Monday is a day off, so it is Tuesday at nine.
    assert next_try(flow, start, NOW) == int(datetime(2026, 11, 24, 6, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize("event", [{}, {"phone": ""}, {"phone": None}, {"phone": 5}])
def test_an_event_without_a_phone_starts_nothing(event: dict[str, Any]) -> None:
    with pytest.raises(EventFailedError, match="phone number"):
        outbound_starts(flows(), "b.done", event, NOW)


def test_another_field_may_hold_the_number_and_the_language() -> None:
    flow = flows(FLOW.replace("on: b.done", "on: b.done\n    to: event.other"))
    (start,) = outbound_starts(flow, "b.done", {**EVENT, "other": "79035550000", "lang": "en"}, NOW)
    assert (start.to, start.lang) == ("79035550000", "en")
    with pytest.raises(EventFailedError):
        outbound_starts(flow, "b.done", EVENT, NOW)


def test_a_campaign_is_an_event_of_its_own() -> None:
    flow = flows(FLOW.replace("on: b.done", "campaign: spring").replace(" or event.sum < 1", ""))
    (start,) = outbound_starts(flow, "campaign.spring", {"phone": CALLER}, NOW)
    assert start.to == CALLER


def test_the_session_sees_the_event_and_missed_has_its_block() -> None:
    player = Player(flows())
    assert player.start("m", channel="voice", called="", event=EVENT) == [
        "? Ваша сумма 5 ₽. Всё работает? Да — нажмите 1. Нет — нажмите 2."
    ]
    session = begin(flows(), channel="event", caller=CALLER, called="", lang="ru", now=NOW, event=EVENT)
    turn = advance(flows(), session, Begin("m", block="missed"), NOW)
    assert [getattr(effect, "text", "") for effect in turn.effects] == ["Не дозвонились", None]
    other = flows("flow: {}\nstart: [ { end: x } ]\n")
    session = begin(other, channel="event", caller=CALLER, called="", lang="ru", now=NOW)
    assert advance(other, session, Begin("m", block="missed"), NOW).session == session
