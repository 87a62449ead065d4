"""The last chapter of the tutorial, for real: its back end, the demo, a dial, and the money."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.docs.document import ROOT, Saved, blocks, steps

TUTORIAL = ROOT / "docs" / "tutorial.md"
BACK_END = re.compile(r"python3 (parking\.py) (8100)\n")
DEMO = re.compile(r"PARKING_URL=http://127\.0\.0\.1:8100 gudok (demo --project \.)\n")
LIMIT_S = 30
PAID = re.compile(r"Оплачено до \d\d:\d\d\. Чек в SMS\.")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The files of the tutorial as they are at its end."""
    for step in steps(TUTORIAL):
        if isinstance(step, Saved):
            (tmp_path / step.path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / step.path).write_text(step.text, encoding="utf-8")
    return tmp_path


@contextlib.asynccontextmanager
async def running(*command: str, **options: Any) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stdin=asyncio.subprocess.DEVNULL, **options
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def line_of(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode()


async def free_port() -> int:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port


async def answers(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            await asyncio.sleep(0)
            continue
        writer.close()
        await writer.wait_closed()
        return


async def shown(stream: aiohttp.ClientResponse, wanted: re.Pattern[str], state: str) -> str:
    """Read the events of the page until the handset's screen is what is wanted; return its text."""
    topic = ""
    async for line in stream.content:
        word, _, rest = line.decode().partition(": ")
        if word == "event":
            topic = rest.strip()
        elif word == "data" and topic == "ussd":
            ussd = json.loads(rest)
            if ussd and ussd["state"] == state and (found := wanted.search(ussd["text"])):
                return found[0]
    raise AssertionError("the stream ended")


async def test_the_service_of_the_tutorial_takes_the_money_once(project: Path):
    shell = "".join(blocks(TUTORIAL, "sh"))
    back_end, demo = BACK_END.search(shell), DEMO.search(shell)
    assert back_end is not None
    assert demo is not None
    port = str(await free_port())
    command = [sys.executable, "-c", "from gateway.cli import main; main()", *demo[1].split(), "--port", "0"]
    environment = {
        "PARKING_URL": f"http://127.0.0.1:{port}",
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
    }
    async with (
        asyncio.timeout(LIMIT_S),
        running(sys.executable, back_end[1], port, cwd=project) as parking,
        running(*command, cwd=project, env=environment) as gateway,
        aiohttp.ClientSession() as client,
    ):
        await answers(int(port))
        address = re.search(r"http://127\.0\.0\.1:\d+/", await line_of(gateway))
        assert address is not None
        page = address[0]

        async def order(name: str, **fields: str) -> None:
            async with client.post(page + name, json=fields) as done:
                assert done.status == 200, await done.text()

        async with client.get(page + "events", params={"phone": PHONE}) as stream:
            for _ in range(2):
                await order("dial", phone=PHONE, code="*114*101#")
                await shown(stream, re.compile("Тверская, час 80 ₽"), "menu")
                await order("answer", phone=PHONE, text="1")
                assert await shown(stream, PAID, "ended")
        assert await line_of(parking) == f"{PHONE} pays 80\n"
        parking.terminate()
        assert await line_of(parking) == "", "the second dial has paid again"


PHONE = "79160000001"
