"""cancel_sm and its response: take back messages that have not been delivered.

Source: SMPP 3.4 section 4.9.
"""

from typing import ClassVar

import msgspec

from smpp.pdu.command import CommandId
from smpp.pdu.family import Family, header_only
from smpp.pdu.mask import mask_address
from smpp.pdu.message import ADDRESS_MAX, MESSAGE_ID_MAX, SERVICE_TYPE_MAX, address_field
from smpp.pdu.status import Status
from smpp.pdu.tlv import Tlvs, read_tlvs, write_tlvs
from smpp.pdu.wire import Reader, write_cstring


class CancelSm(msgspec.Struct, frozen=True, gc=False):
    """cancel_sm: one message by its id, or with an empty id all from source to destination."""

    command_id: ClassVar[CommandId] = CommandId.CANCEL_SM
    service_type: bytes = b""
    message_id: bytes = b""
    source_ton: int = 0
    source_npi: int = 0
    source: bytes = b""
    dest_ton: int = 0
    dest_npi: int = 0
    dest: bytes = b""
    tlvs: Tlvs = ()
    oddities: int = 0

    def __repr__(self) -> str:
        """Show the addresses masked."""
        route = f"{mask_address(self.source)} -> {mask_address(self.dest)}"
        return f"CancelSm(message_id={self.message_id!r}, {route})"


class CancelSmResp(msgspec.Struct, frozen=True, gc=False):
    """cancel_sm_resp: a header only."""

    command_id: ClassVar[CommandId] = CommandId.CANCEL_SM_RESP
    oddities: int = 0


def _read(body: bytes, sequence: int) -> CancelSm:
    reader = Reader(body, sequence, CommandId.CANCEL_SM)
    service_type = reader.cstring(SERVICE_TYPE_MAX, "service_type", Status.RINVSERTYP)
    message_id = reader.cstring(MESSAGE_ID_MAX, "message_id", Status.RINVMSGID)
    source_ton, source_npi = reader.octets(2, "source_addr_ton and npi")
    source = reader.cstring(ADDRESS_MAX, "source_addr", Status.RINVSRCADR)
    dest_ton, dest_npi = reader.octets(2, "dest_addr_ton and npi")
    dest = reader.cstring(ADDRESS_MAX, "destination_addr", Status.RINVDSTADR)
    return CancelSm(
        service_type, message_id, source_ton, source_npi, source, dest_ton, dest_npi, dest,
        *read_tlvs(reader.body, reader.offset),
    )  # fmt: skip


def _write(cancel: CancelSm) -> bytes:
    return b"".join(
        (
            write_cstring(cancel.service_type, SERVICE_TYPE_MAX, "service_type"),
            write_cstring(cancel.message_id, MESSAGE_ID_MAX, "message_id"),
            address_field(cancel.source_ton, cancel.source_npi, cancel.source),
            address_field(cancel.dest_ton, cancel.dest_npi, cancel.dest),
            write_tlvs(cancel.tlvs),
        )
    )


FAMILIES = (
    Family(CommandId.CANCEL_SM, CancelSm, _read, _write),
    header_only(CancelSmResp),
)
