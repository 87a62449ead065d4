"""What happens around a subscriber, from the page to the handset; and the gateway's own pages beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from engine.flow_set import FlowSet
from gateway.demo.show import Show
from gateway.demo.world import offered
from gateway.library import Library
from tests.gateway.demo.playing import ROOT
from tests.gateway.demo.test_handset import RICH, Open

STAFF = "79160000013"


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as one:
        yield one


async def happen(page: Open, name: str) -> tuple[int, str]:
    return await page.order("world", phone=page.phone, name=name)


async def received(page: Open) -> Any:
    """Return the SMS that comes next; a receipt tells of an old one again."""
    return await page.until("message", lambda one: one["state"] == "received")


async def next_day(page: Open) -> None:
    assert await page.order("next-day") == (200, "")
    await page.until("status", lambda one: one["bound"] == 2 and one["day_shift"] > 0)


async def test_who_has_reported_a_fault_hears_that_it_is_repaired(
    show: Show, client: aiohttp.ClientSession
) -> None:
    async with Open(client, show.url, RICH) as page:
        await next_day(page)  # at noon nothing is held back until morning
        refused = await happen(page, "repaired")
        assert refused[0] == 409
        assert "write СБОЙ to 000500" in refused[1]
        await page.order("sms", phone=RICH, to="000500", text="сбой")
        assert (await received(page))["text"] == "Напишите адрес, где не работает связь."
        await page.order("sms", phone=RICH, to="000500", text="Мира 5")
        assert (await received(page))["text"].startswith("Заявка 101 принята.")
        assert await happen(page, "repaired") == (200, "")
        assert (await received(page))["text"].startswith("Заявка 101 выполнена, связь работает.")
        row = await page.until("row", lambda one: one["kind"] == "world")
        assert (row["text"], row["detail"]) == ("network.repaired", "signed, taken with 202")
        assert (await happen(page, "repaired"))[0] == 409


async def test_works_are_asked_about_on_the_next_day_by_telephone(
    show: Show, client: aiohttp.ClientSession
) -> None:
    async with Open(client, show.url, RICH) as page:
        assert await happen(page, "works_done") == (200, "")
        assert await page.order("next-day") == (200, "")
        call = await page.until("call", lambda one: one and one["state"] == "incoming")
        assert await page.order("call/pick-up", phone=RICH) == (200, "")
        call = await page.until("call", lambda one: one and one["playing"])
        assert "Вчера мы у вас работали. Два коротких вопроса.\nВсё работает?" in call["said"][-1]["text"]
        assert await page.order("call/key", phone=RICH, key="2") == (200, "")
        call = await page.until("call", lambda one: one and one["playing"] > call["playing"])
        assert "перезвонит" in call["said"][-1]["text"]
        await page.until("status", lambda one: one["tasks"] == 1)


async def test_an_unsolved_case_is_a_task_and_starting_over_ends_it(
    show: Show, client: aiohttp.ClientSession
) -> None:
    async with Open(client, show.url, RICH) as page:
        assert await happen(page, "unsolved") == (200, "")
        await page.until("status", lambda one: one["tasks"] == 1)
        await next_day(page)
        assert (await page.picture())["status"]["tasks"] == 1  # the store outlives the night
        assert await page.order("start-over") == (200, "")
    async with Open(client, show.url, RICH) as page:
        status = (await page.picture())["status"]
        assert (status["tasks"], status["day_shift"]) == (0, 0)


async def test_the_network_rings_and_a_busy_handset_is_not_rung(
    show: Show, client: aiohttp.ClientSession
) -> None:
    async with Open(client, show.url, RICH) as page:
        assert await happen(page, "offer") == (200, "")
        screen = await page.until("ussd", lambda one: one and one["state"] == "menu")
        assert screen["rings"]
        assert screen["text"].startswith("Ultra: 15 ГБ")
        status, said = await happen(page, "offer")
        assert (status, "a dialog is open" in said) == (409, True)
        assert (await page.answer("2"))["text"] == "Хорошо, не сейчас."
        assert not (await page.dial("*105#"))["rings"]


async def test_the_language_chosen_by_a_code_is_shown(show: Show, client: aiohttp.ClientSession) -> None:
    async with Open(client, show.url, RICH) as page:
        assert (await page.picture())["language"] == "ru"
        await page.dial("*111*3#")
        assert await page.until("language", lambda one: one == "en") == "en"
        assert (await page.picture())["language"] == "en"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"phone": RICH, "name": "fire"}, 409),
        ({"phone": "79161000001", "name": "offer"}, 404),
        ({"phone": RICH}, 400),
        ({"phone": RICH, "name": "offer", "x": 1}, 400),
    ],
)
async def test_what_cannot_happen_is_said(
    show: Show, client: aiohttp.ClientSession, body: Any, status: int
) -> None:
    async with client.post(f"{show.url}world", json=body) as response:
        assert response.status == status
        assert (await response.json())["error"]


@pytest.fixture(scope="module")
def flows() -> FlowSet:
    return Library(ROOT).current


def test_only_what_the_flows_react_to_is_offered(flows: FlowSet) -> None:
    def names(*lanes: str) -> list[str]:
        return [act["name"] for act in offered(flows, frozenset(lanes))]

    assert names("ussd", "sms") == ["repaired", "works_done", "unsolved", "offer"]
    assert names("ussd", "sms", "voice")[-1] == "shop_left"


async def test_what_a_persona_is_good_for_is_told(show: Show, client: aiohttp.ClientSession) -> None:
    async with Open(client, show.url, RICH) as page:
        cards = {one["phone"]: one["marks"] for one in (await page.picture())["cards"]}
    assert cards[RICH] == ["offer Ultra", "home contract", "bank card"]
    assert "outage until 18:00" in cards["79160000002"]
    assert "staff" in cards[STAFF]
    assert "home contract" not in cards["79160000011"]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("desk", "text/html"),
        ("desk/desk.js", "text/javascript"),
        ("switches", "text/html"),
        ("api/desk", "application/json"),
        ("api/queue", "application/json"),
        ("api/switches", "application/json"),
        ("metrics", "text/plain"),
        ("readyz", "application/json"),
    ],
)
async def test_the_gateways_own_pages_are_at_the_same_address(
    show: Show, client: aiohttp.ClientSession, path: str, kind: str
) -> None:
    async with client.get(show.url + path) as response:
        assert (response.status, response.content_type) == (200, kind)
        assert response.headers["Content-Security-Policy"].startswith("default-src 'self';")
    for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
        async with client.get(show.url + path, headers=headers) as response:
            assert response.status in (403, 421)


async def test_who_works_at_the_desk_is_noted_whatever_the_alphabet(
    show: Show, client: aiohttp.ClientSession
) -> None:
    async with Open(client, show.url, RICH) as page:
        assert await happen(page, "unsolved") == (200, "")
        await page.until("status", lambda one: one["tasks"] == 1)
    async with client.post(f"{show.url}api/queue/1/take", json={}, headers={"X-Gudok-Who": "Анна"}) as answer:
        assert (answer.status, (await answer.json())["task"]["state"]) == (200, "taken")
    assert show.gateway.store.audit(1)[0].who == "Анна@127.0.0.1"
    async with client.post(f"{show.url}api/queue/1/close", data="{}") as answer:
        assert answer.status == 415
