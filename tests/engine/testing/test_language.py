"""The language of a session in tests: `lang:` at the word that begins it, or what was chosen before."""

import pytest

from engine.reading.checks.project import load_checked
from engine.reading.diagnostic import Report
from engine.testing.case_file import read_suite
from engine.testing.player import play

PROJECT = """
language: 1
languages: [ru, tg, en]
country: RU
timezone: Europe/Moscow
sms: { from: "000500" }
errors: { ussd: { end: Позже. }, sms: { end: Позже. }, voice: { hangup: Позже. } }
memory: { lang: 7d }
"""
BACKENDS = """
b:
  url: http://b
  events:
    news: { phone: phone }
    call_out: { phone: phone }
"""
HELLO = """
flow: { title: Привет, ussd: "*1#", call: "100", sms: "100" }
start:
  - end: Привет.
"""
CHOICE = """
flow: { title: Выбор, ussd: "*2#" }
start:
  - set: { lang: "'tg'" }
  - end: Привет.
"""
NEWS = """
flow: { title: Новость, event: b.news }
start:
  - sms: Привет.
"""
CALL_OUT = """
flow: { title: Звонок, outbound: { on: b.call_out, to: event.phone, over: [sms], hours: 00:00-24:00 } }
start:
  - end: Привет.
"""
CASES = {
    "the main language": '- dial: "*1#"\n- see: Привет.',
    "over USSD": '- dial: "*1#"\n  lang: tg\n- see: Салом.',
    "in a call": '- dial: "100"\n  lang: en\n- hear: Hello.',
    "over SMS": '- text: Привет\n  to: "100"\n  lang: en\n- see: Hello.',
    "a flow that is run": "- run: hello\n  over: sms\n  lang: tg\n- see: Салом.",
    "it holds for one session": '- dial: "*1#"\n  lang: tg\n- dial: "*1#"\n- see: Привет.',
    "what was chosen holds on": '- dial: "*2#"\n- see: Салом.\n- dial: "*1#"\n- see: Салом.',
    "a choice counts as remembered": '- dial: "*2#"\n- remembered: lang',
    "a session may be in another": '- dial: "*2#"\n- dial: "*1#"\n  lang: en\n- see: Hello.',
    "not longer than declared": '- dial: "*2#"\n- wait: 8d\n- dial: "*1#"\n- see: Привет.',
    "not for another number": '- dial: "*2#"\n- dial: "*1#"\n  from: "79160000001"\n- see: Привет.',
    "an event's flow": '- dial: "*2#"\n- event: b.news\n- sms: Салом.',
    "a flow that begins by itself": '- dial: "*2#"\n- event: b.call_out\n- see: Салом.',
}


def played(steps: str):
    files = {"config/project.yaml": PROJECT, "config/backends.yaml": BACKENDS}
    flows = {"hello": HELLO, "choice": CHOICE, "news": NEWS, "call_out": CALL_OUT}
    files |= {f"flows/{name}.yaml": text for name, text in flows.items()}
    files |= {"flows/texts/tg.yaml": "Привет.: Салом.", "flows/texts/en.yaml": "Привет.: Hello."}
    flow_set, report = load_checked(files)
    assert flow_set is not None, [(str(found.place), found.message) for found in report.diagnostics]
    indented = "\n".join(f"    {line}" for line in steps.splitlines())
    report = Report()
    suite = read_suite(f"tests:\n  Случай:\n{indented}\n", "flows/t.test.yaml", flow_set, report)
    assert not report.diagnostics
    return play(flow_set, suite.cases[0]).failure


@pytest.mark.parametrize("steps", CASES.values(), ids=CASES)
def test_a_session_begins_in_the_language(steps: str) -> None:
    failure = played(steps)
    assert failure is None, failure


@pytest.mark.parametrize("steps", ['dial: "*1#"', 'text: Привет\n  to: "100"', "run: hello"])
def test_a_language_the_project_has_not_is_named(steps: str) -> None:
    failure = played(f"- {steps}\n  lang: uz")
    assert failure is not None
    assert failure.message == 'lang: the project has no "uz", only ru, tg, en'
