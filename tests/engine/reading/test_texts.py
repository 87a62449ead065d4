"""Translations: every text that is seen has one, by the text as it stands in the flow."""

from __future__ import annotations

from typing import Any

import pytest

from engine.flow import SourceText
from engine.flow_set import FlowSet
from engine.reading.flow_set import load_project
from engine.reading.report import report_text
from engine.reading.texts import source_texts
from tests.engine.machine.script import CALLER, Player, files_of

FLOW = """
flow: { title: Название, sms: "9290", errors: { voice: { end: Голос. } } }
start:
  - refuse:
      text == 'нет': Отказ {{ text }}.
  - say: { ussd: "Экран.", sms: "Письмо." }
  - request: b.look
    save: p
    errors: { else: failed }
    key: Ключ
  - menu: Что?
    each: p.items as x
    item: "№ {{ x }}"
    0 Ничего: { end: Пусто. }
  - ask: Сколько?
    type: int
    hint: Число!
    save: n
  - rate: { call: Оценка? }
  - log: Журнал
  - callback: support
    note: Заметка
    key: Ключ
  - end: "{{ n|count('раз|раза|раз') }}, {{ p.sum|money }}"
failed:
  - sms: Сбой.
  - hangup: Пока.
"""
TEXTS = """
Экран.: Screen.
Письмо.: Letter.
Что?: What?
"№ {{ x }}": "# {{ x }}"
Ничего: Nothing
Пусто.: Empty.
Сколько?: How many?
Число!: A number!
Оценка?: Your score?
"Отказ {{ text }}.": "Refused {{ text }}."
"{{ n|count('раз|раза|раз') }}, {{ p.sum|money }}": "{{ n|count('time|times') }}, {{ p.sum|money }}"
Сбой.: Failure.
Пока.: Bye.
Позже.: Later.
Ответ пришлём в SMS.: The answer comes by SMS.
Заметка: A note
Журнал: A log
Ключ: A key
"""


def loaded(texts: dict[str, str], flow: str = FLOW) -> FlowSet:
    files = files_of({"flows": {"m": flow}}) | texts
    flows, report = load_project(files)
    assert flows is not None, report_text(report, files)
    return flows


def found(texts: dict[str, str]) -> list[str]:
    _, report = load_project(files_of({"flows": {"m": FLOW}}) | texts)
    return [
        f"{item.place.file}:{item.place.line}:{item.place.column} {item.code}" for item in report.diagnostics
    ]


def test_what_is_seen_is_listed_once_and_notes_are_not() -> None:
    texts = source_texts(loaded({}))
    own = [text.text for text in texts if text.place.file == "flows/m.yaml"]
    assert sorted(own) == sorted(
        [
            "Голос.",
            "Отказ {{ text }}.",
            "Экран.",
            "Письмо.",
            "Что?",
            "№ {{ x }}",
            "Ничего",
            "Пусто.",
            "Сколько?",
            "Число!",
            "Оценка?",
            "{{ n|count('раз|раза|раз') }}, {{ p.sum|money }}",
            "Сбой.",
            "Пока.",
        ]
    )
    assert {text.text for text in texts if text.place.file == "config/project.yaml"} >= {
        "Позже.",
        "Ответ пришлём в SMS.",
    }
    assert len({text.place for text in texts if text.flow}) == len([text for text in texts if text.flow])


def test_a_text_knows_its_values_and_its_place() -> None:
    texts = {text.text: text for text in source_texts(loaded({}))}
    assert texts["Отказ {{ text }}."].variables == {"text"}
    counted = texts["{{ n|count('раз|раза|раз') }}, {{ p.sum|money }}"]
    assert counted.variables == {"n", "p.sum"}
    assert (counted.flow, counted.place.line) == ("m", 24)
    assert isinstance(counted, SourceText)
    assert texts["Ничего"].place.column == 7


@pytest.mark.parametrize("name", ["texts/en.yaml", "flows/texts/en.yaml"])
def test_everything_is_said_in_the_language_of_the_session(name: str) -> None:
    flows = loaded({name: TEXTS})
    player = Player(flows)
    lines = player.start("m", lang="en")
    lines += player.type("~done { sum: 5, items: [a] }")
    for answer in ("1", "x", "2", "5"):
        lines += player.type(answer)
    lines += player.type("~ordered 1")
    trail = "[*1#, Что? № a, Сколько? 2, call: 5]"
    assert lines == [
        "@ b.look {} key=Ключ",
        "? Screen. / What? / 1 # a / 0 Nothing",
        "? How many?",
        "! no_match",
        "? A number! / How many?",
        "? Your score?",
        "rate call 5 of 1-5 in m",
        "! log Журнал",
        f"call {CALLER} support by 2026-11-22T12:00 note=Заметка key=Ключ trail={trail}",
        "= 2 times, 5 RUB [end]",
    ]


def test_refusals_messages_and_errors_of_the_project_are_translated() -> None:
    flows = loaded({"texts/en.yaml": TEXTS})
    sms: dict[str, Any] = {"channel": "sms", "called": "9290", "lang": "en"}
    assert Player(flows).start("m", text="нет", **sms)[-1] == "= Refused нет. [refused]"
    player = Player(flows)
    player.start("m", **sms)
    assert player.type("~error timeout")[1:] == [
        "sms 79161234567 9290: Failure.",
        "= Letter. / Bye. [hangup]",
    ]
    player.start("m", lang="en")
    player.type("~done { sum: 5, items: [] }")
    assert flows.project.late("en") == "The answer comes by SMS."
    assert flows.project.late("ru") == flows.project.ussd_late
    assert flows.project.unknown("en") == flows.project.ussd_unknown
    broken = loaded(
        {"texts/en.yaml": TEXTS}, "flow: {}\nstart:\n  - request: b.look\n    save: p\n  - end: x\n"
    )
    player = Player(broken)
    player.start("m", lang="en")
    assert player.type("~error timeout")[-1] == "= Later. [failed]"


def test_what_is_wrong_in_a_file_is_found_where_it_stands() -> None:
    assert found({"texts/en.yaml": "Экран.: [a]\n"}) == ["texts/en.yaml:1:9 type"]
    assert found({"texts/en.yaml": "Экран.: \nЧто?: What?\n"}) == ["texts/en.yaml:1:8 type"]
    assert found({"texts/en.yaml": "- Экран.\n"}) == ["texts/en.yaml:1:1 type"]
    assert found({"texts/en.yaml": "Что?: What?\nЧто?: Which?\n"}) == ["texts/en.yaml:2:1 dup-key"]
    assert found({"texts/ru.yaml": "Что?: Как?\n"}) == ["texts/ru.yaml:1:1 type"]
    assert found({"texts/en.yaml": ""}) == []


def test_forms_of_a_count_are_those_of_the_language() -> None:
    source = "\"{{ n|count('раз|раза|раз') }}, {{ p.sum|money }}\""
    wrong = f"{source}: \"{{{{ n|count('time|times|times') }}}}, {{{{ p.sum|money }}}}\"\n"
    assert [line.rpartition(" ")[2] for line in found({"texts/en.yaml": wrong})] == ["plural-forms"]


def test_a_file_of_another_language_is_passed_over() -> None:
    assert found({"texts/de.yaml": "Что?: Was?\n"}) == []
    assert loaded({"texts/de.yaml": "Что?: Was?\n"}).translations == {}


def test_a_session_speaks_a_language_that_its_flow_has() -> None:
    flow = "flow: { languages: [ru] }\nstart: [ { set: { lang: \"'en'\" } }, { end: '{{ lang }}' } ]\n"
    player = Player(loaded({}, flow))
    assert player.start("m", lang="en") == ["! error the flow has no language en", "= ru [end]"]
