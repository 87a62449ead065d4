"""The short way of a first turn gives exactly what the long way gives.

The long way is `begin` and `advance` with a trace. Every plain code of the sample project and of the flows
below is dialled both ways, in every language, with hidden and with long numbers.
"""

from __future__ import annotations

from itertools import product

import pytest

from engine.effects import Collect
from engine.first_turn import first_turn
from engine.flow_set import FlowSet
from engine.inputs import Begin
from engine.machine import Turn, advance, begin
from engine.trigger import Start
from tests.engine.machine.script import read, shipped

NOW = 1_795_345_200_000
CALLERS = ("79161234567", "", "998901234567890")
PROJECT = """\
language: 1
languages: [ru, en]
country: RU
timezone: Europe/Moscow
consts: { fee: 90 }
ussd: { gsm7: 182, ucs2: 80, session: 180s, idle: 60s, reply: 10s, more: 9, back: 0, main: "00" }
memory: { lang: 90d }
"""
SHORT = {
    "plain": "- menu: Здравствуйте\n    1 Дальше: end",
    "caller": "- menu: Ваш номер {{ caller }}, набрано {{ called }}, {{ now|time }}\n    1 Дальше: end",
    "fixed": "- set: { price: 90, what: \"'Мир'\" }\n  - set: { price: 80 }\n"
    '  - ask: "{{ what }} {{ price }}?"\n    save: x',
    "secret": "- ask: Код?\n    type: digits\n    save: code\n    secret: yes",
    "patient": "- ask: Когда?\n    save: x\n    timeout: 20s",
}
"""Beginnings that are the same for all, or differ in the text only."""
LONG = {
    "long": "- menu: Очень длинный текст, для которого одной страницы будет мало, как ни считай\n"
    "    1 Цена и условия для всех, кто пришёл впервые: end",
    "said": "- say: Здравствуйте\n  - ask: Что?\n    save: x",
    "varies": '- set: { who: caller }\n  - ask: "{{ who }}?"\n    save: x',
    "fails": '- set: { zero: 0 }\n  - ask: "{{ fee / zero }}?"\n    save: x',
    "tongue": "- set: { lang: \"'en'\" }\n  - ask: Что?\n    save: x",
    "round": "- go: again_and_again\nagain_and_again:\n  - set: { x: 1 }\n  - go: again_and_again",
    "over": "- end: Всё",
    "asks": "- ask: \"{{ 'да' if memory.lang else 'нет' }}?\"\n    save: x",
}
"""Beginnings that take the long way."""


def project(beginnings: dict[str, str], more: dict[str, str] | None = None) -> FlowSet:
    files = {"config/project.yaml": PROJECT, **(more or {})}
    for number, (name, steps) in enumerate(beginnings.items(), 100):
        head = f'flow:\n  title: {name}\n  ussd: "*{number}#"\n\nstart:\n  '
        files[f"flows/{name}.yaml"] = f"{head}{steps}\n"
    return read(files)


def codes(flows: FlowSet) -> dict[str, Start]:
    patterns = (one.pattern for flow in flows.flows.values() for one in flow.ussd if not one.parameters)
    found = {code: flows.dial(code) for code in patterns}
    return {code: start for code, start in found.items() if start is not None}


def long_way(flows: FlowSet, start: Start, caller: str, lang: str, *, traced: bool = True) -> Turn:
    session = begin(flows, channel="ussd", caller=caller, called=start.called, lang=lang, now=NOW)
    return advance(
        flows, session, Begin(start.flow, start.arguments, start.ahead), NOW, [] if traced else None
    )


def dialled(flows: FlowSet) -> dict[str, int]:
    """Dial every plain code both ways; returns how many of the first turns of a flow were short ones."""
    taken = dict.fromkeys((start.flow for start in codes(flows).values()), 0)
    for start, caller, lang in product(codes(flows).values(), CALLERS, ("ru", "en", "xx")):
        turn = long_way(flows, start, caller, lang)  # its screen is made when it is first asked for
        for now in (NOW, NOW + 7):
            short = first_turn(flows, start, "ussd", caller, lang, now)
            if short is not None and now == NOW:
                taken[start.flow] += 1
                assert turn == Turn(short[0], (short[1],))
    return taken


@pytest.mark.parametrize("handed_over", [False, True], ids=["alone", "with people"])
def test_every_beginning_is_the_same_both_ways(handed_over: bool) -> None:
    more = {}
    if handed_over:
        more["flows/people.yaml"] = (
            'flow:\n  title: Люди\n  ussd: "*99#"\n\nstart:\n  - callback: support\n  - end: Ждите\n'
        )
        more["config/project.yaml"] = PROJECT + "queues:\n  support: {}\n"
    flows = project({**SHORT, **LONG}, more)
    assert flows.trailing is handed_over
    taken = dialled(flows)
    assert {name for name, times in taken.items() if times} == set(SHORT)
    assert all(taken[name] == len(CALLERS) * 3 for name in SHORT)


def test_every_code_of_the_sample_project_is_the_same_both_ways() -> None:
    assert any(dialled(shipped()).values())


def test_the_screen_is_made_the_long_way_first() -> None:
    flows = project(SHORT)
    start = codes(flows)["*100#"]
    assert first_turn(flows, start, "ussd", CALLERS[0], "ru", NOW) is None
    turn = long_way(flows, start, CALLERS[0], "ru", traced=False)
    assert isinstance(turn.effects[0], Collect)
    assert first_turn(flows, start, "ussd", CALLERS[0], "ru", NOW) == (turn.session, turn.effects[0])


def test_what_is_dialled_behind_a_code_takes_the_long_way_and_is_not_kept() -> None:
    flows = project(SHORT)
    for number in range(50):
        start = flows.dial(f"*100*{number}#")
        assert start is not None
        assert start.ahead
        long_way(flows, start, CALLERS[0], "ru")
        assert first_turn(flows, start, "ussd", CALLERS[0], "ru", NOW) is None
    assert not flows.prologues


def test_sessions_share_their_beginning_and_change_their_own() -> None:
    flows = project(SHORT)
    start = codes(flows)["*102#"]
    long_way(flows, start, CALLERS[0], "ru")
    one, other = (first_turn(flows, start, "ussd", caller, "ru", NOW) for caller in CALLERS[:2])
    assert one is not None
    assert other is not None
    assert one[0].frames is other[0].frames
    assert one[0].frames[0].variables == {"price": 80, "what": "Мир"}
