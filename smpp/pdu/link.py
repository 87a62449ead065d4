"""The PDUs that keep a link: enquire_link, unbind, their responses, and generic_nack. None has a body.

Source: SMPP 3.4 sections 4.2, 4.3, 4.11. Octets that do come behind such a header are kept as an oddity.
"""

from typing import ClassVar

import msgspec

from smpp.pdu.command import CommandId
from smpp.pdu.family import header_only
from smpp.pdu.wire import HEADER, MAX_SEQUENCE, RESPONSE_BIT


class EnquireLink(msgspec.Struct, frozen=True, gc=False):
    """enquire_link."""

    command_id: ClassVar[CommandId] = CommandId.ENQUIRE_LINK
    oddities: int = 0


class EnquireLinkResp(msgspec.Struct, frozen=True, gc=False):
    """enquire_link_resp."""

    command_id: ClassVar[CommandId] = CommandId.ENQUIRE_LINK_RESP
    oddities: int = 0


class Unbind(msgspec.Struct, frozen=True, gc=False):
    """unbind."""

    command_id: ClassVar[CommandId] = CommandId.UNBIND
    oddities: int = 0


class UnbindResp(msgspec.Struct, frozen=True, gc=False):
    """unbind_resp."""

    command_id: ClassVar[CommandId] = CommandId.UNBIND_RESP
    oddities: int = 0


class GenericNack(msgspec.Struct, frozen=True, gc=False):
    """generic_nack: fails the request with its sequence number; never answered."""

    command_id: ClassVar[CommandId] = CommandId.GENERIC_NACK
    oddities: int = 0


def encode_empty(command_id: int, sequence: int, status: int = 0) -> bytes:
    """Encode a whole PDU that has no body: any command here, or an error response to any request."""
    return HEADER.pack(16, command_id, status, sequence)


def encode_enquire_link(sequence: int) -> bytes:
    """Encode a whole enquire_link."""
    return HEADER.pack(16, CommandId.ENQUIRE_LINK, 0, sequence)


def encode_enquire_link_resp(sequence: int, status: int = 0) -> bytes:
    """Encode a whole enquire_link_resp."""
    return HEADER.pack(16, CommandId.ENQUIRE_LINK_RESP, status, sequence)


def encode_unbind(sequence: int) -> bytes:
    """Encode a whole unbind."""
    return HEADER.pack(16, CommandId.UNBIND, 0, sequence)


def encode_unbind_resp(sequence: int, status: int = 0) -> bytes:
    """Encode a whole unbind_resp."""
    return HEADER.pack(16, CommandId.UNBIND_RESP, status, sequence)


def encode_generic_nack(sequence: int, status: int) -> bytes:
    """Encode a whole generic_nack: 0x03 for an unknown command, 0x02 with sequence 0 for a bad length."""
    return HEADER.pack(16, CommandId.GENERIC_NACK, status, sequence)


def encode_error_resp(command_id: int, sequence: int, status: int) -> bytes:
    """Encode the error response to the *request* ``command_id``, without a body (SMPP 3.4, 3.2)."""
    return HEADER.pack(16, command_id | RESPONSE_BIT, status, sequence)


def next_sequence(sequence: int) -> int:
    """Return the sequence number behind ``sequence``: 1..0x7FFFFFFF, then 1 again."""
    return sequence + 1 if 0 <= sequence < MAX_SEQUENCE else 1


FAMILIES = tuple(
    header_only(record) for record in (EnquireLink, EnquireLinkResp, Unbind, UnbindResp, GenericNack)
)
