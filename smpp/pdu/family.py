"""What a PDU family registers with the codec: one Family per command_id.

A family module holds the records of its commands, how each is read and written, and a ``FAMILIES`` tuple.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from smpp.pdu.command import CommandId


@dataclass(frozen=True, slots=True)
class Family:
    """One command: its id, its record type, and the two directions of its body (without header)."""

    command_id: CommandId
    record: type[Any]
    read: Callable[[bytes, int], Any]
    """(body, sequence) -> record; raises PduError only."""
    write: Callable[[Any], bytes]
    """record -> body; raises ValueError for values that do not fit."""
