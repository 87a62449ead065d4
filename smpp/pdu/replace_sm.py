"""replace_sm and its response: a new text for a message that has not been delivered.

Source: SMPP 3.4 section 4.10; message_payload as in 5.0.
"""

from typing import ClassVar

import msgspec

from smpp.pdu.command import CommandId
from smpp.pdu.family import Family, header_only
from smpp.pdu.mask import mask_address
from smpp.pdu.message import ADDRESS_MAX, MESSAGE_ID_MAX, TIME_MAX, address_field, text_length
from smpp.pdu.status import Status
from smpp.pdu.tlv import Tag, Tlvs, first_tlv, read_tlvs, write_tlvs
from smpp.pdu.wire import Reader, write_cstring, write_octets


class ReplaceSm(msgspec.Struct, frozen=True, gc=False):
    """replace_sm. The data_coding of the message stays as it was."""

    command_id: ClassVar[CommandId] = CommandId.REPLACE_SM
    message_id: bytes = b""
    source_ton: int = 0
    source_npi: int = 0
    source: bytes = b""
    schedule: bytes = b""
    validity: bytes = b""
    registered_delivery: int = 0
    default_msg_id: int = 0
    short_message: bytes = b""
    tlvs: Tlvs = ()
    oddities: int = 0

    @property
    def payload(self) -> bytes:
        """short_message, or message_payload if short_message is empty."""
        return self.short_message or first_tlv(self.tlvs, Tag.MESSAGE_PAYLOAD) or b""

    def __repr__(self) -> str:
        """Show the address masked and the text as a length only."""
        return (
            f"ReplaceSm(message_id={self.message_id!r}, source={mask_address(self.source)}, "
            f"{len(self.payload)} octets of text)"
        )


class ReplaceSmResp(msgspec.Struct, frozen=True, gc=False):
    """replace_sm_resp: a header only."""

    command_id: ClassVar[CommandId] = CommandId.REPLACE_SM_RESP
    oddities: int = 0


def _read(body: bytes, sequence: int) -> ReplaceSm:
    reader = Reader(body, sequence, CommandId.REPLACE_SM)
    message_id = reader.cstring(MESSAGE_ID_MAX, "message_id", Status.RINVMSGID)
    ton, npi = reader.octets(2, "source_addr_ton and npi")
    source = reader.cstring(ADDRESS_MAX, "source_addr", Status.RINVSRCADR)
    schedule = reader.cstring(TIME_MAX, "schedule_delivery_time", Status.RINVSCHED)
    validity = reader.cstring(TIME_MAX, "validity_period", Status.RINVEXPIRY)
    delivery, default_id, length = reader.octets(3, "registered_delivery to sm_length")
    short_message = reader.octets(length, "short_message")
    return ReplaceSm(
        message_id, ton, npi, source, schedule, validity, delivery, default_id, short_message,
        *read_tlvs(reader.body, reader.offset),
    )  # fmt: skip


def _write(replace: ReplaceSm) -> bytes:
    length = text_length(replace.short_message)
    return b"".join(
        (
            write_cstring(replace.message_id, MESSAGE_ID_MAX, "message_id"),
            address_field(replace.source_ton, replace.source_npi, replace.source),
            write_cstring(replace.schedule, TIME_MAX, "schedule_delivery_time"),
            write_cstring(replace.validity, TIME_MAX, "validity_period"),
            write_octets(
                (replace.registered_delivery, replace.default_msg_id, length),
                ("registered_delivery", "sm_default_msg_id", "sm_length"),
            ),
            replace.short_message,
            write_tlvs(replace.tlvs),
        )
    )


FAMILIES = (
    Family(CommandId.REPLACE_SM, ReplaceSm, _read, _write),
    header_only(ReplaceSmResp),
)
