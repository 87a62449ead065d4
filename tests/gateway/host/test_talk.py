"""What a subscriber writes while his session is busy belongs to that session: no second one beside it."""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.gateway.host.rig import PROJECT, Rig, failing
from tests.gateway.host.test_people import PROJECT_FILES, QUEUES, lay_out, running, tasks

QUESTION = """\
flow:
  title: Вопрос по SMS
  sms: "700"

start:
  - request: shop.look
    save: found
  - if: found.price > 100
    then:
      - ask: Помогло?
        type: yes_no
        save: helped
      - if: helped
        then:
          end: Рады помочь!
  - if: found.price > 50
    then:
      end: Это просто.
  - queue: questions
    save: call
    closed:
      end: Закрыто.
    no_agent:
      end: Никого нет.
  - end: Спасибо за вопрос.
"""
MONEY = """\
flow:
  title: Покупка с вопросом
  sms: "701"

start:
  - request: shop.look
    save: found
  - ask: Списать {{ found.price|money }}?
    type: yes_no
    save: sure
  - if: sure
    then:
      request: shop.buy
      with: { item: "'a'" }
      errors:
        unknown:
          end: Проверяем.
  - end: Готово.
"""
COLOUR = """\
flow:
  title: Цвет
  sms: { to: "700", words: [цвет] }

start:
  - ask: Какой?
    save: colour
  - end: "{{ colour }}"
"""
ALL = {
    **PROJECT_FILES,
    "config/project.yaml": PROJECT + QUEUES,
    "flows/asked.yaml": QUESTION,
    "flows/money.yaml": MONEY,
    "flows/colour.yaml": COLOUR,
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    lay_out(tmp_path, ALL)
    return tmp_path


def lines(rig: Rig) -> list[str]:
    (task,) = tasks(rig)
    return [line.text for line in task.lines]


async def test_eleven_messages_to_a_slow_back_end_are_one_task(root: Path, monkeypatch: pytest.MonkeyPatch):
    async with running(root, monkeypatch) as rig:
        for number in range(11):
            await rig.write(f"вопрос {number}", "700")
        assert rig.waiting == ["backend"]
        assert len(rig.backend.calls) == 1
        await rig.reply("done", {"price": Decimal(10)})
        assert rig.waiting == ["people"]
        assert lines(rig) == [f"вопрос {number}" for number in range(11)]
        await rig.write("ещё", "700")
        assert lines(rig)[-1] == "ещё"
        assert rig.waiting == ["people"]


async def test_what_is_held_outlives_a_restart(root: Path, monkeypatch: pytest.MonkeyPatch):
    async with running(root, monkeypatch) as rig:
        await rig.write("первый", "700")
        await rig.write("второй", "700")
    async with running(root, monkeypatch) as rig:
        assert rig.waiting == ["backend"]
        await rig.write("третий", "700")
        await rig.reply("done", {"price": Decimal(10)})
        assert lines(rig) == ["первый", "второй", "третий"]


async def test_a_held_message_answers_the_question(root: Path, monkeypatch: pytest.MonkeyPatch):
    async with running(root, monkeypatch) as rig:
        await rig.write("вопрос", "700")
        await rig.write("да", "700")
        await rig.reply("done", {"price": Decimal(200)})
        assert rig.texts == ["Помогло?", "Рады помочь!"]
        assert rig.waiting == []


async def test_after_the_end_a_held_message_begins_anew(root: Path, monkeypatch: pytest.MonkeyPatch):
    async with running(root, monkeypatch) as rig:
        await rig.write("вопрос", "700")
        await rig.write("другой", "700")
        await rig.write("к другому", "700")
        await rig.reply("done", {"price": Decimal(70)})
        assert rig.texts == ["Это просто."]
        assert rig.waiting == ["backend"]
        await rig.reply("done", {"price": Decimal(10)})
        assert lines(rig) == ["другой", "к другому"]


async def test_nobody_agrees_to_a_charge_he_has_not_read_of(root: Path, monkeypatch: pytest.MonkeyPatch):
    async with running(root, monkeypatch) as rig:
        await rig.write("купить", "701")
        await rig.write("да", "701")
        await rig.reply("done", {"price": Decimal(200)})
        assert rig.waiting == ["answer"]
        assert len(rig.backend.calls) == 1
        rig.jump(2_000)  # the question is read
        await rig.write("да", "701")
        assert rig.waiting == ["backend"]
        assert [name for name, _, _ in rig.backend.calls] == ["shop.look", "shop.buy"]


async def test_a_message_that_could_not_be_stored_is_held_nowhere(
    root: Path, monkeypatch: pytest.MonkeyPatch
):
    async with running(root, monkeypatch) as rig:
        await rig.write("вопрос", "700")
        with failing():
            await rig.write("второй", "700")
        assert rig.statuses[-1] != 0
        (one,) = rig.gateway.host.conversations.values()
        assert one.held == ()
        await rig.reply("done", {"price": Decimal(10)})
        assert lines(rig) == ["вопрос"]


async def test_an_older_question_is_answered_when_the_newer_talk_is_over(
    root: Path, monkeypatch: pytest.MonkeyPatch
):
    async with running(root, monkeypatch) as rig:
        await rig.write("вопрос", "700")
        await rig.reply("done", {"price": Decimal(200)})
        await rig.write("цвет", "700")
        await rig.write("синий", "700")
        assert rig.texts == ["Помогло?", "Какой?", "синий"]
        await rig.write("нет", "700")
        assert rig.texts[-1] == "Это просто."
