"""Every PDU by its command_id: decode, encode and describe, for all but the hot path.

The registry is the sum of the families; a new family is added to ``_MODULES`` and is then covered by every
test that walks over ``FAMILIES``.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from smpp.pdu import (
    alert_notification,
    bind,
    cancel_sm,
    data_sm,
    link,
    message,
    query_sm,
    replace_sm,
    submit_multi,
)
from smpp.pdu.command import CommandId, command_name, is_response
from smpp.pdu.family import Family
from smpp.pdu.mask import mask_address
from smpp.pdu.status import Status, status_text
from smpp.pdu.tlv import Oddity, Tag, Tlvs, tag_name
from smpp.pdu.wire import HEADER, MAX_PDU, PduError

_MODULES = (message, bind, link, data_sm, query_sm, cancel_sm, replace_sm, submit_multi, alert_notification)

FAMILIES: dict[int, Family] = {
    int(family.command_id): family for module in _MODULES for family in module.FAMILIES
}
"""command_id to Family, every command this codec knows (broadcast is not used and not known)."""

_BY_RECORD: dict[type[Any], Family] = {family.record: family for family in FAMILIES.values()}

# TLVs whose value may be shown: numbers of the protocol, none that holds text or says who somebody is.
SHOWN_TLVS = frozenset(
    {
        Tag.USSD_SERVICE_OP, Tag.ITS_SESSION_INFO, Tag.USSD_SESSION_ID, Tag.USER_MESSAGE_REFERENCE,
        Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM, Tag.RECEIPTED_MESSAGE_ID,
        Tag.MESSAGE_STATE, Tag.NETWORK_ERROR_CODE, Tag.SC_INTERFACE_VERSION, Tag.DEST_ADDR_SUBUNIT,
        Tag.CONGESTION_STATE, Tag.MORE_MESSAGES_TO_SEND, Tag.DELIVERY_FAILURE_REASON, Tag.DPF_RESULT,
        Tag.MS_AVAILABILITY_STATUS, Tag.ITS_REPLY_TYPE, Tag.LANGUAGE_INDICATOR, Tag.SOURCE_PORT,
        Tag.DEST_PORT,
    }
)  # fmt: skip
_SHOWN_OCTETS = 65
_SHOWN_LIST = 16
_TEXT_FIELDS = frozenset({"short_message"})
_SECRET_FIELDS = frozenset({"password"})
_ADDRESS_FIELDS = frozenset({"source", "dest", "esme", "address"})


def decode(command_id: int, status: int, sequence: int, body: bytes) -> Any:
    """Decode a body into the record of its family.

    Raises PduError, never fatal: 0x03 for a command that is not known, else what the family raises. An error
    response whose body is cut gives the empty record: its status has already said all.
    """
    family = FAMILIES.get(command_id)
    if family is None:
        raise PduError(Status.RINVCMDID, sequence, command_id, "unknown command_id")
    try:
        return family.read(body, sequence)
    except PduError:
        if status and is_response(command_id):
            return family.record()
        raise


def encode_body(pdu: Any) -> bytes:
    """Encode the body of a record. Raises TypeError for what is no PDU, ValueError for what does not fit."""
    family = _BY_RECORD.get(type(pdu))
    if family is None:
        raise TypeError(f"{type(pdu).__name__} is not the record of a command")
    return family.write(pdu)


def encode(pdu: Any, sequence: int, status: int = 0) -> bytes:
    """Encode a whole PDU, header included.

    Raises TypeError for what is no PDU (a bare Sm is none: use SubmitSm or DeliverSm), ValueError for a
    field, sequence or status that does not fit and for a PDU of more than 70000 octets.
    """
    body = encode_body(pdu)
    length = 16 + len(body)
    if length > MAX_PDU:
        raise ValueError(f"the PDU has {length} octets, at most {MAX_PDU} are allowed")
    if not 0 <= sequence <= 0xFFFFFFFF or not 0 <= status <= 0xFFFFFFFF:
        raise ValueError("sequence_number and command_status must be 0..0xFFFFFFFF")
    return HEADER.pack(length, _BY_RECORD[type(pdu)].command_id, status, sequence) + body


def describe(pdu: Any, status: int = 0) -> str:
    """Describe a PDU in one line for a log; shows no password, no text and no whole number. Never raises.

    Texts are given as their length, addresses masked; fields that are empty or 0 are left out.
    """
    command_id = getattr(pdu, "command_id", None)
    head = command_name(command_id) if isinstance(command_id, int) else type(pdu).__name__
    parts = [head]
    if status:
        parts.append(f"status={status_text(status)}")
    if isinstance(pdu, msgspec.Struct):
        parts.extend(_fields(pdu))
    return " ".join(parts)


def _fields(pdu: msgspec.Struct) -> Iterable[str]:
    for name in pdu.__struct_fields__:
        value = getattr(pdu, name)
        if name == "tlvs":
            yield from _describe_tlvs(value)
        elif name == "oddities":
            if value:
                yield f"oddities={Oddity(value)!s}"
        elif not value:
            continue
        elif name in _SECRET_FIELDS:
            yield f"{name}=***"
        elif name in _TEXT_FIELDS:
            yield f"{name}={len(value)} octets"
        elif name in _ADDRESS_FIELDS:
            yield f"{name}={mask_address(value)}"
        elif isinstance(value, bytes):
            yield f"{name}={value[:_SHOWN_OCTETS].decode('ascii', 'backslashreplace')!r}"
        elif isinstance(value, tuple):
            yield f"{name}={len(value)}"
        else:
            yield f"{name}={value}"


def _describe_tlvs(tlvs: Tlvs) -> Iterable[str]:
    for tag, value in tlvs[:_SHOWN_LIST]:
        if tag in SHOWN_TLVS:
            yield f"{tag_name(tag)}={value[:_SHOWN_OCTETS].hex() or 'empty'}"
        else:
            yield f"{tag_name(tag)}={len(value)} octets"
    if len(tlvs) > _SHOWN_LIST:
        yield f"and {len(tlvs) - _SHOWN_LIST} more TLVs"


__all__ = ["FAMILIES", "SHOWN_TLVS", "CommandId", "PduError", "decode", "describe", "encode", "encode_body"]
