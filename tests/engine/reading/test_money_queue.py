"""Who clears up charges of unknown outcome: the queue that is named, else `outgoing`, else the first."""

import pytest

from engine.reading.checks.project import load_checked

PROJECT = """\
language: 1
languages: [ru]
country: RU
timezone: Europe/Moscow
errors:
  sms:
    end: Сервис недоступен.
"""
FLOW = 'flow: { title: Т, sms: "1" }\nstart:\n  - end: Да.\n'


@pytest.mark.parametrize(
    ("settings", "queue"),
    [
        ("queues: { support: { hours: 00:00-24:00 }, outgoing: {}, cash: {} }\nmoney: cash\n", "cash"),
        ("queues: { support: { hours: 00:00-24:00 }, outgoing: {} }\n", "outgoing"),
        ("queues: { support: { hours: 00:00-24:00 }, cash: {} }\n", "support"),
        ("", ""),
    ],
)
def test_the_queue_of_money_tasks(settings: str, queue: str):
    flows, report = load_checked({"config/project.yaml": PROJECT + settings, "flows/m.yaml": FLOW})
    assert flows is not None, report.diagnostics
    assert flows.project.money_queue == queue
