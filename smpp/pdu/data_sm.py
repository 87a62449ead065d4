"""data_sm and its response: a message whose text is always a message_payload TLV.

Source: SMPP 3.4 section 4.7. Addresses may have 64 octets here, three times those of deliver_sm.
"""

from typing import ClassVar

import msgspec

from smpp.pdu.command import CommandId
from smpp.pdu.family import Family
from smpp.pdu.mask import mask_address
from smpp.pdu.message import (
    SERVICE_TYPE_MAX,
    DeliverSm,
    address_field,
    read_message_id,
    write_message_id,
)
from smpp.pdu.status import Status
from smpp.pdu.tlv import Oddity, Tag, Tlvs, first_tlv, read_tlvs, write_tlvs
from smpp.pdu.wire import HEADER, Reader, write_cstring, write_octets

DATA_ADDRESS_MAX = 64


class DataSm(msgspec.Struct, frozen=True, gc=False):
    """data_sm, in either direction. Lengths are checked when it is encoded (ValueError)."""

    command_id: ClassVar[CommandId] = CommandId.DATA_SM
    service_type: bytes = b""
    source_ton: int = 0
    source_npi: int = 0
    source: bytes = b""
    dest_ton: int = 0
    dest_npi: int = 0
    dest: bytes = b""
    esm_class: int = 0
    registered_delivery: int = 0
    data_coding: int = 0
    tlvs: Tlvs = ()
    oddities: int = 0

    @property
    def payload(self) -> bytes:
        """The message_payload TLV, empty if there is none."""
        return first_tlv(self.tlvs, Tag.MESSAGE_PAYLOAD) or b""

    def as_deliver(self) -> DeliverSm:
        """Give it the form of a deliver_sm, so that one path handles both; the TLVs stay as they are."""
        return DeliverSm(
            service_type=self.service_type,
            source_ton=self.source_ton,
            source_npi=self.source_npi,
            source=self.source,
            dest_ton=self.dest_ton,
            dest_npi=self.dest_npi,
            dest=self.dest,
            esm_class=self.esm_class,
            registered_delivery=self.registered_delivery,
            data_coding=self.data_coding,
            tlvs=self.tlvs,
            oddities=self.oddities,
        )

    def __repr__(self) -> str:
        """Show addresses masked and the text as a length only."""
        return (
            f"DataSm({mask_address(self.source)} -> {mask_address(self.dest)}, "
            f"esm_class=0x{self.esm_class:02X}, data_coding=0x{self.data_coding:02X}, "
            f"{len(self.payload)} octets of text, {len(self.tlvs)} TLVs)"
        )


class DataSmResp(msgspec.Struct, frozen=True, gc=False):
    """data_sm_resp; an error may come without a body."""

    command_id: ClassVar[CommandId] = CommandId.DATA_SM_RESP
    message_id: bytes = b""
    tlvs: Tlvs = ()
    oddities: int = 0


def decode_data_sm(body: bytes | memoryview, sequence: int, strict: bool = False) -> DataSm:
    """Decode a data_sm body. Raises PduError as ``decode_sm`` does."""
    reader = Reader(bytes(body), sequence, CommandId.DATA_SM)
    service_type = reader.cstring(SERVICE_TYPE_MAX, "service_type", Status.RINVSERTYP)
    source_ton, source_npi = reader.octet("source_addr_ton"), reader.octet("source_addr_npi")
    source = reader.cstring(DATA_ADDRESS_MAX, "source_addr", Status.RINVSRCADR)
    dest_ton, dest_npi = reader.octet("dest_addr_ton"), reader.octet("dest_addr_npi")
    dest = reader.cstring(DATA_ADDRESS_MAX, "destination_addr", Status.RINVDSTADR)
    esm_class, delivery, coding = reader.octets(3, "esm_class to data_coding")
    tlvs, oddities = read_tlvs(reader.body, reader.offset)
    if oddities and strict:
        raise reader.error(Status.RINVTLVSTREAM, f"TLV stream: {Oddity(oddities)!s}")
    return DataSm(
        service_type, source_ton, source_npi, source, dest_ton, dest_npi, dest,
        esm_class, delivery, coding, tlvs, oddities,
    )  # fmt: skip


def encode_data_sm_body(sm: DataSm) -> bytes:
    """Encode the body of a data_sm. Raises ValueError for what does not fit."""
    return b"".join(
        (
            write_cstring(sm.service_type, SERVICE_TYPE_MAX, "service_type"),
            address_field(sm.source_ton, sm.source_npi, sm.source, DATA_ADDRESS_MAX),
            address_field(sm.dest_ton, sm.dest_npi, sm.dest, DATA_ADDRESS_MAX),
            write_octets(
                (sm.esm_class, sm.registered_delivery, sm.data_coding),
                ("esm_class", "registered_delivery", "data_coding"),
            ),
            write_tlvs(sm.tlvs),
        )
    )


def encode_data_resp(sequence: int, status: int = 0) -> bytes:
    """Encode a whole data_sm_resp with an empty message_id."""
    return HEADER.pack(17, CommandId.DATA_SM_RESP, status, sequence) + b"\0"


def _read_resp(body: bytes, sequence: int) -> DataSmResp:
    return DataSmResp(*read_message_id(body))


def _write_resp(resp: DataSmResp) -> bytes:
    return write_message_id(resp.message_id, resp.tlvs)


FAMILIES = (
    Family(CommandId.DATA_SM, DataSm, decode_data_sm, encode_data_sm_body),
    Family(CommandId.DATA_SM_RESP, DataSmResp, _read_resp, _write_resp),
)
