"""Tasks over HTTP: who may, what is shown of a subscriber, what is refused, who did it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.gateway.host.rig import PHONE, Rig, failing
from tests.gateway.host.test_people import lay_out, running
from tests.gateway.web.door import Door, opened

OURS = {"Content-Type": "application/json", "X-Gudok-Who": "anna"}


@pytest.fixture
async def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    lay_out(tmp_path)
    async with running(tmp_path, monkeypatch) as one:
        yield one


async def post(door: Door, path: str, body: Any, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    async with door.client.post(
        door.url + path, json=body, headers=OURS if headers is None else headers
    ) as answer:
        return answer.status, await answer.json()


async def get(door: Door, path: str) -> tuple[int, Any]:
    async with door.client.get(door.url + path) as answer:
        return answer.status, await answer.json()


async def test_a_question_is_worked_to_its_end(door: Door) -> None:
    await door.rig.write("Вопрос", "500")
    status, listed = await get(door, "/api/queue")
    assert status == 200
    assert [(task["number"], task["kind"], task["subscriber"]) for task in listed["tasks"]] == [
        (1, "question", "7916***4567")
    ]
    status, shown = await get(door, "/api/queue/1")
    assert shown["task"]["subscriber"] == PHONE
    assert [line["text"] for line in shown["task"]["lines"]] == ["Вопрос", "Вопрос из SMS"]
    assert (await post(door, "/api/queue/1/take", {}))[0] == 200
    status, answered = await post(door, "/api/queue/1/answer", {"text": "Наберите *100#."})
    assert (status, answered["task"]["state"]) == (200, "taken")
    status, closed = await post(door, "/api/queue/1/close", {"result": "solved", "note": "Сделано"})
    await door.rig.idle()
    assert (status, closed["task"]["state"]) == (200, "done")
    assert door.rig.texts == ["Наберите *100#.", "Спасибо за вопрос."]
    assert (await get(door, "/api/queue"))[1] == {"tasks": [], "left_out": 0}
    assert (await get(door, "/api/queue?closed=1"))[1]["tasks"][0]["result"] == "solved"
    assert (await get(door, "/api/queue/1"))[1]["task"]["note"] == "Сделано"
    acts = [(row.act, row.object) for row in door.rig.gateway.store.audit(10)]
    assert set(acts) == {(f"queue.{act}", "1") for act in ("show", "take", "answer", "close")}
    assert all("anna" in row.who for row in door.rig.gateway.store.audit(10) if row.act != "queue.show")


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/queue/1/answer", {"text": ""}, 409),
        ("/api/queue/1/answer", {"text": "a" * 700}, 409),
        ("/api/queue/1/answer", {}, 400),
        ("/api/queue/1/answer", {"text": 5}, 400),
        ("/api/queue/1/answer", {"text": "x", "to": "79160000000"}, 400),
        ("/api/queue/1/close", {"result": "fine"}, 409),
        ("/api/queue/2/answer", {"text": "x"}, 409),
        ("/api/queue/999999999999999/close", {}, 409),
    ],
)
async def test_what_cannot_be_done_is_refused(door: Door, path: str, body: Any, status: int) -> None:
    await door.rig.write("Вопрос", "500")
    found, answer = await post(door, path, body)
    assert found == status
    assert answer["error"]
    assert door.rig.texts == []
    assert door.rig.gateway.host.counters["faults"] == 0


async def test_a_form_of_another_site_does_nothing(door: Door) -> None:
    await door.rig.write("Вопрос", "500")
    for headers in (
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json", "Origin": "https://evil.example"},
    ):
        found, _ = await post(door, "/api/queue/1/answer", {"text": "x"}, headers)
        assert found in (403, 415)
    assert door.rig.texts == []


async def test_what_the_store_did_not_take_is_not_confirmed(door: Door) -> None:
    await door.rig.write("Вопрос", "500")
    with failing():
        found, _ = await post(door, "/api/queue/1/answer", {"text": "x"})
    assert found == 503
    assert door.rig.texts == []


async def test_with_a_token_nobody_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_out(tmp_path)
    async with (
        running(tmp_path, monkeypatch) as rig,
        aiohttp.ClientSession() as client,
        opened(rig, client, token="0123456789abcdef") as door,
    ):
        assert (await get(door, "/api/queue"))[0] == 401
        assert (await post(door, "/api/queue/1/close", {}))[0] == 401
