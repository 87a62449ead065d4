"""Flows that begin later, over SMS and over USSD: exactly once, also after a restart."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.store.record import TaskKind
from smpp.pdu.tlv import first_tlv
from tests.gateway.host.rig import PHONE, PROJECT, Rig, failing, sms
from tests.gateway.host.test_people import PROJECT_FILES, QUEUES, lay_out, pass_time, running

HOUR_MS = 3_600_000
BOOK = """\
flow:
  title: Запись
  sms: "600"

start:
  - schedule: remind
    in: 2h
    over: sms
    with: { shop: "'Тверская'" }
  - schedule: ask_later
    in: 3h
    over: ussd
  - end: Записали.
"""
REMIND = """\
flow:
  title: Напоминание
  takes: { shop: text }

start:
  - ask: Придёте на {{ shop }}?
    type: yes_no
    save: comes
  - end: "{{ 'Ждём' if comes else 'Жаль' }}"
"""
ASK_LATER = """\
flow:
  title: Вопрос позже
  ussd: "*77#"

start:
  - ask: Всё хорошо?
    type: yes_no
    save: fine
  - end: Спасибо.
"""
FOLLOW_UP = """\
flow:
  title: После заявки
  outbound:
    on: crm.done
    to: event.phone
    after: 24h
    within: 3d
    hours: 10:00-20:00
    over: [voice, sms]
    skip: memory.surveyed
    missed:
      callback: quality
      note: Не дозвонились

start:
  - rate:
      work: Оцените работу от 1 до 5.
    scale: 1-5
    save: marks
  - remember: surveyed
  - end: Спасибо за оценку.
"""
ONLY_VOICE = FOLLOW_UP.replace("[voice, sms]", "[voice]").replace("crm.done", "crm.called")
PAUSED = """\
flow:
  title: Пауза
  event: crm.paused

start:
  - wait: 5m
  - sms: Прошло пять минут.
"""
CRM = """\
crm:
  url: http://127.0.0.1:1
  events:
    done: { phone: phone }
    called: { phone: phone }
    paused: { phone: phone }
"""
ALL = {
    **PROJECT_FILES,
    "config/project.yaml": PROJECT.replace("tried: 24h", "tried: 24h\n  surveyed: 30d") + QUEUES,
    "config/backends.yaml": PROJECT_FILES["config/backends.yaml"] + CRM,
    "flows/book.yaml": BOOK,
    "flows/remind.yaml": REMIND,
    "flows/ask_later.yaml": ASK_LATER,
    "flows/follow_up.yaml": FOLLOW_UP,
    "flows/only_voice.yaml": ONLY_VOICE,
    "flows/paused.yaml": PAUSED,
}


@pytest.fixture
async def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    lay_out(tmp_path, ALL)
    async with running(tmp_path, monkeypatch) as one:
        yield one


def event(rig: Rig, name: str, event_id: str = "1", phone: str = PHONE) -> None:
    rig.gateway.host.take(
        lambda batch, _: rig.gateway.events.start(batch, name, event_id, {"phone": phone}), 0
    )


async def later(rig: Rig, ms: int) -> None:
    rig.clock.advance(ms)
    rig.gateway.outbounds.tend(rig.clock.now())
    await pass_time(rig, 0)


async def test_a_flow_begins_at_its_time_with_its_inputs(rig: Rig) -> None:
    await rig.write("записать", "600")
    await pass_time(rig, 2 * HOUR_MS - 1_000)
    assert rig.texts == ["Записали."]
    await pass_time(rig, 1_000)
    page = rig.link.pages[-1]
    assert page.text.startswith("Придёте на Тверская?")
    assert page.sm.source == b"000500"
    rig.link.bring(*sms("1", "000500"))
    await rig.idle()
    assert rig.texts[-1] == "Ждём"
    await pass_time(rig, 0)
    assert len(rig.texts) == 3


async def test_a_dialog_is_begun_by_us(rig: Rig) -> None:
    await rig.write("записать", "600")
    await pass_time(rig, 3 * HOUR_MS)
    page = next(one for one in rig.link.pages if "Всё хорошо?" in one.text)
    assert not page.sticky
    assert first_tlv(page.sm.tlvs, 0x0501) is not None
    assert page.sm.dest == PHONE.encode()


async def test_a_subscriber_in_a_dialog_is_asked_after_it(rig: Rig) -> None:
    await rig.write("записать", "600")
    await pass_time(rig, 3 * HOUR_MS - 1_000)
    await rig.dial("*2#")
    await pass_time(rig, 1_000)
    assert not any("Всё хорошо?" in text for text in rig.texts)
    await pass_time(rig, 600_000)
    assert any("Всё хорошо?" in text for text in rig.texts)


async def test_a_start_is_neither_lost_nor_repeated_by_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out(tmp_path, ALL)
    async with running(tmp_path, monkeypatch) as rig:
        await rig.write("записать", "600")
    async with running(tmp_path, monkeypatch, passed=2 * HOUR_MS) as rig:
        await pass_time(rig, 0)
        assert rig.texts[-1].startswith("Придёте на Тверская?")
    async with running(tmp_path, monkeypatch, passed=2 * HOUR_MS) as rig:
        await pass_time(rig, 0)
        assert [one for one in rig.waiting if one == "answer"] == ["answer"]


async def test_a_start_that_could_not_be_stored_is_made_again(rig: Rig) -> None:
    await rig.write("записать", "600")
    with failing():
        await pass_time(rig, 2 * HOUR_MS)
    assert rig.texts == ["Записали."]
    await pass_time(rig, 10_000)
    assert len(rig.texts) == 2


async def test_a_flow_that_is_gone_is_counted(rig: Rig) -> None:
    await rig.write("записать", "600")
    root = rig.gateway.root
    (root / "flows/book.yaml").unlink()
    (root / "flows/remind.yaml").unlink()
    assert rig.gateway.library.look()
    await pass_time(rig, 2 * HOUR_MS)
    assert rig.gateway.host.counters["starts.never"] == 1
    assert len(rig.gateway.starts) == 1


async def test_an_outbound_flow_goes_by_sms_inside_its_hours(rig: Rig) -> None:
    event(rig, "crm.done")
    await rig.idle()
    await later(rig, 23 * HOUR_MS)
    assert rig.texts == []
    for _ in range(24):
        await later(rig, HOUR_MS)
    assert [text.split(" от")[0] for text in rig.texts] == ["Оцените работу"]
    rig.link.bring(*sms("5", "000500"))
    await rig.idle()
    assert rig.texts[-1] == "Спасибо за оценку."
    (rating,) = rig.gateway.store.ratings(0, 10)
    assert (rating.topic, rating.score, rating.low, rating.high, rating.who) == ("work", 5, 1, 5, PHONE)


async def test_who_was_asked_is_not_asked_again(rig: Rig) -> None:
    batch = rig.gateway.store.batch()
    batch.group().remember(PHONE, "surveyed", rig.clock.now(), None)
    rig.gateway.store.commit_now(batch)
    event(rig, "crm.done")
    for _ in range(48):
        await later(rig, HOUR_MS)
    assert rig.texts == []
    assert rig.gateway.host.counters["outbound.skipped"] == 1
    assert len(rig.gateway.outbounds) == 0


async def test_whom_nobody_reached_gets_what_the_flow_has_for_that(rig: Rig) -> None:
    event(rig, "crm.called")
    for _ in range(48):
        await later(rig, HOUR_MS)
    (task,) = rig.gateway.tasks.open.values()
    assert (task.kind, task.subscriber, task.lines[0].text) == (TaskKind.CALLBACK, PHONE, "Не дозвонились")


async def test_plans_live_on_after_a_restart_and_an_event_counts_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out(tmp_path, ALL)
    async with running(tmp_path, monkeypatch) as rig:
        event(rig, "crm.done")
        event(rig, "crm.done")
        await rig.idle()
        assert len(rig.gateway.outbounds) == 1
    async with running(tmp_path, monkeypatch) as rig:
        assert len(rig.gateway.outbounds) == 1
        for _ in range(48):
            await later(rig, HOUR_MS)
        assert sum("Оцените" in text for text in rig.texts) == 1


CAMPAIGN = FOLLOW_UP.replace("    on: crm.done\n    to: event.phone\n", "    campaign: spring\n")


async def test_a_campaign_takes_everybody_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_out(tmp_path, {**ALL, "flows/campaign.yaml": CAMPAIGN})
    async with running(tmp_path, monkeypatch) as rig:
        phones = ["79160000001", "79160000002", "79160000001"]
        assert await rig.gateway.outbounds.start_campaign("spring", "2026-1", phones) == 2
        assert await rig.gateway.outbounds.start_campaign("spring", "2026-1", [*phones, PHONE]) == 1
        assert len(rig.gateway.outbounds) == 3
        with pytest.raises(ValueError, match="autumn"):
            await rig.gateway.outbounds.start_campaign("autumn", "1", phones)


async def test_a_background_flow_pauses_also_over_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out(tmp_path, ALL)
    async with running(tmp_path, monkeypatch) as rig:
        event(rig, "crm.paused")
        await rig.idle()
        assert rig.waiting == ["pause"]
    async with running(tmp_path, monkeypatch) as rig:
        await pass_time(rig, 299_000)
        assert rig.texts == []
        await pass_time(rig, 1_000)
        assert rig.texts == ["Прошло пять минут."]
        assert rig.waiting == []
