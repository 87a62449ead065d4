"""submit_sm and deliver_sm: one layout, two commands, and their responses. The hot path of the gateway.

Source: SMPP 3.4 sections 4.4 (submit_sm), 4.6 (deliver_sm). All text-like fields stay octets as on the
wire. Decoding checks every length, so what was decoded can be encoded again; it does not judge values.
"""

import struct
from collections.abc import Callable
from typing import Any, ClassVar

import msgspec

from smpp.pdu.command import CommandId
from smpp.pdu.family import Family
from smpp.pdu.mask import mask_address
from smpp.pdu.status import Status
from smpp.pdu.tlv import Oddity, Tag, Tlvs, first_tlv, read_tlvs, write_tlvs
from smpp.pdu.wire import HEADER, Reader, write_cstring, write_octets

SERVICE_TYPE_MAX = 5
ADDRESS_MAX = 20
TIME_MAX = 16
SHORT_MESSAGE_MAX = 254
MESSAGE_ID_MAX = 64
_RESP_ID_MAX = 255

_PAYLOAD = int(Tag.MESSAGE_PAYLOAD)
_SUBMIT = int(CommandId.SUBMIT_SM)
_DELIVER = int(CommandId.DELIVER_SM)
_DELIVER_RESP = int(CommandId.DELIVER_SM_RESP)

_LAYOUTS_MAX = 4_096
"""Layouts that are kept; a peer that sends more kinds of lengths is decoded without."""
_layouts: dict[int, Callable[[bytes], tuple[Any, ...]]] = {}
"""How a body with both times empty is cut into its fields up to the text, by the lengths in it."""


def _layout(key: int, service_type: int, source: int, dest: int, text: int) -> Callable[[bytes], Any]:
    """Make the layout of a body from the lengths of its fields of variable length."""
    cut = struct.Struct(f">{service_type}sxBB{source}sxBB{dest}sx3B0sx0sx4Bx{text}s").unpack_from
    if len(_layouts) < _LAYOUTS_MAX:
        _layouts[key] = cut
    return cut


_EMPTY_ID_RESP = struct.Struct(">IIIIx")  # header and the single NUL of an empty message_id


class Sm(msgspec.Struct, frozen=True, gc=False):
    """A short message as on the wire. Lengths are checked when it is encoded (ValueError), never cut."""

    service_type: bytes = b""
    source_ton: int = 0
    source_npi: int = 0
    source: bytes = b""
    dest_ton: int = 0
    dest_npi: int = 0
    dest: bytes = b""
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
    """Oddity flags: what was wrong though the message was accepted."""

    @property
    def payload(self) -> bytes:
        """short_message, or message_payload (0x0424) if short_message is empty."""
        return self.short_message or first_tlv(self.tlvs, _PAYLOAD) or b""

    def tlv(self, tag: int) -> bytes | None:
        """Return the value of the first TLV with this tag, or None."""
        return first_tlv(self.tlvs, tag)

    def __repr__(self) -> str:
        """Show addresses masked and the text as a length only: a repr may end in a log."""
        return (
            f"{type(self).__name__}({mask_address(self.source)} -> {mask_address(self.dest)}, "
            f"esm_class=0x{self.esm_class:02X}, data_coding=0x{self.data_coding:02X}, "
            f"{len(self.payload)} octets of text, {len(self.tlvs)} TLVs)"
        )


class SubmitSm(Sm, frozen=True, gc=False):
    """submit_sm, from the ESME to the SMSC."""

    command_id: ClassVar[CommandId] = CommandId.SUBMIT_SM


class DeliverSm(Sm, frozen=True, gc=False):
    """deliver_sm, from the SMSC to the ESME."""

    command_id: ClassVar[CommandId] = CommandId.DELIVER_SM


class SubmitSmResp(msgspec.Struct, frozen=True, gc=False):
    """submit_sm_resp. An error response, and some successes, come without a body: message_id is empty."""

    command_id: ClassVar[CommandId] = CommandId.SUBMIT_SM_RESP
    message_id: bytes = b""
    tlvs: Tlvs = ()
    oddities: int = 0


class DeliverSmResp(msgspec.Struct, frozen=True, gc=False):
    """deliver_sm_resp; its message_id is unused and goes out as a single NUL."""

    command_id: ClassVar[CommandId] = CommandId.DELIVER_SM_RESP
    message_id: bytes = b""
    tlvs: Tlvs = ()
    oddities: int = 0


def decode_sm(body: bytes | memoryview, sequence: int, command_id: int, strict: bool = False) -> Sm:
    """Decode a submit_sm or deliver_sm body.

    Raises PduError, never fatal: 0x01 when a NUL is missing or sm_length runs beyond the body, the status of
    the field (0x15, 0x0A, 0x0B, 0x61, 0x62) when one is longer than the specification allows. Stray octets
    and a cut TLV are accepted and flagged in ``oddities``; with ``strict`` they raise 0xC0.
    """
    if type(body) is not bytes:
        body = bytes(body)
    try:
        service_end = body.index(0)
        source_end = body.index(0, service_end + 3)
        dest_end = body.index(0, source_end + 3)
        length = body[dest_end + 10]
        if dest_end > 51 or body[dest_end + 4] or body[dest_end + 5]:
            return _decode_slow(body, sequence, command_id, strict)
        key = ((service_end << 8 | source_end) << 8 | dest_end) << 8 | length
        cut = _layouts.get(key)
        if cut is None:
            if service_end > 5 or source_end - service_end > 23 or dest_end - source_end > 23:
                return _decode_slow(body, sequence, command_id, strict)
            cut = _layout(key, service_end, source_end - service_end - 3, dest_end - source_end - 3, length)
        end = dest_end + 11 + length
        tlvs: Tlvs = ()
        oddities = 0
        if end != len(body):
            if end > len(body):
                return _decode_slow(body, sequence, command_id, strict)
            tlvs, oddities = read_tlvs(body, end)
            if oddities and strict:
                return _decode_slow(body, sequence, command_id, strict)
        fields: Any = (*cut(body), tlvs, oddities)
        return DeliverSm(*fields) if command_id == _DELIVER else SubmitSm(*fields)
    except (ValueError, IndexError, struct.error):
        return _decode_slow(body, sequence, command_id, strict)


def _decode_slow(body: bytes, sequence: int, command_id: int, strict: bool) -> Sm:
    """Read field by field: scheduled messages, and every broken one, so that the error names its field."""
    reader = Reader(body, sequence, command_id)
    service_type = reader.cstring(SERVICE_TYPE_MAX, "service_type", Status.RINVSERTYP)
    source_ton, source_npi = reader.octet("source_addr_ton"), reader.octet("source_addr_npi")
    source = reader.cstring(ADDRESS_MAX, "source_addr", Status.RINVSRCADR)
    dest_ton, dest_npi = reader.octet("dest_addr_ton"), reader.octet("dest_addr_npi")
    dest = reader.cstring(ADDRESS_MAX, "destination_addr", Status.RINVDSTADR)
    esm_class, protocol_id, priority = reader.octets(3, "esm_class to priority_flag")
    schedule = reader.cstring(TIME_MAX, "schedule_delivery_time", Status.RINVSCHED)
    validity = reader.cstring(TIME_MAX, "validity_period", Status.RINVEXPIRY)
    delivery, replace, coding, default_id, length = reader.octets(5, "registered_delivery to sm_length")
    short_message = reader.octets(length, "short_message")
    tlvs, oddities = read_tlvs(body, reader.offset)
    if oddities and strict:
        raise reader.error(Status.RINVTLVSTREAM, f"TLV stream: {Oddity(oddities)!s}")
    return (DeliverSm if command_id == _DELIVER else SubmitSm)(
        service_type, source_ton, source_npi, source, dest_ton, dest_npi, dest,
        esm_class, protocol_id, priority, schedule, validity,
        delivery, replace, coding, default_id, short_message, tlvs, oddities,
    )  # fmt: skip


def address_field(ton: int, npi: int, address: bytes, limit: int = ADDRESS_MAX) -> bytes:
    """Encode TON, NPI and address as they stand in a body. Raises ValueError if one does not fit."""
    return write_octets((ton, npi), ("TON", "NPI")) + write_cstring(address, limit, "address")


def text_length(short_message: bytes) -> int:
    """Return the sm_length of a short_message. Raises ValueError if it is too long."""
    length = len(short_message)
    if length > SHORT_MESSAGE_MAX:
        raise ValueError(f"short_message has {length} octets, at most {SHORT_MESSAGE_MAX} are allowed")
    return length


def _write_after_addresses(sm: Sm) -> bytes:
    length = text_length(sm.short_message)
    return b"".join(
        (
            write_octets(
                (sm.esm_class, sm.protocol_id, sm.priority), ("esm_class", "protocol_id", "priority_flag")
            ),
            write_cstring(sm.schedule, TIME_MAX, "schedule_delivery_time"),
            write_cstring(sm.validity, TIME_MAX, "validity_period"),
            write_octets(
                (sm.registered_delivery, sm.replace_if_present, sm.data_coding, sm.default_msg_id),
                ("registered_delivery", "replace_if_present_flag", "data_coding", "sm_default_msg_id"),
            ),
            bytes((length,)),
            sm.short_message,
            write_tlvs(sm.tlvs),
        )
    )


def encode_sm_body(sm: Sm) -> bytes:
    """Encode the body (no header) of a submit_sm or deliver_sm. Raises ValueError for what does not fit."""
    return b"".join(
        (
            write_cstring(sm.service_type, SERVICE_TYPE_MAX, "service_type"),
            address_field(sm.source_ton, sm.source_npi, sm.source),
            address_field(sm.dest_ton, sm.dest_npi, sm.dest),
            _write_after_addresses(sm),
        )
    )


def encode_submit_sm(sequence: int, sm: Sm) -> bytes:
    """Encode a whole submit_sm. Raises ValueError for what does not fit."""
    body = encode_sm_body(sm)
    return HEADER.pack(16 + len(body), _SUBMIT, 0, sequence) + body


def encode_deliver_sm(sequence: int, sm: Sm) -> bytes:
    """Encode a whole deliver_sm. Raises ValueError for what does not fit."""
    body = encode_sm_body(sm)
    return HEADER.pack(16 + len(body), _DELIVER, 0, sequence) + body


def encode_deliver_resp(sequence: int, status: int = 0) -> bytes:
    """Encode a whole deliver_sm_resp: message_id is a single NUL, also on errors (SMPP 3.4, 4.6.2)."""
    return _EMPTY_ID_RESP.pack(17, _DELIVER_RESP, status, sequence)


def decode_submit_resp(body: bytes, status: int) -> bytes:
    """Return the message_id of a submit_sm_resp; ``b""`` if it has none. Never raises.

    An error status may come with or without a body; a missing NUL is forgiven. More than 255 octets before
    the NUL are no message_id (64 are allowed) and count as none.
    """
    if len(body) <= 1:
        return b"" if body in (b"", b"\0") else bytes(body)
    end = body.find(b"\0")
    message_id = body if end < 0 else body[:end]
    return message_id if len(message_id) <= _RESP_ID_MAX else b""


class SubmitTemplate:
    """A submit_sm (or deliver_sm) encoded at load but for addresses, TLVs and sequence number.

    Made once per constant page from an Sm whose addresses are ignored; its TLVs are constant. ``body`` and
    ``reply`` then only join octets. Raises ValueError at construction for what does not fit.
    """

    __slots__ = ("_head", "_tail")

    def __init__(self, sm: Sm) -> None:
        self._head = write_cstring(sm.service_type, SERVICE_TYPE_MAX, "service_type")
        self._tail = _write_after_addresses(sm)

    def body(self, source_field: bytes, dest_field: bytes, tlvs: bytes = b"") -> bytes:
        """Put the body together from two ``address_field`` values and encoded TLVs (``write_tlvs``)."""
        return b"%b%b%b%b%b" % (self._head, source_field, dest_field, self._tail, tlvs)

    def reply(self, request: Sm, tlvs: bytes = b"") -> bytes:
        """Body of the answer to ``request``: its addresses swapped, TON and NPI echoed.

        Every decoded Sm can be answered; one made by hand raises ValueError if an address does not fit.
        """
        source = request.dest
        dest = request.source
        if len(source) > ADDRESS_MAX or len(dest) > ADDRESS_MAX:
            raise ValueError(f"an address has more than {ADDRESS_MAX} octets")
        return b"%b%c%c%b\0%c%c%b\0%b%b" % (
            self._head, request.dest_ton, request.dest_npi, source,
            request.source_ton, request.source_npi, dest, self._tail, tlvs,
        )  # fmt: skip

    def pdu(self, sequence: int, source_field: bytes, dest_field: bytes, tlvs: bytes = b"") -> bytes:
        """Put the whole submit_sm together, header included."""
        body = self.body(source_field, dest_field, tlvs)
        return HEADER.pack(16 + len(body), _SUBMIT, 0, sequence) + body


def read_message_id(body: bytes) -> tuple[bytes, Tlvs, int]:
    """Read ``message_id`` and TLVs of a response body: (message_id, TLVs, Oddity flags). Never raises."""
    end = body.find(b"\0")
    if end < 0:
        return decode_submit_resp(body, 0), (), int(Oddity.NO_NUL) if body else 0
    tlvs, oddities = read_tlvs(body, end + 1)
    return decode_submit_resp(body, 0), tlvs, oddities


def write_message_id(message_id: bytes, tlvs: Tlvs) -> bytes:
    """Encode ``message_id`` and TLVs. Raises ValueError for an id of more than 64 octets."""
    return write_cstring(message_id, MESSAGE_ID_MAX, "message_id") + write_tlvs(tlvs)


def _read_submit(body: bytes, sequence: int) -> Sm:
    return decode_sm(body, sequence, _SUBMIT)


def _read_deliver(body: bytes, sequence: int) -> Sm:
    return decode_sm(body, sequence, _DELIVER)


def _read_submit_resp(body: bytes, sequence: int) -> SubmitSmResp:
    return SubmitSmResp(*read_message_id(body))


def _read_deliver_resp(body: bytes, sequence: int) -> DeliverSmResp:
    return DeliverSmResp(*read_message_id(body))


def _write_resp(resp: SubmitSmResp | DeliverSmResp) -> bytes:
    return write_message_id(resp.message_id, resp.tlvs)


FAMILIES = (
    Family(CommandId.SUBMIT_SM, SubmitSm, _read_submit, encode_sm_body),
    Family(CommandId.SUBMIT_SM_RESP, SubmitSmResp, _read_submit_resp, _write_resp),
    Family(CommandId.DELIVER_SM, DeliverSm, _read_deliver, encode_sm_body),
    Family(CommandId.DELIVER_SM_RESP, DeliverSmResp, _read_deliver_resp, _write_resp),
)
