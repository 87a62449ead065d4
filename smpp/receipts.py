"""Delivery receipts: recognising one, reading it, and comparing the ids of two sides.

Source: SMPP 3.4 sections 5.2.12 (esm_class), 5.2.28 (message_state) and appendix B (text of a receipt).
Does not know which message a receipt belongs to; it gives the id to look it up with. All of it is hostile
input: the scan is linear in a bounded text and never raises.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from enum import IntEnum
from typing import Literal

import msgspec

from smpp.pdu.message import Sm
from smpp.pdu.tlv import Tag, first_tlv, tlv_int

IdMode = Literal["exact", "hex-to-dec", "dec-to-hex"]

TEXT_LIMIT = 1024
"""Octets of the text that are looked at; a receipt has about 120."""

_TYPE_MASK = 0x3C
_RECEIPT = 0x04
_INTERMEDIATE = 0x20
_UDHI = 0x40
_ID_LIMIT = 64
# As plain integers: every message that comes in is compared with the first.
_RECEIPTED_ID = int(Tag.RECEIPTED_MESSAGE_ID)
_MESSAGE_STATE = int(Tag.MESSAGE_STATE)
_NETWORK_ERROR = int(Tag.NETWORK_ERROR_CODE)


class MessageState(IntEnum):
    """message_state of SMPP 3.4 (1-8) and 5.0 (0, 9)."""

    SCHEDULED = 0
    ENROUTE = 1
    DELIVERED = 2
    EXPIRED = 3
    DELETED = 4
    UNDELIVERABLE = 5
    ACCEPTED = 6
    UNKNOWN = 7
    REJECTED = 8
    SKIPPED = 9


_FINAL = frozenset(
    {
        MessageState.DELIVERED,
        MessageState.EXPIRED,
        MessageState.DELETED,
        MessageState.UNDELIVERABLE,
        MessageState.UNKNOWN,
        MessageState.REJECTED,
        MessageState.SKIPPED,
    }
)

_STATES = {
    "SCHEDUL": MessageState.SCHEDULED,
    "SCHEDULED": MessageState.SCHEDULED,
    "ENROUTE": MessageState.ENROUTE,
    "BUFFRED": MessageState.ENROUTE,
    "BUFFERED": MessageState.ENROUTE,
    "DELIVRD": MessageState.DELIVERED,
    "DELIVERED": MessageState.DELIVERED,
    "EXPIRED": MessageState.EXPIRED,
    "DELETED": MessageState.DELETED,
    "UNDELIV": MessageState.UNDELIVERABLE,
    "UNDELIVERED": MessageState.UNDELIVERABLE,
    "UNDELIVERABLE": MessageState.UNDELIVERABLE,
    "FAILED": MessageState.UNDELIVERABLE,
    "ACCEPTD": MessageState.ACCEPTED,
    "ACCEPTED": MessageState.ACCEPTED,
    "UNKNOWN": MessageState.UNKNOWN,
    "REJECTD": MessageState.REJECTED,
    "REJECTED": MessageState.REJECTED,
    "SKIPPED": MessageState.SKIPPED,
}

# A key stands at the start or behind something that ends a value. Every repeat is bounded: no backtracking.
_KEY = re.compile(
    r"(?:^|(?<=[\s,;|]))(id|sub|dlvrd|submit[ _]?date|done[ _]?date|stat|err|text)[ \t]{0,3}[:=][ \t]{0,3}",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"[0-9]{10,14}")


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """What a receipt says."""

    message_id: bytes
    """Id of the message it is about, as sent; empty if it names none."""
    state: MessageState
    error: str
    """Error code: as written in the text (not always a number), or the number of network_error_code."""
    done: int | None
    """When the final state was reached, UTC milliseconds; None if not given or no date."""
    final: bool
    """Nothing more is to be expected. ACCEPTED is not final: networks send DELIVRD behind it."""
    submitted: int | None = None
    """When the message was submitted, UTC milliseconds, if given."""
    network_type: int | None = None
    """First octet of network_error_code (1 ANSI-136, 2 IS-95, 3 GSM), if the TLV is there."""


def is_receipt(sm: Sm) -> bool:
    """Say whether a deliver_sm is a receipt or an intermediate notification rather than a message.

    By esm_class, else by receipted_message_id, else by a text that begins with ``id:`` and has ``stat:`` and
    a date. A subscriber can write such a text too: a receipt for an unknown id must be harmless.
    """
    kind = sm.esm_class & _TYPE_MASK
    if kind in (_RECEIPT, _INTERMEDIATE):
        return True
    if sm.tlvs and first_tlv(sm.tlvs, _RECEIPTED_ID) is not None:
        return True
    if kind or sm.esm_class & _UDHI:
        return False
    # Nearly every message leaves here: the keys are looked at only when the first letters fit.
    payload = sm.payload
    if payload[:2].lower() != b"id":
        return False
    fields = _fields(payload)
    return (
        "id" in fields
        and fields.get("stat", "").upper() in _STATES
        and ("donedate" in fields or "submitdate" in fields)
    )


def parse_receipt(sm: Sm, offset_minutes: int = 0) -> Receipt:
    """Read a receipt. The TLVs 0x001E, 0x0427 and 0x0423 win over the text. Never raises.

    Args:
        sm: the deliver_sm (or data_sm turned into one).
        offset_minutes: how far the clock that the SMSC writes dates with is ahead of UTC.
    """
    fields = _fields(sm.payload)
    message_id = first_tlv(sm.tlvs, _RECEIPTED_ID)
    message_id = message_id.split(b"\0", 1)[0] if message_id is not None else b""
    if not message_id:
        message_id = fields.get("id", "").encode("ascii", "replace")
    intermediate = sm.esm_class & _TYPE_MASK == _INTERMEDIATE
    state = _state(sm, fields, intermediate)
    error = fields.get("err", "")
    network_type = None
    network = first_tlv(sm.tlvs, _NETWORK_ERROR)
    if network:
        if len(network) >= 3:
            network_type = network[0]
            network = network[1:3]
        error = str(tlv_int(network))
    return Receipt(
        message_id,
        state,
        error,
        _date(fields.get("donedate", ""), offset_minutes),
        state in _FINAL and not intermediate,
        _date(fields.get("submitdate", ""), offset_minutes),
        network_type,
    )


def _state(sm: Sm, fields: dict[str, str], intermediate: bool) -> MessageState:
    value = first_tlv(sm.tlvs, _MESSAGE_STATE)
    if value:
        number = tlv_int(value)
        return MessageState(number) if 0 <= number <= 9 else MessageState.UNKNOWN
    word = fields.get("stat")
    if word:
        return _STATES.get(word.upper(), MessageState.UNKNOWN)
    return MessageState.ENROUTE if intermediate else MessageState.UNKNOWN


def _fields(payload: bytes) -> dict[str, str]:
    """Take a receipt text apart: key (lower case, no space) to value. The first of a repeated key wins.

    ``text`` quotes the message, so what looks like a key behind it counts only if it is still missing. Of a
    value all but ``text`` is one word.
    """
    text = payload[:TEXT_LIMIT].decode("ascii", "replace")
    marks = list(_KEY.finditer(text))
    fields: dict[str, str] = {}
    for index, mark in enumerate(marks):
        key = mark[1].lower().replace(" ", "").replace("_", "")
        if key in fields:
            continue
        end = marks[index + 1].start() if index + 1 < len(marks) else len(text)
        value = text[mark.end() : end]
        if key != "text":
            words = value.replace("\0", " ").split(None, 1)
            value = words[0].strip(",;|") if words else ""
        fields[key] = value
    return fields


def _date(value: str, offset_minutes: int) -> int | None:
    """Read YYMMDDhhmm, YYMMDDhhmmss or YYYYMMDDhhmmss as UTC milliseconds; None if it is no date."""
    if not _DIGITS.fullmatch(value) or len(value) not in (10, 12, 14):
        return None
    full = value if len(value) == 14 else "20" + value.ljust(12, "0")
    try:
        # Not strptime: it takes ten times as long, and the digits are known to be digits.
        year, month, day = int(full[:4]), int(full[4:6]), int(full[6:8])
        hour, minute, second = int(full[8:10]), int(full[10:12]), int(full[12:])
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return int(moment.timestamp()) * 1000 - offset_minutes * 60_000


_HEX = re.compile(rb"[0-9A-Fa-f]{1,64}")
_DEC = re.compile(rb"[0-9]{1,64}")


def normal_id(message_id: bytes, mode: IdMode = "exact") -> bytes:
    """Bring a message id into the form in which ids are compared and stored.

    Leading zeros are dropped and letters made small. ``hex-to-dec`` reads the id as hexadecimal and writes it
    in decimal, ``dec-to-hex`` the other way; an id that is no such number is left as in ``exact``. Ids over
    64 octets are only made small. The mode belongs to the side whose ids differ: receipts, as a rule.
    """
    if len(message_id) <= _ID_LIMIT:
        if mode == "hex-to-dec" and _HEX.fullmatch(message_id):
            return b"%d" % int(message_id, 16)
        if mode == "dec-to-hex" and _DEC.fullmatch(message_id):
            return b"%x" % int(message_id)
    return message_id.lower().lstrip(b"0") or message_id[-1:]


def ids_match(mode: IdMode) -> Callable[[bytes, bytes], bool]:
    """Make the comparison of one SMSC: ``match(ours, theirs)``.

    ``ours`` is the id of the submit_sm_resp, ``theirs`` that of the receipt, converted by ``mode``.
    """

    def match(ours: bytes, theirs: bytes) -> bool:
        return bool(ours) and bool(theirs) and normal_id(ours) == normal_id(theirs, mode)

    return match
