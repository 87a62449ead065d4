"""What stands round a page: the addresses in front and the session id behind, both as the dialect wants.

Also reads the session id of what comes in, so that both directions of it are in one place.
"""

from __future__ import annotations

import struct

from smpp.pdu.message import Sm
from ussd.dialect import Dialect
from ussd.dialog import NO_ID

SESSION_ID_MAX = 64
"""Octets of a session id that are kept and echoed; real ones have two or four."""

_TLV = struct.Struct(">HH")


class Envelope:
    """Addresses and session ids of one dialect."""

    __slots__ = (
        "_dialect",
        "_end_bit",
        "_end_when_set",
        "_ends",
        "_goes_on",
        "_id_mask",
        "_tlv_head",
        "_unit_mask",
        "_width",
    )

    def __init__(self, dialect: Dialect) -> None:
        layout = dialect.session_id
        self._dialect = dialect
        self._width = layout.width
        self._id_mask, self._unit_mask = layout.id_mask, layout.unit_mask
        self._end_bit, self._end_when_set = layout.end_bit, layout.end_when_set
        self._tlv_head = _TLV.pack(layout.tag, layout.width)
        # What the last octet becomes, for the usual place of the bit.
        bit = self._end_bit
        with_bit = tuple(bytes((octet | bit & 0xFF,)) for octet in range(256))
        without = tuple(bytes((octet & ~bit & 0xFF,)) for octet in range(256))
        self._ends, self._goes_on = (with_bit, without) if self._end_when_set else (without, with_bit)

    def read_id(self, octets: bytes) -> tuple[int, int, bool]:
        """Read a session id: (session, dialogue unit or -1, whether the session is over)."""
        if len(octets) != self._width:
            return int.from_bytes(octets[:7], "big") << 8 | len(octets) & 0xFF, NO_ID, False
        value = int.from_bytes(octets, "big")
        end = self._end_bit
        return (
            value & self._id_mask,
            value & self._unit_mask if self._unit_mask else NO_ID,
            bool(end) and (value & end != 0) is self._end_when_set,
        )

    def write_id(self, octets: bytes, end: bool) -> bytes:
        """Encode the TLV of a session id: echoed as it came, but for the end bit."""
        if len(octets) != self._width:
            return _TLV.pack(self._dialect.session_id.tag, len(octets)) + octets
        bit = self._end_bit
        if not bit:
            return self._tlv_head + octets
        if bit < 0x100:
            return self._tlv_head + octets[:-1] + (self._ends if end else self._goes_on)[octets[-1]]
        value = int.from_bytes(octets, "big")
        value = value | bit if end is self._end_when_set else value & ~bit
        return self._tlv_head + value.to_bytes(self._width, "big")

    def new_id(self, number: int, other: int) -> tuple[bytes, int]:
        """Make the id of a session that we number: (octets, session); never `other`, never all zero."""
        mask = self._id_mask
        lowest = mask & -mask
        ident = number * lowest & mask
        while ident in (0, other) and mask != lowest:
            ident = (ident + lowest) & mask
        value = ident if self._end_when_set else ident | self._end_bit
        return value.to_bytes(self._width, "big"), ident

    def route(self, request: Sm) -> bytes:
        """Encode what an answer to `request` starts with: service type and swapped addresses."""
        dialect = self._dialect
        source_ton = request.dest_ton if dialect.source_ton_out is None else dialect.source_ton_out
        source_npi = request.dest_npi if dialect.source_npi_out is None else dialect.source_npi_out
        dest_ton = request.source_ton if dialect.dest_ton_out is None else dialect.dest_ton_out
        dest_npi = request.source_npi if dialect.dest_npi_out is None else dialect.dest_npi_out
        if dialect.letters:
            service_type = b""
        elif dialect.service_type_out is None:
            service_type = request.service_type + b"\0"
        else:
            service_type = dialect.service_type_out + b"\0"
        return b"%b%c%c%b\0%c%c%b\0" % (
            service_type, source_ton, source_npi, request.dest, dest_ton, dest_npi, request.source,
        )  # fmt: skip
