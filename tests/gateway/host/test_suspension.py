"""A dialog that broke off is offered again to who dials the same code in time."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from smpp.testing.dialect import PSSR_INDICATION, STANDARD
from tests.gateway.host.rig import FILES, PHONE, Rig
from tests.gateway.host.test_people import lay_out, pass_time, running

FORM = """\
flow:
  title: Анкета
  ussd: "*70#"
  resume: 5m

start:
  - ask: Имя?
    save: name
  - ask: Город?
    save: town
  - end: "{{ name }}, {{ town }}"
"""
ALL = {**FILES, "flows/form.yaml": FORM}


@pytest.fixture
async def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    lay_out(tmp_path, ALL)
    async with running(tmp_path, monkeypatch) as one:
        yield one


async def broken_off(rig: Rig) -> None:
    """Answer the first question and leave the second by dialling another code."""
    await rig.dial("*70#")
    await rig.type("Анна", 1, code="70")
    assert rig.texts[-1] == "Город?"
    await rig.dial("*2#", session=2)
    assert rig.texts[-1] == "Первый?"


async def test_the_last_question_is_asked_again(rig: Rig) -> None:
    await broken_off(rig)
    await rig.dial("*70#", session=3)
    assert "1 Да" in rig.texts[-1]
    await rig.type("1", 1, session=3, code="70")
    assert rig.texts[-1].endswith("Город?")
    await rig.type("Тула", 2, session=3, code="70")
    assert rig.texts[-1] == "Анна, Тула"


async def test_or_everything_begins_anew(rig: Rig) -> None:
    await broken_off(rig)
    await rig.dial("*70#", session=3)
    await rig.type("2", 1, session=3, code="70")
    assert rig.texts[-1] == "Имя?"


async def test_it_is_offered_once_and_only_in_time(rig: Rig) -> None:
    await broken_off(rig)
    await pass_time(rig, 5 * 60_000)
    assert rig.gateway.store.load(rig.clock.now()).schedule == ()
    await rig.dial("*70#", session=3)
    assert rig.texts[-1] == "Имя?"


async def test_nobody_else_gets_it(rig: Rig) -> None:
    await broken_off(rig)
    await rig.dial("*70#", phone="79160000001", session=3)
    assert rig.texts[-1] == "Имя?"


async def test_it_lives_on_after_a_restart_but_not_after_a_change_of_the_flows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out(tmp_path, ALL)
    async with running(tmp_path, monkeypatch) as rig:
        await broken_off(rig)
    async with running(tmp_path, monkeypatch, passed=1_000) as rig:
        rig.link.bring(STANDARD.ussd(PSSR_INDICATION, PHONE, "70", "*70#", 3, 0))
        await rig.idle()
        assert "1 Да" in rig.texts[-1]
        await rig.dial("*2#", session=4)
    (tmp_path / "flows/form.yaml").write_text(FORM.replace("Имя?", "Как зовут?"), encoding="utf-8")
    async with running(tmp_path, monkeypatch, passed=2_000) as rig:
        await rig.dial("*70#", session=5)
        assert rig.texts[-1] == "Как зовут?"
