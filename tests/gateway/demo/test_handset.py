"""The handset page's server over the whole demo: what is dialled, charged, shown, refused."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest

from engine import machine
from engine.inputs import Begin, Text
from gateway.demo.feed import MOST_LISTENERS, MOST_WAITING, Feed
from gateway.demo.show import Show

COPY = "a copy came: answered from the store"
RICH, POOR = "79160000001", "79160000002"
RENEWED = "Пакет обновлён, списано 490 ₽. Остатки сохранены на месяц."


class Open:
    """An open page without a browser: its stream of events, and its orders."""

    def __init__(self, client: aiohttp.ClientSession, url: str, phone: str) -> None:
        self.client, self.url, self.phone = client, url, phone
        self.seen: list[tuple[str, Any]] = []
        self.ordered = 0

    async def __aenter__(self) -> Open:
        self._response = await self.client.get(f"{self.url}events", params={"phone": self.phone})
        assert self._response.status == 200
        assert self._response.content_type == "text/event-stream"
        await self.until("picture")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._response.close()

    async def until(self, topic: str, fits: Callable[[Any], bool] = lambda _: True) -> Any:
        """Return the first event of the topic since the last order that fits; read on to it."""
        for name, data in self.seen[self.ordered :]:
            if name == topic and fits(data):
                return data
        async with asyncio.timeout(15):
            name = ""
            while True:
                line = (await self._response.content.readline()).decode().rstrip("\n")
                assert line or not self._response.content.at_eof(), f"the stream ended before {topic}"
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    data = json.loads(line.removeprefix("data: "))
                    self.seen.append((name, data))
                    if name == topic and fits(data):
                        return data

    async def order(self, path: str, **body: Any) -> tuple[int, str]:
        """Post an order; return the status and the complaint."""
        self.ordered = len(self.seen)
        async with self.client.post(self.url + path, json=body) as response:
            return response.status, (await response.json()).get("error", "")

    async def dial(self, code: str) -> Any:
        """Dial and wait for what the display shows."""
        assert await self.order("dial", phone=self.phone, code=code) == (200, "")
        return await self.until("ussd", lambda one: one and one["state"] != "running")

    async def answer(self, text: str) -> Any:
        """Answer and wait for the next screen."""
        assert await self.order("answer", phone=self.phone, text=text) == (200, "")
        return await self.until("ussd", lambda one: one and one["state"] != "running")

    async def picture(self) -> Any:
        """Return a fresh picture of everything."""
        async with Open(self.client, self.url, self.phone) as fresh:
            return fresh.seen[0][1]


@pytest.fixture
async def page(show: Show) -> AsyncIterator[Open]:
    async with aiohttp.ClientSession() as client, Open(client, show.url, RICH) as one:
        yield one


async def charges(page: Open) -> list[Any]:
    return [line for line in (await page.picture())["ledger"] if line["kind"] == "refresh_fee"]


async def test_a_renewal_is_dialled_charged_and_shown(page: Open) -> None:
    screen = await page.dial("*929#")
    assert (screen["state"], screen["text"]) == ("ended", RENEWED)
    card = await page.until("card", lambda one: one["phone"] == RICH)
    assert card["balance"] == "1010.00"
    assert card["carried"] == {"minutes": 220, "sms": 220, "mb": 2048}
    (charge,) = await charges(page)
    assert charge["amount"] == "-490.00"
    lines = [data["line"] for topic, data in page.seen if topic == "flow"]
    source = await page.client.get(f"{page.url}source", params={"file": "flows/refresh_package.yaml"})
    text = (await source.json())["text"].split("\n")
    assert any("request: billing.refresh_package" in text[line - 1] for line in lines)
    calls = [data for topic, data in page.seen if topic == "row" and data["kind"] == "call"]
    assert {one["text"] for one in calls} == {"billing.package", "billing.refresh_package"}
    assert calls[-1]["detail"].startswith("done, ")


async def test_with_a_trace_every_executed_line_is_marked(show: Show) -> None:
    flows = show.library.current
    begun = machine.begin(flows, channel="ussd", caller=RICH, called="*105#", lang="ru", now=0)
    trace: list[tuple[str, int, str]] = []
    turn = machine.advance(flows, begun, Begin("tips"), 0, trace)
    run = SimpleNamespace(key="u:1", flows=flows, session=turn.session)
    show.watch.observe("trace", run, trace)
    show.watch.observe("turn", run, turn)
    flow = show.watch.scene(RICH).flow
    assert flow is not None
    assert flow["waiting"] == "answer"
    assert [flow["file"], flow["line"]] == flow["trail"][-1]
    trace = []
    ended = machine.advance(flows, turn.session, Text("1"), 0, trace)
    show.watch.observe("trace", run, trace)
    show.watch.observe("turn", run, ended)
    flow = show.watch.scene(RICH).flow
    assert flow is not None
    lines = flows.sources["flows/tips.yaml"].split("\n")
    assert flow["waiting"] == "ended"
    assert any("say: " in lines[line - 1] for _, line in flow["trail"])


async def test_a_menu_waits_and_goes_on_until_the_subscriber_hangs_up(page: Open) -> None:
    screen = await page.dial("*100#")
    assert screen["state"] == "menu"
    assert screen["text"].startswith("Баланс 1500 ₽")
    assert (await page.answer("2"))["text"].startswith("Тариф Smart")
    assert await page.order("cancel", phone=RICH) == (200, "")
    assert await page.until("ussd", lambda one: one is None) is None
    assert (await page.order("answer", phone=RICH, text="1")) == (409, "No dialog expects an answer")


async def test_an_offer_is_made_and_taken(page: Open) -> None:
    screen = await page.dial("*115#")
    assert screen["text"].startswith("Ultra: 15 ГБ, 3000 мин, 990 ₽\n1 Подключить")
    assert (await page.answer("1"))["text"] == "Тариф подключён. Подробности в SMS."
    told = await page.until("message", lambda one: not one["mine"])
    assert told["text"] == "Тариф Ultra подключён, 990 ₽ в месяц."
    assert (await page.dial("*115#"))["text"] == "Предложений пока нет."


async def test_a_question_by_sms_is_answered_by_the_knowledge_base(page: Open) -> None:
    assert await page.order("sms", phone=RICH, to="000500", text="Как узнать баланс?") == (200, "")
    told = await page.until("message", lambda one: not one["mine"])
    assert told["text"].startswith("Баланс: наберите *100#.\nОтвет помог?")


async def test_a_lost_sim_is_blocked_from_any_phone(page: Open) -> None:
    await page.dial("*891#")
    assert (await page.answer("9160000002"))["text"] == "Введите последние четыре цифры паспорта."
    assert (await page.answer("0002"))["text"].startswith("+7 916 000-00-02: вернуть можно только в салоне")
    blocked = (await page.answer("1"))["text"]
    assert blocked.startswith("Номер заблокирован.")
    await page.dial("*891#")
    await page.answer("9160000002")
    await page.answer("0002")
    assert (await page.answer("1"))["text"] == blocked  # within the hour it is the same order


async def test_an_empty_sms_renews_and_is_answered(page: Open) -> None:
    assert await page.order("sms", phone=RICH, to="9290", text="") == (200, "")
    sent = await page.until("message", lambda one: one["mine"] and one["state"] == "delivered")
    assert (sent["number"], sent["parts"]) == ("9290", 1)
    got = await page.until("message", lambda one: not one["mine"])
    assert (got["number"], got["text"]) == ("9290", RENEWED)


async def test_everything_delivered_twice_is_charged_once(page: Open) -> None:
    assert await page.order("trouble", name="duplicate", on=True) == (200, "")
    assert (await page.dial("*929#"))["text"] == RENEWED
    assert await page.order("sms", phone=RICH, to="9290", text="да") == (200, "")
    again = await page.until("message", lambda one: not one["mine"])
    assert again["text"] == "Пакет уже обновлён. Остатки сохранены на месяц."
    assert len(await charges(page)) == 1


async def test_a_copy_is_told_once_for_each_message_that_came_twice(page: Open) -> None:
    assert await page.order("trouble", name="duplicate", on=True) == (200, "")
    assert (await page.dial("*929#"))["text"] == RENEWED
    row = await page.until("row", lambda one: one["text"] == COPY)
    assert (row["kind"], row["detail"]) == ("note", "the message of the dialog came twice")
    assert await page.order("trouble", name="duplicate", on=False) == (200, "")
    assert (await page.dial("*105#"))["state"] == "menu"
    assert await page.order("trouble", name="duplicate", on=True) == (200, "")
    assert await page.order("sms", phone=RICH, to="9290", text="да") == (200, "")
    await page.until("row", lambda one: one["detail"] == "the SMS came twice")
    rows = (await page.picture())["rows"]
    assert [one["text"] for one in rows].count(COPY) == 2


async def test_a_code_that_no_flow_has_says_so(page: Open) -> None:
    assert (await page.dial("*999*1234#"))["state"] == "ended"
    row = await page.until("row", lambda one: one["text"] == "no flow has this code")
    assert (row["detail"], row["state"]) == ("*999*…#", "bad")
    assert (await page.dial("*105#"))["state"] == "menu"
    rows = (await page.picture())["rows"]
    assert [one["text"] for one in rows].count("no flow has this code") == 1


async def test_a_lost_answer_takes_the_money_once_and_says_so(page: Open) -> None:
    assert await page.order("trouble", name="lost_answer", on=True) == (200, "")
    assert (await page.dial("*929#"))["text"] == "Проверяем обновление. Результат пришлём в SMS."
    await page.until("status", lambda one: not one["lost_answer"])
    assert len(await charges(page)) == 1
    said = [d["detail"] for t, d in page.seen if t == "row" and d["kind"] == "billing"]
    assert said[0] == "carried out, answer lost"


async def test_a_billing_that_is_down_takes_nothing(page: Open) -> None:
    assert await page.order("trouble", name="down", on=True) == (200, "")
    assert (await page.dial("*929#"))["text"] == "Сервис временно недоступен. Повторите позже."
    assert await charges(page) == []
    assert await page.order("trouble", name="down", on=False) == (200, "")
    assert not (await page.picture())["status"]["down"]


async def test_a_lost_bind_comes_back(page: Open) -> None:
    assert await page.order("trouble", name="drop_bind", on=True) == (200, "")
    await page.until("status", lambda one: one["bound"] == 0)
    await page.until("status", lambda one: one["bound"] == 2)
    assert (await page.dial("*929#"))["text"] == RENEWED


async def test_the_clock_of_the_billing_is_moved_and_put_back(page: Open) -> None:
    assert await page.order("trouble", name="midnight", on=True) == (200, "")
    assert await page.until("status", lambda one: one["midnight"])
    assert await page.order("trouble", name="midnight", on=False) == (200, "")
    assert (await page.until("status", lambda one: not one["midnight"]))["clock_shift"] == 0


async def test_a_mistake_on_disk_is_shown_and_the_old_build_stays(page: Open, project: Path) -> None:
    file = project / "flows" / "refresh_package.yaml"
    right = file.read_text(encoding="utf-8")
    build = page.seen[0][1]["report"]["build"]
    file.write_text(right.replace("unknown: checking", "unknown: cheking"), encoding="utf-8")
    report = await page.until("report", lambda one: one["errors"] > 0)
    first = report["found"][0]
    line = right[: right.index("unknown: checking")].count("\n") + 1
    assert (first["file"], first["line"]) == ("flows/refresh_package.yaml", line)
    assert first["column"] > 1
    assert "checking" in first["message"] + first.get("help", "")
    assert report["build"] == build
    assert (await page.dial("*929#"))["text"] == RENEWED
    assert (await page.order("start-over"))[0] == 409
    file.write_text(right.replace("Пакет обновлён", "Готово"), encoding="utf-8")
    assert (await page.until("report", lambda one: one["errors"] == 0))["build"] != build


async def test_starting_over_gives_fresh_books_and_handsets(page: Open) -> None:
    assert (await page.dial("*929#"))["text"] == RENEWED
    assert await page.order("start-over") == (200, "")
    picture = await page.picture()
    rich = next(one for one in picture["cards"] if one["phone"] == RICH)
    assert (rich["balance"], picture["ussd"], picture["messages"], picture["rows"]) == (
        "1500.00",
        None,
        [],
        [],
    )
    async with Open(page.client, page.url, RICH) as fresh:
        assert (await fresh.dial("*929#"))["text"] == RENEWED


async def test_a_password_is_in_its_sms_and_nowhere_else(page: Open) -> None:
    assert (await page.dial("*202#"))["state"] == "menu"
    assert await page.answer("3")
    sms = await page.until("message")
    assert "пароль pass-" in sms["text"]
    told = json.dumps([one for one in page.seen if one[0] != "message"], ensure_ascii=False)
    assert "pass-" not in told


async def test_typed_codes_are_not_listed(page: Open) -> None:
    await page.dial("*100*12345678901234#")
    assert "12345678901234" not in json.dumps([one for one in page.seen if one[0] in ("row", "flow")])


@pytest.mark.parametrize(
    ("path", "body", "status", "complaint"),
    [
        ("dial", {"phone": RICH, "code": "929"}, 409, "This is no USSD code"),
        ("dial", {"phone": RICH, "code": "*9<b>#"}, 409, "A code has digits"),
        ("dial", {"phone": RICH, "code": "*" * 61}, 409, "A code has digits"),
        ("dial", {"phone": "79161000001", "code": "*929#"}, 404, "no such subscriber"),
        ("dial", {"phone": RICH}, 400, "code"),
        ("dial", {"phone": RICH, "code": "*929#", "x": 1}, 400, "x"),
        ("dial", [], 400, "object"),
        ("sms", {"phone": RICH, "to": "bank", "text": ""}, 409, "The number"),
        ("sms", {"phone": RICH, "to": "9290", "text": "a" * 10_001}, 409, "at most 10000"),
        ("trouble", {"name": "fire", "on": True}, 409, "fire"),
    ],
)
async def test_what_a_handset_cannot_do_is_said(
    page: Open, path: str, body: Any, status: int, complaint: str
) -> None:
    async with page.client.post(page.url + path, json=body) as response:
        assert response.status == status
        assert complaint in (await response.json())["error"]


async def test_an_answer_longer_than_ussd_carries_is_refused(page: Open) -> None:
    await page.dial("*100#")
    assert (await page.order("answer", phone=RICH, text="ж" * 81))[0] == 409
    assert (await page.order("answer", phone=RICH, text="1" * 183))[0] == 409


async def test_hostile_texts_come_back_as_they_are(page: Open) -> None:
    text = '<script>alert("1")</script>\u202egnorw\u202c\x00\u2028end'
    assert await page.order("sms", phone=POOR, to="000500", text=text) == (200, "")
    assert await page.order("sms", phone=RICH, to="000500", text=text) == (200, "")
    assert (await page.until("message"))["text"] == text
    long = "Ж" * 10_000
    assert await page.order("sms", phone=RICH, to="000500", text=long) == (200, "")
    assert (await page.until("message", lambda one: one["text"] == long))["parts"] == 150


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "127.0.0.1"}, 421),
        ({"Host": "127.0.0.1:1"}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({}, 200),
    ],
)
async def test_other_names_and_other_sites_are_kept_out(
    page: Open, headers: dict[str, str], status: int
) -> None:
    for path in ("", "events?phone=" + RICH, "source?file=flows/tips.yaml"):
        async with page.client.get(page.url + path, headers=headers) as response:
            assert response.status == status
    body = {"phone": RICH}
    async with page.client.post(page.url + "cancel", json=body, headers=headers) as response:
        assert response.status == status


async def test_only_json_is_taken_and_the_page_is_locked_down(page: Open) -> None:
    body = json.dumps({"phone": RICH, "code": "*929#"})
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        async with page.client.post(page.url + "dial", data=body, headers={"Content-Type": kind}) as response:
            assert response.status == 415
    async with page.client.post(page.url + "dial", json={"phone": "1" * 70_000}) as response:
        assert response.status == 413
    async with page.client.put(page.url + "dial", json={}) as response:
        assert response.status == 405
    async with page.client.get(page.url) as response:
        assert response.headers["Content-Security-Policy"].startswith("default-src 'self';")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        html = await response.text()
    assert "style=" not in html
    assert "onclick" not in html
    assert html.count("<script") == html.count('<script src="/page/')


async def test_only_the_pages_and_the_projects_files_are_served(page: Open) -> None:
    for path in ("page/..%2fpage.py", "page/page.py", "source?file=../secret.key", "source?file=/etc/passwd"):
        async with page.client.get(page.url + path) as response:
            assert response.status == 404, path


async def test_the_next_free_port_is_taken(show: Show, project: Path, tmp_path: Path) -> None:
    taken = int(show.url.rsplit(":", 1)[1].rstrip("/"))
    second = Show(project, tmp_path / "second", os.environ, port=taken)
    url = await second.start()
    try:
        assert taken < int(url.rsplit(":", 1)[1].rstrip("/")) < taken + 20
    finally:
        await second.close()


async def test_a_page_that_reads_too_slowly_is_cut_off() -> None:
    feed = Feed()
    slow, other = feed.join(RICH), feed.join(POOR)
    assert slow is not None
    assert other is not None
    for number in range(MOST_WAITING + 1):
        feed.publish("row", {"id": number}, RICH)
    assert slow.over
    assert not other.over
    assert (await slow.take(0)).count(b"event: row\n") == MOST_WAITING
    while feed.join(RICH) is not None:
        pass
    assert len(feed) == MOST_LISTENERS
