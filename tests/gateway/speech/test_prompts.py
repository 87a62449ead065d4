"""`gudok prompts`: the script for the studio, and recordings that are made of it."""

from __future__ import annotations

import csv
import io
import json
from array import array
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine.flow_set import FlowSet
from engine.reading.flow_set import load_project
from engine.spoken import recording_name
from gateway.cli import prompts as command
from gateway.project_files import read_project
from gateway.speech.folder import listed
from gateway.speech.script import ENGINE, NOUN, TEXT, VALUE, script
from gateway.speech.wave import RATE, written
from ivr.numerals import tongue

ROOT = Path(__file__).parents[3]
PROJECT = "language: 1\nlanguages: [ru, en]\ncountry: RU\ntimezone: Europe/Moscow\n"
FLOW = """
flow: {title: Пример, call: "0890"}
start:
  - ask: Сколько дней?
    type: int
    save: left
  - say: "=Баланс {{ left|money }}, осталось {{ left|count('день|дня|дней') }}."
  - say: Здравствуйте.
    sound: greeting
  - menu: Главное меню.
    1 Баланс: {end: До свидания.}
    2 Выход: {end: До свидания.}
"""


class Voice:
    """Says everything as the same tone, but one word not at all."""

    voice = "test"

    async def speak(self, text, lang):
        if text == "Выход":
            raise command.SynthesisError("no voice")
        return written(array("h", [500] * RATE))


@pytest.fixture
def project(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "flows").mkdir()
    (tmp_path / "config/project.yaml").write_text(PROJECT, encoding="utf-8")
    (tmp_path / "flows/example.yaml").write_text(FLOW, encoding="utf-8")
    return tmp_path


def run(project, *options):
    return CliRunner().invoke(command.prompts, [str(project), *options])


def rows(project, *options):
    return json.loads(run(project, "--form", "json", *options).output)


def test_the_script_has_everything_that_is_said(project):
    found = {(row["lang"], row["kind"], row["text"]): row for row in rows(project)}
    assert ("ru", TEXT, "осталось") in found
    assert ("ru", NOUN, "дней") in found
    assert ("ru", ENGINE, "нажмите") in found
    assert ("ru", VALUE, "копеек") in found
    assert ("en", ENGINE, "press") in found
    greeting = found["ru", TEXT, "Здравствуйте."]
    assert greeting["file"] == "flows/sounds/ru/greeting.wav"
    farewell = found["ru", TEXT, "До свидания."]
    assert farewell["file"] == f"flows/sounds/ru/{recording_name('До свидания.')}.wav"
    assert farewell["uses"] == ["flows/example.yaml:11", "flows/example.yaml:12"]
    assert not farewell["recorded"]
    assert {row["lang"] for row in rows(project, "--lang", "en")} == {"en"}


BLOCKS = """
errors:
  voice:
    - say: Сервис временно недоступен.
    - end: Перезвоните позже.
  sms:
    end: Ответа нет.
operator:
  end: Специалистов нет.
"""


def test_the_script_has_what_the_project_says_where_a_flow_says_nothing(project):
    path = project / "config/project.yaml"
    path.write_text(PROJECT + BLOCKS, encoding="utf-8")
    found = {row["text"]: row for row in rows(project, "--lang", "ru", "--missing")}
    for text in ("Сервис временно недоступен.", "Перезвоните позже.", "Специалистов нет."):
        assert found[text]["kind"] == TEXT
        assert found[text]["uses"][0].startswith("config/project.yaml:")
    assert "Ответа нет." not in found
    order = list(found)
    assert order.index("Главное меню.") < order.index("Сервис временно недоступен.")


def test_a_recording_is_measured_and_no_longer_missing(project):
    path = project / f"flows/sounds/ru/{recording_name('Главное меню.')}.wav"
    path.parent.mkdir(parents=True)
    path.write_bytes(written(array("h", [0] * (2 * RATE))))
    by_text = {row["text"]: row for row in rows(project)}
    assert (by_text["Главное меню."]["seconds"], by_text["Главное меню."]["recorded"]) == (2.0, True)
    assert "Главное меню." not in {row["text"] for row in rows(project, "--missing")}


def test_a_spreadsheet_sees_no_formula(project):
    table = list(csv.DictReader(io.StringIO(run(project).output)))
    assert {row["text"] for row in table if "Баланс" in row["text"]} == {"'=Баланс", "Баланс"}
    assert run(project, "--form", "md").output.startswith("| File | Seconds |")


def test_what_is_missing_is_made(project, monkeypatch):
    monkeypatch.setattr(command, "installed", lambda name: Voice())
    old = project / "flows/sounds/ru/0123456789abcdef.wav"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"old")
    first = run(project, "--lang", "ru", "--make")
    assert first.exit_code == 1
    assert f"ru/{recording_name('Выход')}: no voice" in first.output
    assert {row["text"] for row in rows(project, "--lang", "ru", "--missing")} == {"Выход"}
    assert (project / "flows/sounds/ru/values/100.wav").is_file()
    again = run(project, "--lang", "ru", "--make", "--prune")
    assert "0 made by test, 1 deleted" in again.output
    assert not old.exists()


def test_without_a_synthesiser_it_says_what_to_install(project, monkeypatch):
    monkeypatch.setattr(command, "installed", lambda name: None)
    result = run(project, "--make")
    assert (result.exit_code, "apt-get install espeak-ng" in result.output) == (1, True)


def test_flows_with_errors_have_no_script(project):
    (project / "flows/example.yaml").write_text("flow: {}\nstart: 5\n", encoding="utf-8")
    assert "gudok check" in run(project).output


def shipped() -> FlowSet:
    flows, _ = load_project(read_project(ROOT).texts)
    assert flows is not None
    return flows


def test_the_parts_of_russian_values_are_shipped():
    rules = tongue("ru")
    assert rules is not None
    there = listed(ROOT / "flows/sounds")
    assert [part for part in rules.script("RUB") if f"ru/values/{part}" not in there] == []


def test_the_shipped_recordings_are_those_of_the_flows():
    """What fails here is mended by `make prompts`."""
    there = {name for name in listed(ROOT / "flows/sounds") if name.startswith("ru/")}
    wanted = {line.name: line.text for line in script(shipped()) if line.lang == "ru"}
    assert sorted(text for name, text in wanted.items() if name not in there) == []
    assert sorted(there - set(wanted)) == []
