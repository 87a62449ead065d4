"""A USSD centre inside the same process: keeps N dialogues in flight on loopback and checks every reply.

`stages.py` and `commit.py` use it where the time of single functions is wanted; `generator.c` plays the same
dialogue from outside, where nothing of its own cost is in the way.
"""

from __future__ import annotations

import asyncio
import struct
import time

HEADER = struct.Struct(">IIII")
BIND_TRX_RESP = 0x80000009
DELIVER, DELIVER_RESP = 0x05, 0x80000005
SUBMIT, SUBMIT_RESP = 0x04, 0x80000004
ENQUIRE, ENQUIRE_RESP = 0x15, 0x80000015
UNBIND, UNBIND_RESP = 0x06, 0x80000006
SCRIPT = ((b"*929#", b"1 Refresh"), (b"1", b"Confirm"), (b"1", b"Done "))
"""What the subscriber sends, and what the page must hold."""


def pdu(command: int, sequence: int, body: bytes = b"", status: int = 0) -> bytes:
    """Encode a PDU."""
    return HEADER.pack(16 + len(body), command, status, sequence) + body


def deliver_body(msisdn: bytes, step: int, generation: int) -> bytes:
    """Encode one message of a subscriber, with the operation and the session id of the USSD centre."""
    text = SCRIPT[step][0]
    operation = 1 if step == 0 else 18
    return (
        b"USSD\0\x01\x01" + msisdn + b"\0\0\x01929\0" + bytes(9) + bytes((len(text),)) + text
        + b"\x05\x01\0\x01" + bytes((operation,)) + b"\x13\x83\0\x02" + bytes((generation & 255, step << 1))
    )  # fmt: skip


class Centre(asyncio.Protocol):
    """Accepts one bind, keeps `in_flight` dialogues running until `turns` are done, then sets `done`."""

    def __init__(self, in_flight: int, turns: int) -> None:
        self._in_flight = in_flight
        self._left = turns
        self._open: dict[bytes, tuple[int, int]] = {}
        self._waiting = b""
        self._sequence = 0
        # New handsets in every run: the gateway still knows the dialogues of the run before.
        self._generation = time.time_ns() // 1_000_000 % 1_000_000 * 1_000
        self._transport: asyncio.Transport | None = None
        self.bound = asyncio.Event()
        self.done = asyncio.Event()
        self.turns = 0
        self.wrong = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the gateway is connected."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def begin(self) -> None:
        """Dial from all handsets at once."""
        self._write([self._dial() for _ in range(self._in_flight)])

    def go_on(self, turns: int) -> None:
        """Run so many turns more."""
        self._left, self.turns = turns, 0
        self.done.clear()
        self.begin()

    def _write(self, parts: list[bytes]) -> None:
        assert self._transport is not None
        self._transport.write(b"".join(parts))

    def _dial(self) -> bytes:
        self._generation += 1
        msisdn = b"79%09d" % self._generation
        return self._send(msisdn, 0, self._generation)

    def _send(self, msisdn: bytes, step: int, generation: int) -> bytes:
        self._sequence += 1
        self._open[msisdn] = (step, generation)
        return pdu(DELIVER, self._sequence, deliver_body(msisdn, step, generation))

    def data_received(self, data: bytes) -> None:
        """asyncio: what the gateway has answered; everything it brings is answered with one write."""
        data = self._waiting + data
        offset, out = 0, []
        while len(data) - offset >= 16:
            length, command, _, sequence = HEADER.unpack_from(data, offset)
            if len(data) - offset < length:
                break
            body = data[offset + 16 : offset + length]
            offset += length
            if command == SUBMIT:
                out.append(pdu(SUBMIT_RESP, sequence, b"%x\0" % sequence))
                self._answered(body, out)
            elif command == DELIVER_RESP:
                continue
            elif command == 9:
                out.append(pdu(BIND_TRX_RESP, sequence, b"bench\0\x02\x10\0\x01\x34"))
                self.bound.set()
            elif command == ENQUIRE:
                out.append(pdu(ENQUIRE_RESP, sequence))
            elif command == UNBIND:
                out.append(pdu(UNBIND_RESP, sequence))
        self._waiting = data[offset:]
        if out:
            self._write(out)

    def _answered(self, body: bytes, out: list[bytes]) -> None:
        start = body.index(0, body.index(0) + 3) + 3
        msisdn = body[start : body.index(0, start)]
        known = self._open.pop(msisdn, None)
        if known is None:
            self.wrong += 1
            return
        step, generation = known
        self.turns += 1
        if SCRIPT[step][1] not in body or (step == len(SCRIPT) - 1 and msisdn not in body):
            self.wrong += 1
        if step < len(SCRIPT) - 1:
            out.append(self._send(msisdn, step + 1, generation))
        elif self.turns < self._left:
            out.append(self._dial())
        elif not self._open:
            self.done.set()
