"""The words of calls and people: queues, callbacks, starts for later, ratings, recordings, outbound."""

import pytest

from engine.reading.diagnostic import Report
from engine.reading.flow_set import load_project
from engine.testing.case_file import read_suite
from engine.testing.outcome import failure_text
from engine.testing.player import play

PROJECT = """
language: 1
languages: [ru]
country: RU
timezone: Europe/Moscow
sms: { from: "000500" }
connect: { allow: ["7495*"] }
operator: { run: people, with: { line: "'support'" } }
errors:
  voice: [{ say: Сбой. }, { go: operator }]
  ussd: { end: Позже. }
  sms: { end: Позже. }
memory: { no_ads: forever, surveyed: 30d }
calendars:
  office: { days: Mon-Fri, hours: 09:00-18:00, holidays: [2026-11-25] }
queues:
  support: { hours: 00:00-24:00, skills: [tariffs, internet], record: yes }
  office: { hours: office }
"""
BACKENDS = """
b:
  url: http://b
  slot: { get: /slot, returns: { id: text, start: moment } }
  events:
    done: { phone: phone, what: text }
    visited: { phone: phone, shop: text }
"""
PEOPLE = """
flow: {title: Люди, takes: {line: queue}}
start:
  - say: { voice: Разговор записывается. }
    notice: recording
  - if: channel == 'ussd'
    then: later
  - queue: "{{ line }}"
    priority: 25
    skills: ["'internet'"]
    note: Спросили {{ line }}
    callback_after: 2m
    timeout: 10m
    survey: rating
    save: call
    closed: later
    full: later
    no_agent: later
  - if: call.result == 'escalate'
    then:
      end: Передали дальше, {{ call.note }}.
  - if: call.topic
    then:
      end: Тема {{ call.topic }}, ждали {{ call.waited }}.
later:
  - callback: office
    within: 1 workday
    note: Просили {{ line }}
    save: order
  - end: Заявка {{ order.number }} до {{ order.by|date }}.
"""
RATING = """
flow: {title: Оценка}
start:
  - rate:
      call: Оценка?
      wait: Ожидание?
    scale: 0-5
    save: mark
  - end: Спасибо.
"""
LINE = """
flow: {title: Линия, call: "0890", ussd: "*10#", sms: {to: "100", words: [люди]}, resume: 5m}
start:
  - menu: Что?
    1 Люди:
      run: people
      with: { line: "'support'" }
    2 Ещё: more
more:
  - ask: Точно?
    type: yes_no
    save: sure
  - end: Готово.
"""
VOICE = """
flow: {title: Голос, call: "0891"}
start:
  - if: announcement
    then:
      say: "{{ announcement }}"
  - wait: 2s
  - record: Говорите.
    max: 30s
    save: words
  - connect: "74951234567"
    timeout: 20s
    note: Запись {{ words }}
    busy: later
    no_answer: later
  - end: Соединили.
later:
  - end: Не вышло.
"""
SLOT = """
flow: {title: Время, ussd: "*20#"}
start:
  - request: b.slot
    save: slot
  - schedule: reminder
    at: slot.start - hours(2)
    over: sms
    with: { what: slot.id }
  - end: В {{ slot.start|time }}.
"""
REMINDER = """
flow: {title: Напомнить, takes: {what: text}}
start:
  - end: Помните {{ what }}?
"""
AFTER = """
flow:
  title: Опрос
  outbound: { on: b.done, to: event.phone, after: 1h, hours: 10:00-20:00, tries: 2, every: 10m,
              over: [voice, sms], skip: memory.no_ads or memory.surveyed }
start:
  - remember: surveyed
  - ask: Всё работает ({{ event.what }})?
    type: yes_no
    save: fine
    no_input: end
  - end: Спасибо.
"""
VISITED = """
flow:
  title: После визита
  outbound: { on: b.visited, within: 30m, hours: 09:00-21:00, tries: 2, every: 5m, missed: missed }
start:
  - end: Вы были {{ event.shop }}.
missed:
  - sms: Не дозвонились. Были {{ event.shop }}?
"""
FLOWS = {
    "people": PEOPLE,
    "rating": RATING,
    "line": LINE,
    "voice": VOICE,
    "slot": SLOT,
    "reminder": REMINDER,
    "after": AFTER,
    "visited": VISITED,
}


@pytest.fixture(scope="module")
def flows():
    files = {"config/project.yaml": PROJECT, "config/backends.yaml": BACKENDS}
    files.update({f"flows/{name}.yaml": text for name, text in FLOWS.items()})
    flow_set, report = load_project(files)
    assert flow_set is not None, [(str(found.place), found.message) for found in report.diagnostics]
    return flow_set


def outcome_of(flows, steps: str):
    report = Report()
    lines = [f"    {line}" for line in steps.strip("\n").split("\n")]
    source = "\n".join(["tests:", "  case:", *lines, ""])
    suite = read_suite(source, "flows/t.test.yaml", flows, report)
    assert not report.has_errors, [(str(found.place), found.message) for found in report.diagnostics]
    return play(flows, suite.cases[0]), source


HOLDS = {
    "a talk, its result and the survey": """
- dial: "0890"
- hear: Что? Люди — нажмите 1. Ещё — нажмите 2.
- press: 1
- hear: Разговор записывается.
- queue: support
  priority: 25
  skills: internet
  note: Спросили support
- waiting
- wait: 30s
- agent: answer
- wait: 5m
- agent: solved
  topic: баланс
- hear: Оценка?
- press: 5
- hear: Ожидание?
- press: 4
- rated: { call: 5, wait: 4 }
- hear: Спасибо. Тема баланс, ждали 30.
- ended
""",
    "an escalation is not surveyed": """
- dial: "0890"
- press: 1
- agent: escalate
  note: срочно
- hear: Передали дальше, срочно.
- no rated:
- no scheduled:
""",
    "who leaves a talk first is asked by SMS": """
- dial: "0890"
- press: 1
- agent: answer
- hangup
- ended
- scheduled: rating
  over: sms
  to: "79160000000"
""",
    "who leaves the queue is asked nothing": """
- dial: "0890"
- press: 1
- hangup
- ended
- no scheduled: rating
- queue: support
""",
    "a long wait": """
- dial: "0890"
- press: 1
- wait: 121s
- hear: Перезвонить вам? ...
- press: 2
- queue: support
- queue: support
- no callback:
- wait: 121s
- hear: Перезвонить вам? ...
- press: 1
- callback: support
  note: Спросили support
""",
    "an answer that comes too late": """
- given: { queue.support: open }
- run: people
  over: sms
  with: { line: support }
- queue: support
- wait: 121s
- see: Перезвонить вам? ...
- text: 2
- wait: 121s
- text: 2
- wait: 121s
- text: 2
- wait: 121s
- text: 2
- wait: 3m
- callback: office
- see: Заявка 512 до 24 ноября.
- ended
""",
    "the queue is closed by hand": """
- given: { queue.support: closed }
- dial: "0890"
- press: 1
- callback: office
  note: Просили support
- queue: support
- ended
""",
    "the queue is closed by its calendar": """
- given: { now: 2026-11-22 12:00 }
- run: people
  over: voice
  with: { line: office }
- queue: office
- callback: office
  by: 2026-11-23
- ended
""",
    "an order keeps its number, and the day off is none": """
- given: { now: 2026-11-24 12:00 }
- dial: "*10#"
- press: 1
- callback: office
  by: 2026-11-26 18:00
  number: 512
  to: "79160000000"
- see: Заявка 512 до 26 ноября.
- dial: "*10#"
- press: 1
- callback: office
  number: 512
- dial: "*10#"
  from: "79160000001"
- press: 1
- callback: office
  number: 513
- no queue:
""",
    "an SMS while people read is for them": """
- text: люди
  to: "100"
- text: 1
- queue: support
- text: И ещё
- waiting
- agent: hangup
- see: Оценка?
- text: 3
- silence:
- rated: { call: 3, wait: none }
""",
    "what was asked stands when the line is dialled again": """
- dial: "*10#"
- press: 2
- hangup
- dial: "*10#"
- see: |
    Продолжить?
    1 Да
    2 Сначала
- press: 1
- see: Точно? ...
- hangup
- wait: 6m
- dial: "*10#"
- see: Что? ...
""",
    "another subscriber begins anew": """
- dial: "*10#"
- hangup
- dial: "*10#"
  from: "79160000001"
- see: Что? ...
""",
    "a recording and a transfer": """
- given: { announcement: Важное. }
- dial: "0891"
- hear: Важное. Говорите.
- press: "#"
- connect: "74951234567"
  note: Запись recording-1
- agent: hangup
- hear: Соединили.
- ended
""",
    "a transfer that does not come about": """
- dial: "0891"
- say: алло
- busy
- hear: Не вышло.
- dial: "0891"
- say: алло
- no answer
- hear: Не вышло.
""",
    "nothing was recorded": """
- dial: "0891"
- silence:
- hear: Сбой. Разговор записывается.
- queue: support
- no connect:
""",
    "a start for later": """
- given: { b.slot: { id: v7, start: 2026-11-24 14:30 } }
- dial: "*20#"
- see: В 14:30.
- scheduled: reminder
  at: 2026-11-24 12:30
  over: sms
  with: { what: v7 }
- run: reminder
  with: { what: v7 }
- sms: Помните v7?
  from: "000500"
""",
    "we call, in our hours, and not twice": """
- given: { now: 2026-11-23 19:30 }
- event: b.done
  with: { what: ремонт }
- hear: Всё работает (ремонт)? ...
- press: 1
- hear: Спасибо.
- remembered: surveyed
- event: b.done
  with: { what: ремонт }
- ended
""",
    "nobody answers, so we write": """
- event: b.done
  no answer:
  with: { what: ремонт }
- see: Всё работает (ремонт)?
- text: да
- see: Спасибо.
""",
    "we write at once": """
- event: b.done
  over: sms
  with: { what: ремонт, phone: "79160000009" }
- sms: Всё работает (ремонт)?
  to: "79160000009"
- silence:
- ended
""",
    "nobody answers, and there is nothing else": """
- event: b.visited
  busy:
  with: { shop: у нас }
- sms: Не дозвонились. Были у нас?
- ended
""",
    "too late to call": """
- given: { now: 2026-11-23 20:59 }
- event: b.visited
  with: { shop: у нас }
- hear: Вы были у нас.
- given: { now: 2026-11-23 21:00 }
- event: b.visited
  with: { shop: у нас }
- no sms:
- ended
""",
}


@pytest.mark.parametrize("steps", HOLDS.values(), ids=HOLDS)
def test_it_holds(flows, steps):
    outcome, source = outcome_of(flows, steps)
    assert outcome.failure is None, failure_text(outcome, source)


CALLED = '- dial: "0890"\n- press: 1\n'
WAITS = '- dial: "0890"\n- press: 1\n'
ORDERED = '- dial: "*10#"\n- press: 1\n'
RATED = "- run: rating\n  over: voice\n- press: 3\n"
PUT_OFF = '- given: { b.slot: { id: v7, start: 2026-11-24 14:30 } }\n- dial: "*20#"\n'
QUEUED = "support { priority: 25, skills: internet, note: Спросили support }"
ORDER = "office { number: 512, note: Просили support, by: 2026-11-24 18:00, to: 79160000000 }"
FAILS: dict[str, tuple[str, str, str | None, str | None]] = {
    "another queue": (f"{WAITS}- queue: office", "office was not found", "office", QUEUED),
    "another priority": (
        f"{WAITS}- queue: support\n  priority: 0",
        "with these fields",
        "support { priority: 0 }",
        QUEUED,
    ),
    "found twice": (f"{WAITS}- queue: support\n- queue: support", "support was not found", None, "nothing"),
    "a queue there is not": (f"{WAITS}- queue: suport", 'did you mean "support"?', None, None),
    "a queue all the same": (f"{WAITS}- no queue:", "it has happened", "no queue", QUEUED),
    "no callback": (f"{WAITS}- callback: office", "office was not found", None, "nothing"),
    "another day": (
        f"{ORDERED}- callback: office\n  by: 2026-11-25",
        "office was not found",
        "office { by: 2026-11-25 }",
        ORDER,
    ),
    "a moment that is none": (f"{ORDERED}- callback: office\n  by: завтра", "завтра", None, None),
    "not scheduled": ('- dial: "*10#"\n- scheduled: reminder', "reminder was not found", None, "nothing"),
    "scheduled otherwise": (
        f"{PUT_OFF}- scheduled: reminder\n  with: {{ what: v8 }}",
        "not scheduled with these inputs",
        "{'what': 'v8'}",
        "{'what': 'v7'}",
    ),
    "a flow there is not": ('- dial: "*10#"\n- scheduled: remind', 'there is no flow "remind"', None, None),
    "rated otherwise": (
        f"{RATED}- rated: {{ call: 4 }}",
        "it was rated otherwise",
        "call: 4",
        "call: 3",
    ),
    "rated at all": (f"{RATED}- no rated: call", "it has happened", None, "call { score: 3 }"),
    "an agent where nobody waits": ('- dial: "0890"\n- agent: solved', "nobody waits for people", None, None),
    "an agent does something else": (f"{WAITS}- agent: sleeps", "agent: sleeps is not one of", None, None),
    "pressed in a queue": (f"{WAITS}- press: 1", "the subscriber waits in a queue", None, None),
    "a transfer there is not": (f"{WAITS}- busy", "no call is being transferred", None, None),
    "heard otherwise": ('- dial: "0890"\n- hear: Кто?', "something else was played", "Кто?", None),
    "a state no queue has": ("- given: { queue.support: lazy }", "lazy", None, None),
    "an event over a channel there is not": (
        "- event: b.done\n  over: fax\n  with: { what: x }",
        "over: fax is not one of",
        None,
        None,
    ),
}


@pytest.mark.parametrize("given", FAILS.values(), ids=FAILS)
def test_it_fails_at_its_last_line(flows, given):
    steps, message, expected, seen = given
    outcome, _ = outcome_of(flows, steps)
    failure = outcome.failure
    assert failure is not None
    assert failure.place == outcome.case.actions[-1].place
    assert message in failure.message
    assert expected is None or failure.expected == expected
    assert seen is None or failure.seen == seen


def test_a_transcript_shows_people_and_hides_the_middle_of_numbers(flows):
    outcome, source = outcome_of(
        flows, '- dial: "0891"\n- press: "#"\n- busy\n- dial: "0890"\n- press: 1\n- agent: solved'
    )
    assert outcome.failure is None, failure_text(outcome, source)
    shown = "\n".join(outcome.transcript)
    assert "· connect 7495***4567" in shown
    assert "· queue support" in shown
    assert "> agent solved" in shown
    assert "74951234567" not in shown
