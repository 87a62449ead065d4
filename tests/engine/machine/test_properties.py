"""Whatever is pressed: no crash, the budget holds, and a restart at any wait changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.effects import CallBackend, Collect, End
from engine.inputs import BackendReplied, Begin, HungUp, Input, Late, Looked, Silence, Text, Unshown
from engine.machine import advance, begin
from engine.prompts import fits
from engine.reading.flow_set import load_project
from engine.session import Waiting, dump, is_secret, load
from tests.engine.machine.script import CALLER, Player, cases, compiled, files_of, shipped

SHIPPED = shipped()
VALUES: dict[str, Any] = {
    "billing.package": "{ tariff: Smart, service: yes, fee: 490, balance: 600, blocked: no, "
    "unpaid: no, period: month }",
    "billing.account": "{ balance: 120.50, tariff: Smart }",
    "billing.packages": "{ minutes: 121, sms: 40, mb: 3500, until: 2026-12-01 }",
    "billing.tariffs": "{ current: Smart, others: [{ id: t1, name: Ultra, fee: 990 }] }",
    "billing.options": "{ options: [{ id: a, name: Очень длинное имя опции, fee: 1, on: no },"
    "{ id: b, name: Ещё одно длинное имя, fee: 1, on: yes },"
    "{ id: c, name: Третье имя опции, fee: 1, on: no }] }",
    "billing.payments": "{ payments: [] }",
    "billing.promise_terms": "{ allowed: yes, sum: 200, fee: 10, days: 3 }",
    "billing.auto_payment": "{ on: yes, sum: 1, below: 2 }",
    "billing.top_up": "{ sum: 300, balance: 1 }",
    "crm.account": "{ contract: '1', balance: 250, pay_by: 2026-12-01, login: ivan, password: qwerty }",
}
OUTCOMES = ("unavailable", "timeout", "unknown", "bad_answer", "low_balance", "nonsense")
TYPED = st.one_of(
    st.sampled_from(["0", "00", "1", "2", "3", "4", "5", "9", "100", "12345678901234", "", "#", "*", "да"]),
    st.text(max_size=30),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("text"), TYPED),
        st.tuples(st.just("reply"), st.sampled_from(("done", "done", "done", *OUTCOMES))),
        st.tuples(st.sampled_from(["silence", "hangup", "late", "unshown"]), st.just("")),
    ),
    max_size=25,
)


def input_of(player: Player, kind: str, word: str) -> Input:
    session = player.session
    assert session is not None
    match kind:
        case "text":
            return Text(word)
        case "reply":
            if word != "done" or session.waiting is not Waiting.BACKEND:
                return BackendReplied(session.call, word)
            frame = session.frames[-1]
            step: Any = SHIPPED.flows[frame.flow].program[frame.pc]
            return BackendReplied(session.call, "done", player.typed(VALUES.get(step.operation.name, "")))
        case "silence":
            return Silence()
        case "hangup":
            return HungUp("x")
        case "late":
            return Late()
    return Unshown("x")


@given(
    code=st.sampled_from(
        ["*929#", "*100#", "*202#", "*105#", "*100*3*2#", "*100*4*1#", "*100*12345678901234#"]
    ),
    channel=st.sampled_from(["ussd", "sms"]),
    steps=STEPS,
)
@settings(max_examples=250, derandomize=True, deadline=None)
def test_random_subscribers(code: str, channel: str, steps: list[tuple[str, str]]) -> None:
    plain, restarted = Player(SHIPPED, restart=False), Player(SHIPPED, restart=True)
    for player in (plain, restarted):
        player.dial(code, channel=channel)
    charges = 0
    for kind, word in steps:
        given_ = input_of(plain, kind, word)
        before = plain.session
        assert plain.give(given_) == restarted.give(given_)
        assert plain.session == restarted.session
        for effect in plain.effects:
            if isinstance(effect, Collect | End) and isinstance(effect.text, str) and channel == "ussd":
                assert fits(effect.text, SHIPPED.project.capabilities["ussd"].pages)
            if isinstance(effect, CallBackend):
                charges += SHIPPED.operations[effect.operation].charge
        assert plain.session.steps <= 560
        if before.waiting is Waiting.ENDED:
            assert plain.session.waiting is Waiting.ENDED
        if plain.session.waiting is Waiting.ENDED:
            assert plain.session.frames == ()
            assert not plain.session.history


CASES = [case for folder in ("steps", "control") for _, case in cases(folder)]


@pytest.mark.parametrize("case", CASES, ids=[str(number) for number in range(len(CASES))])
def test_hang_up_at_any_wait(case: dict[str, Any]) -> None:
    """Wherever a subscriber leaves, the session ends or waits only for a charge."""
    flows, _ = load_project(files_of(case))
    assert flows is not None
    script = [line[1:].strip() for line in case["script"].splitlines() if line.startswith(">")]
    for length in range(len(script) + 1):
        player = Player(flows, **case.get("looked", {}))
        options = dict(case.get("begin", {}))
        player.start(options.pop("flow", next(iter(case["flows"]))), **options)
        for line in script[:length]:
            player.type(line)
        player.give(HungUp("x"))
        session = player.session
        assert session.waiting in (Waiting.ENDED, Waiting.BACKEND)
        if session.waiting is Waiting.BACKEND:
            player.give(BackendReplied(session.call, "unavailable"))


HOSTILE = [
    "{{ 7*7 }}",
    "{% raw %}",
    "\x00\x07",
    "😀" * 500,
    "a" * 5000,
    "\u202eabc",
    "__class__",
    "' or 1=1",
    "\ud800",
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("type_", ["text", "int", "money", "date", "time", "phone", "digits", "yes_no"])
def test_hostile_answers(text: str, type_: str) -> None:
    flows = compiled(
        {"m": f"flow: {{}}\nstart:\n  - ask: Что?\n    type: {type_}\n    save: a\n  - end: '{{{{ a }}}}'\n"}
    )
    player = Player(flows, restart=text != "\ud800")
    player.start("m")
    player.type(text)
    assert player.session.waiting in (Waiting.ENDED, Waiting.ANSWER, Waiting.READING)
    if type_ != "text":
        assert player.session.waiting is Waiting.ANSWER


def test_a_secret_is_in_no_text_but_the_sealed_one() -> None:
    text = """
flow: { ussd: "*1*{code:secret(14)}#" }
start:
  - ask: Пароль?
    secret: yes
    save: word
  - log: "{{ word }} {{ code }}"
  - request: b.tell
    with: { word: "'x'", pin: word }
  - ask: Дальше?
"""
    flows = compiled({"m": text})
    player = Player(flows)
    player.dial("*1*12345678901234#")
    assert is_secret(player.session)
    player.type("qwerty")
    seen = [repr(player.session), repr(player.effects)]
    player.type("~done")
    seen += [repr(player.session), repr(player.effects)]
    assert not any("qwerty" in part or "12345678901234" in part for part in seen)
    assert is_secret(load(dump(player.session)))


def test_a_look_with_the_wrong_number_of_answers_is_not_awaited() -> None:
    flows = compiled({"m": "flow: {}\nstart: [ { end: '{{ memory.seen }}' } ]\n"})
    session = begin(flows, channel="ussd", caller=CALLER, called="", lang="ru", now=0)
    waiting = advance(flows, session, Begin("m"), 0).session
    assert waiting.waiting is Waiting.LOOK
    assert advance(flows, waiting, Looked(()), 0).session == waiting
