"""The whole gateway with a centre of the PyPI package `smpp34`, whose core is written in Rust."""

import asyncio
from pathlib import Path
from typing import Any

import smpp34

from smpp.text import decode
from tests.end_to_end.stage import ALREADY, DONE, RICH, gateway_at

OP, INFO = 0x0501, 0x1383


async def until(server: Any, kind: str) -> Any:
    """Wait for the next event of this kind."""
    while True:
        event = await asyncio.wait_for(server.next(), 10)
        if type(event).__name__ == kind:
            return event


class Numbers:
    """Message ids of the centre."""

    def __init__(self) -> None:
        self.last = 0

    def take(self, submitted: Any) -> str:
        """Accept a message and return its text."""
        self.last += 1
        submitted.accept(f"rust-{self.last}")
        return decode(submitted.data_coding, submitted.short_message)


async def test_the_gateway_serves_an_smpp34_centre(tmp_path: Path, unused_tcp_port: int):
    server = smpp34.Server("127.0.0.1", unused_tcp_port, system_id="rust")
    await server.start()
    numbers = Numbers()
    try:
        async with gateway_at(tmp_path, unused_tcp_port) as (_, billing):
            esme = await until(server, "Esme")

            async def say(op: int, text: bytes, session: int, unit: int) -> tuple[str, dict[int, bytes]]:
                answer = await esme.deliver_sm(
                    "929",
                    text,
                    source_addr=RICH,
                    source_addr_ton=1,
                    source_addr_npi=1,
                    service_type="USSD",
                    tlvs=[smpp34.Tlv(OP, bytes((op,))), smpp34.Tlv(INFO, bytes((session, unit << 1)))],
                )
                assert answer.is_success
                page = await until(server, "SubmitSmEvent")
                assert page.destination_addr == RICH
                return numbers.take(page), {tlv.tag: tlv.value for tlv in page.tlvs}

            text, tlvs = await say(1, b"*929#", 7, 0)
            assert (text, tlvs[OP], tlvs[INFO][:1]) == (DONE, b"\x11", b"\x07")
            text, tlvs = await say(1, b"*100#", 8, 0)
            assert (text.split("\n")[0], tlvs[OP]) == ("Баланс 1010 ₽", b"\x02")
            text, _ = await say(18, b"1", 8, 1)
            assert "МБ до" in text
            answer = await esme.deliver_sm(
                "9290", b"refresh", source_addr=RICH, source_addr_ton=1, source_addr_npi=1
            )
            assert answer.is_success
            message = await until(server, "SubmitSmEvent")
            assert (numbers.take(message), message.source_addr) == (ALREADY, "9290")
            assert len(billing.desk.book.movements(phone=RICH, kinds=("refresh_fee",))) == 1
    finally:
        await server.stop()
