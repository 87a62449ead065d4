"""A small project on disk, and the command line over it."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main

PROJECT = """\
language: 1
languages: [ru]
errors:
  ussd: { end: Позже. }
  sms: { end: Позже. }
"""
BACKENDS = """\
b:
  url: http://b
  buy: { post: /buy, charge: yes, once: 10m, keys: 24h, settle: people, errors: { 402: low } }
"""
FLOW = """\
flow:
  title: Покупка
  ussd: "*1#"
start:
  - request: b.buy
    errors:
      low:
        end: Не хватает.
      unknown:
        end: Проверяем.
  - end: Куплено.
"""
SETTLED = """\
flow:
  title: Итог
  event: b.buy_settled
start:
  - if: event.done
    then:
      sms: Куплено.
    else:
      sms: Не вышло.
"""
TESTS = """\
tests:
  Куплено:
    - dial: "*1#"
    - see: Куплено.
    - ended
  Иначе:
    each:
      - { answer: low, see: Не хватает. }
      - { answer: unknown, see: Проверяем. }
    steps:
      - given: { b.buy: =answer }
      - dial: "*1#"
      - see: =see
  Итог:
    - event: b.buy_settled
      with: { done: yes }
    - sms: Куплено.
    - event: b.buy_settled
      with: { done: no }
    - sms: Не вышло.
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in (
        ("config/project.yaml", PROJECT),
        ("config/backends.yaml", BACKENDS),
        ("flows/buy.yaml", FLOW),
        ("flows/settled.yaml", SETTLED),
        ("flows/buy.test.yaml", TESTS),
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def gudok():
    def run(*arguments: object) -> Result:
        return CliRunner().invoke(main, [str(argument) for argument in arguments])

    return run


@pytest.fixture
def edit(root: Path):
    def change(name: str, old: str, new: str) -> None:
        path = root / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return change
