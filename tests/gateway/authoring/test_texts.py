"""`gudok texts`: what there is to translate; tables brought up to date with what people wrote left alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.reading.diagnostic import Report
from engine.reading.tree import plain_value
from engine.reading.yaml_text import read_tree
from gateway.authoring.translation import NotUpdatedError, Said, State, updated
from gateway.cli import main

ROOT = Path(__file__).resolve().parents[3]
PROJECT = (
    "language: 1\nlanguages: [ru, tg, en]\nmemory: { no_ads: forever }\n"
    'sms: { from: "000500" }\nussd: { late: Ждите., unknown: Нет. }\n'
)
FLOW = """\
flow:
  title: Тест
  ussd: "*1#"
start:
  - ask: Сколько?
    type: money
    save: m
  - menu: Выбор
    1 Да:
      - sms: Сумма {{ m|money }}
    2 Нет:
  - end: "{{ m|money }}"
"""
TG = """\
# Переводчик: Рустам
"Сколько?": "Чанд?"
"Выбор":  "Интихоб"   # проверить
"Старый текст": "Матни кӯҳна"
"Нетъ": "Не"
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in (("config/project.yaml", PROJECT), ("flows/f.yaml", FLOW), ("texts/tg.yaml", TG)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["texts", *map(str, arguments)])


def test_texts_are_listed_with_what_is_missing(root: Path):
    output = run(root).output
    assert "flows/f.yaml\n" in output
    assert "     5  Сколько?  no en\n" in output
    assert "     9  Да  no tg; no en\n" in output
    assert "{{ m|money }}  no" not in output.replace("Сумма {{ m|money }}", "")
    assert "tg: 2 of 8 translated, 2 stale (texts/tg.yaml)" in output
    assert "stale: Старый текст\n" in output
    assert "stale: Нетъ (now: Нет)" in output


def test_one_language_and_only_what_is_missing(root: Path):
    output = run(root, "--lang", "tg", "--missing").output
    assert "Сколько?" not in output
    assert "no en" not in output
    assert run(root, "--lang", "tj").exit_code == 1
    assert 'no language "tj"; it has tg, en' in run(root, "--lang", "tj").output


def test_update_adds_what_is_missing_and_marks_what_is_stale(root: Path):
    result = run(root, "--update", "--lang", "tg")
    assert (result.exit_code, result.output) == (0, "texts/tg.yaml: 6 to translate, 2 stale\n")
    text = (root / "texts" / "tg.yaml").read_text("utf-8")
    assert text == (
        "# Переводчик: Рустам\n"
        '"Сколько?": "Чанд?"\n'
        '"Выбор":  "Интихоб"   # проверить\n'
        "# stale: no flow says this any more\n"
        '"Старый текст": "Матни кӯҳна"\n'
        '# stale: the text is now "Нет"\n'
        '"Нетъ": "Не"\n'
        "\n"
        "# untranslated: config/project.yaml:1\n"
        '# "Ждите.":\n'
        "# untranslated: config/project.yaml:1\n"
        '# "Нет.":\n'
        "# untranslated: config/project.yaml:1\n"
        '# "Больше не пишем вам без вашего запроса.":\n'
        "# untranslated: flows/f.yaml:9\n"
        '# "Да":\n'
        "# untranslated: flows/f.yaml:10\n"
        '# "Сумма {{ m|money }}":\n'
        "# untranslated: flows/f.yaml:11\n"
        '# "Нет":\n'
    )
    assert run(root, "--update", "--lang", "tg").output.endswith("nothing to change\n")
    assert (root / "texts" / "tg.yaml").read_text("utf-8") == text


def test_what_a_translator_fills_in_loses_its_marks(root: Path):
    run(root, "--update")
    file = root / "texts" / "tg.yaml"
    filled = file.read_text("utf-8").replace('# "Да":', '"Да": "Ҳа"').replace('"Нетъ"', '"Нет"')
    file.write_text(filled, "utf-8")
    assert run(root, "--update", "--lang", "tg").output == "texts/tg.yaml: 4 to translate, 1 stale\n"
    text = file.read_text("utf-8")
    assert '"Да": "Ҳа"\n' in text
    assert "flows/f.yaml:9" not in text
    assert "the text is now" not in text
    assert text.count('"Нет"') == 1


def test_a_new_language_gets_its_file(root: Path):
    assert run(root, "--update", "--lang", "en").output == "texts/en.yaml: 8 to translate, 0 stale\n"
    text = (root / "texts" / "en.yaml").read_text("utf-8")
    assert text.startswith("# Texts in en; the key is the text as it stands in the flow.\n\n# untranslated: ")
    assert run(root, "--lang", "en").exit_code == 0


def test_a_new_file_stands_beside_the_others(root: Path):
    (root / "flows" / "texts").mkdir()
    (root / "texts" / "tg.yaml").rename(root / "flows" / "texts" / "tg.yaml")
    assert run(root, "--update", "--lang", "en").output.startswith("flows/texts/en.yaml:")


def test_sizes(root: Path):
    output = run(root, "--cost").output
    assert "5  Сколько?  no en; ru 8/80 1p/1; tg 5/80 1p/1" in output
    assert "Сумма {{ m|money }}  no tg; no en; ru 17/80 1p/1" in output  # with 99 999,99 ₽ at the longest


def test_as_data(root: Path):
    data = json.loads(run(root, "--json", "--cost").output)
    first = next(row for row in data["texts"] if row["text"] == "Сколько?")
    assert first["places"] == ["flows/f.yaml:5"]
    assert first["translations"] == {"tg": "Чанд?", "en": None}
    assert first["sizes"]["ru"] == {"units": 8, "room": 80, "pages": 1, "parts": 1}
    assert data["languages"]["tg"]["stale"] == {"Старый текст": "", "Нетъ": "Нет"}


def test_shipped_flows_are_listed():
    result = run(ROOT, "--json")
    assert result.exit_code == 0
    assert len(json.loads(result.output)["texts"]) > 150


def test_a_project_with_errors_is_told(root: Path):
    (root / "flows" / "f.yaml").write_text("flow: { title: т }\nstart:\n  - ende: Да.\n", "utf-8")
    result = run(root, "--update")
    assert result.exit_code == 1
    assert '"ende" is not a step' in result.stderr
    assert (root / "texts" / "tg.yaml").read_text("utf-8") == TG


def test_a_file_that_is_not_understood_is_left_alone():
    with pytest.raises(NotUpdatedError, match=r"texts/tg\.yaml:1"):
        updated('"а": [\n', State("tg", "texts/tg.yaml", (), {}))


KEYS = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=30)
TEXTS = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Co", "Cn", "Zl", "Zp"]), min_size=1, max_size=40
)
TABLES = st.dictionaries(KEYS.map(str.strip).filter(bool), st.sampled_from(["а", "{{ x }} б"]), max_size=5)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(TABLES, st.lists(TEXTS, max_size=4), st.data())
def test_any_text_may_be_a_key_and_an_update_changes_nothing_said(
    known: dict[str, str], missing: list[str], data: st.DataObject
):
    source = "".join(f"{json.dumps(key, ensure_ascii=False)}: {json.dumps(known[key])}\n" for key in known)
    stale = {key: "" for key in known if data.draw(st.booleans())}
    said = tuple(Said(text, (), frozenset({"tg"})) for text in dict.fromkeys(missing))
    state = State("tg", "texts/tg.yaml", said, stale)
    once = updated(source, state)
    before, after = (read_tree(text, "t", Report()) for text in (source, once))
    assert before is not None
    assert after is not None
    assert (plain_value(before) or {}) == (plain_value(after) or {})
    assert updated(once, state) == once
    assert once.count("# stale: ") >= len(stale)
