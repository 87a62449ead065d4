"""Kannel as an ESME of our test centre: what our centre says is understood by somebody else's client."""

import asyncio
import os
import socket
from contextlib import AsyncExitStack, suppress

import aiohttp
import pytest
from aiohttp import web

from smpp.testing.centre import Centre
from tests.conftest import kannel_box

pytestmark = pytest.mark.kannel

NUMBER, CODE = "79161234567", "9290"
LONG = "Ваш пакет обновлён, остатки сохранены на месяц. " * 4
CONFIG = """\
group = core
admin-port = {admin}
admin-password = x
smsbox-port = {box}
box-allow-ip = "127.0.0.1"
dlr-storage = internal

group = smsc
smsc = smpp
smsc-id = gudok
host = 127.0.0.1
port = {centre}
transceiver-mode = true
smsc-username = kannel
smsc-password = secret
system-type = ""
address-range = ""
enquire-link-interval = 1
reconnect-delay = 1
source-addr-ton = 0
source-addr-npi = 1
dest-addr-ton = 1
dest-addr-npi = 1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {send}

group = sendsms-user
username = u
password = p
concatenation = true
max-messages = 10

group = sms-service
keyword = default
get-url = "http://127.0.0.1:{web}/mo?text=%a&from=%p&to=%P"
concatenation = true
max-messages = 10
"""


class Kannel:
    """Both boxes, and a web service of ours that answers what subscribers write."""

    def __init__(self, centre: Centre) -> None:
        self.centre = centre
        self.asked: list[dict[str, str]] = []
        self.receipts: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self.send_port = 0
        self.web_port = 0

    async def mo(self, request: web.Request) -> web.Response:
        self.asked.append(dict(request.query))
        return web.Response(text=f"echo {request.query['text']}")

    async def receipt(self, request: web.Request) -> web.Response:
        self.receipts.put_nowait(dict(request.query))
        return web.Response(text="")

    async def send(self, text: str) -> None:
        """Send a message over Kannel's HTTP interface, a receipt wanted."""
        query = {
            "username": "u",
            "password": "p",
            "to": NUMBER,
            "from": CODE,
            "text": text,
            "coding": "2",
            "charset": "UTF-8",
            "dlr-mask": "3",
            "dlr-url": f"http://127.0.0.1:{self.web_port}/receipt?state=%d",
        }
        url = f"http://127.0.0.1:{self.send_port}/cgi-bin/sendsms"
        async with aiohttp.ClientSession() as session, session.get(url, params=query) as answer:
            assert answer.status == 202, await answer.text()


def free_ports(count: int) -> list[int]:
    """Find ports below those that the system gives away by itself: nobody takes one before Kannel does."""
    found: list[int] = []
    port = 20_000 + os.getpid() * 11 % 10_000
    while len(found) < count:
        port += 1
        with suppress(OSError):
            socket.create_server(("127.0.0.1", port)).close()
            found.append(port)
    return found


async def box(stack: AsyncExitStack, name: str, config: str) -> None:
    """Run a box until the end of the test."""
    program = kannel_box(name)
    assert program is not None
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(program, "-v", "4", config, stdout=quiet, stderr=quiet)

    async def end() -> None:
        process.terminate()
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    stack.push_async_callback(end)


@pytest.fixture
async def kannel(tmp_path):
    async with AsyncExitStack() as stack:
        centre = await stack.enter_async_context(Centre(accounts={"kannel": "secret"}))
        kannel = Kannel(centre)
        app = web.Application()
        app.add_routes([web.get("/mo", kannel.mo), web.get("/receipt", kannel.receipt)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        kannel.web_port = runner.addresses[0][1]
        admin, box_port, kannel.send_port = free_ports(3)
        config = tmp_path / "kannel.conf"
        config.write_text(
            CONFIG.format(
                admin=admin, box=box_port, send=kannel.send_port, centre=centre.port, web=kannel.web_port
            )
        )
        await box(stack, "bearerbox", str(config))
        await centre.bound(limit_s=20)
        await box(stack, "smsbox", str(config))
        yield kannel


async def test_question_answer_long_message_receipt_and_a_link_that_lives(kannel):
    """One test, because the boxes take seconds to come up."""
    centre = kannel.centre
    await centre.sms(NUMBER, CODE, "balance", limit_s=20)
    # The answer proves that the second box is up as well.
    answer = await centre.next_sms(NUMBER, limit_s=20)
    assert (answer.source, answer.text) == (CODE, "echo balance")
    assert kannel.asked == [{"text": "balance", "from": kannel.asked[0]["from"], "to": CODE}]
    assert kannel.asked[0]["from"].lstrip("+") == NUMBER

    await centre.sms(NUMBER, CODE, " ".join(["Остаток?"] * 20), limit_s=20)
    await centre.next_sms(NUMBER, after=1, limit_s=20)
    # Kannel hands UCS-2 on as it is; Russian letters are single octets of UTF-8 below 0x80 there.
    heard = "".join(one["text"] for one in kannel.asked[1:]).encode("latin-1").decode("utf-16-be")
    assert heard.split() == ["Остаток?"] * 20

    before = len(centre.messages(NUMBER))
    await kannel.send(LONG)
    message = await centre.next_sms(NUMBER, after=before, limit_s=20)
    assert message.text == LONG
    assert message.parts == 3
    async with asyncio.timeout(20):
        receipt = await kannel.receipts.get()
    assert receipt == {"state": "1"}, "delivered"

    (peer,) = centre.binds
    counters = peer.live.session.counters
    await centre.wait_for(lambda: counters["enquire_link"] >= 2, what="enquire_link of Kannel", limit_s=20)
    assert centre.ledger.counters["bad_submit"] == 0


async def test_kannel_binds_again_after_the_centre_went_down(kannel):
    centre = kannel.centre
    await centre.restart()
    await centre.bound(limit_s=20)
    await centre.sms(NUMBER, CODE, "balance", limit_s=20)
    assert (await centre.next_sms(NUMBER, limit_s=20)).text == "echo balance"
