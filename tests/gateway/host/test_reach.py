"""Dialogs that we begin and that reach nobody: tried again, then by SMS, then missed; never twice."""

from pathlib import Path

import pytest

from gateway.host.outreach import OPEN_MS
from gateway.store.record import TaskKind
from tests.gateway.host.rig import PHONE, PROJECT, Rig
from tests.gateway.host.test_people import PROJECT_FILES, QUEUES, lay_out, pass_time, running, tasks

MINUTE_MS = 60_000
BUSY, UNREACHABLE, SILENT, REFUSED = 1036, 1028, 1027, 1029
OFFER = """\
flow:
  title: Предложение
  outbound:
    on: crm.found
    to: event.phone
    over: [ussd, sms]
    tries: 2
    every: 10m
    missed:
      callback: quality
      note: Не дозвались

start:
  - ask: Подключить?
    type: yes_no
    save: wanted
    tries: 1
    no_input: end
  - end: "{{ 'Подключаем' if wanted else 'Жаль' }}"
"""
ASKED = "Подключить?\n1 Да\n2 Нет"
ONLY_USSD = OFFER.replace("[ussd, sms]", "[ussd]").replace("crm.found", "crm.only")
BOOK = """\
flow:
  title: Запись
  sms: "600"

start:
  - schedule: remind
    in: 2h
    over: ussd
  - end: Записали.
"""
REMIND = """\
flow:
  title: Напоминание

start:
  - end: Ждём вас завтра.
"""
CRM = """\
crm:
  url: http://127.0.0.1:1
  events:
    found: { phone: phone }
    only: { phone: phone }
"""
ALL = {
    **PROJECT_FILES,
    "config/project.yaml": PROJECT.replace("tried: 24h", "tried: 24h\n  no_ads: forever") + QUEUES,
    "config/backends.yaml": PROJECT_FILES["config/backends.yaml"] + CRM,
    "flows/offer.yaml": OFFER,
    "flows/only_ussd.yaml": ONLY_USSD,
    "flows/book.yaml": BOOK,
    "flows/remind.yaml": REMIND,
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    lay_out(tmp_path, ALL)
    return tmp_path


async def happen(rig: Rig, name: str, event_id: str = "1") -> None:
    """Bring an event of the back end, and let the plans that are due be carried out."""
    rig.gateway.host.take(
        lambda batch, _: rig.gateway.events.start(batch, name, event_id, {"phone": PHONE}), 0
    )
    await later(rig, 0)


async def later(rig: Rig, ms: int) -> None:
    rig.jump(ms)
    await rig.idle()
    rig.gateway.outbounds.tend(rig.clock.now())
    await pass_time(rig, 0)


async def answer_last(rig: Rig, status: int) -> None:
    rig.link.accept(rig.link.pages[-1], status)
    await rig.idle()


@pytest.mark.parametrize("status", [BUSY, UNREACHABLE, SILENT])
async def test_who_is_not_reached_is_tried_again_then_by_sms(
    root: Path, monkeypatch: pytest.MonkeyPatch, status: int
):
    async with running(root, monkeypatch) as rig:
        await happen(rig, "crm.found")
        await answer_last(rig, status)
        await later(rig, 9 * MINUTE_MS)
        assert rig.texts == [ASKED], "not before its time"
        await later(rig, MINUTE_MS)
        assert len(rig.texts) == 2
        await answer_last(rig, status)
        await later(rig, 1_000)
        assert len(rig.texts) == 3
        assert rig.link.pages[-1].sm.source == b"000500"
        await later(rig, OPEN_MS * 3)
        assert len(rig.texts) == 3, "the SMS waits for its answer, nothing is said again"
        await rig.write("да", "000500")
        assert rig.texts[3:] == ["Подключаем"]
        assert len(rig.gateway.outbounds) == 0


async def test_who_is_reached_is_not_tried_again(root: Path, monkeypatch: pytest.MonkeyPatch):
    async with running(root, monkeypatch) as rig:
        await happen(rig, "crm.found")
        await answer_last(rig, BUSY)
        await later(rig, 10 * MINUTE_MS)
        await answer_last(rig, 0)
        await rig.type("1", 1, session=9, code="000500")
        assert rig.texts[-1] == "Подключаем"
        await later(rig, 60 * MINUTE_MS)
        assert len(rig.texts) == 3
        assert len(rig.gateway.outbounds) == 0


async def test_silence_counts_as_a_try_once_the_flow_has_ended(root: Path, monkeypatch: pytest.MonkeyPatch):
    async with running(root, monkeypatch) as rig:
        await happen(rig, "crm.found")
        await answer_last(rig, 0)
        await later(rig, 61_000)
        assert rig.waiting == []
        pages = len(rig.texts)
        await later(rig, 10 * MINUTE_MS)
        assert rig.texts[pages:] == [ASKED]
        assert rig.gateway.host.counters["outbound.no_answer"] == 1


async def test_when_nobody_was_reached_it_is_missed_once(root: Path, monkeypatch: pytest.MonkeyPatch):
    async with running(root, monkeypatch) as rig:
        await happen(rig, "crm.only")
        for _ in range(2):
            await answer_last(rig, UNREACHABLE)
            await later(rig, 10 * MINUTE_MS)
        await later(rig, 10 * MINUTE_MS)
        (task,) = tasks(rig)
        assert (task.kind, task.lines[0].text) == (TaskKind.CALLBACK, "Не дозвались")
        assert len(rig.texts) == 2
        assert len(rig.gateway.outbounds) == 0


async def test_what_the_centre_refuses_goes_the_next_way_at_once(root: Path, monkeypatch: pytest.MonkeyPatch):
    async with running(root, monkeypatch) as rig:
        await happen(rig, "crm.found")
        await answer_last(rig, REFUSED)
        await later(rig, 1_000)
        assert len(rig.texts) == 2
        assert rig.link.pages[-1].sm.source == b"000500"


async def test_the_tries_outlive_restarts(root: Path, monkeypatch: pytest.MonkeyPatch):
    async with running(root, monkeypatch) as rig:
        await happen(rig, "crm.found")
        now = rig.clock.now()
    async with running(root, monkeypatch) as rig:
        rig.clock.advance(now - rig.clock.now())
        await later(rig, 1_000)
        assert rig.texts == [], "the dialog lives on, nothing is said twice"
        await later(rig, 181_000)
        assert rig.gateway.host.counters["outbound.no_answer"] == 1
        now = rig.clock.now()
    async with running(root, monkeypatch) as rig:
        rig.clock.advance(now - rig.clock.now())
        await later(rig, 10 * MINUTE_MS)
        assert rig.texts == [ASKED]


async def test_a_notification_of_which_a_restart_knows_nothing_is_not_said_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
):
    async with running(root, monkeypatch) as rig:
        await rig.write("запись", "600")
        await pass_time(rig, 120 * MINUTE_MS)
        assert rig.texts[-1] == "Ждём вас завтра."
        now = rig.clock.now()
    async with running(root, monkeypatch) as rig:
        rig.clock.advance(now - rig.clock.now())
        assert len(rig.gateway.starts) == 1
        await pass_time(rig, OPEN_MS)
        assert len(rig.gateway.starts) == 0
        await pass_time(rig, OPEN_MS)
        assert "Ждём вас завтра." not in rig.texts


async def test_a_scheduled_dialog_is_tried_for_an_hour_then_goes_by_sms(
    root: Path, monkeypatch: pytest.MonkeyPatch
):
    async with running(root, monkeypatch) as rig:
        await rig.write("запись", "600")
        await pass_time(rig, 120 * MINUTE_MS)
        for _ in range(13):
            await answer_last(rig, UNREACHABLE)
            await pass_time(rig, 5 * MINUTE_MS)
        assert rig.texts[1:] == ["Ждём вас завтра."] * 14
        assert rig.link.pages[-1].sm.source == b"000500"
        assert len(rig.gateway.starts) == 0
        await pass_time(rig, 60 * MINUTE_MS)
        assert len(rig.texts) == 15


async def test_who_is_on_the_stop_list_gets_no_dialog_either(root: Path, monkeypatch: pytest.MonkeyPatch):
    async with running(root, monkeypatch) as rig:
        await rig.write("стоп", "000500")
        said = list(rig.texts)
        await happen(rig, "crm.found")
        await later(rig, 60 * MINUTE_MS)
        assert rig.texts == said
        assert len(rig.gateway.outbounds) == 0
        assert tasks(rig) == []
