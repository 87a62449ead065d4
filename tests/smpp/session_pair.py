"""Two sessions wired back to back, and the octets of hand-made PDUs."""

from smpp.event import BindRequested, Inbound, InboundRow
from smpp.pdu.bind import BindTransceiver, encode_bind_body
from smpp.pdu.command import CommandId
from smpp.pdu.wire import HEADER
from smpp.session import Session
from smpp.settings import Timers
from smpp.state import Role

BIND_BODY = encode_bind_body(BindTransceiver(b"gudok", b"secret"))
TRX = int(CommandId.BIND_TRANSCEIVER)
RX = int(CommandId.BIND_RECEIVER)
TX = int(CommandId.BIND_TRANSMITTER)


def pdu(command_id: int, sequence: int, body: bytes = b"", status: int = 0) -> bytes:
    return HEADER.pack(16 + len(body), command_id, status, sequence) + body


def read(data: bytes) -> list[tuple[int, int, int, bytes]]:
    """Cut octets into PDUs, without the code under test."""
    found = []
    while data:
        length = int.from_bytes(data[:4], "big")
        command_id, status, sequence = (int.from_bytes(data[n : n + 4], "big") for n in (4, 8, 12))
        found.append((command_id, status, sequence, data[16:length]))
        data = data[length:]
    return found


def singly(events: list) -> list:
    """The events of a read, with every request on its own."""
    return [
        one for event in events for one in (event.singly() if isinstance(event, InboundRow) else (event,))
    ]


class Pair:
    """An ESME and a centre; every transfer in one piece, or octet by octet."""

    def __init__(self, command: int = TRX, *, piecewise: bool = False, timers=None, window: int = 10):
        self.now = 1_000_000
        self.piecewise = piecewise
        self.esme = Session(
            Role.ESME, self.now, timers=timers or Timers(), window=window, bind=3, connection=7
        )
        self.smsc = Session(Role.SMSC, self.now, timers=Timers(enquire_after_ms=0), window=window)
        self.command = command

    def bind(self, version: int | None = 0x34) -> list:
        self.esme.start_bind(self.command, BIND_BODY, self.now)
        (asked,) = self.to_smsc()
        assert isinstance(asked, BindRequested)
        self.smsc.accept_bind(asked.sequence, asked.command_id, b"centre", version, self.now)
        return self.to_esme()

    def _carry(self, data: bytes, to: Session) -> list:
        if not self.piecewise:
            return singly(to.receive_data(data, self.now)) if data else []
        events = []
        for index in range(len(data)):
            events += singly(to.receive_data(data[index : index + 1], self.now))
        return events

    def to_smsc(self) -> list:
        return self._carry(self.esme.data_to_send(), self.smsc)

    def to_esme(self) -> list:
        return self._carry(self.smsc.data_to_send(), self.esme)

    def give(self, data: bytes) -> list:
        """Octets from nowhere to the ESME."""
        return self._carry(data, self.esme)

    def sent(self) -> list[tuple[int, int, int, bytes]]:
        """PDUs that the ESME has to send."""
        return read(self.esme.data_to_send())


def bound_esme(command: int = TRX, **options) -> Pair:
    pair = Pair(command, **options)
    pair.bind()
    return pair


__all__ = ["BIND_BODY", "RX", "TRX", "TX", "Inbound", "Pair", "bound_esme", "pdu", "read", "singly"]
