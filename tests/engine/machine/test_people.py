"""People behind a flow: what they are told, and that nothing a subscriber or they do breaks a session."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.effects import Enqueue, OrderCallback
from engine.inputs import (
    AgentLeft,
    BackendReplied,
    Digits,
    HungUp,
    Input,
    LineReplied,
    Reopened,
    Silence,
    Unshown,
)
from engine.machine import reopen
from engine.session import Session, Waiting, dump, load
from tests.engine.machine.script import BACKENDS, CALLER, Player, compiled

FLOW = """
flow: { title: t, sms: "9290" }
start:
  - request: b.person
    save: p
  - menu: "Вы {{ p.name }}, договор {{ p.contract }}?"
    1 Тариф {{ p.tariff }}:
    2 Договор {{ p.contract }}:
  - ask: Код?
    type: digits
    save: code
  - ask: Пароль?
    type: digits
    secret: yes
    save: pin
  - ask: Номер карты?
    type: digits
    save: card
  - ask: Адрес?
    save: address
  - request: b.tell
    with: { address: address }
  - set: { copy: p.contract }
  - menu: "Договор {{ copy }}?"
    each: p.plans as x
    item: "{{ x.title }} {{ x.owner }}"
  - menu: Тариф?
    each: p.plans as x
    item: "{{ x.title }}"
  - ask: Всё?
    type: yes_no
    save: done
  - callback: support
  - end: Да.
"""
PERSON = """
b:
  url: http://b
  person:
    get: "/p/{phone}"
    returns: { name: pii, contract: pii, tariff: text, plans: [{ title: text, owner: pii }] }
  tell: { post: /tell, takes: { address: pii } }
"""


def test_the_trail_tells_what_was_done_and_nothing_private() -> None:
    player = Player(compiled({"m": FLOW}, backends=PERSON))
    player.start("m", channel="sms", called="9290", text="Карта 4000123412341234 не работает")
    value = "{ name: Иван, contract: '780012345', tariff: Smart, plans: [{ title: Ultra, owner: Пётр }] }"
    player.type(f"~done {value}")
    for answer in ("1", "1234", "9876", "4000123412341234", "Ленина 5"):
        player.type(answer)
    player.type("~done")
    for answer in ("1", "1", "да"):
        player.type(answer)
    (order,) = [effect for effect in player.effects if isinstance(effect, OrderCallback)]
    assert order.trail == (
        "9290: Карта 4000***1234 не работает",
        "… Тариф Smart",
        "Код? 1234",
        "Пароль? …",
        "Номер карты? 4000***1234",
        "Адрес? …",
        "… …",
        "Тариф? Ultra",
        "Всё? Да",
    )


def test_only_the_last_twenty_things_are_kept() -> None:
    questions = "".join(f"  - ask: Вопрос {number}?\n    type: int\n" for number in range(25))
    player = Player(compiled({"m": f"flow: {{}}\nstart:\n{questions}  - queue: support\n"}))
    player.start("m", channel="voice")
    for number in range(25):
        player.type(str(number))
    (place,) = [effect for effect in player.effects if isinstance(effect, Enqueue)]
    assert len(place.trail) == 20
    assert place.trail[0] == "Вопрос 5? 5"
    assert place.trail[-1] == "Вопрос 24? 24"


def test_an_entry_is_short_and_on_one_line() -> None:
    flow = "flow: {}\nstart: [ { ask: Что?, save: a }, { ask: Ещё?, save: b } , { callback: support } ]\n"
    player = Player(compiled({"m": flow}))
    player.start("m")
    player.type("один\nдва " + "я" * 500)
    assert player.session is not None
    entry = player.session.trail[-1]
    assert entry.startswith("Что? один два я")
    assert len(entry) == 160


def test_without_people_nothing_is_kept() -> None:
    flow = "flow: {}\nstart: [ { ask: Что?, save: a }, { ask: Ещё?, save: b } ]\n"
    player = Player(compiled({"m": flow}))
    player.start("m")
    player.type("один")
    assert player.session is not None
    assert player.session.trail == ()


CALL = """
flow:
  title: t
  call: "0890"
  resume: 5m
  operator: { run: people }
  hangup: [ { log: ушёл }, { callback: support } ]
start:
  - say: Здравствуйте.
  - go: menu
menu:
  - menu: Меню.
    1 Люди: { run: people }
    2 Запись:
      - record: Говорите.
        max: 30s
        save: words
      - callback: day
        note: "{{ words }}"
        within: 1 workday
    3 Перевод:
      - connect: "74957660166"
        busy: menu
    4 Покупка:
      - request: b.buy
        with: { fee: 1 }
        errors: { unknown: , else: }
    5 Пауза:
      - wait: 3s
      - schedule: people
        in: 1h
  - go: menu
"""
PEOPLE = """
flow: { title: p }
start:
  - say: Разговор записывается.
    notice: recording
  - queue: support
    callback_after: 2m
    survey: survey
    save: call
    full: { end: Занято. }
  - end: "{{ call.waited }}"
"""
SURVEY = """
flow: { title: s }
start:
  - rate: { call: Оценка?, wait: Ждали? }
    save: mark
  - end: "{{ 'Спасибо.' if mark.call > 3 else 'Жаль.' }}"
"""
SET = compiled({"m": CALL, "people": PEOPLE, "survey": SURVEY})
OUTCOMES = ("answered", "answered", "closed", "full", "no_agent", "timeout", "waiting", "nonsense", "")
DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("press"), st.sampled_from(["1", "2", "3", "4", "5", "9", "0", "*", "#", "", "12"])),
        st.tuples(st.just("agent"), st.sampled_from(OUTCOMES)),
        st.tuples(st.just("left"), st.sampled_from(["solved", "escalate", "", "rm"])),
        st.tuples(st.just("line"), st.sampled_from(["done", "busy", "no_answer", "failed"])),
        st.tuples(st.just("reply"), st.sampled_from(["done", "unknown", "unavailable"])),
        st.tuples(st.sampled_from(["silence", "hangup", "unshown", "stale", "reopen"]), st.just("")),
    ),
    max_size=30,
)


def input_of(session: Session, kind: str, word: str) -> Input:
    match kind:
        case "press":
            return Digits(word)
        case "agent":
            return AgentLeft(session.call, word, "solved")
        case "left":
            return AgentLeft(session.call, "answered", word, stayed=False)
        case "line":
            return LineReplied(session.call, word, "recording")
        case "reply":
            return BackendReplied(session.call, word, {"number": 1, "by": None, "left": 1})
        case "silence":
            return Silence()
        case "stale":
            return AgentLeft(session.call - 1, "answered")
        case "unshown":
            return Unshown("x")
        case "reopen":
            return Reopened()
    return HungUp("x")


@given(deeds=DEEDS)
@settings(max_examples=300, derandomize=True, deadline=None)
def test_random_callers_and_people(deeds: list[tuple[str, str]]) -> None:
    """A restart at any wait changes nothing, a budget holds, and what has ended stays so."""
    plain, restarted = Player(SET, restart=False), Player(SET, restart=True)
    for player in (plain, restarted):
        player.start("m", channel="voice", called="0890")
    for kind, word in deeds:
        session = plain.session
        assert session is not None
        if kind == "reopen":
            if session.waiting not in (Waiting.ANSWER, Waiting.OFFER):
                continue
            plain.session = reopen(SET, session, plain.now)
            restarted.session = reopen(SET, load(dump(session)), plain.now)
        given_ = input_of(session, kind, word)
        assert plain.give(given_) == restarted.give(given_)
        assert plain.session == restarted.session
        assert plain.session is not None
        assert plain.session.steps <= 560
        assert len(plain.session.trail) <= 20
        if session.waiting is Waiting.ENDED:
            assert plain.session.waiting is Waiting.ENDED


@pytest.mark.parametrize("outcome", ["closed", "no_agent", "timeout", "nonsense", ""])
def test_a_queue_that_fails_again_and_again_comes_to_an_end(outcome: str) -> None:
    project_operator = "flow: { operator: { go: start } }\nstart: [ { queue: support } ]\n"
    player = Player(compiled({"m": project_operator}, backends=BACKENDS))
    player.start("m", channel="voice", caller=CALLER)
    for _ in range(10):
        session: Any = player.session
        player.give(AgentLeft(session.call, outcome))
    assert player.session is not None
    assert player.session.waiting is Waiting.ENDED
