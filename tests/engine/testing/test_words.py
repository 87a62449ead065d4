"""The test language, word by word: what holds passes, what does not fails at its line and says why."""

import textwrap

import pytest

from engine.reading.checks.project import load_checked
from engine.reading.diagnostic import Report
from engine.testing.case_file import read_suite
from engine.testing.outcome import failure_text
from engine.testing.player import play
from engine.testing.text_match import matches

PROJECT = """
language: 1
languages: [ru]
country: RU
timezone: Europe/Moscow
sms: { from: "000500" }
errors:
  ussd: { end: Позже. }
  sms: { end: Позже. }
memory: { seen: 7d, known: session }
queues:
  support: { hours: 00:00-24:00 }
"""
BACKENDS = """
b:
  url: http://b
  look: { get: /look, returns: { sum: money, until: time? }, errors: { 404: none_found } }
  buy: { post: /buy, takes: { fee: money, code: secret? }, returns: { left: money }, charge: yes, once: 10m,
         keys: 24h, settle: repeat, errors: { 402: low } }
  events:
    news: { reports: [{ phone: phone, number: int }] }
"""
SHOP = """
flow: {title: Лавка, ussd: ["*1#", "*2*{code:secret(4)}#"], sms: ["100", {to: "100", words: [новости]}]}
start:
  - if: memory.seen
    then:
      end: Вы уже были здесь.
  - switch: recent('b.buy')
    cases:
      done:
        end: Уже куплено.
      unknown:
        end: Проверяем.
      else:
  - request: b.look
    save: p
    errors:
      none_found:
        end: Нет такого.
  - menu: Баланс {{ p.sum|money }}. Купить?
    1 Да: buy
    2 Нет:
      - remember: seen
      - end: Хорошо.
buy:
  - request: b.buy
    with: { fee: p.sum }
    save: done
    errors:
      low:
        end: Не хватает.
      unknown:
        end: Проверяем.
  - sms: Куплено, осталось {{ done.left|money }}.
  - end: Куплено.
"""
SECRET = """
flow: {title: Код, ussd: "*3#"}
start:
  - ask: Код?
    type: digits
    digits: 4
    secret: yes
    save: code
  - ask: Номер?
    type: digits
    save: number
  - log: Номер {{ number }}
  - end: Принято.
"""
LONG = """
flow: {title: Много, ussd: "*4#"}
start:
  - ask: Продолжить?
    type: yes_no
    save: on
  - set:
      head: "'Раз два три четыре пять. Шесть семь восемь девять.'"
      tail: "'Десять одиннадцать двенадцать.' if on else 'Довольно.'"
  - end: "{{ head }} {{ tail }}"
"""
NEWS = """
flow: {title: Новости, event: {on: b.news, each: event.reports as r, to: r.phone}}
start:
  - sms: Заявка {{ r.number }} готова.
"""
SETTLED = """
flow: {title: Итог, event: b.buy_settled}
start:
  - if: event.done
    then:
      sms: Куплено.
    else:
      sms: Не вышло.
"""
INNER = """
flow: {title: Внутри, takes: {n: int}}
start:
  - end: Число {{ n }}.
"""


@pytest.fixture(scope="module")
def flows():
    files = {"config/project.yaml": PROJECT, "config/backends.yaml": BACKENDS}
    for name, text in (
        ("shop", SHOP),
        ("secret", SECRET),
        ("long", LONG),
        ("news", NEWS),
        ("settled", SETTLED),
        ("inner", INNER),
    ):
        files[f"flows/{name}.yaml"] = text
    flow_set, report = load_checked(files)
    assert flow_set is not None, [(str(found.place), found.message) for found in report.diagnostics]
    return flow_set


def source_of(steps: str) -> str:
    head = "backends:\n  b.look: { sum: 100 }\n  b.buy: { left: 5 }\ntests:\n  case:\n"
    return head + textwrap.indent(textwrap.dedent(steps).strip("\n"), "    ") + "\n"


def outcome_of(flows, steps: str):
    report = Report()
    source = source_of(steps)
    suite = read_suite(source, "flows/t.test.yaml", flows, report)
    assert not report.has_errors, [(str(found.place), found.message) for found in report.diagnostics]
    return play(flows, suite.cases[0]), source


HOLDS = {
    "a whole purchase": """
        - dial: "*1#"
        - waiting
        - see: |
            Баланс 100 ₽. Купить?
            1 Да
            2 Нет
        - pages: 1
        - press: 1
        - request: b.look
        - request: b.buy
          with: { fee: 100.00 }
        - sms: Куплено, осталось 5 ₽.
          to: "79160000000"
          from: "000500"
        - see: Куплено.
        - ended
    """,
    "requests keep their order, with and without arguments": """
        - dial: "*1#"
        - request: b.look
        - no request: b.buy
        - press: 1
        - request: b.buy
    """,
    "given in the middle, an error by name, a list of answers": """
        - given: { b.look: [none_found, { sum: 7 }] }
        - dial: "*1#"
        - see: Нет такого.
        - dial: "*1#"
        - see: Баланс 7 ₽. ...
    """,
    "memory is kept within a case and runs out in time": """
        - dial: "*1#"
        - press: 2
        - remembered: seen
        - dial: "*1#"
        - see: Вы уже были здесь.
        - wait: 7d
        - dial: "*1#"
        - waiting
    """,
    "memory is that of the subscriber": """
        - given: { memory.seen: 2 }
        - dial: "*1#"
        - see: Вы уже были здесь.
        - dial: "*1#"
          from: "79160000001"
        - see: Баланс ...
        - no remembered: seen
    """,
    "an order is one order inside once, and a new one behind it": """
        - dial: "*1#"
        - press: 1
        - dial: "*1#"
        - see: Уже куплено.
        - no request: b.buy
        - wait: 10m
        - dial: "*1#"
        - press: 1
        - request: b.buy
    """,
    "what was unknown is settled": """
        - given: { b.buy: unknown }
        - dial: "*1#"
        - press: 1
        - see: Проверяем.
        - dial: "*1#"
        - see: Проверяем.
        - event: b.buy_settled
          with: { done: no, fee: 100 }
        - sms: Не вышло.
        - dial: "*1#"
        - waiting
    """,
    "recent by hand": """
        - given: { recent.b.buy: done }
        - dial: "*1#"
        - see: Уже куплено.
    """,
    "an answer by SMS is seen and sent": """
        - text: привет
          to: "100"
        - see: Баланс 100 ₽. ...
        - sms: Баланс 100 ₽. ...
          from: "100"
        - text: 2
        - see: Хорошо.
        - sms: Хорошо.
        - ended
    """,
    "a keyword starts anew, another word has the question asked again": """
        - text: привет
          to: "100"
        - text: что?
        - see: Неверный ввод. Баланс 100 ₽. ...
        - text: новости
        - see: Баланс 100 ₽. Купить? ...
    """,
    "silence, and time that passes by itself": """
        - dial: "*1#"
        - silence:
        - waiting
        - wait: 10m
        - ended
    """,
    "hanging up": """
        - dial: "*1#"
        - hangup
        - ended
        - no sms:
    """,
    "a second dial ends the first dialog": """
        - dial: "*1#"
        - dial: "*4#"
        - see: Продолжить? ...
    """,
    "pages are read one by one": """
        - dial: "*4#"
        - press: 1
        - pages: 2
        - waiting
        - press: 9
        - see: ... двенадцать.
        - ended
    """,
    "secrets": """
        - dial: "*3#"
        - press: "4321"
        - press: "12"
        - log hides: "4321"
        - see: Принято.
    """,
    "a secret in the dialled code": """
        - dial: "*2*4321#"
        - log hides: "4321"
    """,
    "one session for each element of an event": """
        - event: b.news
          with: { reports: [{ phone: "79160000001", number: 1 }, { phone: "79160000002", number: 2 }] }
        - sms: Заявка 2 готова.
          to: "79160000002"
        - sms: Заявка 1 готова.
          to: "79160000001"
        - no sms: Заявка 3 ...
        - ended
    """,
    "a flow without a trigger": """
        - run: inner
          with: { n: 7 }
        - see: Число 7.
        - run: inner
          over: sms
          with: { n: 8 }
        - sms: Число 8.
          from: "000500"
    """,
    "the clock": """
        - given: { now: 2026-12-31 23:59, b.look: { sum: 1, until: "18:00" } }
        - dial: "*1#"
        - see: Баланс 1 ₽. ...
    """,
}


@pytest.mark.parametrize("steps", HOLDS.values(), ids=HOLDS)
def test_it_holds(flows, steps):
    outcome, source = outcome_of(flows, steps)
    assert outcome.failure is None, failure_text(outcome, source)


FAILS = {
    "another screen": (
        '- dial: "*1#"\n- see: Другое.',
        2,
        "the screen is another",
        "Другое.",
        "Баланс 100 ₽. Купить?\n1 Да\n2 Нет",
    ),
    "the end of a screen is not all of it": (
        '- dial: "*1#"\n- see: Баланс 100 ₽.',
        2,
        "the screen is another",
        "Баланс 100 ₽.",
        None,
    ),
    "nothing shown": (
        "- event: b.buy_settled\n  with: { done: yes, fee: 1 }\n- see: Что-то.",
        2,
        "nothing was shown",
        "Что-то.",
        "nothing",
    ),
    "another number of pages": ('- dial: "*1#"\n- pages: 2', 2, "another number of pages", "2", "1"),
    "it goes on": ('- dial: "*1#"\n- ended', 2, "the session goes on", "ended", None),
    "it has ended": ('- dial: "*1#"\n- press: 2\n- waiting', 3, "the session has ended", None, "Хорошо."),
    "no such SMS": (
        '- dial: "*1#"\n- press: 1\n- sms: Спасибо.',
        3,
        "no such SMS was sent",
        "Спасибо.",
        None,
    ),
    "an SMS is found once": (
        '- dial: "*1#"\n- press: 1\n- sms: Куплено, ...\n- sms: Куплено, ...',
        4,
        "no such SMS was sent",
        None,
        "no SMS",
    ),
    "to another number": (
        '- dial: "*1#"\n- press: 1\n- sms: Куплено, ...\n  to: "79161111111"',
        3,
        "no such SMS was sent to 79161111111",
        None,
        None,
    ),
    "an SMS too many": ('- dial: "*1#"\n- press: 1\n- no sms:', 3, "an SMS was sent", "no SMS", None),
    "not asked": ('- dial: "*1#"\n- request: b.buy', 2, "b.buy was not asked", "b.buy", None),
    "asked with another amount": (
        '- dial: "*1#"\n- press: 1\n- request: b.buy\n  with: { fee: 99 }',
        3,
        "b.buy was not asked with these arguments",
        "b.buy { fee: 99 }",
        "b.look\nb.buy { fee: 100 }",
    ),
    "asked in another order": (
        '- dial: "*1#"\n- press: 1\n- request: b.buy\n- request: b.look',
        4,
        "b.look was not asked",
        None,
        "no request",
    ),
    "asked all the same": (
        '- dial: "*1#"\n- press: 1\n- no request: b.buy',
        3,
        "it was asked",
        "no request",
        "b.buy { fee: 100 }",
    ),
    "an argument it does not take": (
        '- dial: "*1#"\n- press: 1\n- request: b.buy\n  with: { fe: 100 }',
        3,
        'b.buy takes no "fe"; did you mean "fee"?',
        None,
        None,
    ),
    "not remembered": ('- dial: "*1#"\n- remembered: seen', 2, "seen was not remembered", "seen", "nothing"),
    "a memory that is not declared": ('- dial: "*1#"\n- remembered: sen', 2, 'no memory "sen"', None, None),
    "a text that can be read": (
        '- dial: "*3#"\n- press: "4321"\n- press: "12"\n- log hides: "12"',
        4,
        "it can be read",
        None,
        None,
    ),
    "pressed after the end": (
        '- dial: "*1#"\n- press: 2\n- press: 1',
        3,
        "nothing is asked",
        None,
        "Хорошо.",
    ),
    "silence after the end": ('- dial: "*1#"\n- press: 2\n- silence:', 3, "nothing is asked", None, None),
    "seen before anything": ("- see: Что?", 1, "no session has begun", None, None),
    "a code nobody has": ('- dial: "*777#"', 1, "no flow has the code *777#", None, None),
    "a call nobody takes": ('- dial: "0890"', 1, "no flow has the number 0890", None, None),
    "heard over USSD": (
        '- dial: "*1#"\n- hear: Баланс ...',
        2,
        "nothing is heard over ussd: write see",
        None,
        None,
    ),
    "spoken over USSD": ('- dial: "*1#"\n- say: да', 2, "nobody speaks over ussd", None, None),
    "a message nobody takes": (
        '- text: привет\n  to: "999"',
        1,
        "no flow takes this message to 999",
        None,
        None,
    ),
    "an event nobody takes": (
        "- event: b.nevs",
        1,
        'there is no event "b.nevs"; did you mean "b.news"?',
        None,
        None,
    ),
    "a field that the event does not have": (
        "- event: b.buy_settled\n  with: { don: yes, fee: 1 }",
        1,
        'no field "don"; did you mean "done"?',
        None,
        None,
    ),
    "a missing field of an event": (
        "- event: b.buy_settled\n  with: { done: yes }",
        1,
        'needs the field "fee"',
        None,
        None,
    ),
    "an answer with a wrong field": (
        '- given: { b.look: { summ: 1 } }\n- dial: "*1#"',
        1,
        'no field "summ"; did you mean "sum"?',
        None,
        None,
    ),
    "an answer of a wrong type": ("- given: { b.look: { sum: много } }", 1, "много", None, None),
    "an error it never has": (
        "- given: { b.look: unknown }",
        1,
        'b.look never ends with "unknown"',
        None,
        None,
    ),
    "a given that nothing asks for": (
        "- given: { b.lok: unavailable }",
        1,
        'did you mean "b.look"?',
        None,
        None,
    ),
    "an unknown memory in given": (
        "- given: { memory.sen: 1 }",
        1,
        'no memory "sen"; did you mean "seen"?',
        None,
        None,
    ),
    "an unknown queue in given": (
        "- given: { queue.suport: closed }",
        1,
        'did you mean "support"?',
        None,
        None,
    ),
    "more calls than answers": (
        '- given: { b.look: [none_found] }\n- dial: "*1#"\n- dial: "*1#"',
        3,
        "b.look is called for the 2. time, but its list has 1 answers",
        None,
        None,
    ),
    "a wait without a unit": ('- dial: "*1#"\n- wait: 10', 2, "needs a unit", None, None),
    "no flow to run": ("- run: iner", 1, 'there is no flow "iner"', None, None),
    "an unfit input": ("- run: inner\n  with: { n: много }", 1, "много", None, None),
    "run over a channel there is not": (
        "- run: inner\n  over: fax\n  with: { n: 1 }",
        1,
        "over: fax is not one of ussd, sms, voice, event",
        None,
        None,
    ),
}


@pytest.mark.parametrize("given", FAILS.values(), ids=FAILS)
def test_it_fails_at_its_line(flows, given):
    steps, number, message, expected, seen = given
    outcome, source = outcome_of(flows, steps)
    failure = outcome.failure
    assert failure is not None
    assert failure.place == outcome.case.actions[number - 1].place
    assert message in failure.message
    if expected is not None:
        assert failure.expected == expected
    if seen is not None:
        assert failure.seen == seen
    shown = failure_text(outcome, source)
    assert shown.startswith(f"flows/t.test.yaml:{failure.place.line}:")
    assert f"> {failure.place.line:>4} |" in shown


def test_a_failure_shows_the_case_with_its_lines():
    flow = 'flow: {title: т, ussd: "*1#"}\nstart:\n  - end: Привет.\n'
    flows, _ = load_checked({"config/project.yaml": PROJECT, "flows/a.yaml": flow})
    source = 'tests:\n  Приветствие:\n    - dial: "*1#"\n    - see: Здравствуйте.\n    - ended\n'
    case = read_suite(source, "flows/a.test.yaml", flows, Report()).cases[0]
    assert failure_text(play(flows, case), source) == textwrap.dedent("""\
        flows/a.test.yaml:4:7: failed: Приветствие: the screen is another
             2 |   Приветствие:
             3 |     - dial: "*1#"
        >    4 |     - see: Здравствуйте.
          expected: Здравствуйте.
          seen:     Привет.""")


def test_an_operation_without_an_answer_is_named(flows):
    source = 'tests:\n  a:\n    - dial: "*1#"\n'
    case = read_suite(source, "flows/t.test.yaml", flows, Report()).cases[0]
    failure = play(flows, case).failure
    assert failure is not None
    assert "b.look is asked, but the test has no answer for it" in failure.message


@pytest.mark.parametrize(
    ("expected", "seen", "same"),
    [
        ("a b", " a\n b ", True),
        ("a ...", "a", True),
        ("...", "", True),
        ("... b", "a b", True),
        ("a ... c", "a b\nc", True),
        ("a", "a b", False),
        ("a ... b", "b a", False),
        ("1.5 (x)", "1.5 (x)", True),
        ("1.5", "1x5", False),
    ],
)
def test_texts_are_compared_by_their_words(expected, seen, same):
    assert matches(expected, seen) is same
