"""One record for each session, whatever its end, in the transaction that ends it; nothing private in it."""

import asyncio
import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.journal.stencil import records as stored_records
from gateway.settings import DetailSettings, Settings
from gateway.store.detail import opened
from tests.gateway.host import rig as rigs
from tests.gateway.host.rig import PHONE, Rig, failing, rigged


def records(rig: Rig) -> list[dict[str, Any]]:
    """Return the records as the files would say them."""
    return [one for row in rig.gateway.store.details_after(0, 10_000) for one in stored_records(opened(row))]


@pytest.fixture
async def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with rigged(tmp_path, monkeypatch) as one:
        yield one


async def test_a_dialog_of_questions(rig: Rig):
    await rig.dial("*2#")
    rig.clock.advance(4_000)
    await rig.type("раз", 1)
    assert records(rig) == []
    rig.clock.advance(2_500)
    await rig.type("мой пароль", 2)
    (one,) = records(rig)
    assert one["number"] == 1
    assert (one["channel"], one["flow"], one["called"], one["reason"]) == ("ussd", "ask", "*2#", "end")
    assert (one["inputs"], one["pages"], one["duration_ms"]) == (2, 3, 6_500)
    assert (one["handling_ms"], one["self_served"], one["begun_by"]) == (6_500, True, "subscriber")
    assert (one["link"], one["dialect"], one["release"]) == ("main", "standard", "flow")
    assert one["subscriber"] == "7916***4567"
    assert PHONE not in json.dumps(one)
    assert "пароль" not in json.dumps(one, ensure_ascii=False)


async def test_a_charge_with_its_outcome(rig: Rig):
    await rig.dial("*1#")
    await rig.reply("done")
    assert records(rig) == [], "the last screen is not confirmed yet"
    rig.link.accept(rig.link.pages[-1])
    await rig.idle()
    (one,) = records(rig)
    assert one["calls"] == "shop.buy:done"
    assert one["charges"] == "shop.buy:done:0"


async def test_a_message_counts_its_parts(rig: Rig):
    await rig.write("да", "3")
    (one,) = records(rig)
    assert (one["channel"], one["messages"], one["message_parts"]) == ("sms", 1, 3)
    assert len(rig.link.pages) == 3


async def test_a_subscriber_who_hangs_up(rig: Rig):
    await rig.dial("*2#")
    rig.jump(300_000)
    await rig.idle()
    (one,) = records(rig)
    assert (one["reason"], one["release"], one["inputs"]) == ("gone", "timer", 0)


async def test_a_record_is_stored_with_the_end_or_not_at_all(rig: Rig):
    await rig.dial("*2#")
    await rig.type("раз", 1)
    with failing():
        await rig.type("два", 2)
    assert records(rig) == []
    await rig.type("два", 2)
    assert [one["number"] for one in records(rig)] == [1]
    assert records(rig)[0]["inputs"] == 2, "the answer that was not stored is not counted"


async def test_a_session_over_a_restart_has_one_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with rigged(tmp_path, monkeypatch) as rig:
        await rig.dial("*2#")
        await rig.type("раз", 1)
    async with rigged(tmp_path, monkeypatch) as rig:
        await rig.type("два", 2)
        (one,) = records(rig)
        assert (one["inputs"], one["flow"]) == (2, "ask")


async def test_numbers_have_no_gaps_over_failures_and_restarts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for run in range(3):
        async with rigged(tmp_path, monkeypatch) as rig:
            for number in range(4):
                phone = f"7916{run:03}{number:04}"
                if number == 2:
                    with failing():
                        await rig.write("да", "3", phone)
                await rig.write("да", "3", phone)
            for page in rig.link.pages:
                rig.link.accept(page)
            await rig.idle()
            seen = records(rig)
    assert [one["number"] for one in seen] == list(range(1, 13))
    assert len({one["session"] for one in seen}) == 12


async def test_the_same_subscriber_is_known_by_a_key_and_another_is_not(rig: Rig):
    for phone in (PHONE, "79160000001", PHONE):
        await rig.write("да", "3", phone)
        rig.clock.advance(60_000)
    keys = [one["subscriber_key"] for one in records(rig)]
    assert len(keys) == 3
    assert keys[0] == keys[2] != keys[1]


async def test_full_numbers_and_no_records_are_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def with_edr(edr: DetailSettings) -> None:
        monkeypatch.setattr(rigs, "Settings", lambda **given: replace(Settings(**given), edr=edr))

    with_edr(DetailSettings(full_numbers=True))
    async with rigged(tmp_path, monkeypatch) as rig:
        await rig.write("да", "3")
        assert records(rig)[0]["subscriber"] == PHONE
    with_edr(DetailSettings(write=False))
    async with rigged(tmp_path, monkeypatch) as rig:
        await rig.write("да", "3", "79160000001")
        assert len(records(rig)) == 1


async def test_the_files_follow_the_sessions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for run in range(2):
        async with rigged(tmp_path, monkeypatch) as rig:
            await rig.write("да", "3", f"7916000000{run}")
            await rig.gateway.details.tend()
            await asyncio.gather(rig.gateway.details.tend(), rig.gateway.details.tend())
            assert rig.gateway.details.problem == ""
            for page in rig.link.pages:
                rig.link.accept(page)
            await rig.idle()
    (path,) = (tmp_path / "data/edr").glob("*.csv.part")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["number"] for row in rows] == ["1", "2"]
    assert [row["flow"] for row in rows] == ["long", "long"]
    assert [row["self_served"] for row in rows] == ["yes", "yes"]


async def test_a_folder_that_cannot_be_written_is_told_and_loses_nothing(rig: Rig, tmp_path: Path):
    (tmp_path / "data/edr").write_text("in the way", encoding="utf-8")
    await rig.write("да", "3")
    await rig.gateway.details.tend()
    assert rig.gateway.details.problem
    (tmp_path / "data/edr").unlink()
    await rig.gateway.details.tend()
    assert rig.gateway.details.problem == ""
    assert rig.gateway.details.written == 1


async def test_a_position_that_was_not_stored_doubles_nothing(rig: Rig, tmp_path: Path):
    await rig.write("да", "3")
    with failing():
        await rig.gateway.details.tend()
    assert rig.gateway.details.problem
    await rig.gateway.details.tend()
    (path,) = (tmp_path / "data/edr").glob("*.jsonl.part")
    assert [json.loads(one)["number"] for one in path.read_text(encoding="utf-8").splitlines()] == [1]
