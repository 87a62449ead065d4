"""The handset page in Chromium: what a person sees and presses, at a desk's and at a phone's width.

Chromium is driven over its own DevTools protocol on a loopback websocket; nothing else is needed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.demo.show import Show

pytestmark = pytest.mark.chromium

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--remote-debugging-port=0",
)  # fmt: skip
RENEWED = "Пакет обновлён, списано 490 ₽. Остатки сохранены на месяц."


class Browser:
    """One page of a headless Chromium."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self.complaints: list[str] = []

    async def read(self) -> None:
        async for message in self._socket:
            data = json.loads(message.data)
            if "id" in data:
                self._answers.pop(data["id"]).set_result(data)
            elif data["method"] in (
                "Runtime.exceptionThrown",
                "Log.entryAdded",
                "Page.javascriptDialogOpening",
            ):
                self.complaints.append(json.dumps(data["params"])[:500])

    async def command(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        answer = self._answers[self._number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        async with asyncio.timeout(20):
            data = await answer
        assert "error" not in data, data
        return data["result"]

    async def run(self, script: str) -> Any:
        result = await self.command(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    async def until(self, condition: str, limit_s: float = 15) -> None:
        """Wait until a condition of the page is true; it is looked at with every frame."""
        script = (
            "new Promise((done) => { const end = Date.now() + %d; const look = () => "
            "(%s) ? done(true) : Date.now() > end ? done(false) : setTimeout(look, 20); look(); })"
        )
        assert await self.run(script % (limit_s * 1000, condition)), f"{condition}; {self.complaints}"

    async def open(self, url: str, width: int, height: int) -> None:
        mobile = width < 700
        await self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=mobile,
        )
        await self.command("Page.navigate", url=url)
        await self.until("document.querySelectorAll('#cast button').length === 20")

    async def click(self, selector: str) -> None:
        """Press where the middle of an element is, as a finger does; what covers it would be hit instead."""
        place = await self.run(
            f"(() => {{ const r = document.querySelector({json.dumps(selector)}).getBoundingClientRect();"
            " return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            await self.command(
                "Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1
            )

    async def type(self, text: str) -> None:
        await self.command("Input.insertText", text=text)

    async def text(self, selector: str) -> str:
        return str(await self.run(f"document.querySelector({json.dumps(selector)}).textContent"))


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    process = await asyncio.create_subprocess_exec(
        CHROMIUM, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    try:
        async with asyncio.timeout(30):
            found = None
            while found is None:
                line = await process.stderr.readline()
                assert line, "chromium ended before it listened"
                found = re.search(rb"ws://127\.0\.0\.1:(\d+)/", line)
        async with aiohttp.ClientSession() as client:
            async with client.get(f"http://127.0.0.1:{int(found[1])}/json/list") as response:
                pages = [one for one in await response.json() if one["type"] == "page"]
            async with client.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                one = Browser(socket)
                reading = asyncio.create_task(one.read())
                for domain in ("Page", "Runtime", "Log"):
                    await one.command(f"{domain}.enable")
                yield one
                await socket.close()
                await reading
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        while await process.stderr.read(65_536):
            pass
        await process.wait()


@pytest.fixture
async def show(tmp_path: Path) -> AsyncIterator[Show]:
    for name in ("flows", "config"):
        shutil.copytree(ROOT / name, tmp_path / "project" / name)
    one = Show(tmp_path / "project", tmp_path / "data", os.environ, port=0)
    await one.start()
    yield one
    await one.close()


async def test_at_a_desk_a_dialog_is_held_by_mouse_and_keyboard(browser: Browser, show: Show) -> None:
    await browser.open(show.url, 1440, 900)
    for key in ("*", "1", "0", "0", "#"):
        await browser.click(f"#pad [data-key='{key}']")
    assert await browser.text("#number") == "*100#"
    await browser.click("#call")
    await browser.until("document.querySelector('#ussd').dataset.state === 'menu'")
    assert (await browser.text("#ussd-text")).startswith("Баланс 1500 ₽")
    assert await browser.run("document.activeElement.id") == "ussd-input"
    await browser.type("2")
    await browser.click("#ussd-send")
    await browser.until("document.querySelector('#ussd-text').textContent.startsWith('Тариф Smart')")
    await browser.until("document.querySelector('#code .line.now')?.textContent.includes('menu: Тариф')")
    assert await browser.text("#flow-title") == "Смена тарифа"
    assert "billing.tariffs" in await browser.text("#rows")
    await browser.click("#ussd-cancel")
    await browser.until("document.querySelector('#ussd').hidden")
    assert browser.complaints == []


async def test_the_renewal_is_seen_in_balance_ledger_and_answer(browser: Browser, show: Show) -> None:
    await browser.open(show.url, 1440, 900)
    await browser.click("[data-dial='*929#']")
    await browser.until("document.querySelector('#ussd').dataset.state === 'ended'")
    assert await browser.text("#ussd-text") == RENEWED
    await browser.until("document.querySelector('#who-balance').textContent.replace(/\\s/g, '') === '1010₽'")
    await browser.until("document.querySelector('#ledger tr').textContent.includes('refresh fee')")
    assert "−490" in await browser.text("#ledger tr .amount")
    await browser.click("#start-over")
    await browser.until("document.querySelector('#who-balance').textContent.replace(/\\s/g, '') === '1500₽'")
    assert await browser.run("document.querySelector('#ussd').hidden")
    assert browser.complaints == []


async def test_a_mistake_is_shown_at_its_line_and_goes_with_the_correction(
    browser: Browser, show: Show
) -> None:
    await browser.open(show.url, 1440, 900)
    file = show.library.root / "flows" / "tips.yaml"
    right = file.read_text(encoding="utf-8")
    file.write_text(right.replace("run: options", "run: optoins"), encoding="utf-8")
    await browser.until("!document.querySelector('#findings').hidden", 3)
    assert re.search(r"flows/tips\.yaml:\d+:\d+", await browser.text("#findings"))
    await browser.until("document.querySelector('#code .line.wrong')?.textContent.includes('optoins')")
    file.write_text(right.replace("Что рассказать?", "О чём рассказать?"), encoding="utf-8")
    await browser.until("document.querySelector('#findings').hidden", 3)
    await browser.until("document.querySelector('#toast').textContent.startsWith('New build')", 3)
    assert browser.complaints == []


@pytest.mark.parametrize("width", [390, 768, 1024, 1440])
async def test_nothing_runs_over_the_side_and_every_part_is_reached(
    browser: Browser, show: Show, width: int
) -> None:
    await browser.open(show.url, width, 844)
    for tab, part in (("people", "#cast"), ("inside", "#code"), ("trouble", ".switches"), ("phone", "#call")):
        if width < 1000:
            await browser.click(f".tabs [data-tab={tab}]")
        await browser.until(f"document.querySelector('{part}').getBoundingClientRect().width > 40")
        assert await browser.run("document.documentElement.scrollWidth") <= width
    await browser.click("[data-dial='*929#']")
    await browser.until("document.querySelector('#ussd').dataset.state === 'ended'")
    await browser.click("#ussd-send")
    await browser.until("document.querySelector('#ussd').hidden")


async def test_hostile_messages_are_only_text(browser: Browser, show: Show) -> None:
    await browser.open(show.url, 1440, 900)
    before = await browser.run("[document.title, document.querySelectorAll('*').length > 100]")
    await browser.click("[data-view=sms]")
    await browser.run("state.thread = '000500'; drawMessages()")
    text = '<img src=x onerror="document.title=1"><script>document.title=2</script>\u202egnorw'
    await browser.click("#sms-text")
    await browser.type(text)
    await browser.click("#compose button")
    await browser.until("document.querySelectorAll('.bubble').length > 0")
    assert await browser.text(".bubble p") == text
    assert await browser.run("document.querySelectorAll('#bubbles img, #bubbles script').length") == 0
    await browser.run("order('sms', { phone: state.phone, to: '000500', text: 'Ж'.repeat(10000) })")
    await browser.until(
        "[...document.querySelectorAll('.bubble small')].some((s) => s.textContent.includes('150 parts'))"
    )
    assert await browser.run("document.querySelector('.glass').scrollWidth") <= 344
    assert await browser.run("[document.title, true]") == before
    refused = await browser.run("fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')")
    assert refused == "refused"
    assert "Content Security Policy" in " ".join(browser.complaints)
