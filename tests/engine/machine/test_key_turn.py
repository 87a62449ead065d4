"""The short way of a turn gives exactly what the long way gives.

With a trace the machine takes the long way; everything it can do with the flows of the sample project, and
with flows made at random, is played with and without one.
"""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from engine.effects import CallBackend, End, Look
from engine.flow_set import FlowSet
from engine.inputs import BackendReplied, Begin, Input, Looked, Text
from engine.key_turn import key_turn
from engine.machine import Turn, advance, begin
from engine.session import Session, Waiting
from tests.engine.machine.script import read, shipped

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


@pytest.fixture(scope="module")
def menus() -> FlowSet:
    return read(MENUS)


def both_ways(flows: FlowSet, session: Session, given: Input, now: int) -> Turn:
    turn = advance(flows, session, given, now)
    assert turn == advance(flows, session, given, now, [])
    return turn


def walk(
    flows: FlowSet, code: str, rng: random.Random, channel: str = "ussd", keys: tuple[str, ...] = KEYS
) -> int:
    """Play one dialog at random; returns how many of its turns took the short way."""
    start = flows.dial(code)
    assert start is not None
    caller = rng.choice(("79161234567", "79161234567", ""))
    session = begin(flows, channel=channel, caller=caller, called=code, lang="ru", now=NOW)
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
            given = Text(rng.choice(keys))
    return short


def test_every_turn_of_the_menus_is_the_same_both_ways(menus: FlowSet) -> None:
    rng = random.Random(1)
    assert sum(walk(menus, "*5#", rng) for _ in range(10 * WALKS)) > WALKS, "the short way is taken"


def test_every_turn_of_the_sample_project_is_the_same_both_ways() -> None:
    flows = shipped()
    rng = random.Random(2)
    codes = [
        trigger.pattern for flow in flows.flows.values() for trigger in flow.ussd if not trigger.parameters
    ]
    assert codes
    for code in codes:
        for _ in range(WALKS):
            walk(flows, code, rng)


CONDITIONS = (
    "n > 3",
    "n % 2 == 0 and channel == 'ussd'",
    "caller == '79161234567'",
    "name in ['Мир', 'Лето'] or n < 1",
    "10 / (n - 2) > 3",
    "name|length > 4",
    "today|date != ''",
    "topic == 'world'",
)
TEXTS = (
    "Всего {{ n }}",
    "{{ name }} для {{ caller }}",
    "Итого {{ (n * 100)|money }} сегодня, {{ today|date }}",
    "{% if n > 2 %}Много{% else %}Мало: {{ n }}{% endif %}",
    "Спасибо",
    "Длинно, {{ name }}, и не для одной страницы, если она мала, как у нас и в самом деле бывает иногда",
    "Доля {{ 6 / n }}",
)
NAMES = ("'Мир'", "'Лето'", "'Очень длинное имя тарифа'", "caller", "name")
SCENES = 6


def quoted(text: str) -> str:
    return '"' + text + '"'


def light_step(rng: random.Random) -> list[str]:
    """Return a step as the lines of its YAML."""
    there = [f"s{rng.randrange(SCENES)}" for _ in range(3)]
    match rng.randrange(9):
        case 0:
            return [f"- if: {rng.choice(CONDITIONS)}", f"  then: {there[0]}"]
        case 1:
            return [
                f"- if: {rng.choice(CONDITIONS)}",
                "  then:",
                f"    - set: {{ n: n + {rng.randrange(3)} }}",
                "  else:",
                f"    - say: {quoted(rng.choice(TEXTS))}",
            ]
        case 2:
            tests = rng.sample(CONDITIONS, 2)
            return ["- when:", *(f"    {quoted(one)}: {to}" for one, to in zip(tests, there, strict=False))]
        case 3:
            return ["- switch: name", "  cases:", f"    Мир: {there[0]}", f"    Лето: {there[1]}"] + (
                [f"    else: {there[2]}"] if rng.random() < 0.7 else []
            )
        case 4:
            sums = ("n + 1", "0", "n * 2 - 3")
            return [f"- set: {{ n: {rng.choice(sums)}, name: {quoted(rng.choice(NAMES))} }}"]
        case 5:
            return [f"- set: {{ n: {rng.randrange(6)} }}"]
        case 6:
            return [f"- say: {quoted(rng.choice(TEXTS))}"]
        case 7:
            return ["- refuse:", f"    {quoted(rng.choice(CONDITIONS))}: {quoted(rng.choice(TEXTS))}"]
        case _:
            return ["- set: { n: n + 1 }"]


def last_step(rng: random.Random) -> list[str]:
    match rng.randrange(6):
        case 0:
            return [f"- end: {quoted(rng.choice(TEXTS))}"]
        case 1:
            return [f"- go: {rng.choice((f's{rng.randrange(SCENES)}', 'end'))}"]
        case 2:
            return ["- return: n"]
        case _:
            lines = [f"- menu: {quoted(rng.choice(TEXTS))}"]
            lines += [f"  {key} Дальше: s{rng.randrange(SCENES)}" for key in (1, 2, 3)]
            if rng.random() < 0.3:
                lines.append(f"  5 Ещё: {rng.choice(('end', 'back', 'main', 'hangup'))}")
            return lines


def made_up(seed: int) -> dict[str, str]:
    """Return a project with a flow of scenes that lead to each other at random."""
    rng = random.Random(seed)
    lines = ["flow:", "  title: Любой", '  ussd: "*5#"']
    if seed % 3 == 0:
        lines.append("  topic: world")
    lines += [
        "",
        "start:",
        "  - set: { n: 1, name: \"'Мир'\" }",
        "  - menu: Начало",
        "    1 Да: s0",
        "    2 Нет: fault",
    ]
    lines += ["fault:", "  - set: { n: 1 / (n - n) }", "  - set: { n: 2 }", "  - go: s1"]
    for number in range(SCENES):
        lines.append(f"s{number}:")
        for _ in range(rng.randrange(4)):
            lines += ["  " + line for line in light_step(rng)]
        lines += ["  " + line for line in last_step(rng)]
    settings = MENUS["config/project.yaml"]
    if seed % 4 > 1:
        settings += "errors:\n  ussd:\n    - say: Сбой\n  sms:\n    - say: Сбой\n"
    return {"config/project.yaml": settings, "flows/menus.yaml": "\n".join(lines) + "\n"}


@pytest.mark.parametrize("channel", ["ussd", "sms"])
def test_every_turn_of_flows_made_at_random_is_the_same_both_ways(channel: str) -> None:
    short = 0
    for seed in range(90):
        flows, rng = read(made_up(seed)), random.Random(seed)
        flows = replace(flows, trailing=seed % 2 == 0)  # whether what is done is kept for people
        short += sum(walk(flows, "*5#", rng, channel, ("1", "2", "3", "1", "2", "5")) for _ in range(20))
    assert short > 300, "the short way is taken"


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
