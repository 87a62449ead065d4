"""The picture of the desk: what it shows, what it hides, and that looking again costs nothing."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.gateway.host.rig import PHONE, Rig
from tests.gateway.host.test_people import lay_out, running
from tests.gateway.web.door import Door


@pytest.fixture
async def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    lay_out(tmp_path)
    async with running(tmp_path, monkeypatch) as one:
        yield one


async def test_the_queues_and_the_tasks_are_shown_without_what_was_written(door: Door) -> None:
    await door.rig.write("Вопрос", "500")
    status, picture = await door.get("/api/desk")
    assert status == 200
    (task,) = picture["tasks"]
    assert (task["number"], task["kind"], task["state"], task["written"]) == (1, "question", "open", 2)
    assert task["subscriber"] == "7916***4567"
    lengths = {one["name"]: one["length"] for one in picture["queues"]}
    assert lengths[task["queue"]] == 1
    assert set(lengths) == set(door.rig.gateway.library.current.project.queues)
    assert PHONE not in str(picture)
    assert "Вопрос" not in str(picture)
    assert picture["results"]["question"] == ["solved", "unsolved", "escalate"]
    assert picture["results"]["money"] == ["done", "not_done"]


async def test_a_picture_that_has_not_changed_is_not_sent_again(door: Door) -> None:
    await door.rig.write("Вопрос", "500")
    async with door.client.get(f"{door.url}/api/desk") as first:
        mark = first.headers["ETag"]
        assert first.headers["X-Gudok-Now"] == str(door.rig.clock.now())
    async with door.client.get(f"{door.url}/api/desk", headers={"If-None-Match": mark}) as again:
        assert (again.status, await again.read()) == (304, b"")
        assert again.headers["X-Gudok-Now"] == str(door.rig.clock.now())
    await door.rig.gateway.desk.answer(1, "Ответ")
    async with door.client.get(f"{door.url}/api/desk", headers={"If-None-Match": mark}) as changed:
        assert changed.status == 200
        (task,) = (await changed.json())["tasks"]
        assert (task["state"], task["written"]) == ("taken", 3)


async def test_looking_at_the_picture_is_not_noted_but_opening_a_task_is(door: Door) -> None:
    await door.rig.write("Вопрос", "500")
    await door.get("/api/desk")
    assert door.rig.gateway.store.audit(10) == []
    await door.get("/api/queue/1")
    assert [row.act for row in door.rig.gateway.store.audit(10)] == ["queue.show"]


async def test_the_page_is_open_and_its_picture_is_not(door: Door) -> None:
    status, page = await door.get("/desk")
    assert status == 200
    assert page.count("<script") == page.count('<script src="/desk/')
    assert "style=" not in page
    for name in ("desk.css", "desk.js", "icon.svg"):
        assert (await door.get(f"/desk/{name}"))[0] == 200
    assert (await door.get("/api/desk", Origin="https://evil.example"))[0] == 403
