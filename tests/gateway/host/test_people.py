"""Questions that people answer by SMS, and orders to be called back."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.backends.outcome import UNKNOWN, Outcome
from gateway.host.people import LONGEST_MS
from gateway.host.task import TaskError
from gateway.store.error import StoreError
from gateway.store.record import TaskKind, TaskRow, TaskState
from tests.gateway.host.rig import FILES, PHONE, PROJECT, Rig, failing, rigged

HOUR_MS = 3_600_000
QUEUES = """\
queues:
  questions: { hours: 00:00-24:00, step: 6s }
  day: { hours: 09:00-09:01 }
  quality: { hours: 00:00-24:00 }
"""
QUESTION = """\
flow:
  title: Вопрос
  topic: questions
  sms: "500"

start:
  - queue: questions
    callback_after: 10m
    timeout: 2h
    note: Вопрос из SMS
    save: call
    closed:
      end: Сейчас закрыто.
    no_agent:
      end: Не дождались. Спросите ещё раз.
  - if: call.result == 'unsolved'
    then:
      end: Жаль, что не помогли.
  - end: Спасибо за вопрос.
"""
CLOSED = """\
flow:
  title: Вопрос днём
  sms: "501"

start:
  - queue: day
    closed:
      end: Сейчас закрыто.
  - end: Спасибо.
"""
CALLBACK = """\
flow:
  title: Обратный звонок
  sms: "502"
  ussd: "*52#"

start:
  - callback: quality
    within: 4h
    note: Просит позвонить
    save: order
  - end: Заявка {{ order.number }} принята, перезвоним до {{ order.by|time }}.
"""
STOP = """\
flow:
  title: Стоп
  sms: { to: "500", words: [стоп] }

start:
  - end: Больше не пишем.
"""
PROJECT_FILES = {
    **FILES,
    "config/project.yaml": PROJECT + QUEUES,
    "flows/question.yaml": QUESTION,
    "flows/closed.yaml": CLOSED,
    "flows/callback.yaml": CALLBACK,
    "flows/stop.yaml": STOP,
}


def lay_out(root: Path, files: Mapping[str, str] = PROJECT_FILES) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@asynccontextmanager
async def running(root: Path, monkeypatch: pytest.MonkeyPatch, passed: int = 0) -> AsyncIterator[Rig]:
    if not (root / "flows").exists():
        lay_out(root)
    async with rigged(root, monkeypatch) as rig:
        rig.clock.advance(passed)
        yield rig


@pytest.fixture
async def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    async with running(tmp_path, monkeypatch) as one:
        yield one


def tasks(rig: Rig) -> list[TaskRow]:
    return [row for _, row in sorted(rig.gateway.tasks.open.items())]


async def pass_time(rig: Rig, ms: int) -> None:
    rig.jump(ms)
    gateway = rig.gateway
    gateway.tend(rig.clock.now())
    await rig.idle()
    gateway.pace(rig.clock.now())
    await rig.idle()


async def test_a_question_becomes_a_task_and_its_answer_an_sms_from_the_same_code(rig: Rig) -> None:
    await rig.write("Как поменять тариф?", "500")
    (task,) = tasks(rig)
    assert (task.number, task.kind, task.queue, task.subscriber) == (1, TaskKind.QUESTION, "questions", PHONE)
    assert [line.text for line in task.lines] == ["Как поменять тариф?", "Вопрос из SMS"]
    assert task.topic == "questions"
    assert rig.waiting == ["people"]
    assert rig.texts == []

    answered = await rig.gateway.desk.answer(1, "Наберите *100#.")
    await rig.idle()
    assert answered.state is TaskState.TAKEN
    page = rig.link.pages[-1]
    assert (page.text, page.sm.source, page.sm.dest) == ("Наберите *100#.", b"500", PHONE.encode())

    await rig.write("А сколько стоит?", "500")
    assert rig.waiting == ["people"]
    assert [line.text for line in tasks(rig)[0].lines][2:] == ["Наберите *100#.", "А сколько стоит?"]

    await rig.gateway.desk.close(1, "solved", note="Ответили")
    await rig.idle()
    assert rig.texts[-1] == "Спасибо за вопрос."
    assert tasks(rig) == []
    assert rig.waiting == []
    stored = rig.gateway.store.find_task(1)
    assert stored is not None
    assert (stored.state, stored.result, stored.closing) == (TaskState.DONE, "solved", "Ответили")


async def test_the_result_of_people_reaches_the_flow(rig: Rig) -> None:
    await rig.write("Не работает", "500")
    await rig.gateway.desk.close(1, "unsolved")
    await rig.idle()
    assert rig.texts[-1] == "Жаль, что не помогли."


async def test_outside_the_hours_of_the_queue_nobody_waits(rig: Rig) -> None:
    await rig.write("Вопрос", "501")
    assert rig.texts == ["Сейчас закрыто."]
    assert tasks(rig) == []


async def test_stop_is_no_line_of_a_question(rig: Rig) -> None:
    await rig.write("Вопрос", "500")
    await rig.write("СТОП", "500")
    assert rig.texts == ["Больше не пишем."]
    assert len(tasks(rig)[0].lines) == 2
    assert rig.waiting == ["people"]


async def test_who_waits_in_vain_is_told(rig: Rig) -> None:
    await rig.write("Вопрос", "500")
    await pass_time(rig, 10 * 60_000)
    await rig.write("2", "500")
    await pass_time(rig, 2 * HOUR_MS)
    assert rig.texts[-1] == "Не дождались. Спросите ещё раз."
    stored = rig.gateway.store.find_task(1)
    assert stored is not None
    assert stored.state is TaskState.EXPIRED
    assert rig.waiting == []


async def test_a_task_somebody_works_on_does_not_expire_after_the_time_of_the_flow(rig: Rig) -> None:
    await rig.write("Вопрос", "500")
    await rig.gateway.desk.take(1)
    await pass_time(rig, 3 * HOUR_MS)
    assert rig.waiting == ["people"]
    await pass_time(rig, LONGEST_MS)
    assert rig.texts[-1] == "Не дождались. Спросите ещё раз."


async def test_a_callback_ordered_instead_of_waiting_keeps_the_place(rig: Rig) -> None:
    await rig.write("Вопрос", "500")
    arrival = tasks(rig)[0].arrival
    await pass_time(rig, 10 * 60_000)
    assert "1 Да" in rig.texts[-1]
    await rig.write("1", "500")
    (task,) = tasks(rig)
    assert (task.number, task.kind, task.arrival) == (2, TaskKind.CALLBACK, arrival)
    assert rig.waiting == []


async def test_who_waits_on_keeps_the_place_and_is_answered(rig: Rig) -> None:
    await rig.write("Вопрос", "500")
    before = tasks(rig)[0]
    await pass_time(rig, 10 * 60_000)
    await rig.write("2", "500")
    (task,) = tasks(rig)
    assert (task.number, task.arrival, task.due) == (before.number, before.arrival, before.due)
    await rig.gateway.desk.close(1, "solved")
    await rig.idle()
    assert rig.texts[-1] == "Спасибо за вопрос."


async def test_people_may_become_free_while_a_callback_is_offered(rig: Rig) -> None:
    await rig.write("Вопрос", "500")
    await pass_time(rig, 10 * 60_000)
    await rig.gateway.desk.close(1, "solved")
    await rig.idle()
    assert rig.texts[-1] == "Спасибо за вопрос."
    assert rig.waiting == []


async def test_one_open_callback_for_a_phone_and_queue(rig: Rig) -> None:
    await rig.write("звонок", "502")
    await rig.dial("*52#")
    assert rig.texts[0].startswith("Заявка 1 принята, перезвоним до ")
    assert rig.texts[1] == rig.texts[0]
    (task,) = tasks(rig)
    assert [line.text for line in task.lines] == ["Просит позвонить", "Просит позвонить"]
    await rig.gateway.desk.close(1, "")
    rig.jump(1_000)  # what he was told has been read: this is no copy of his first message
    await rig.write("звонок", "502")
    assert rig.texts[-1].startswith("Заявка 2 ")


async def test_a_callback_that_is_late_stays_open_and_is_told_of(rig: Rig) -> None:
    await rig.write("звонок", "502")
    await pass_time(rig, 5 * HOUR_MS)
    (task,) = tasks(rig)
    assert task.overdue
    assert rig.gateway.host.counters["tasks_overdue"] == 1


async def test_a_number_is_used_once_and_none_is_left_out(rig: Rig) -> None:
    with failing():
        await rig.write("звонок", "502")
    assert tasks(rig) == []
    await rig.write("ещё раз", "502", "79160000001")
    await rig.write("и я", "502", "79160000002")
    assert [task.number for task in tasks(rig)] == [1, 2]


async def test_what_was_not_stored_is_not_confirmed(rig: Rig) -> None:
    await rig.write("Вопрос", "500")
    with failing(), pytest.raises(StoreError):
        await rig.gateway.desk.answer(1, "Ответ")
    assert rig.texts == []
    assert len(tasks(rig)[0].lines) == 2
    with failing(), pytest.raises(StoreError):
        await rig.gateway.desk.close(1, "solved")
    assert rig.waiting == ["people"]
    assert [task.number for task in tasks(rig)] == [1]


@pytest.mark.parametrize(
    ("number", "text"),
    [(1, ""), (1, "  "), (1, "a" * 671), (1, "a\x1b[31m"), (7, "Ответ"), (-1, "Ответ"), (0, "Ответ")],
)
async def test_answers_that_cannot_be_sent(rig: Rig, number: int, text: str) -> None:
    await rig.write("Вопрос", "500")
    with pytest.raises(TaskError):
        await rig.gateway.desk.answer(number, text)
    assert rig.texts == []


async def test_a_closed_task_is_closed(rig: Rig) -> None:
    await rig.write("Вопрос", "500")
    with pytest.raises(TaskError, match="solved"):
        await rig.gateway.desk.close(1, "perhaps")
    await rig.gateway.desk.close(1, "solved")
    with pytest.raises(TaskError, match="done already"):
        await rig.gateway.desk.close(1, "solved")


async def test_a_flood_of_lines_is_bounded(rig: Rig) -> None:
    await rig.write("Вопрос", "500")
    for number in range(250):
        rig.gateway.host.take(
            lambda batch, text: rig.gateway.people.written(batch, batch.stored.group(), PHONE, "500", text),
            f"текст {number}",
        )
    await rig.idle()
    assert len(tasks(rig)[0].lines) == 200
    assert rig.gateway.host.counters["task_lines_dropped"] == 52


async def test_everything_lives_on_after_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path, monkeypatch) as rig:
        await rig.write("Вопрос", "500")
        await rig.write("звонок", "502", "79160000001")
    async with running(tmp_path, monkeypatch, passed=1_000) as rig:
        assert rig.waiting == ["people"]
        await rig.write("Ещё вопрос", "500")
        assert [len(task.lines) for task in tasks(rig)] == [3, 1]
        await rig.write("звонок", "502", "79160000001")
        assert rig.texts[-1].startswith("Заявка 2 ")
        await rig.write("звонок", "502", "79160000003")
        assert rig.texts[-1].startswith("Заявка 3 ")
        await pass_time(rig, 10 * 60_000)
        assert "1 Да" in rig.texts[-1]
        await rig.gateway.desk.close(1, "solved")
        await rig.idle()
        assert rig.texts[-1] == "Спасибо за вопрос."


async def test_an_order_of_money_nobody_can_clear_up_becomes_a_task(rig: Rig) -> None:
    await rig.dial("*1#")
    for _ in range(40):
        rig.gateway.settling.look()
        await rig.idle()
        for _, _, future in rig.backend.calls:
            if not future.done():
                future.set_result(Outcome(UNKNOWN))
        await rig.idle()
        rig.clock.advance(60_000)
    (task,) = tasks(rig)
    assert (task.kind, task.subscriber) == (TaskKind.MONEY, PHONE)
    with pytest.raises(TaskError, match="not_done"):
        await rig.gateway.desk.close(task.number, "solved")
    await rig.gateway.desk.close(task.number, "done")
    await rig.idle()
    assert rig.texts[-1] == "Итог известен."


async def test_the_wait_is_told_by_what_is_ahead(rig: Rig) -> None:
    for number in range(4):
        await rig.write("Вопрос", "500", f"7916000000{number}")
    kept = rig.gateway.tasks
    first, last = tasks(rig)[0], tasks(rig)[-1]
    assert (kept.place("questions", first.session), kept.place("questions", last.session)) == (1, 4)
    assert kept.expected_wait_s("questions", last.session, rig.clock.now()) == 3 * 180
    assert kept.expected_wait_s("questions", "", rig.clock.now()) == 4 * 180
    assert kept.expected_wait_s("quality", "", rig.clock.now()) == 0
    for number in (1, 2, 3):
        rig.clock.advance(60_000)
        await rig.gateway.desk.close(number, "solved")
    await asyncio.sleep(0)
    assert kept.expected_wait_s("questions", "", rig.clock.now()) == 40
