"""Switches over HTTP: who may, what is refused, what is in force at once and after a restart, who did it."""

from pathlib import Path

import aiohttp
import pytest

from tests.gateway.host.rig import PHONE, failing, rigged
from tests.gateway.web.door import Door, lay_out_events, opened

OTHER = "79160000001"
OURS = {"Content-Type": "application/json"}


async def test_a_flow_that_is_off_says_so_at_once(door: Door):
    rig = door.rig
    status, state = await door.order(act="off", flow="ask", text="Ремонт до 18:00.")
    assert status == 200
    assert state["off"] == {"ask": {"": "Ремонт до 18:00."}}
    await rig.dial("*2#")
    await rig.write("начать", "2", OTHER)
    assert rig.texts == ["Ремонт до 18:00."] * 2
    assert not rig.gateway.host.conversations
    assert (await door.order(act="on", flow="ask"))[0] == 200
    await rig.dial("*2#", session=2)
    assert rig.texts[-1] == "Первый?"


async def test_each_channel_may_have_its_own_text(door: Door):
    await door.order(act="off", flow="ask", text="Позвоните.", channel="sms")
    await door.order(act="off", flow="ask", text="Наберите позже.", channel="ussd")
    await door.rig.dial("*2#")
    await door.rig.write("начать", "2", OTHER)
    assert door.rig.texts == ["Наберите позже.", "Позвоните."]


async def test_a_session_that_runs_goes_on_to_its_end(door: Door):
    await door.rig.dial("*2#")
    await door.order(act="off", flow="ask")
    await door.rig.type("раз", 1)
    await door.rig.type("два", 2)
    assert door.rig.texts == ["Первый?", "Второй?", "раз два"]


async def test_a_blocked_number_starts_nothing(door: Door):
    rig = door.rig
    await door.order(act="block", number="+7 916 123-45-67")
    await rig.dial("*2#")
    await rig.write("начать", "2")
    assert rig.texts == ["Такого номера нет. Проверьте и наберите ещё раз."]
    assert rig.gateway.host.counters["switched.block"] == 2
    await door.order(act="block", number=PHONE, text="Номер закрыт.")
    await rig.dial("*2#", session=2)
    assert rig.texts[-1] == "Номер закрыт."
    assert (await door.order(act="unblock", number=PHONE))[0] == 200
    await rig.dial("*2#", session=3)
    assert rig.texts[-1] == "Первый?"


async def test_an_event_about_a_blocked_number_is_passed_over(door: Door):
    await door.order(act="block", number=PHONE)
    assert (await door.event("shop.visit", {"id": "1", "phone": PHONE, "shop": "a"}))[0] == 202
    await door.rig.idle()
    door.rig.gateway.outbox.pump_unasked()
    assert door.rig.texts == []


async def test_only_numbers_on_trial_reach_a_flow(door: Door):
    await door.order(act="allow", flow="ask", number=PHONE)
    await door.rig.dial("*2#")
    await door.rig.dial("*2#", OTHER)
    assert door.rig.texts == ["Первый?", "Такого номера нет. Проверьте и наберите ещё раз."]
    await door.order(act="open", flow="ask")
    await door.rig.dial("*2#", OTHER, session=2)
    assert door.rig.texts[-1] == "Первый?"


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ({"act": "off", "flow": "askk"}, 'no flow "askk"; did you mean "ask"?'),
        ({"act": "on", "flow": "ask"}, "is not off"),
        ({"act": "block", "number": "5"}, "no phone number"),
        ({"act": "unblock", "number": PHONE}, "not blocked"),
        ({"act": "allow", "flow": "nowhere", "number": PHONE}, "no flow"),
        ({"act": "disallow", "flow": "ask", "number": PHONE}, "not on the list"),
        ({"act": "open", "flow": "ask"}, "no list"),
        ({"act": "off", "flow": "ask", "text": "я" * 481}, "481 characters"),
        ({"act": "off", "flow": "ask", "text": "a\x1b[2J"}, "control characters"),
        ({"act": "off", "flow": "ask", "channel": "fax"}, "no channel"),
        ({"act": "explode"}, "the orders are"),
    ],
)
async def test_what_cannot_be_done_is_refused_and_changes_nothing(door: Door, order: dict, said: str):
    status, answer = await door.order(**order)
    assert status == 409
    assert said in answer["error"]
    _, state = await door.get("/api/switches")
    assert [state[name] for name in ("off", "blocked", "allowed", "audit")] == [{}, {}, {}, []]


INNER = """\
flow:
  title: Внутренний
start:
  - say: Внутри.
"""
OUTER = """\
flow:
  title: Внешний
  ussd: "*77#"
start:
  - run: middle
  - schedule: later
    in: 1h
  - end: Всё.
"""


async def test_a_flow_that_only_runs_inside_others_names_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    lay_out_events(tmp_path)
    for name, text in (
        ("inner", INNER),
        ("middle", INNER.replace("say: Внутри.", "run: inner")),
        ("later", INNER.replace("say: Внутри.", "end: Позже.")),
        ("outer", OUTER),
    ):
        (tmp_path / f"flows/{name}.yaml").write_text(text, encoding="utf-8")
    async with (
        rigged(tmp_path, monkeypatch) as rig,
        aiohttp.ClientSession() as client,
        opened(rig, client) as door,
    ):
        for act in ("off", "allow"):
            status, answer = await door.order(act=act, flow="inner", number=PHONE)
            assert status == 409
            assert answer["error"] == 'nothing starts "inner" by itself; the flows that run it: outer'
        assert (await door.order(act="off", flow="later"))[0] == 200
        assert (await door.order(act="off", flow="outer"))[0] == 200
        _, state = await door.get("/api/switches")
        assert {"outer", "later", "ask"} <= set(state["flows"])
        assert not {"inner", "middle"} & set(state["flows"])


async def test_the_last_number_of_a_trial_cannot_be_taken_out_by_mistake(door: Door):
    await door.order(act="allow", flow="ask", number=PHONE)
    await door.order(act="allow", flow="ask", number=OTHER)
    assert (await door.order(act="disallow", flow="ask", number=PHONE))[0] == 200
    status, answer = await door.order(act="disallow", flow="ask", number=OTHER)
    assert (status, "open ask" in answer["error"]) == (409, True)
    _, state = await door.get("/api/switches")
    assert state["allowed"] == {"ask": [OTHER]}


async def test_what_could_not_be_stored_is_not_in_force(door: Door):
    with failing():
        assert (await door.order(act="off", flow="ask"))[0] == 503
    await door.rig.dial("*2#")
    assert door.rig.texts == ["Первый?"]


async def test_everything_is_kept_over_a_restart_with_who_did_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    lay_out_events(tmp_path)
    async with (
        rigged(tmp_path, monkeypatch) as rig,
        aiohttp.ClientSession() as client,
        opened(rig, client) as door,
    ):
        await door.order({"X-Gudok-Who": "anna"}, act="off", flow="ask", text="Позже.")
        await door.order(act="block", number=OTHER, text="Нет.")
        await door.order(act="allow", flow="buy", number=PHONE)
        _, before = await door.order(act="announce", text="Авария на севере.")
    async with (
        rigged(tmp_path, monkeypatch) as rig,
        aiohttp.ClientSession() as client,
        opened(rig, client) as door,
    ):
        _, after = await door.get("/api/switches")
        assert {name: after[name] for name in before} == before
        assert [row["act"] for row in after["audit"]] == ["announce", "allow", "block", "off"]
        assert after["audit"][-1]["who"] == "anna@127.0.0.1"
        await rig.dial("*2#")
        assert rig.texts == ["Позже."]
        assert rig.gateway.store.get_meta("announcement") == "Авария на севере.".encode()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({**OURS, "Host": "evil.example"}, 421),
        ({**OURS, "Origin": "http://evil.example"}, 403),
        ({**OURS, "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": "text/plain"}, 415),
        (OURS, 200),
    ],
)
async def test_another_site_may_not_act_here(door: Door, headers: dict[str, str], status: int):
    body = b'{"act": "off", "flow": "ask"}'
    async with door.client.post(f"{door.url}/api/switches", data=body, headers=headers) as response:
        assert response.status == status
        assert "default-src 'self'" in response.headers["Content-Security-Policy"]
    assert bool(door.rig.gateway.host.switches.state.off) is (status == 200)


async def test_with_a_token_everybody_needs_it(rig):
    token = "t" * 20
    async with aiohttp.ClientSession() as client, opened(rig, client, token) as door:
        assert (await door.get("/api/switches"))[0] == 401
        assert (await door.get("/api/switches", Authorization="Bearer wrong"))[0] == 401
        assert (await door.get("/api/switches", Authorization=f"Bearer {token}"))[0] == 200
        assert (await door.get("/switches"))[0] == 200, "the page itself tells nothing"
        assert (await door.get("/healthz"))[0] == 200


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"act": 5}', b'{"act": "on", "more": 1}', b"\xff"])
async def test_a_broken_order_is_refused(door: Door, body: bytes):
    async with door.client.post(f"{door.url}/api/switches", data=body, headers=OURS) as response:
        assert response.status == 400


async def test_the_page_has_no_script_inside_and_finds_its_files(door: Door):
    status, page = await door.get("/switches")
    assert status == 200
    assert "<script>" not in page
    assert "onclick" not in page
    for name in ("switches.js", "switches.css"):
        assert (await door.get(f"/switches/{name}"))[0] == 200
        assert f"/switches/{name}" in page


async def test_no_number_is_a_label(door: Door):
    await door.order(act="block", number=PHONE)
    await door.rig.dial("*2#")
    await door.event("shop.visit", {"id": "1", "phone": PHONE, "shop": "a"})
    door.rig.link.state = lambda: {"bound": True, "queue": 0, "counters": {}}
    _, metrics = await door.get("/metrics")
    assert 'gudok_starts_refused_total{switch="block"}' in metrics
    assert 'gudok_events_in_total{event="shop.visit",what="taken"}' in metrics
    assert PHONE not in metrics
