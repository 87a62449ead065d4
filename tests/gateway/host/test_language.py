"""The language a subscriber has chosen is that of the next sessions, on every channel and after a restart."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.gateway.host.rig import FILES, PHONE, PROJECT, Rig, failing
from tests.gateway.host.test_people import lay_out, pass_time, running

OTHER = "79160000001"
KEEPING = PROJECT.replace("languages: [ru]", "languages: [ru, tg, en]").replace(
    "memory:\n", "memory:\n  lang: forever\n"
)
CHOOSE = """\
flow:
  title: Язык
  ussd: "*9#"
  sms: { to: "5", words: [язык] }

start:
  - menu: Язык
    1 Русский:
      set: { lang: "'ru'" }
    2 Тоҷикӣ:
      set: { lang: "'tg'" }
    3 English:
      set: { lang: "'en'" }
  - end: Ваш язык.
"""
HELLO = """\
flow:
  title: Привет
  ussd: "*8#"
  sms: "8"

start:
  - end: Привет.
"""
LATER = """\
flow:
  title: Позже
  ussd: "*7#"

start:
  - schedule: hello
    in: 2h
    over: sms
  - end: Привет.
"""
TG = """\
Ваш язык.: Забони шумо.
Привет.: Салом.
Такого номера нет. Проверьте и наберите ещё раз.: Чунин рақам нест.
Больше не пишем вам без вашего запроса.: Дигар наменависем.
"""
ALL = {
    **FILES,
    "config/project.yaml": KEEPING,
    "flows/choose.yaml": CHOOSE,
    "flows/hello.yaml": HELLO,
    "flows/later.yaml": LATER,
    "texts/tg.yaml": TG,
    "texts/en.yaml": "Ваш язык.: Your language.\nПривет.: Hello.\n",
}


@pytest.fixture
async def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    lay_out(tmp_path, ALL)
    async with running(tmp_path, monkeypatch) as one:
        yield one


async def choose(rig: Rig, key: str, session: int = 1) -> None:
    await rig.dial("*9#", session=session)
    await rig.type(key, 1, session=session, code="9")


async def test_the_next_sessions_are_in_the_language_chosen(rig: Rig) -> None:
    await choose(rig, "2")
    assert rig.texts[-1] == "Забони шумо."
    await rig.dial("*8#", session=2)
    assert rig.texts[-1] == "Салом."
    await rig.write("привет", "8")
    assert rig.texts[-1] == "Салом."
    await rig.dial("*8#", OTHER, session=3)
    assert rig.texts[-1] == "Привет."


async def test_the_last_choice_counts(rig: Rig) -> None:
    for session, (key, wanted) in enumerate((("2", "Салом."), ("3", "Hello."), ("1", "Привет."))):
        await choose(rig, key, 10 + session)
        await rig.dial("*8#", session=20 + session)
        assert rig.texts[-1] == wanted
    for name in ("lang", "lang:ru"):
        assert rig.gateway.store.count_memory(PHONE, name, rig.clock.now()) == 1, "a choice leaves one row"
    assert not rig.gateway.store.count_memory(PHONE, "lang:en", rig.clock.now())


async def test_it_may_be_chosen_by_sms(rig: Rig) -> None:
    await rig.write("язык", "5")
    await rig.write("3", "5")
    assert rig.texts[-1] == "Your language."
    await rig.dial("*8#")
    assert rig.texts[-1] == "Hello."


async def test_a_code_that_no_flow_has_is_refused_in_it(rig: Rig) -> None:
    await choose(rig, "2")
    await rig.dial("*404#", session=2)
    assert rig.texts[-1] == "Чунин рақам нест."
    await rig.dial("*404#", OTHER, session=3)
    assert rig.texts[-1] == "Такого номера нет. Проверьте и наберите ещё раз."


async def test_what_was_planned_before_the_choice_is_said_in_it(rig: Rig) -> None:
    await rig.dial("*7#")
    await choose(rig, "2", 2)
    await pass_time(rig, 2 * 3_600_000 + 1_000)
    assert rig.texts[-1] == "Салом."


async def test_a_choice_that_was_not_stored_is_none(rig: Rig) -> None:
    await rig.dial("*9#")
    with failing():
        await rig.type("2", 1, code="9")
    await rig.dial("*8#", session=2)
    assert rig.texts[-1] == "Привет."


async def test_it_outlives_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_out(tmp_path, ALL)
    async with running(tmp_path, monkeypatch) as rig:
        await choose(rig, "3")
    async with running(tmp_path, monkeypatch, passed=1_000) as rig:
        await rig.dial("*8#", session=2)
        assert rig.texts[-1] == "Hello."


async def test_a_project_that_keeps_no_language_begins_in_its_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out(tmp_path, {**ALL, "config/project.yaml": KEEPING.replace("  lang: forever\n", "")})
    async with running(tmp_path, monkeypatch) as rig:
        await choose(rig, "3")
        assert rig.texts[-1] == "Your language."
        await rig.dial("*8#", session=2)
        assert rig.texts[-1] == "Привет."


async def test_stop_is_answered_in_it_where_no_flow_has_the_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeping = KEEPING.replace("memory:\n", "memory:\n  no_ads: forever\n")
    lay_out(tmp_path, {**ALL, "config/project.yaml": keeping})
    async with running(tmp_path, monkeypatch) as rig:
        await choose(rig, "2")
        await rig.write("STOP", "9")
        assert rig.texts[-1] == "Дигар наменависем."
