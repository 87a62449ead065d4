"""Services with people in them, over the wire: subscribers at the centre, the demo's back ends, tasks.

Every text goes through real PDUs, every event through a signed POST; only the clock is moved.
"""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from gateway.settings import EventSettings
from gateway.store.record import TaskKind, TaskRow
from gateway.web.signature import HEADER, sign
from tests.end_to_end.stage import POOR, RICH, Stage, staged

KEY = b"0123456789abcdef0123456789abcdef"
DESK = "000500"
EMPLOYEE = "79160000013"
HOUR_MS = 3_600_000
ASKED = "Почему небо синее?"


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path, events=EventSettings((KEY,))) as one:
        yield one


def tasks(stage: Stage, kind: TaskKind) -> list[TaskRow]:
    return [row for row in stage.gateway.tasks.open.values() if row.kind is kind]


async def talk(stage: Stage, phone: str, *texts: str, to: str = DESK) -> list[str]:
    """Write texts, each after the answer to the one before; returns the answers."""
    answers = []
    for text in texts:
        seen = len(stage.inbox(phone))
        await stage.centre.sms(phone, to, text)
        answers.append((await stage.centre.next_sms(phone, after=seen)).text)
    return answers


async def tend(stage: Stage) -> None:
    """Let everything that is done once a second be done now, and what is sent at a pace leave."""
    gateway = stage.gateway
    gateway.tend(stage.clock.now())
    await gateway.host.idle()
    gateway.pace(stage.clock.now())
    await gateway.host.idle()


async def at(stage: Stage, moment: datetime) -> None:
    """Move the clock on to a moment."""
    stage.jump(int(moment.timestamp() * 1000) - stage.clock.now())
    await tend(stage)


def next_working(stage: Stage, hour: int) -> datetime:
    """Return the next Tuesday that is at least a day away, at an hour in Moscow."""
    now = datetime.fromtimestamp(stage.clock.now() / 1000, UTC).astimezone(ZoneInfo("Europe/Moscow"))
    day = (now + timedelta(days=2)).replace(hour=hour, minute=0, second=0, microsecond=0)
    while day.weekday() != 1:
        day += timedelta(days=1)
    return day


async def post(stage: Stage, name: str, event_id: str, **fields: Any) -> int:
    """Send an event as a back end does; returns the status."""
    body = json.dumps({"id": event_id, **fields}, ensure_ascii=False).encode()
    web = stage.gateway._web
    assert web is not None
    headers = {HEADER: sign(KEY, body, stage.clock.wall_ms() // 1000)}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"http://127.0.0.1:{web.port}/events/{name}", data=body, headers=headers) as answer,
    ):
        return answer.status


async def test_a_complaint_is_a_task_with_a_deadline(stage: Stage) -> None:
    first, second = await talk(stage, RICH, "жалоба", "Списали лишнее")
    assert first.startswith("Опишите")
    (task,) = tasks(stage, TaskKind.CALLBACK)
    assert second.startswith(f"Жалоба {task.number} принята. Ответим до ")
    assert (task.queue, task.subscriber, task.lines[0].text) == ("complaints", RICH, "Списали лишнее")
    assert task.at < task.due <= task.at + 14 * 24 * HOUR_MS
    assert (await talk(stage, RICH, "жалоба", "И ещё раз"))[1].startswith(f"Жалоба {task.number} ")
    await stage.restart()
    assert [row.number for row in tasks(stage, TaskKind.CALLBACK)] == [task.number]


async def test_a_question_goes_to_people_their_answer_back_and_a_survey_after_it(stage: Stage) -> None:
    (said,) = await talk(stage, RICH, ASKED)
    assert said.startswith("Вопрос передан специалисту")
    await stage.until(lambda: bool(tasks(stage, TaskKind.QUESTION)), "the task")
    await stage.centre.sms(RICH, DESK, "И трава зелёная?")
    await stage.gateway.host.idle()
    (task,) = tasks(stage, TaskKind.QUESTION)
    assert [line.text for line in task.lines] == [ASKED, "И трава зелёная?"]
    await stage.restart()
    desk = stage.gateway.desk
    await desk.answer(task.number, "Рассеяние света.")
    answer = await stage.centre.next_sms(RICH, after=1)
    assert (answer.text, answer.source) == ("Рассеяние света.", DESK)
    await desk.close(task.number, "solved")
    assert (await stage.centre.next_sms(RICH, after=2)).text.startswith("Оцените разговор")
    why, thanks = await talk(stage, RICH, "2", "1")
    assert why.startswith("Что не понравилось?")
    assert thanks.startswith("Спасибо!")
    (callback,) = tasks(stage, TaskKind.CALLBACK)
    assert (callback.queue, callback.lines[0].text) == (
        "quality",
        "Оценка 2, причина — Вопрос не решён",
    )
    (rating,) = stage.gateway.store.ratings(0, 10)
    assert (rating.score, rating.who) == (2, RICH)


async def test_eleven_questions_while_the_knowledge_base_is_slow_are_one_task(stage: Stage) -> None:
    stage.fault(operation="knowledge.answer", kind="delay", delay=1_500)
    texts = [f"Вопрос {number}" for number in range(11)]
    for text in texts:
        await stage.centre.sms(RICH, DESK, text)
    assert (await stage.centre.next_sms(RICH)).text.startswith("Вопрос передан специалисту")
    await stage.quiet()
    (task,) = tasks(stage, TaskKind.QUESTION)
    assert [line.text for line in task.lines] == texts
    assert len(stage.gateway.host.conversations) == 1
    assert len(stage.inbox(RICH)) == 1


async def test_who_reported_an_outage_hears_of_its_end_by_day_and_once(stage: Stage) -> None:
    await at(stage, next_working(stage, 23))
    phones = [stage.person(f"7916555000{number}").phone for number in (0, 3, 5)]
    numbers = []
    for phone in phones:
        address, taken = await talk(stage, phone, "сбой", "Мира 5")
        assert address.startswith("Напишите адрес")
        numbers.append(int(taken.split()[1]))
    reports = [{"phone": phone, "number": number} for phone, number in zip(phones, numbers, strict=True)]
    for _ in range(2):
        assert await post(stage, "network.repaired", "r1", area="Мира", reports=reports) == 202
    await tend(stage)
    assert all(len(stage.inbox(phone)) == 2 for phone in phones), "not at night"
    await stage.restart()
    stage.jump(10 * HOUR_MS)
    for _ in range(5):
        await tend(stage)
        stage.jump(1_000)
    for phone, number in zip(phones, numbers, strict=True):
        told = (await stage.centre.next_sms(phone, after=2)).text
        assert told.startswith(f"Заявка {number} выполнена")
    assert await post(stage, "network.repaired", "r1", area="Мира", reports=reports) == 202
    await tend(stage)
    await stage.quiet()
    assert all(len(stage.inbox(phone)) == 3 for phone in phones)
    stage.again = 1


async def test_a_booking_is_reminded_of_and_may_be_cancelled(stage: Stage) -> None:
    answers = await talk(stage, RICH, "запись", "1", "1", "1")
    assert answers[-1].startswith("Ждём вас ")
    assert len(stage.gateway.starts) == 1
    await stage.restart()
    (row,) = stage.gateway.starts._rows.by_id.values()
    stage.jump(max(0, row.due - stage.clock.now()))
    await tend(stage)
    assert (await stage.centre.next_sms(RICH, after=4)).text.startswith("Ждём вас сегодня в ")
    (cancelled,) = await talk(stage, RICH, "2")
    assert cancelled == "Запись отменена."
    assert len(stage.gateway.starts) == 0


async def test_stop_in_the_same_second_takes_back_what_nobody_has_asked_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await at(stage, next_working(stage, 9))
    assert await post(stage, "crm.order_done", "o1", phone=RICH, what="repair") == 202
    assert await post(stage, "crm.order_done", "o2", phone=POOR, what="repair") == 202
    gateway = stage.gateway
    with monkeypatch.context() as waiting:
        # What is sent at a pace leaves when the test says so.
        waiting.setattr(gateway.outbox.unasked, "take", lambda _: [])
        stage.jump(25 * HOUR_MS)
        gateway.outbounds.tend(stage.clock.now())
        await stage.until(lambda: len(gateway.outbox) == 2, "both wait for their turn")
        await stage.centre.sms(RICH, DESK, "СТОП")
    await tend(stage)
    assert (await stage.centre.next_sms(POOR)).text.startswith("Это Гудок.")
    await stage.quiet()
    assert [text for text in stage.inbox(RICH) if "работали" in text] == []
    assert stage.inbox(RICH) == ["Больше не беспокоим. Вернуть — напишите СТАРТ."]


async def test_a_follow_up_whose_answer_is_no_orders_a_call(stage: Stage) -> None:
    await at(stage, next_working(stage, 11))
    assert await post(stage, "crm.order_done", "o1", phone=RICH, what="connection") == 202
    await tend(stage)
    assert stage.inbox(RICH) == []
    await stage.restart()
    stage.jump(24 * HOUR_MS)
    await tend(stage)
    asked = await stage.centre.next_sms(RICH)
    assert asked.text.startswith("Это Гудок.")
    assert (await talk(stage, RICH, "нет"))[0].startswith("Простите!")
    (task,) = tasks(stage, TaskKind.CALLBACK)
    assert (task.queue, task.lines[0].text) == ("technical", "После работ (connection) не работает")
    assert await post(stage, "crm.order_done", "o1", phone=RICH, what="connection") == 202
    stage.again = 1
    stage.jump(25 * HOUR_MS)
    await tend(stage)
    await stage.quiet()
    assert len(stage.inbox(RICH)) == 2


async def test_the_personal_offer_by_dialog_and_by_sms(stage: Stage) -> None:
    phones = [stage.person(f"7916555001{number}").phone for number in (1, 2)]
    dialog = await stage.centre.dial(phones[0], "*115#")
    assert "1 Подключить" in dialog.screen or "1. Подключить" in dialog.screen
    assert (await dialog.send("1")).startswith("Тариф подключён")
    assert (await stage.centre.next_sms(phones[0])).text.startswith("Тариф ")
    offer, declined = await talk(stage, phones[1], "предложение", "2")
    assert "ГБ" in offer
    assert declined == "Хорошо, не сейчас."
    assert (await talk(stage, phones[1], "предложение")) == ["Предложений пока нет."]


async def test_a_block_of_unknown_outcome_is_said_to_be_unknown_and_people_call(stage: Stage) -> None:
    stage.fault(operation="billing.block_sim", kind="lose")
    dialog = await stage.centre.dial(RICH, "*891#")
    await dialog.send(POOR[1:])
    menu = await dialog.send(POOR[-4:])
    assert "Заблокировать" in menu
    last = await dialog.send("1")
    assert last.startswith("Не удалось подтвердить блокировку.")
    assert "заблокирован." not in last
    (task,) = tasks(stage, TaskKind.CALLBACK)
    assert (task.queue, task.subscriber) == ("support", RICH)


async def test_the_staff_line_knows_its_own(stage: Stage) -> None:
    (taken,) = await talk(stage, EMPLOYEE, "Сломался кассовый аппарат", to="0555")
    (task,) = tasks(stage, TaskKind.CALLBACK)
    assert taken.startswith(f"Обращение {task.number} принято.")
    assert task.queue == "staff"
    assert task.lines[0].text.endswith(": Сломался кассовый аппарат")
    assert (await talk(stage, RICH, "Пустите", to="0555"))[0].startswith("Этот номер — для сотрудников.")
