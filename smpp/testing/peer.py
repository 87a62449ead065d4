"""One ESME at a test centre: its connection, its account, and how often it may be bound.

Everything a real centre limits on its listener stands here: connections, time until the bind, binds per
account, requests in flight, the length of a PDU (the framer's).
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from smpp.client import Connection
from smpp.pdu.bind import Bind
from smpp.pdu.command import CommandId
from smpp.pdu.status import Status
from smpp.pdu.wire import HEADER, HEADER_LENGTH, Framer
from smpp.state import RECEIVING
from smpp.testing.faults import Faults


@dataclass(frozen=True, slots=True)
class Limits:
    """What one centre takes from all ESMEs, and from one account."""

    connections: int = 256
    bind_ms: int = 10_000
    binds_per_account: int = 64
    in_flight: int = 10_000
    """submit_sm of one connection that wait for their (delayed) response; more are throttled."""
    waiting: int = 1_000_000
    """Deliveries that wait for a receiver."""


class Peer:
    """A connected ESME; `number` counts the connections of the centre."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.connection: PeerConnection | None = None
        self.system_id = ""
        self.command_id = 0
        self.in_flight = 0
        self.delivered = 0
        self.silent = False

    @property
    def receives(self) -> bool:
        """True if deliver_sm may go there."""
        connection = self.connection
        return connection is not None and connection.session.state in RECEIVING and not self.silent

    @property
    def live(self) -> "PeerConnection":
        """The connection, which stands from the moment the peer is known."""
        assert self.connection is not None
        return self.connection


def judge_bind(bind: Bind, accounts: Mapping[str, str] | None, bound: Counter[str], limits: Limits) -> int:
    """The status that a bind deserves: 0, or why not."""
    name = bind.system_id.decode("latin-1")
    if accounts is not None:
        if name not in accounts:
            return int(Status.RINVSYSID)
        if accounts[name] != bind.password.decode("latin-1"):
            return int(Status.RINVPASWD)
    if bound[name] >= limits.binds_per_account:
        return int(Status.RALYBND)
    return 0


class PeerConnection(Connection):
    """A connection that can misbehave below the level of PDUs."""

    faults_now: Callable[[], Faults] = staticmethod(Faults)
    draw: Callable[[], float] = staticmethod(lambda: 1.0)

    turned_away = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the connection stands, unless there are too many already."""
        super().connection_made(transport)
        if self.turned_away:
            self.abort()

    def flush(self) -> None:
        """Write as ordered: whole, cut off in the middle of a PDU, or without answers to enquire_link."""
        faults = self.faults_now()
        if not faults.cut and not faults.ignore_enquire_link:
            super().flush()
            return
        data = self.session.data_to_send()
        if faults.ignore_enquire_link:
            data = without(data, int(CommandId.ENQUIRE_LINK_RESP))
        if data and faults.cut and self.draw() < faults.cut:
            self.write(data[: len(data) - 5])
            self.abort_after_writing()
        else:
            self.write(data)
            super().flush()

    def write(self, data: bytes) -> None:
        """Octets as they are, sound or not."""
        transport = self._transport
        if data and transport is not None and not transport.is_closing():
            transport.write(data)

    def abort_after_writing(self) -> None:
        """End the connection when what was written is out."""
        if self._transport is not None:
            self._transport.close()


def without(data: bytes, command_id: int) -> bytes:
    """The PDUs in `data` but those of one command."""
    frames = Framer().feed(data)
    return b"".join(
        HEADER.pack(HEADER_LENGTH + len(body), command, status, sequence) + body
        for command, status, sequence, body in frames
        if command != command_id
    )
