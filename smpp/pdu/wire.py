"""The octets of SMPP: header, framing and the elementary field types.

Source: SMPP 3.4 issue 1.2, section 3.2 (PDU format) and 3.1 (C-octet strings). Nothing here knows what a
PDU means; it cuts the stream into PDUs, reads and writes fields, and owns the one error of the codec.
"""

import struct

HEADER = struct.Struct(">IIII")
"""command_length, command_id, command_status, sequence_number: four big-endian octets each."""

HEADER_LENGTH = 16
MAX_PDU = 70_000
"""Longest PDU accepted, header included: 64 KiB of message_payload and room for the rest."""

MAX_SEQUENCE = 0x7FFFFFFF
RESPONSE_BIT = 0x80000000

# The two status values which the wire layer itself answers with; status.py names them all.
_BAD_MESSAGE_LENGTH = 0x01
_BAD_COMMAND_LENGTH = 0x02

Frame = tuple[int, int, int, bytes]
"""command_id, command_status, sequence_number, body."""

# What a peer that does not speak SMPP begins with: read as a length it is always above MAX_PDU.
_FOREIGN = {
    b"HTTP": "an HTTP response",
    b"GET ": "an HTTP request",
    b"POST": "an HTTP request",
    b"PUT ": "an HTTP request",
    b"HEAD": "an HTTP request",
    b"OPTI": "an HTTP request",
    b"CONN": "an HTTP request",
    b"PRI ": "an HTTP/2 preface",
    b"AMQP": "an AMQP header",
    b"SSH-": "an SSH banner",
}


class PduError(Exception):
    """The peer sent something that is no valid PDU: the one error that decoding raises.

    Attributes:
        status: command_status to answer with.
        sequence: sequence_number of the offending PDU, 0 if it has none.
        command_id: its command_id, 0 if unknown.
        fatal: framing is lost, the connection has to be closed after the answer.
        reason: one short sentence for the log; holds no message text, password or address.
    """

    def __init__(
        self, status: int, sequence: int, command_id: int, reason: str, *, fatal: bool = False
    ) -> None:
        super().__init__(status, sequence, command_id, reason, fatal)
        self.status = status
        self.sequence = sequence
        self.command_id = command_id
        self.fatal = fatal
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.reason} (command 0x{self.command_id:08X}, answer 0x{self.status:02X})"


def foreign_protocol(start: bytes) -> str | None:
    """Name the protocol that the first octets of a stream belong to, or None if they are not known."""
    if start[:2] == b"\x16\x03":
        return "a TLS hello"
    if start[:2] == b"\x15\x03":
        return "a TLS alert"
    return _FOREIGN.get(bytes(start[:4]))


def _bad_length(start: bytes) -> PduError:
    length = int.from_bytes(start[:4], "big")
    foreign = foreign_protocol(start)
    reason = f"command_length {length} is outside {HEADER_LENGTH}..{MAX_PDU}"
    if foreign:
        reason = f"{reason}: the peer sent {foreign}, this is not an SMPP port"
    return PduError(_BAD_COMMAND_LENGTH, 0, 0, reason, fatal=True)


class Framer:
    """Cuts a byte stream into PDUs. Keeps at most one unfinished PDU (under MAX_PDU octets) between reads.

    After a length outside 16..70000 the place in the stream is lost for good: the PDUs before it are
    returned, ``error`` is set, and every later ``feed`` raises it. If nothing stood before it, ``feed``
    raises at once.
    """

    __slots__ = ("_need", "_pending", "error")

    def __init__(self) -> None:
        self.error: PduError | None = None
        self._pending = bytearray()
        self._need = 4

    @property
    def pending(self) -> int:
        """Octets of the unfinished PDU at hand; above 0 the timer for the rest of a PDU should run."""
        return len(self._pending)

    def feed(self, data: bytes | bytearray | memoryview) -> list[Frame]:
        """Take what one read delivered and return the PDUs that are complete, in order.

        Raises PduError (fatal) when the stream is lost and there is no PDU left to return.
        """
        if self.error is not None:
            raise self.error
        data = self.join(data)
        frames: list[Frame] = []
        offset, end = 0, len(data)
        while end - offset >= HEADER_LENGTH:
            length, command_id, status, sequence = HEADER.unpack_from(data, offset)
            after = offset + length
            if after > end or not HEADER_LENGTH <= length <= MAX_PDU:
                break
            frames.append((command_id, status, sequence, data[offset + HEADER_LENGTH : after]))
            offset = after
        if offset < end:
            lost = self.keep(data[offset:])
            if lost is not None and not frames:
                raise lost
        return frames

    def join(self, data: bytes | bytearray | memoryview) -> bytes:
        """Return what one read delivered with the start of its first PDU; b"" while that is unfinished.

        For who cuts the PDUs out on the spot: what is no whole PDU at the end is given to `keep`.
        """
        pending = self._pending
        if pending:
            pending += data
            if len(pending) < self._need:
                return b""
            data = bytes(pending)
            pending.clear()
            return data
        return bytes(data)

    def keep(self, rest: bytes) -> PduError | None:
        """Hold the start of a PDU; its length is judged as soon as its four octets are there.

        Returns what is wrong with it, which is `error` from then on.
        """
        self._need = 4
        if len(rest) >= 4:
            length = int.from_bytes(rest[:4], "big")
            if length < HEADER_LENGTH or length > MAX_PDU:
                self.error = _bad_length(rest)
                return self.error
            self._need = length
        self._pending += rest
        return None


def write_cstring(value: bytes, limit: int, name: str) -> bytes:
    """Encode one of our own values as a C-octet string of at most ``limit`` octets before the NUL.

    Raises ValueError for a longer value or one with a NUL inside: nothing is ever cut.
    """
    if len(value) > limit:
        raise ValueError(f"{name} has {len(value)} octets, at most {limit} are allowed")
    if 0 in value:
        raise ValueError(f"{name} has a NUL octet inside")
    return value + b"\0"


def write_octets(values: tuple[int, ...], names: tuple[str, ...]) -> bytes:
    """Encode one-octet integers. Raises ValueError that names the first value outside 0..255."""
    try:
        return bytes(values)
    except ValueError:
        for value, name in zip(values, names, strict=True):
            if not 0 <= value <= 255:
                raise ValueError(f"{name} is {value}, it must be 0..255") from None
        raise


class Reader:
    """Reads the fields of one body in order; used by every family but the hot deliver_sm/submit_sm."""

    __slots__ = ("body", "command_id", "offset", "sequence")

    def __init__(self, body: bytes, sequence: int, command_id: int) -> None:
        self.body = bytes(body)
        self.sequence = sequence
        self.command_id = command_id
        self.offset = 0

    def error(self, status: int, reason: str) -> PduError:
        """Make the (not fatal) error that answers this PDU with ``status``."""
        return PduError(status, self.sequence, self.command_id, reason)

    @property
    def left(self) -> int:
        """Octets not yet read."""
        return len(self.body) - self.offset

    def cstring(self, limit: int, name: str, status: int = _BAD_MESSAGE_LENGTH) -> bytes:
        """Read a C-octet string without its NUL.

        Raises PduError 0x01 when the NUL is missing, and ``status`` when it has more than ``limit`` octets.
        """
        end = self.body.find(0, self.offset)
        if end < 0:
            raise self.error(_BAD_MESSAGE_LENGTH, f"{name} has no terminating NUL")
        if end - self.offset > limit:
            raise self.error(status, f"{name} has {end - self.offset} octets, at most {limit} are allowed")
        value = self.body[self.offset : end]
        self.offset = end + 1
        return value

    def octet(self, name: str) -> int:
        """Read a one-octet integer. Raises PduError 0x01 when the body ends before it."""
        if self.offset >= len(self.body):
            raise self.error(_BAD_MESSAGE_LENGTH, f"the body ends before {name}")
        value = self.body[self.offset]
        self.offset += 1
        return value

    def octets(self, count: int, name: str) -> bytes:
        """Read exactly ``count`` octets. Raises PduError 0x01 when the body has fewer."""
        if self.left < count:
            raise self.error(
                _BAD_MESSAGE_LENGTH, f"{name} needs {count} octets, the body has {self.left} left"
            )
        value = self.body[self.offset : self.offset + count]
        self.offset += count
        return value
