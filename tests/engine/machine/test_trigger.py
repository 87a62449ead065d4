"""Which flow a dialled code or a message starts (flow-language 2.2)."""

from __future__ import annotations

import pytest

from engine.trigger import Start
from engine.values import Secret
from tests.engine.machine.script import compiled

END = "\nstart: [ { end: x } ]\n"
FLOWS = {
    "root": 'flow: { ussd: "*100#" }' + END,
    "deep": 'flow: { ussd: "*100*2#" }' + END,
    "pay": 'flow: { ussd: "*100*{amount:money}#" }' + END,
    "card": 'flow: { ussd: "*100*{code:secret(14)}#" }' + END,
    "two": 'flow: { ussd: ["*7*{a:int}*{b:phone}#", "#77#"] }' + END,
    "shut": 'flow: { ussd: "*200#", dial_ahead: no }' + END,
    "day": 'flow: { ussd: "*8*{d:date}#" }' + END,
    "any": 'flow: { sms: ["9290", "000500"] }' + END,
    "fault": 'flow: { sms: { to: "000500", words: [сбой, нет связи, ёлка] } }' + END,
    "rate": 'flow: { sms: { to: "000500", text: "ставка {n:int}" } }' + END,
    "note": 'flow: { sms: { to: "000500", text: "ставка {n:int} {why:text}" } }' + END,
}

DIALS = [
    ("*100#", ("root", {}, (), "*100#")),
    ("*100*2#", ("deep", {}, (), "*100*2#")),
    ("*100*150#", ("pay", {"amount": 150}, (), "*100*150#")),
    ("*100*12345678901234#", ("card", {"code": Secret("12345678901234")}, (), "*100*••••#")),
    ("*100*1*2#", ("root", {}, ("1", "2"), "*100*1*2#")),
    ("*100*2*5#", ("deep", {}, ("5",), "*100*2*5#")),
    ("*100*4*1*12345678901234#", ("root", {}, ("4", "1", "12345678901234"), "*100*4*1*••••#")),
    ("*7*5*89161234567#", ("two", {"a": 5, "b": "79161234567"}, (), "*7*5*89161234567#")),
    ("#77#", ("two", {}, (), "#77#")),
    ("*7*5*12#", None),
    ("*200*1#", None),
    ("*100**1#", None),
    ("*100", None),
    ("*100#1", None),
    ("*999#", None),
    ("", None),
    ("*", None),
    ("*100#" * 100, None),
    ("*100*١٢#", None),
]


@pytest.mark.parametrize(("dialled", "expected"), DIALS)
def test_dialling(dialled: str, expected: tuple[object, ...] | None) -> None:
    found = compiled(FLOWS).dial(dialled)
    assert found == (None if expected is None else Start(*expected))


MESSAGES = [
    ("9290", "", "any", {}),
    ("9290", "что угодно", "any", {}),
    ("000500", "Как дела?", "any", {}),
    ("000500", "СБОЙ!", "fault", {}),
    ("000500", "у меня нет  связи, алло", "fault", {}),
    ("000500", "нет, связи", "fault", {}),
    ("000500", "связи нет", "any", {}),
    ("000500", "перебой", "any", {}),
    ("000500", "Елка", "fault", {}),
    ("000500", "Ставка 5", "rate", {"n": 5}),
    ("000500", "ставка 5 потому что", "note", {"n": 5, "why": "потому что"}),
    ("000500", "ставка пять", "any", {}),
    ("0611", "сбой", None, {}),
]


@pytest.mark.parametrize(("to", "text", "flow", "arguments"), MESSAGES)
def test_messages(to: str, text: str, flow: str | None, arguments: dict[str, object]) -> None:
    found = compiled(FLOWS).sms(to, text)
    assert (found.flow if found else None) == flow
    if found is not None:
        assert found.arguments == arguments


def test_a_secret_is_not_in_the_text_of_a_start() -> None:
    found = compiled(FLOWS).dial("*100*12345678901234#")
    assert "12345678901234" not in repr(found)


def test_short_codes_are_listed() -> None:
    assert {"*100#", "#77#", "9290", "000500"} <= set(compiled(FLOWS).short_codes)


def test_many_codes_cost_no_more_than_one() -> None:
    flows = {f"f{number}": f'flow: {{ ussd: "*{number}*{{x:int}}#" }}{END}' for number in range(1000, 1200)}
    found = compiled(flows).dial("*1150*7#")
    assert found is not None
    assert (found.flow, found.arguments) == ("f1150", {"x": 7})
