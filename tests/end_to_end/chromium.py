"""A headless Chromium driven over its own DevTools protocol on a loopback websocket.

Nothing is needed but the browser itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--remote-debugging-port=0",
)  # fmt: skip


class Browser:
    """One page of a headless Chromium."""

    def __init__(
        self, socket: aiohttp.ClientWebSocketResponse, client: aiohttp.ClientSession, address: str
    ) -> None:
        self._socket = socket
        self._client = client
        self._address = address
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

    async def open(
        self, url: str, width: int, height: int, ready: str = "document.querySelector('#cast button')"
    ) -> None:
        mobile = width < 700
        await self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=mobile,
        )
        await self.command("Page.navigate", url=url)
        await self.until(ready)

    @asynccontextmanager
    async def second(self) -> AsyncIterator[Browser]:
        """Open another tab."""
        async with self._client.put(f"{self._address}/new?about:blank") as response:
            made = await response.json(content_type=None)
        async with driven(self._client, self._address, made["webSocketDebuggerUrl"]) as one:
            yield one

    async def click(self, selector: str) -> None:
        """Press where the middle of an element is, as a finger does; what covers it would be hit instead."""
        place = await self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            " e.scrollIntoView({ block: 'nearest' }); const r = e.getBoundingClientRect();"
            " return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            await self.command(
                "Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1
            )

    async def press(self, code: str, key: str = "", modifiers: int = 0) -> None:
        """Press a key by its place on the keyboard; `modifiers` as the protocol has them (2: Ctrl)."""
        for kind in ("rawKeyDown", "keyUp"):
            await self.command(
                "Input.dispatchKeyEvent", type=kind, code=code, key=key or code, modifiers=modifiers
            )

    async def type(self, text: str) -> None:
        await self.command("Input.insertText", text=text)

    async def text(self, selector: str) -> str:
        return str(await self.run(f"document.querySelector({json.dumps(selector)}).textContent"))


@asynccontextmanager
async def driven(client: aiohttp.ClientSession, address: str, page: str) -> AsyncIterator[Browser]:
    """Drive one tab."""
    async with client.ws_connect(page, max_msg_size=0) as socket:
        one = Browser(socket, client, address)
        reading = asyncio.create_task(one.read())
        for domain in ("Page", "Runtime", "Log"):
            await one.command(f"{domain}.enable")
        yield one
        await socket.close()
        await reading


@asynccontextmanager
async def chromium(tmp_path: Path) -> AsyncIterator[Browser]:
    """Run a browser with an empty profile."""
    assert CHROMIUM is not None, "a test that uses this is marked chromium, and left out where there is none"
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
            address = f"http://127.0.0.1:{int(found[1])}/json"
            async with client.get(f"{address}/list") as response:
                pages = [one for one in await response.json() if one["type"] == "page"]
            async with driven(client, address, pages[0]["webSocketDebuggerUrl"]) as one:
                yield one
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        while await process.stderr.read(65_536):
            pass
        await process.wait()
