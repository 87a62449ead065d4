"""submit_multi and its response: one message to many addresses and distribution lists.

Source: SMPP 3.4 section 4.5.
"""

from typing import ClassVar

import msgspec

from smpp.pdu.command import CommandId
from smpp.pdu.family import Family
from smpp.pdu.mask import mask_address
from smpp.pdu.message import (
    ADDRESS_MAX,
    MESSAGE_ID_MAX,
    SERVICE_TYPE_MAX,
    TIME_MAX,
    address_field,
    text_length,
)
from smpp.pdu.status import Status
from smpp.pdu.tlv import Tag, Tlvs, first_tlv, read_tlvs, write_tlvs
from smpp.pdu.wire import Reader, write_cstring, write_octets

DESTINATIONS_MAX = 254
LIST_NAME_MAX = 20
_ADDRESS = 1
_LIST = 2


class Destination(msgspec.Struct, frozen=True, gc=False):
    """One SME address to send to."""

    ton: int
    npi: int
    address: bytes

    def __repr__(self) -> str:
        """Show the address masked."""
        return f"Destination({mask_address(self.address)})"


class DistributionList(msgspec.Struct, frozen=True, gc=False):
    """One distribution list kept by the SMSC."""

    name: bytes


class Unsuccessful(msgspec.Struct, frozen=True, gc=False):
    """An address that the message was not accepted for, with its command_status."""

    ton: int
    npi: int
    address: bytes
    status: int

    def __repr__(self) -> str:
        """Show the address masked."""
        return f"Unsuccessful({mask_address(self.address)}, 0x{self.status:02X})"


class SubmitMulti(msgspec.Struct, frozen=True, gc=False):
    """submit_multi: 1 to 254 destinations. Lengths and counts are checked when it is encoded (ValueError)."""

    command_id: ClassVar[CommandId] = CommandId.SUBMIT_MULTI
    service_type: bytes = b""
    source_ton: int = 0
    source_npi: int = 0
    source: bytes = b""
    destinations: tuple[Destination | DistributionList, ...] = ()
    esm_class: int = 0
    protocol_id: int = 0
    priority: int = 0
    schedule: bytes = b""
    validity: bytes = b""
    registered_delivery: int = 0
    replace_if_present: int = 0
    data_coding: int = 0
    default_msg_id: int = 0
    short_message: bytes = b""
    tlvs: Tlvs = ()
    oddities: int = 0

    @property
    def payload(self) -> bytes:
        """short_message, or message_payload if short_message is empty."""
        return self.short_message or first_tlv(self.tlvs, Tag.MESSAGE_PAYLOAD) or b""

    def __repr__(self) -> str:
        """Show the source masked, the destinations as a number, the text as a length."""
        return (
            f"SubmitMulti({mask_address(self.source)} -> {len(self.destinations)} destinations, "
            f"data_coding=0x{self.data_coding:02X}, {len(self.payload)} octets of text)"
        )


class SubmitMultiResp(msgspec.Struct, frozen=True, gc=False):
    """submit_multi_resp; an error response may have no body."""

    command_id: ClassVar[CommandId] = CommandId.SUBMIT_MULTI_RESP
    message_id: bytes = b""
    unsuccessful: tuple[Unsuccessful, ...] = ()
    tlvs: Tlvs = ()
    oddities: int = 0


def _read_destinations(reader: Reader) -> tuple[Destination | DistributionList, ...]:
    count = reader.octet("number_of_dests")
    if not 1 <= count <= DESTINATIONS_MAX:
        raise reader.error(Status.RINVNUMDESTS, f"number_of_dests is {count}")
    found: list[Destination | DistributionList] = []
    for _ in range(count):
        flag = reader.octet("dest_flag")
        if flag == _ADDRESS:
            ton, npi = reader.octets(2, "dest_addr_ton and npi")
            found.append(
                Destination(ton, npi, reader.cstring(ADDRESS_MAX, "destination_addr", Status.RINVDSTADR))
            )
        elif flag == _LIST:
            found.append(DistributionList(reader.cstring(LIST_NAME_MAX, "dl_name", Status.RINVDLNAME)))
        else:
            raise reader.error(Status.RINVDESTFLAG, f"dest_flag is {flag}")
    return tuple(found)


def _read(body: bytes, sequence: int) -> SubmitMulti:
    reader = Reader(body, sequence, CommandId.SUBMIT_MULTI)
    service_type = reader.cstring(SERVICE_TYPE_MAX, "service_type", Status.RINVSERTYP)
    ton, npi = reader.octets(2, "source_addr_ton and npi")
    source = reader.cstring(ADDRESS_MAX, "source_addr", Status.RINVSRCADR)
    destinations = _read_destinations(reader)
    esm_class, protocol_id, priority = reader.octets(3, "esm_class to priority_flag")
    schedule = reader.cstring(TIME_MAX, "schedule_delivery_time", Status.RINVSCHED)
    validity = reader.cstring(TIME_MAX, "validity_period", Status.RINVEXPIRY)
    delivery, replace, coding, default_id, length = reader.octets(5, "registered_delivery to sm_length")
    short_message = reader.octets(length, "short_message")
    return SubmitMulti(
        service_type, ton, npi, source, destinations, esm_class, protocol_id, priority, schedule, validity,
        delivery, replace, coding, default_id, short_message, *read_tlvs(reader.body, reader.offset),
    )  # fmt: skip


def _write_destination(destination: Destination | DistributionList) -> bytes:
    if isinstance(destination, DistributionList):
        return bytes((_LIST,)) + write_cstring(destination.name, LIST_NAME_MAX, "dl_name")
    return bytes((_ADDRESS,)) + address_field(destination.ton, destination.npi, destination.address)


def _write(multi: SubmitMulti) -> bytes:
    if not 1 <= len(multi.destinations) <= DESTINATIONS_MAX:
        raise ValueError(f"{len(multi.destinations)} destinations, 1 to {DESTINATIONS_MAX} are possible")
    length = text_length(multi.short_message)
    return b"".join(
        (
            write_cstring(multi.service_type, SERVICE_TYPE_MAX, "service_type"),
            address_field(multi.source_ton, multi.source_npi, multi.source),
            bytes((len(multi.destinations),)),
            *map(_write_destination, multi.destinations),
            write_octets(
                (multi.esm_class, multi.protocol_id, multi.priority),
                ("esm_class", "protocol_id", "priority_flag"),
            ),
            write_cstring(multi.schedule, TIME_MAX, "schedule_delivery_time"),
            write_cstring(multi.validity, TIME_MAX, "validity_period"),
            write_octets(
                (
                    multi.registered_delivery,
                    multi.replace_if_present,
                    multi.data_coding,
                    multi.default_msg_id,
                    length,
                ),
                (
                    "registered_delivery",
                    "replace_if_present_flag",
                    "data_coding",
                    "sm_default_msg_id",
                    "sm_length",
                ),
            ),
            multi.short_message,
            write_tlvs(multi.tlvs),
        )
    )


def _read_resp(body: bytes, sequence: int) -> SubmitMultiResp:
    if not body:
        return SubmitMultiResp()
    reader = Reader(body, sequence, CommandId.SUBMIT_MULTI_RESP)
    message_id = reader.cstring(MESSAGE_ID_MAX, "message_id", Status.RINVMSGID)
    if not reader.left:
        return SubmitMultiResp(message_id)
    failed: list[Unsuccessful] = []
    for _ in range(reader.octet("no_unsuccess")):
        ton, npi = reader.octets(2, "dest_addr_ton and npi")
        address = reader.cstring(ADDRESS_MAX, "destination_addr", Status.RINVDSTADR)
        failed.append(
            Unsuccessful(ton, npi, address, int.from_bytes(reader.octets(4, "error_status_code"), "big"))
        )
    return SubmitMultiResp(message_id, tuple(failed), *read_tlvs(reader.body, reader.offset))


def _write_resp(resp: SubmitMultiResp) -> bytes:
    if len(resp.unsuccessful) > 255:
        raise ValueError(f"{len(resp.unsuccessful)} unsuccessful addresses, at most 255 are possible")
    return b"".join(
        (
            write_cstring(resp.message_id, MESSAGE_ID_MAX, "message_id"),
            bytes((len(resp.unsuccessful),)),
            *(
                address_field(one.ton, one.npi, one.address) + (one.status & 0xFFFFFFFF).to_bytes(4, "big")
                for one in resp.unsuccessful
            ),
            write_tlvs(resp.tlvs),
        )
    )


FAMILIES = (
    Family(CommandId.SUBMIT_MULTI, SubmitMulti, _read, _write),
    Family(CommandId.SUBMIT_MULTI_RESP, SubmitMultiResp, _read_resp, _write_resp),
)
