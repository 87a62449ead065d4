"""`gudok phone`: what a person at the terminal and a script see."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main

ROOT = Path(__file__).resolve().parents[3]
Phone = Callable[..., Result]


@pytest.fixture
def phone() -> Phone:
    def run(*lines: str, options: tuple[str, ...] = (), root: Path = ROOT) -> Result:
        return CliRunner().invoke(
            main, ["phone", str(root), *options], input="".join(f"{x}\n" for x in lines)
        )

    return run


def turns(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.output.splitlines()]


def test_the_screen_stands_left_and_what_the_flow_did_right(phone: Phone):
    result = phone("*929#")
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0].startswith("┌ USSD *929# ─")
    assert lines[0].endswith("12:00┐  > *929#")
    assert "│ Пакет обновлён, списано 490 ₽. │" in result.output
    assert "refresh_package.yaml:14 request → done" in result.output
    assert "· request billing.package {} → done" in result.output
    assert "{ tariff: Smart, service: yes, fee: 490, balance: 600," in result.output
    assert "58 of 80 units" in result.output
    assert all(len(line) <= 110 for line in lines)


def test_without_a_terminal_there_are_no_colours(phone: Phone):
    assert "\x1b" not in phone("*929#").output


def test_answers_are_changed_at_the_prompt(phone: Phone):
    data = turns(
        phone(
            "given billing.package balance=10",
            "*929#",
            "given billing.package unavailable",
            "*929#",
            "given billing.package balance=1000 tariff=Наш Smart",
            "*929#",
            options=("--json",),
        )
    )
    assert [turn["screen"] for turn in data] == [
        None,
        "Не хватает 480 ₽. Пополните счёт.",
        None,
        "Сервис временно недоступен. Повторите позже.",
        None,
        "Пакет обновлён, списано 490 ₽. Остатки сохранены на месяц.",
    ]
    assert any("refused p.balance < p.fee" in row for row in data[1]["log"])


def test_time_is_moved(phone: Phone):
    data = turns(phone("*929#", "*929#", "wait 10m", "*929#", options=("--json",)))
    assert data[1]["screen"].startswith("Пакет уже обновлён")
    assert data[2]["time"][11:16] == "12:10"
    assert data[3]["screen"].startswith("Пакет обновлён")


def test_a_menu_is_gone_through_by_keys_and_can_be_left(phone: Phone):
    data = turns(phone("*100#", "7", "1", "*202#", "hangup", options=("--json",)))
    assert data[0]["screen"].startswith("Баланс 120,50 ₽\n1 Остатки")
    assert data[1]["state"] == "waits for an answer"
    assert data[2]["state"] == "ended"
    assert data[4]["state"] == "ended"
    assert not [turn for turn in data if turn["fault"]]


def test_an_sms_is_answered_and_shown_as_a_message(phone: Phone):
    result = phone("sms 9290 обновить")
    assert "┌ SMS 9290 ─" in result.output
    assert "1 part" in result.output


def test_a_call_is_text_with_its_keys_and_people(phone: Phone):
    data = turns(phone("0890", "2", "0", "agent solved", "5", options=("--json",)))
    assert data[0]["channel"] == "voice"
    assert "Больше не предлагать — нажмите 3." in data[0]["screen"]
    assert data[2]["state"].startswith("waits in queue support")
    assert "· queue support" in "".join(data[2]["log"])
    assert data[3]["screen"].startswith("Оцените разговор")
    assert "keys: 1 2 3 *=back" in phone("0890").output


def test_silence_and_another_subscriber(phone: Phone):
    data = turns(phone("from 79161234567", "*100#", "silence", options=("--json",)))
    assert data[0]["line"] == "from 7916***4567"
    assert data[2]["fault"] is None


def test_what_is_secret_and_who_calls_is_masked(phone: Phone):
    result = phone("*100*12345678901234#", "*202#", "3")
    assert "12345678901234" not in result.output
    # the password itself is only in the message it was sent in, not in the log of the answer
    assert "password: ••••" in result.output


def test_a_line_that_makes_no_sense_is_told_and_fails_a_script(phone: Phone):
    result = phone("нет такого", "*999#", "given nothing.there x=1", "given billing.package x=1", "wait")
    assert result.exit_code == 1
    assert "is no command, and nothing is asked" in result.output
    assert "no flow has the code *999#" in result.output
    assert 'no field "x"' in result.output or '"x"' in result.output
    assert "something is missing: wait …" in result.output


def test_events_and_flows_without_a_trigger(phone: Phone):
    data = turns(
        phone(
            "event billing.refresh_package_settled done=yes fee=490",
            "run tips over=sms",
            "given queue.support closed",
            "run specialist line=support over=voice",
            options=("--json",),
        )
    )
    assert data[0]["messages"][0]["text"].startswith("Пакет обновлён, списано 490 ₽")
    assert data[1]["channel"] == "sms"
    assert "· callback support" in "".join(data[3]["log"])
    assert not [turn for turn in data if turn["fault"]]


def test_help_flows_and_quit(phone: Phone):
    result = phone("help", "flows", "quit", "*929#")
    assert "given billing.package balance=10" in result.output
    assert "refresh_package      *929#; sms 9290 any text" in result.output
    assert "Пакет" not in result.output.replace("Обнови пакет", "").split("home_account")[-1].split("(")[0]
    assert "┌" not in result.output


def test_lines_may_stand_in_the_command(phone: Phone):
    result = CliRunner().invoke(main, ["phone", str(ROOT), "*100#", "1", "--json"], input="")
    assert [turn["line"] for turn in turns(result)] == ["*100#", "1"]


def test_answers_of_one_test_file_come_first(phone: Phone):
    here = turns(phone("*929#", options=("--json", "--answers", "refresh_package")))
    assert here[0]["screen"].startswith("Пакет обновлён, списано 490")
    assert phone(options=("--answers", "nothing")).exit_code == 1
    assert "there is no test file" in phone(options=("--answers", "nothing")).output


def write(root: Path, **files: str) -> Path:
    names = {"project": "config/project.yaml", "backends": "config/backends.yaml", "flow": "flows/f.yaml"}
    for name, text in files.items():
        path = root / names[name]
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


PROJECT = "language: 1\nlanguages: [ru]\nerrors:\n  ussd: { end: Позже. }\n"
BACKENDS = (
    "b:\n  url: http://b\n  list: { get: /l, returns: { on: bool, items: [{ name: text, sum: money }] } }\n"
)
FLOW = """\
flow: { title: т, ussd: "*1#" }
start:
  - request: b.list
    save: l
  - menu: Что?
    each: l.items as x
    item: "{{ x.name }}, {{ x.sum|money }}"
    empty:
      end: Пусто.
  - ask: Пароль?
    type: digits
    digits: 4
    secret: yes
    save: code
  - end: Принято.
"""


def test_an_operation_that_no_test_answers_answers_all_the_same(phone: Phone, tmp_path: Path):
    root = write(tmp_path, project=PROJECT, backends=BACKENDS, flow=FLOW)
    result = phone("*1#", "1", "4711", root=root)
    assert result.exit_code == 0
    assert "│ 1 text, 100 ₽" in result.output
    assert "made up: no test file answers" in result.output
    assert "4711" not in result.output
    assert "> ••••" in result.output
    assert "Принято." in result.output


def test_a_made_up_answer_is_made_the_authors_own(phone: Phone, tmp_path: Path):
    root = write(tmp_path, project=PROJECT, backends=BACKENDS, flow=FLOW)
    data = turns(phone("given b.list items=[]", "*1#", options=("--json",), root=root))
    assert data[1]["screen"] == "Пусто."
    assert "made up" not in "".join(data[1]["log"])


def test_errors_of_a_flow_are_told_and_the_others_run(phone: Phone, tmp_path: Path):
    root = write(tmp_path, project=PROJECT, backends=BACKENDS, flow=FLOW)
    (root / "flows" / "bad.yaml").write_text(
        'flow: { title: т, ussd: "*2#" }\nstart:\n  - ende: Да.\n', "utf-8"
    )
    result = phone("*1#", "*2#", root=root)
    assert '"ende" is not a step' in result.stderr
    assert "│ 1 text, 100 ₽" in result.stdout
    assert "the flow has errors, so it is not run" in result.stdout


def test_settings_with_errors_are_no_project_to_run(phone: Phone, tmp_path: Path):
    root = write(tmp_path, project="language: 1\n", backends=BACKENDS, flow=FLOW)
    result = phone("*1#", root=root)
    assert result.exit_code == 1
    assert 'needs the field "languages"' in result.output
