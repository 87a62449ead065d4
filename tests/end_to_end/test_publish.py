"""Flows change while subscribers are in them: each dialogue ends in the build it began with."""

from pathlib import Path

from tests.end_to_end.stage import RICH, staged

OLD = """\
flow:
  title: Вопросы
  ussd: "*700#"

start:
  - ask: Старый первый?
    save: a
  - ask: Старый второй?
    save: b
  - end: Старое {{ a }} {{ b }}
"""
NEW = OLD.replace("Старый", "Новый").replace("Старое", "Новое")
FILE = "flows/questions.yaml"


async def test_an_open_dialogue_keeps_its_flow_and_a_new_one_gets_the_new(tmp_path: Path):
    async with staged(tmp_path, files={FILE: OLD}) as stage:
        first = await stage.centre.dial(RICH, "*700#")
        (tmp_path / FILE).write_text(NEW, encoding="utf-8")
        assert stage.gateway.library.look()
        second = await stage.centre.dial("79160000002", "*700#")
        assert (first.screen, second.screen) == ("Старый первый?", "Новый первый?")
        assert await first.send("1") == "Старый второй?"
        assert await second.send("1") == "Новый второй?"
        assert await first.send("2") == "Старое 1 2"
        assert await second.send("2") == "Новое 1 2"


async def test_an_open_dialogue_keeps_its_flow_over_a_change_and_a_restart(tmp_path: Path):
    async with staged(tmp_path, files={FILE: OLD}) as stage:
        dialog = await stage.centre.dial(RICH, "*700#")
        (tmp_path / FILE).write_text(NEW, encoding="utf-8")
        assert stage.gateway.library.look()
        await dialog.send("1")
        await stage.restart()
        assert await dialog.send("2") == "Старое 1 2"
        assert (await stage.centre.dial(RICH, "*700#")).screen == "Новый первый?"


async def test_a_change_made_while_the_gateway_was_down_leaves_open_dialogues_alone(tmp_path: Path):
    async with staged(tmp_path, files={FILE: OLD}) as stage:
        dialog = await stage.centre.dial(RICH, "*700#")
        await stage.gateway.close()
        (tmp_path / FILE).write_text(NEW, encoding="utf-8")
        stage.gateway = stage.make()
        await stage.start()
        assert await dialog.send("1") == "Старый второй?"


async def test_a_broken_file_changes_nothing(tmp_path: Path):
    async with staged(tmp_path, files={FILE: OLD}) as stage:
        for text in ("start: [", "\0\0\0", "[" * 50_000, OLD.replace("ask", "aks"), ""):
            (tmp_path / FILE).write_text(text, encoding="utf-8")
            assert not stage.gateway.library.look()
            dialog = await stage.centre.dial(RICH, "*700#")
            assert dialog.screen == "Старый первый?"
            assert await dialog.send("1") == "Старый второй?"
        (tmp_path / FILE).write_text(NEW, encoding="utf-8")
        assert stage.gateway.library.look()
        assert (await stage.centre.dial(RICH, "*700#")).screen == "Новый первый?"
