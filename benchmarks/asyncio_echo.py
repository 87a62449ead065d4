"""The plain way to write an ESME in Python: asyncio, struct, a fixed menu, nothing stored and nothing logged.

    python benchmarks/asyncio_echo.py PORT

It parses every field and builds every page, like a careful first version would; what the gateway costs above
it is what flows, checks and the durable record of every turn cost.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys

HEADER = struct.Struct(">IIII")
TLV = struct.Struct(">HH")
PAGES = (
    "Refresh your package\n1 Refresh\n2 Balance\n3 Contract",
    "Refresh costs 90 rub, balance 150 rub. Confirm?\n1 Yes\n2 No",
    "Done {}. The package is refreshed until 30.11",
)


class Echo(asyncio.Protocol):
    """One bind."""

    def __init__(self) -> None:
        self._waiting = b""
        self._sequence = 1
        self._steps: dict[bytes, int] = {}
        self._transport: asyncio.Transport | None = None
        self.gone = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: connected; bind."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        body = b"test\0test\0\0\x34\0\0\0"
        transport.write(HEADER.pack(16 + len(body), 9, 0, 1) + body)

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the generator has finished."""
        self.gone.set()

    def data_received(self, data: bytes) -> None:
        """asyncio: answer everything that one read has brought with one write."""
        data = self._waiting + data
        offset, out = 0, []
        while len(data) - offset >= 16:
            length, command, _, sequence = HEADER.unpack_from(data, offset)
            if len(data) - offset < length:
                break
            if command == 5:
                out.append(HEADER.pack(17, 0x80000005, 0, sequence) + b"\0")
                out.append(self._answer(self._parse(data[offset + 16 : offset + length])))
            elif command == 0x15:
                out.append(HEADER.pack(16, 0x80000015, 0, sequence))
            offset += length
        self._waiting = data[offset:]
        if out and self._transport is not None:
            self._transport.write(b"".join(out))

    @staticmethod
    def _parse(body: bytes) -> dict[str, object]:
        """Return every field of a deliver_sm."""
        fields: dict[str, object] = {}
        offset = 0

        def text(name: str) -> None:
            nonlocal offset
            end = body.index(0, offset)
            fields[name] = body[offset:end]
            offset = end + 1

        def octets(*names: str) -> None:
            nonlocal offset
            for name in names:
                fields[name] = body[offset]
                offset += 1

        text("service_type")
        octets("source_ton", "source_npi")
        text("source")
        octets("dest_ton", "dest_npi")
        text("dest")
        octets("esm_class", "protocol_id", "priority")
        text("schedule")
        text("validity")
        octets("registered_delivery", "replace", "data_coding", "default_id")
        length = body[offset]
        fields["short_message"] = body[offset + 1 : offset + 1 + length]
        offset += 1 + length
        tlvs: dict[int, bytes] = {}
        while len(body) - offset >= 4:
            tag, size = TLV.unpack_from(body, offset)
            tlvs[tag] = body[offset + 4 : offset + 4 + size]
            offset += 4 + size
        fields["tlvs"] = tlvs
        return fields

    def _answer(self, fields: dict[str, object]) -> bytes:
        source, dest, typed = fields["source"], fields["dest"], fields["short_message"]
        assert isinstance(source, bytes)
        assert isinstance(dest, bytes)
        assert isinstance(typed, bytes)
        step = 0 if typed.startswith(b"*") else self._steps.pop(source, 0)
        last = step == len(PAGES) - 1
        if not last:
            self._steps[source] = step + 1
        page = PAGES[step].format(source.decode("ascii")).encode("ascii")
        body = (
            b"USSD\0\0\x01" + dest + b"\0\x01\x01" + source + b"\0" + bytes(9) + bytes((len(page),)) + page
            + TLV.pack(0x0501, 1) + bytes((17 if last else 2,))
        )  # fmt: skip
        self._sequence += 1
        return HEADER.pack(16 + len(body), 4, 0, self._sequence) + body


async def main(port: int) -> None:
    """Connect, as soon as the generator listens, and stay until it goes."""
    loop = asyncio.get_running_loop()
    for _ in range(250):
        try:
            _, echo = await loop.create_connection(Echo, "127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
            continue
        await echo.gone.wait()
        return


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
