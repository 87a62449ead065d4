"""Control flow, leaving, paging: flow-language 2.1, 2.5 and 2.6 row by row, as data."""

from __future__ import annotations

from typing import Any

import pytest

from engine.inputs import (
    AgentLeft,
    BackendReplied,
    Begin,
    Digits,
    HungUp,
    Late,
    LineReplied,
    Looked,
    Reopened,
    Silence,
    Text,
    Unshown,
)
from engine.machine import WrongBuildError, accepts, advance, begin, reopen
from engine.session import Session, Waiting
from tests.engine.machine.script import BACKENDS, PROJECT, Player, cases, compiled, play

CASES = cases("control")


@pytest.mark.parametrize("case", [case for _, case in CASES], ids=[name for name, _ in CASES])
def test_control(case: dict[str, Any]) -> None:
    expected, actual = play(case)
    assert actual == expected


FLOW = """
flow: { title: t }
start:
  - request: b.look
    save: p
  - ask: Имя {{ memory.seen }}?
    save: name
  - end: Это довольно длинный последний текст, который никак не помещается на одну страницу экрана.
"""

INPUTS = [
    Begin("m"), Text("x"), Digits("1"), Silence(), HungUp("x"), Late(), Unshown("x"),
    BackendReplied(1, "done", {"sum": 1, "items": []}), Looked((0,)), AgentLeft(1),
    LineReplied(1, "done", "x"), Reopened(),
]  # fmt: skip

AWAITED = {
    Waiting.BEGIN: {Begin},
    Waiting.ANSWER: {Text, Digits, Silence, HungUp, Unshown},
    Waiting.READING: {Text, Digits, Silence, HungUp, Unshown},
    Waiting.BACKEND: {BackendReplied, Late, HungUp},
    Waiting.LOOK: {Looked, Late, HungUp},
    Waiting.PEOPLE: {AgentLeft, HungUp},
    Waiting.LINE: {LineReplied, HungUp},
    Waiting.PAUSE: {Silence, HungUp},
    Waiting.OFFER: {Reopened, Text, Digits, Silence, HungUp, Unshown},
    Waiting.ENDED: set(),
}
CALLS = {
    "people": "flow: {}\nstart: [ { queue: support } ]\n",
    "line": "flow: {}\nstart: [ { record: Говорите. } ]\n",
    "pause": "flow: {}\nstart: [ { wait: 2s } ]\n",
}


def sessions() -> dict[Waiting, Session]:
    flows = compiled({"m": FLOW, **CALLS})
    found = {}
    for flow in CALLS:
        call = begin(flows, channel="voice", caller="79161234567", called="0890", lang="ru", now=0)
        call = advance(flows, call, Begin(flow), 0).session
        found[call.waiting] = call
    session = begin(flows, channel="ussd", caller="79161234567", called="*1#", lang="ru", now=0)
    for given in (*INPUTS[:1], INPUTS[7], INPUTS[8], INPUTS[1], HungUp("x")):
        found[session.waiting] = session
        session = advance(flows, session, given, 0).session
    found[session.waiting] = session
    found[Waiting.OFFER] = reopen(flows, found[Waiting.ANSWER], 0)
    return found


@pytest.mark.parametrize("waiting", Waiting)
@pytest.mark.parametrize("given", INPUTS, ids=lambda given: type(given).__name__)
def test_an_input_that_is_not_awaited_leaves_the_session_untouched(waiting: Waiting, given: Any) -> None:
    flows = compiled({"m": FLOW, **CALLS})
    session = sessions()[waiting]
    turn = advance(flows, session, given, 5)
    if type(given) in AWAITED[waiting]:
        assert turn.session != session
    else:
        assert turn.session == session
        (note,) = turn.effects
        assert note.event == "ignored_input"


def test_an_answer_to_another_call_is_not_awaited() -> None:
    flows = compiled({"m": FLOW, **CALLS})
    session = sessions()[Waiting.BACKEND]
    assert advance(flows, session, BackendReplied(7, "done"), 0).session == session


def test_a_session_of_another_build_is_refused() -> None:
    one, other = compiled({"m": FLOW}), compiled({"m": FLOW.replace("Имя", "Кто")})
    session = begin(one, channel="ussd", caller="", called="", lang="ru", now=0)
    with pytest.raises(WrongBuildError):
        advance(other, session, Begin("m"), 0)
    with pytest.raises(WrongBuildError):
        reopen(other, session, 0)
    assert not accepts(other, session, "x", 0)


def test_a_flow_that_is_not_there_leaves_the_session_untouched() -> None:
    flows = compiled({"m": FLOW})
    session = begin(flows, channel="ussd", caller="", called="", lang="ru", now=0)
    assert advance(flows, session, Begin("nothing"), 0).session == session


def test_silence_at_the_end_of_the_session_time_means_gone() -> None:
    player = Player(compiled({"m": "flow: {}\nstart: [ { ask: Имя?, timeout: 1h } ]\n"}))
    player.start("m")
    collect = player.effects[0]
    assert collect.timeout_ms == 180_000
    assert player.type("~silence") == ["= - [gone]"]


def test_time_outs_of_the_channel_and_of_the_step() -> None:
    flows = compiled({"m": "flow: {}\nstart: [ { ask: Имя? }, { ask: Код?, timeout: 5s } ]\n"})
    player = Player(flows)
    player.start("m")
    assert player.effects[0].timeout_ms == 60_000
    player.type("Иван")
    assert player.effects[0].timeout_ms == 5_000
    assert player.session.deadline == player.now + 5_000


def test_the_same_input_gives_the_same_turn() -> None:
    flows = compiled({"m": FLOW, **CALLS})
    session = sessions()[Waiting.ANSWER]
    assert advance(flows, session, Text("x"), 9) == advance(flows, session, Text("x"), 9)


def test_constant_screens_are_marked() -> None:
    text = """
flow: {}
start:
  - menu: Что?
    1 Это:
  - ask: Имя {{ company }}?
    save: name
  - end: Всё
"""
    player = Player(compiled({"m": text}))
    player.start("m")
    assert player.effects[0].constant
    player.type("1")
    assert player.effects[0].constant, "a project constant is no variable"
    player.type("Иван")
    assert player.effects[0].constant
    said = Player(compiled({"m": "flow: {}\nstart: [ { say: а }, { end: б } ]\n"}))
    said.start("m")
    assert not said.effects[0].constant


def test_what_an_open_question_accepts() -> None:
    flows = compiled({"m": "flow: {}\nstart:\n  - menu: Что?\n    1 Это:\n    2 То:\n"})
    player = Player(flows)
    player.start("m", channel="sms", called="9290")
    assert accepts(flows, player.session, "1", player.now)
    assert accepts(flows, player.session, " 2 ", player.now)
    assert not accepts(flows, player.session, "сбой", player.now)


def test_coverage_sees_steps_and_branches() -> None:
    flows = compiled({"m": "flow: {}\nstart:\n  - if: yes\n    then: { say: а }\n    else: { say: б }\n"})
    player = Player(flows)
    player.start("m")
    program = flows.flows["m"].program
    lines = {(program[pc].line, branch) for _, pc, branch in player.trace}
    assert (3, "then") in lines
    assert (3, "else") not in lines
    assert ("m", flows.flows["m"].entry, "") in player.trace


def test_an_event_flow_has_its_payload() -> None:
    text = "flow: { event: b.done }\nstart: [ { sms: 'Пришло {{ event.sum|money }}' } ]\n"
    flows = compiled({"m": text}, PROJECT, BACKENDS)
    (flow,) = flows.on_event("b.done")
    assert flows.event_trigger(flow, "b.done").event == "b.done"
    player = Player(flows)
    lines = player.start(flow.id, channel="event", event={"phone": "7916", "sum": 12})
    assert lines == ["sms 79161234567 000500: Пришло 12 ₽", "= - [left]"]


def test_a_key_that_turns_the_pages_is_for_the_question() -> None:
    text = """
flow: {}
start:
  - request: b.look
    save: p
  - menu: Что?
    each: p.items as x
    item: "{{ x }}"
"""
    flows = compiled({"m": text})
    player = Player(flows)
    player.start("m", channel="sms", called="9290")
    player.type("~done { sum: 1, items: [а, б, в, г, д, е, ж, з, и] }")
    assert accepts(flows, player.session, "9", player.now)
    player.type("9")
    assert not accepts(flows, player.session, "9", player.now)
    assert accepts(flows, player.session, "1", player.now)
