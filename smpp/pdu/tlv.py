"""TLVs (optional parameters): kept raw and in wire order, so an unknown or odd one is never lost.

Source: SMPP 3.4 section 5.3, SMPP 5.0 section 4.8, and the SMPP+ tags of USSD centres. A TLV is a pair
``(tag, value)``; any TLV is accepted in any PDU. Meaning and length are the business of whoever reads it.
"""

import struct
from enum import IntEnum, IntFlag

Tlvs = tuple[tuple[int, bytes], ...]

MAX_TLVS = 256
"""TLVs kept of one PDU. The most that a real one carries is about twenty."""

_HEAD = struct.Struct(">HH")
_PAIR = struct.Struct(">HH1sHH2s")
_PAIR_LENGTH = _PAIR.size


class Oddity(IntFlag):
    """What was wrong with a PDU that was accepted all the same; counted by the host."""

    NONE = 0
    STRAY_OCTETS = 1
    """One to three octets behind the last field."""
    CUT_TLV = 2
    """The last TLV claims more octets than there are; it was dropped, the others kept."""
    MANY_TLVS = 4
    """More than MAX_TLVS; the rest was dropped."""
    NO_NUL = 8
    """A response whose C-octet string had no NUL: what was there was taken."""


class Tag(IntEnum):
    """Tags of SMPP 3.4, 5.0 and SMPP+."""

    DEST_ADDR_SUBUNIT = 0x0005
    DEST_NETWORK_TYPE = 0x0006
    DEST_BEARER_TYPE = 0x0007
    DEST_TELEMATICS_ID = 0x0008
    SOURCE_ADDR_SUBUNIT = 0x000D
    SOURCE_NETWORK_TYPE = 0x000E
    SOURCE_BEARER_TYPE = 0x000F
    SOURCE_TELEMATICS_ID = 0x0010
    QOS_TIME_TO_LIVE = 0x0017
    PAYLOAD_TYPE = 0x0019
    ADDITIONAL_STATUS_INFO_TEXT = 0x001D
    RECEIPTED_MESSAGE_ID = 0x001E
    MS_MSG_WAIT_FACILITIES = 0x0030
    PRIVACY_INDICATOR = 0x0201
    SOURCE_SUBADDRESS = 0x0202
    DEST_SUBADDRESS = 0x0203
    USER_MESSAGE_REFERENCE = 0x0204
    USER_RESPONSE_CODE = 0x0205
    SOURCE_PORT = 0x020A
    DEST_PORT = 0x020B
    SAR_MSG_REF_NUM = 0x020C
    LANGUAGE_INDICATOR = 0x020D
    SAR_TOTAL_SEGMENTS = 0x020E
    SAR_SEGMENT_SEQNUM = 0x020F
    SC_INTERFACE_VERSION = 0x0210
    CALLBACK_NUM_PRES_IND = 0x0302
    CALLBACK_NUM_ATAG = 0x0303
    NUMBER_OF_MESSAGES = 0x0304
    CALLBACK_NUM = 0x0381
    DPF_RESULT = 0x0420
    SET_DPF = 0x0421
    MS_AVAILABILITY_STATUS = 0x0422
    NETWORK_ERROR_CODE = 0x0423
    MESSAGE_PAYLOAD = 0x0424
    DELIVERY_FAILURE_REASON = 0x0425
    MORE_MESSAGES_TO_SEND = 0x0426
    MESSAGE_STATE = 0x0427
    CONGESTION_STATE = 0x0428
    USSD_SERVICE_OP = 0x0501
    BROADCAST_CHANNEL_INDICATOR = 0x0600
    BROADCAST_CONTENT_TYPE = 0x0601
    BROADCAST_CONTENT_TYPE_INFO = 0x0602
    BROADCAST_MESSAGE_CLASS = 0x0603
    BROADCAST_REP_NUM = 0x0604
    BROADCAST_FREQUENCY_INTERVAL = 0x0605
    BROADCAST_AREA_IDENTIFIER = 0x0606
    BROADCAST_ERROR_STATUS = 0x0607
    BROADCAST_AREA_SUCCESS = 0x0608
    BROADCAST_END_TIME = 0x0609
    BROADCAST_SERVICE_GROUP = 0x060A
    BILLING_IDENTIFICATION = 0x060B
    SOURCE_NETWORK_ID = 0x060D
    DEST_NETWORK_ID = 0x060E
    SOURCE_NODE_ID = 0x060F
    DEST_NODE_ID = 0x0610
    DEST_ADDR_NP_RESOLUTION = 0x0611
    DEST_ADDR_NP_INFORMATION = 0x0612
    DEST_ADDR_NP_COUNTRY = 0x0613
    DISPLAY_TIME = 0x1201
    SMS_SIGNAL = 0x1203
    MS_VALIDITY = 0x1204
    ALERT_ON_MESSAGE_DELIVERY = 0x130C
    ITS_REPLY_TYPE = 0x1380
    ITS_SESSION_INFO = 0x1383
    USSD_SESSION_ID = 0x1501
    IMSI = 0x1502
    VLR_TON = 0x1503
    VLR_NPI = 0x1504
    VLR_NUMBER = 0x1505
    HLR_TON = 0x1800
    HLR_NPI = 0x1801
    HLR_ADDRESS = 0x1802


_NAMES = {int(tag): tag.name.lower() for tag in Tag}


def tag_name(tag: int) -> str:
    """Name a tag for logs; an unknown one is written as a hex number."""
    return _NAMES.get(tag) or f"0x{tag:04X}"


def read_tlvs(body: bytes, offset: int) -> tuple[Tlvs, int]:
    """Read the TLVs from ``offset`` to the end of ``body``: (TLVs, Oddity flags). Never raises."""
    end = len(body)
    if end - offset == _PAIR_LENGTH:
        # What USSD centres send with each message: an operation of one octet, a session id of two.
        tag, length, value, second, second_length, second_value = _PAIR.unpack_from(body, offset)
        if length == 1 and second_length == 2:
            return ((tag, value), (second, second_value)), 0
    found: list[tuple[int, bytes]] = []
    unpack = _HEAD.unpack_from
    while end - offset >= 4:
        tag, length = unpack(body, offset)
        offset += 4
        after = offset + length
        if after > end:
            return tuple(found), int(Oddity.CUT_TLV)
        if len(found) == MAX_TLVS:
            return tuple(found), int(Oddity.MANY_TLVS)
        found.append((tag, body[offset:after]))
        offset = after
    return tuple(found), 1 if offset < end else 0


def write_tlvs(tlvs: Tlvs) -> bytes:
    """Encode TLVs in their order. Raises ValueError for a tag or a length beyond 65535."""
    try:
        return b"".join([_HEAD.pack(tag, len(value)) + value for tag, value in tlvs])
    except struct.error:
        raise ValueError("a TLV tag and the length of a TLV must be 0..65535") from None


def first_tlv(tlvs: Tlvs, tag: int) -> bytes | None:
    """Return the value of the first TLV with this tag, or None. A repeated TLV: the first wins."""
    for found, value in tlvs:
        if found == tag:
            return value
    return None


def tlv_int(value: bytes) -> int:
    """Read an integer TLV of any length, big-endian; an empty one is 0."""
    return int.from_bytes(value, "big")
