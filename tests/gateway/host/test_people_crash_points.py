"""Every point at which the process may die or a commit may fail while people, starts and ratings are in play.

A task for each order and no more, each start begun once, each score counted once, and whoever was told that
something is done finds it done.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from gateway.host.task import TaskError
from gateway.store.error import StoreError
from gateway.store.record import TaskRow, TaskState
from tests.gateway.host.simulation import FILES, PROJECT, Simulation, World, lay_out

QUEUES = """\
queues:
  support: { hours: 00:00-24:00 }
"""
CALLBACK = """\
flow:
  title: Обратный звонок
  sms: "502"

start:
  - callback: support
    within: 4h
    note: Просит позвонить
    save: order
  - end: Заявка {{ order.number }} принята.
"""
QUESTION = """\
flow:
  title: Вопрос
  sms: "500"

start:
  - queue: support
    callback_after: 12h
  - end: Спасибо за вопрос.
"""
BOOK = """\
flow:
  title: Запись
  sms: "600"

start:
  - schedule: remind
    in: 30m
    over: sms
  - end: Записали.
"""
REMIND = """\
flow:
  title: Напоминание

start:
  - end: Ждём вас через час.
"""
RATE = """\
flow:
  title: Оценка
  ussd: "*9#"

start:
  - rate:
      service: Оцените услугу от 1 до 5.
      polite: Оцените вежливость от 1 до 5.
    scale: 1-5
  - end: Спасибо.
"""
ALL = {
    **FILES,
    "config/project.yaml": PROJECT + QUEUES,
    "flows/callback.yaml": CALLBACK,
    "flows/question.yaml": QUESTION,
    "flows/book.yaml": BOOK,
    "flows/remind.yaml": REMIND,
    "flows/rate.yaml": RATE,
}


async def do(simulation: Simulation, act: Callable[[], Awaitable[TaskRow]]) -> None:
    """Let a person do something again and again until it is confirmed, or done already."""
    for _ in range(6):
        doing = asyncio.ensure_future(act())
        await simulation.settle()
        if not doing.done():
            doing.cancel()
        (outcome,) = await asyncio.gather(doing, return_exceptions=True)
        if not isinstance(outcome, StoreError | asyncio.CancelledError):
            assert isinstance(outcome, TaskRow | TaskError), outcome
            return
    raise AssertionError("it was never confirmed")


async def callback(simulation: Simulation) -> None:
    simulation.world.sms(b"call", to="502")
    await simulation.settle()
    simulation.world.sms(b"call me", to="502")
    await simulation.to_the_end()


def callback_stands(simulation: Simulation) -> None:
    ((state, lines),) = [(row.state, row.lines) for row in tasks(simulation)]
    assert state is TaskState.OPEN
    assert [line.text for line in lines] == ["Просит позвонить"] * 2
    assert posted(simulation) == {"Заявка 1 принята.": 2}


async def question(simulation: Simulation) -> None:
    simulation.world.sms(b"how?", to="500")
    await simulation.settle()
    simulation.world.sms(b"and when?", to="500")
    await simulation.settle()
    await do(simulation, lambda: simulation.gateway.desk.answer(1, "Завтра."))
    await do(simulation, lambda: simulation.gateway.desk.close(1, "solved"))
    await simulation.to_the_end()


def question_answered(simulation: Simulation) -> None:
    (row,) = tasks(simulation)
    assert (row.state, row.result) == (TaskState.DONE, "solved")
    written = Counter(line.text for line in row.lines)
    assert written["how?"] == written["and when?"] == 1
    # A person whose process died before it was confirmed says it again, and then it is there twice.
    texts = posted(simulation)
    assert texts["Спасибо за вопрос."] == 1
    assert texts["Завтра."] == written["Завтра."] in (1, 2)


async def start(simulation: Simulation) -> None:
    simulation.world.sms(b"book", to="600")
    await simulation.to_the_end()


def started_once(simulation: Simulation) -> None:
    assert posted(simulation) == {"Записали.": 1, "Ждём вас через час.": 1}
    assert simulation.world.inbox.count("Ждём вас через час.") >= 1
    assert len(simulation.gateway.starts) == 0


async def rating(simulation: Simulation) -> None:
    simulation.world.keys = {"услугу": "5", "вежливость": "4"}
    simulation.world.dial("*9#")
    await simulation.to_the_end()


def rated_once(simulation: Simulation) -> None:
    rows = simulation.gateway.store.ratings(0, 100)
    scores = [(row.topic, row.score) for row in rows if row.score is not None]
    assert len(scores) == len(set(scores))
    assert set(scores) <= {("service", 5), ("polite", 4)}
    if "Спасибо." in simulation.world.screens:
        assert len(scores) == 2


TALKS: dict[str, tuple[Callable[[Simulation], Awaitable[None]], Callable[[Simulation], None]]] = {
    "callback": (callback, callback_stands),
    "question": (question, question_answered),
    "start": (start, started_once),
    "rating": (rating, rated_once),
}


def tasks(simulation: Simulation) -> list[TaskRow]:
    store = simulation.gateway.store
    (count,) = store._read.execute("SELECT count(*) FROM task").fetchone()
    rows = [store.find_task(number + 1) for number in range(count)]
    assert all(row is not None for row in rows), "a number was left out"
    return [row for row in rows if row is not None]


def posted(simulation: Simulation) -> Counter[str]:
    store = simulation.gateway.store
    rows = store._read.execute("SELECT * FROM outbox").fetchall()
    return Counter(store._form.open_outbox(row).text for row in rows)


def play(root: Path, monkeypatch: pytest.MonkeyPatch, name: str, kind: str, at: int) -> int:
    """Play a talk to its end, with something happening at point `at`; returns how many points there were."""
    lay_out(root, ALL)
    world = World(root, kind, at)
    talk, check = TALKS[name]

    async def run() -> None:
        simulation = Simulation(world, monkeypatch)
        await simulation.start()
        try:
            await talk(simulation)
            check(simulation)
            assert simulation.gateway.host.counters["faults"] == 0
            assert all(one.status == 0 for one in world.deliveries), "a message was never taken"
            assert not simulation.gateway.host.conversations
        finally:
            await simulation.stop()

    try:
        asyncio.run(run())
    except Exception as fault:
        fault.add_note(f"point {at}: {world.happened or 'nothing happened'}")
        raise
    return world.points


@pytest.mark.parametrize("name", TALKS)
@pytest.mark.parametrize("kind", ["kill", "fail", "cut"])
def test_every_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, kind: str) -> None:
    points = play(tmp_path / "0", monkeypatch, name, kind, 0)
    assert points > 5
    wrong = []
    for at in range(1, points + 1):
        try:
            play(tmp_path / str(at), monkeypatch, name, kind, at)
        except AssertionError as difference:
            wrong.append(f"{difference} {difference.__notes__}")
    assert not wrong, "\n".join(wrong)
