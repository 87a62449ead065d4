"""Figures of queues of calls and of ratings: shown by the hour, and the same after a restart."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from gateway.host.wait_record import AT_ONCE
from gateway.store.record import RatingRow
from ivr.queue_picture import Wait
from tests.gateway.host.rig import PHONE, Rig, failing, rigged
from tests.gateway.web.door import Door, opened

HOUR_MS = 3_600_000


def waits(now: int) -> list[Wait]:
    """An hour of a queue: four answered, one gone, one led on."""
    hour = now - now % HOUR_MS
    ended = [
        Wait("support", hour + n, seconds * 1000, "answered", 60_000)
        for n, seconds in enumerate((2, 4, 6, 50))
    ]
    return [*ended, Wait("support", hour, 9_000, "abandoned"), Wait("support", hour, 90_000, "timeout")]


@asynccontextmanager
async def running(root: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Door]:
    async with (
        rigged(root, monkeypatch) as rig,
        aiohttp.ClientSession() as client,
        opened(rig, client) as one,
    ):
        rig.gateway.asterisks.on_waits = rig.gateway.telephony.waits.keep
        yield one


def end(rig: Rig, ended: list[Wait]) -> None:
    """Have waits end, as the gateway does once a second."""
    for wait in ended:
        rig.gateway.asterisks._note(wait)
    rig.gateway.telephony.waits.keep(ended)


async def test_the_figures_are_shown_by_the_hour_and_survive_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async with running(tmp_path, monkeypatch) as door:
        gateway = door.rig.gateway
        end(door.rig, waits(gateway.clock.now()))
        batch = gateway.store.batch()
        for score in (5, 5, 4, None):
            batch.group().rating(
                RatingRow(gateway.clock.now(), "rate", "service", score, 0, 5, "voice", PHONE)
            )
        gateway.store.commit_now(batch)
        await door.rig.idle()
        status, before = await door.get("/api/queue/figures")
        assert status == 200
        (hour,) = before["hours"]
        assert (hour["queue"], hour["offered"], hour["answered"], hour["abandoned"], hour["led_on"]) == (
            "support", 5, 4, 1, 1,
        )  # fmt: skip
        assert (hour["mean_wait_s"], hour["median_wait_s"]) == (15.5, 5.0)
        assert (hour["p90_wait_s"], hour["longest_wait_s"]) == (50.0, 50.0)
        assert (hour["in_time_of_answered"], hour["in_time_of_offered"]) == (0.75, 0.6)
        (rated,) = before["ratings"]
        assert (rated["topic"], rated["asked"], rated["answered"], rated["of_highest"]) == (
            "service",
            4,
            3,
            2,
        )
        assert rated["share"] == pytest.approx(2 / 3)
        assert rated["response_rate"] == 0.75
        assert rated["low"] < 2 / 3 < rated["high"]
        assert PHONE not in str(before)
    async with running(tmp_path, monkeypatch) as door:
        assert (await door.get("/api/queue/figures"))[1] == before
        door.rig.clock.advance(25 * HOUR_MS)
        door.rig.gateway.asterisks.tend(door.rig.clock.now())
        assert (await door.get("/api/queue/figures"))[1]["hours"] == []


async def test_what_counts_as_in_time_may_be_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with running(tmp_path, monkeypatch) as door:
        end(door.rig, waits(door.rig.gateway.clock.now()))
        _, found = await door.get("/api/queue/figures?within=5")
        assert found["hours"][0]["in_time_of_answered"] == 0.5
        for wrong in ("-1", "", "x", "20.5", "99999"):
            assert (await door.get(f"/api/queue/figures?within={wrong}"))[0] == 400


async def test_a_store_that_is_down_for_a_while_loses_no_wait_and_doubles_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async with running(tmp_path, monkeypatch) as door:
        rig = door.rig
        many = [Wait("support", rig.clock.now() + n, 1_000, "abandoned") for n in range(AT_ONCE + 10)]
        with failing():
            end(rig, many[:5])
            await rig.idle()
            end(rig, many[5:])
            await rig.idle()
        assert rig.gateway.store.waits(0, 5_000) == []
        rig.gateway.telephony.waits.tend()
        await rig.idle()
        stored = [row.arrival for row in rig.gateway.store.waits(0, 5_000)]
        assert stored == [one.arrival for one in many]
        rig.gateway.telephony.waits.tend()
        await rig.idle()
        assert len(rig.gateway.store.waits(0, 5_000)) == len(many)


async def test_the_talks_before_a_restart_tell_the_pace_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async with running(tmp_path, monkeypatch) as door:
        now = door.rig.clock.now()
        end(door.rig, [Wait("support", now, 1_000, "answered", 30_000) for _ in range(10)])
        await door.rig.idle()
        pace = door.rig.gateway.asterisks._handling_s("support")
    async with running(tmp_path, monkeypatch) as door:
        assert door.rig.gateway.asterisks._handling_s("support") == pace == 35.0
