"""What a PDU family registers with the codec: one Family per command_id.

A family module holds the records of its commands, how each is read and written, and a ``FAMILIES`` tuple.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from smpp.pdu.command import CommandId
from smpp.pdu.tlv import Oddity


@dataclass(frozen=True, slots=True)
class Family:
    """One command: its id, its record type, and the two directions of its body (without header)."""

    command_id: CommandId
    record: type[Any]
    read: Callable[[bytes, int], Any]
    """(body, sequence) -> record; raises PduError only."""
    write: Callable[[Any], bytes]
    """record -> body; raises ValueError for values that do not fit."""


def header_only(record: Any) -> Family:
    """Return the family of a command without a body; octets behind its header are flagged in the record."""

    def read(body: bytes, sequence: int) -> Any:
        return record(int(Oddity.STRAY_OCTETS) if body else 0)

    def write(pdu: Any) -> bytes:
        return b""

    return Family(record.command_id, record, read, write)
