"""Events from outside: signed, checked, stored before 202, begun exactly once."""

from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from gateway.web.event_api import MOST_BODY
from gateway.web.signature import sign
from tests.gateway.host.rig import PHONE, Rig, failing, rigged
from tests.gateway.web.door import KEY, OLD, Door, lay_out_events, opened

VISIT = {"id": "v1", "phone": PHONE, "shop": "Арбат"}


async def let_go(rig: Rig) -> None:
    """Let what is paced leave: a second passes."""
    await rig.idle()
    for _ in range(10):
        rig.clock.advance(100)
        rig.gateway.events.tend(rig.clock.now())
        await rig.idle()
        rig.gateway.outbox.pump_unasked()
        await rig.idle()


async def test_an_event_begins_its_flow_once(door: Door):
    assert await door.event("shop.visit", VISIT) == (202, {"accepted": "v1"})
    assert await door.event("shop.visit", VISIT) == (202, {"accepted": "v1"})
    await let_go(door.rig)
    assert door.rig.texts == ["Вы были в Арбат."]
    assert (await door.event("shop.visit", {**VISIT, "id": "v2"}))[0] == 202
    await let_go(door.rig)
    assert len(door.rig.texts) == 2


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"phone": PHONE, "shop": "a"}, "id is missing"),
        ({**VISIT, "id": "x" * 129}, "id is missing"),
        ({**VISIT, "id": "ключ"}, "beyond ASCII"),
        ({"id": "1", "shop": "a"}, "event.phone"),
        ({**VISIT, "phone": "not a phone"}, "event.phone"),
        ({**VISIT, "shop": 5}, "event.shop"),
        ({**VISIT, "sum": "much"}, "event.sum"),
        (b"{", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[]", "no object"),
        (b"[" * 100_000, "no JSON"),
    ],
)
async def test_what_does_not_fit_is_named(door: Door, data: object, said: str):
    status, answer = await door.event("shop.visit", data)
    assert status == 400
    assert said in answer["error"]
    await let_go(door.rig)
    assert door.rig.texts == []


async def test_an_optional_field_may_be_missing_and_an_unknown_one_is_passed_over(door: Door):
    assert (await door.event("shop.visit", {**VISIT, "colour": "red"}))[0] == 202


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"key": b"w" * 32}, 401),
        ({"at": -301}, 401),
        ({"at": 301}, 401),
        ({"at": -299}, 202),
        ({"at": 299}, 202),
        ({"key": OLD}, 202),
        ({"header": ""}, 401),
        ({"header": "t=1,v1=00"}, 401),
        ({"header": "v1=00"}, 401),
        ({"header": "t=" + "9" * 4000}, 401),
        ({"header": "t=1,v1=\xe9"}, 401),
    ],
)
async def test_only_signed_events_are_taken(door: Door, given: dict, status: int):
    assert (await door.event("shop.visit", VISIT, **given))[0] == status


async def test_a_signature_covers_the_body(door: Door):
    header = sign(KEY, b'{"id": "v1"}', door.rig.clock.wall_ms() // 1000)
    assert (await door.event("shop.visit", VISIT, header=header))[0] == 401


@pytest.mark.parametrize("name", ["shop.unknown", "nobody.visit", "shop.buy_settled"])
async def test_there_is_no_such_event(door: Door, name: str):
    """The end of an order is known here only: nobody may tell us that a charge was carried out."""
    assert (await door.event(name, VISIT))[0] == 404


async def test_without_a_key_the_door_is_closed(door: Door):
    door.rig.gateway.settings = replace(door.rig.gateway.settings, events=None)
    status, answer = await door.event("shop.visit", VISIT)
    assert status == 404
    assert "events.secret" in answer["error"]


async def test_a_body_that_is_too_large_is_not_read(door: Door):
    assert (await door.event("shop.visit", b" " * (MOST_BODY + 1)))[0] == 413


async def test_what_cannot_be_stored_is_to_be_sent_again(door: Door):
    with failing():
        assert (await door.event("shop.visit", VISIT))[0] == 503
    assert (await door.event("shop.visit", VISIT))[0] == 202
    await let_go(door.rig)
    assert door.rig.texts == ["Вы были в Арбат."]


async def test_a_gateway_that_ends_takes_no_event(door: Door):
    door.rig.gateway.host.draining = True
    assert (await door.event("shop.visit", VISIT))[0] == 503
    door.rig.gateway.host.draining = False


async def test_an_event_that_was_confirmed_is_begun_after_a_restart_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    lay_out_events(tmp_path)
    async with rigged(tmp_path, monkeypatch) as rig, aiohttp.ClientSession() as client:
        monkeypatch.setattr(rig.gateway.host, "take_later", lambda *_: None)  # the crash right after 202
        async with opened(rig, client) as door:
            assert (await door.event("shop.visit", VISIT))[0] == 202
        assert rig.texts == []
        monkeypatch.undo()
    for expected in (["Вы были в Арбат."], []):
        async with rigged(tmp_path, monkeypatch) as rig, aiohttp.ClientSession() as client:
            await let_go(rig)
            assert rig.texts == expected
            for page in rig.link.pages:
                rig.link.accept(page)
            await rig.idle()
            async with opened(rig, client) as door:
                assert (await door.event("shop.visit", VISIT))[0] == 202, "the id is still known"


async def test_each_element_is_a_session_of_its_own_at_a_pace(door: Door):
    reports = [{"phone": f"7916000{number:04}", "number": number} for number in range(50)]
    assert (await door.event("shop.repaired", {"id": "r", "reports": reports}))[0] == 202
    await door.rig.idle()
    assert door.rig.texts == []
    begun = []
    for _ in range(4):
        await let_go(door.rig)
        begun.append(len(door.rig.texts))
    assert begun[0] <= 25, "twenty a second and what a burst holds"
    assert begun[-1] == 50
    assert door.rig.texts == [f"Заявка {number} выполнена." for number in range(50)]


async def test_a_restart_in_the_middle_of_many_neither_loses_nor_repeats_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    lay_out_events(tmp_path)
    reports = [{"phone": f"7916000{number:04}", "number": number} for number in range(30)]
    texts: list[str] = []
    async with rigged(tmp_path, monkeypatch) as rig, aiohttp.ClientSession() as client:
        async with opened(rig, client) as door:
            assert (await door.event("shop.repaired", {"id": "r", "reports": reports}))[0] == 202
        await let_go(rig)
        texts += rig.texts
        for page in rig.link.pages:
            rig.link.accept(page)
        await rig.idle()
    assert 0 < len(texts) < 30
    async with rigged(tmp_path, monkeypatch) as rig:
        rig.clock.advance(10_000)
        for _ in range(4):
            await let_go(rig)
        texts += rig.texts
    assert sorted(texts) == sorted(f"Заявка {number} выполнена." for number in range(30))
