"""What nobody asked for: the stop list, the quiet hours, and a pace below everything interactive."""

from collections import Counter
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.flow import Project
from gateway.host.opening import Opening
from gateway.host.unasked import is_stop, most_parts, quiet_until
from smpp.settings import LinkSettings, Secret
from smpp.throttle import RateLimit
from smpp.traffic import Traffic
from smpp.window import Window
from tests.gateway.host.rig import PHONE, Rig, failing, rigged
from tests.gateway.web.door import lay_out_events

OTHER = "79160000001"
STOP_FLOW = """\
flow:
  title: Отказ
  sms: { to: "000500", words: [стоп, stop] }

start:
  - remember: no_ads
  - end: Больше не беспокоим.
"""


def visit(rig: Rig, number: str = PHONE, shop: str = "Арбат", name: str = "1") -> None:
    """Let an event from outside arrive."""
    rig.gateway.host.take(
        lambda batch, _: rig.gateway.outside.accept(
            batch, "shop.visit", name, {"phone": number, "shop": shop, "sum": None}
        ),
        None,
    )


async def let_go(rig: Rig) -> None:
    await rig.idle()
    rig.gateway.outbox.pump_unasked()
    await rig.idle()


def states(rig: Rig) -> Counter[str]:
    return Counter(row[0] for row in rig.gateway.store._read.execute("SELECT state FROM outbox"))


@pytest.fixture
async def door_rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    lay_out_events(tmp_path)
    async with rigged(tmp_path, monkeypatch) as rig:
        yield rig


@pytest.mark.parametrize("text", ["стоп", "СТОП", " Stop! ", "«Отписаться»", "стоп."])
def test_a_word_that_stops(text: str):
    assert is_stop(text)


@pytest.mark.parametrize("text", ["", "не стоп", "стоп кран", "stopp", "сто п", "нестоп"])
def test_a_word_that_does_not(text: str):
    assert not is_stop(text)


async def test_stop_cancels_what_waits_and_all_that_would_come(door_rig: Rig):
    rig = door_rig
    rig.link.up = False
    visit(rig)
    visit(rig, OTHER, name="2")
    await let_go(rig)
    rig.link.up = True
    await rig.write("СТОП", "2")
    await let_go(rig)
    assert rig.texts == ["Больше не пишем вам без вашего запроса.", "Вы были в Арбат."]
    assert states(rig)["cancelled"] == 1
    visit(rig, name="3")
    await let_go(rig)
    assert len(rig.texts) == 2
    assert states(rig)["cancelled"] == 2
    assert rig.gateway.host.counters["sms_cancelled"] == 2


async def test_stop_does_not_end_answers_to_his_own_acts(door_rig: Rig):
    await door_rig.write("стоп", "2")
    await door_rig.write("начать", "2")
    await door_rig.write("да", "3")
    assert door_rig.texts[1] == "Первый?"
    assert len(door_rig.texts) == 5, "a long answer has three parts"


async def test_stop_never_buys_anything_and_ends_an_open_question(door_rig: Rig):
    """A flow that takes any text must not take STOP: the subscriber would pay for his refusal."""
    await door_rig.write("стоп", "1")
    assert not door_rig.backend.calls
    await door_rig.write("начать", "2", OTHER)
    await door_rig.write("стоп", "2", OTHER)
    assert door_rig.waiting == []
    assert door_rig.texts.count("Больше не пишем вам без вашего запроса.") == 2


async def test_a_flow_that_has_the_word_answers_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    lay_out_events(tmp_path)
    (tmp_path / "flows/stop.yaml").write_text(STOP_FLOW, encoding="utf-8")
    async with rigged(tmp_path, monkeypatch) as rig:
        await rig.write("стоп", "000500")
        visit(rig)
        await let_go(rig)
        assert rig.texts == ["Больше не беспокоим."]


async def test_a_stop_that_was_not_stored_comes_again(door_rig: Rig):
    rig = door_rig
    rig.link.up = False
    visit(rig)
    await let_go(rig)
    with failing():
        await rig.write("стоп", "2")
    assert rig.statuses[-1] == 0x64, "the centre keeps the message"
    rig.link.up = True
    await rig.write("стоп", "2")
    await let_go(rig)
    assert rig.texts == ["Больше не пишем вам без вашего запроса."]
    assert states(rig)["cancelled"] == 1


async def test_the_stop_list_outlives_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    lay_out_events(tmp_path)
    async with rigged(tmp_path, monkeypatch) as rig:
        await rig.write("стоп", "2")
        rig.link.accept(rig.link.pages[0])
        await rig.idle()
    async with rigged(tmp_path, monkeypatch) as rig:
        visit(rig)
        await let_go(rig)
        assert rig.texts == []


def hour(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Moscow")).timestamp() * 1000)


async def test_the_quiet_hours_hold_only_what_nobody_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    lay_out_events(tmp_path, ", quiet: 21:00-09:00")
    async with rigged(tmp_path, monkeypatch) as rig:
        rig.clock.ms = hour("2026-11-22 23:10")
        visit(rig)
        await let_go(rig)
        await rig.write("начать", "2", OTHER)
        assert rig.texts == ["Первый?"]
        rig.link.accept(rig.link.pages[0])
        await rig.idle()
    async with rigged(tmp_path, monkeypatch) as rig:
        rig.clock.ms = hour("2026-11-23 08:59")
        await let_go(rig)
        rig.gateway.outbox.tend()
        await let_go(rig)
        assert rig.texts == []
        rig.clock.ms = hour("2026-11-23 09:00")
        await let_go(rig)
        assert rig.texts == ["Вы были в Арбат."]


def test_quiet_hours_end_when_they_say(door_project):
    assert quiet_until(door_project, hour("2026-11-22 20:59")) == hour("2026-11-22 20:59")
    assert quiet_until(door_project, hour("2026-11-22 21:00")) == hour("2026-11-23 09:00")
    assert quiet_until(door_project, hour("2026-11-23 03:00")) == hour("2026-11-23 09:00")


@pytest.fixture
def door_project():
    return Project(("ru",), ZoneInfo("Europe/Moscow"), sms_quiet=(21 * 60, 9 * 60))


@pytest.mark.parametrize(
    ("text", "parts"), [("", 1), ("a" * 66, 1), ("a" * 67, 2), ("a" * 132, 2), ("a" * 133, 3)]
)
def test_parts_are_never_guessed_too_few(text: str, parts: int):
    assert most_parts(text) == parts


async def test_unasked_messages_take_their_share_of_a_rate(door_rig: Rig, monkeypatch: pytest.MonkeyPatch):
    rig = door_rig
    monkeypatch.setattr(type(rig.link), "rate", 10.0)
    for number in range(30):
        visit(rig, f"7916000{number:04}", name=str(number))
    await rig.idle()
    left = []
    for _ in range(40):
        rig.clock.advance(100)
        await let_go(rig)
        left.append(len(rig.texts))
    assert left[-1] == pytest.approx(20, abs=2), "half of ten a second, over four seconds"
    assert max(later - earlier for earlier, later in pairwise(left)) <= 2


async def test_nothing_unasked_leaves_while_the_link_has_nothing_to_spare(
    door_rig: Rig, monkeypatch: pytest.MonkeyPatch
):
    rig = door_rig
    monkeypatch.setattr(type(rig.link), "spare", lambda _: (0, 10))
    visit(rig)
    await let_go(rig)
    await rig.write("начать", "2", OTHER)
    assert rig.texts == ["Первый?"], "an answer overtakes what waits"
    monkeypatch.setattr(type(rig.link), "spare", lambda _: (1, 10))
    await let_go(rig)
    assert rig.texts[-1] == "Вы были в Арбат."


def test_half_of_every_burst_stays_for_what_comes_next():
    limit = RateLimit(100.0, 0)
    spare, most = limit.spare(0)
    for _ in range(spare):
        assert limit.take(0)
    assert limit.spare(0) == (0, most)
    assert all(limit.take(0) for _ in range(5)), "five of a burst of ten are left for pages"


def test_a_slow_link_keeps_a_token_for_the_next_page():
    limit = RateLimit(1.0, 0)
    assert limit.spare(0)[0] == 0
    assert limit.spare(1_000)[0] == 1
    assert limit.take(1_000)
    assert limit.spare(1_000)[0] == 0
    assert limit.take(1_000), "a page that comes now leaves now"


def test_no_window_is_filled_by_what_nobody_asked_for():
    settings = LinkSettings("127.0.0.1", 1, "gudok", Secret("x"), window=10)
    window = Window(10, 30_000)
    slot: Any = SimpleNamespace(transmits=True, sender=SimpleNamespace(window=window))
    traffic = Traffic(settings, [slot], Counter(), 0, Random(1))
    assert traffic.spare(0) == (5, 5)
    for _ in range(4):
        window.add(4, None, 0, 0)
    assert traffic.spare(0) == (1, 5)
    window.add(4, None, 0, 0)
    assert traffic.spare(0) == (0, 5), "half of the window stays free"
    slot.sender = None
    assert traffic.spare(0) == (0, 0), "not bound: nothing to spare"


def begin_survey(rig: Rig, name: str) -> None:
    rig.gateway.host.take(
        lambda batch, _: rig.gateway.sms.open(batch, Opening(name, "ask", PHONE, "ru")), None
    )


async def test_a_survey_that_was_answered_is_no_longer_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    lay_out_events(tmp_path, ", quiet: 21:00-09:00")
    async with rigged(tmp_path, monkeypatch) as rig:
        rig.clock.ms = hour("2026-11-22 20:59")
        begin_survey(rig, "p:ab")
        await let_go(rig)
        assert rig.texts == ["Первый?"]
        rig.clock.ms = hour("2026-11-22 21:30")
        await rig.write("раз", "000500")
        assert rig.texts == ["Первый?", "Второй?"], "who has written is answered, whatever the hour"


async def test_a_survey_that_was_not_sent_yet_ends_with_a_stop_to_any_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    lay_out_events(tmp_path, ", quiet: 21:00-09:00")
    async with rigged(tmp_path, monkeypatch) as rig:
        rig.clock.ms = hour("2026-11-22 21:30")
        begin_survey(rig, "p:ab")
        await let_go(rig)
        assert rig.texts == []
        assert rig.waiting == ["answer"]
        await rig.write("стоп", "2")
        assert rig.waiting == [], "what he writes next answers nothing he has not seen"
        assert states(rig)["cancelled"] == 1
        begin_survey(rig, "o:e:ask")
        await let_go(rig)
        assert rig.waiting == []
        assert rig.texts == ["Больше не пишем вам без вашего запроса."]
