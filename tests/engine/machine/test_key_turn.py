"""The short way of a turn gives exactly what the long way gives.

With a trace the machine takes the long way; everything it can do with the flows of the sample project is
played with and without one.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from engine.effects import CallBackend, End, Look
from engine.flow_set import FlowSet
from engine.inputs import BackendReplied, Begin, Input, Looked, Text
from engine.key_turn import key_turn
from engine.machine import Turn, advance, begin
from engine.reading.flow_set import load_project
from engine.session import Session, Waiting

ROOT = Path(__file__).parents[3]
NOW = 1_795_345_200_000
KEYS = ("1", "2", "3", "4", "5", "9", "0", "#", "", " 1", "да", "79161234567", "500")
WALKS, TURNS = 40, 12

MENUS = {
    "config/project.yaml": "language: 1\nlanguages: [ru]\ncountry: RU\ntimezone: Europe/Moscow\n",
    "flows/menus.yaml": """\
flow:
  title: Меню
  ussd: "*5#"

start:
  - set: { price: 90, product: "'Мир'" }
  - menu: Здравствуйте
    1 Цена: price
    2 Кто я: who
    3 Длинное: long
    4 Вопрос: question
price:
  - menu: "{{ product }}: {{ price }} за месяц"
    1 Дальше: who
    2 Снова: price
who:
  - menu: Ваш номер {{ caller }}, набрано {{ called }}
    1 Цена: price
    2 Конец: done
long:
  - menu: Очень длинный текст, {{ product }}, для которого одной страницы будет мало, как ни считай
    1 Цена и условия для всех, кто пришёл впервые: price
    2 Конец: done
question:
  - ask: Сколько, {{ product }}?
    type: int
    save: many
  - menu: Всего {{ many }}
    1 Цена: price
done:
  - end: Всё
""",
}


def read(files: dict[str, str]) -> FlowSet:
    flows, report = load_project(files)
    assert flows is not None, report.diagnostics
    return flows


@pytest.fixture(scope="module")
def menus() -> FlowSet:
    return read(MENUS)


def sample() -> FlowSet:
    files = {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for folder, kind in (("config", "*.yaml"), ("flows", "*.yaml"))
        for path in (ROOT / folder).rglob(kind)
        if not path.name.endswith(".test.yaml") and "dialects" not in path.parts
    }
    return read({name: text for name, text in files.items() if name != "config/gateway.yaml"})


def both_ways(flows: FlowSet, session: Session, given: Input, now: int) -> Turn:
    turn = advance(flows, session, given, now)
    assert turn == advance(flows, session, given, now, [])
    return turn


def walk(flows: FlowSet, code: str, rng: random.Random) -> int:
    """Play one dialog at random; returns how many of its turns took the short way."""
    start = flows.dial(code)
    assert start is not None
    session = begin(flows, channel="ussd", caller="79161234567", called=code, lang="ru", now=NOW)
    given: Input = Begin(start.flow, start.arguments, start.ahead)
    now, short = NOW, 0
    for _ in range(TURNS):
        if isinstance(given, Text) and session.waiting is Waiting.ANSWER:
            short += key_turn(flows, session, given.text, now) is not None
        turn = both_ways(flows, session, given, now)
        session, now = turn.session, now + rng.choice((0, 1_000, 40_000))
        last = turn.effects[-1] if turn.effects else None
        if isinstance(last, End):
            break
        if isinstance(last, CallBackend):
            given = BackendReplied(last.call, "unavailable")
        elif isinstance(last, Look):
            given = Looked(tuple(0 for _ in last.questions))
        else:
            given = Text(rng.choice(KEYS))
    return short


def test_every_turn_of_the_menus_is_the_same_both_ways(menus: FlowSet) -> None:
    rng = random.Random(1)
    assert sum(walk(menus, "*5#", rng) for _ in range(10 * WALKS)) > WALKS, "the short way is taken"


def test_every_turn_of_the_sample_project_is_the_same_both_ways() -> None:
    flows = sample()
    rng = random.Random(2)
    codes = [
        trigger.pattern for flow in flows.flows.values() for trigger in flow.ussd if not trigger.parameters
    ]
    assert codes
    for code in codes:
        for _ in range(WALKS):
            walk(flows, code, rng)


def test_what_is_unusual_takes_the_long_way(menus: FlowSet) -> None:
    session = begin(menus, channel="ussd", caller="79161234567", called="*5#", lang="ru", now=NOW)
    start = menus.dial("*5#")
    assert start is not None
    session = advance(menus, session, Begin(start.flow), NOW).session
    advance(menus, session, Text("1"), NOW)  # the screens are made when they are first asked for
    assert key_turn(menus, session, "1", NOW) is not None
    assert key_turn(menus, session, "7", NOW) is None, "no such line"
    assert key_turn(menus, session, "3", NOW) is None, "more than one page"
    total = menus.channels["ussd"].total_ms
    assert total is not None
    assert key_turn(menus, session, "1", NOW + total - 1_000) is None, (
        "the time of the session is nearly over"
    )
