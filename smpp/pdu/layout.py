"""The fields of every PDU as tables, and where each stands in the octets: for explaining and masking.

Source: SMPP 3.4 section 4, SMPP 5.0 section 4. The codec does not use these tables (it is written out for
speed), so a test holds the two against each other. Knows no meanings: `smpp.explain` words them.
"""

import struct
from collections.abc import Iterator
from enum import Enum

import msgspec

from smpp.pdu.command import CommandId


class Kind(Enum):
    """How a field is written and what it holds."""

    CSTRING = "C-octet string"
    OCTET = "octet"
    LONG = "four octets"
    ADDRESS = "address"
    SECRET = "secret"  # noqa: S105 - a kind of field, no password
    LENGTH = "length of the text"
    TEXT = "text"
    COUNT = "number of elements"
    TAG = "TLV"
    STRAY = "stray octets"


class Place(msgspec.Struct, frozen=True, gc=False):
    """A field found in a body: `start` and `end` are octets of the body, a NUL at the end not included."""

    name: str
    kind: Kind
    start: int
    end: int
    tag: int = 0


class Fault(msgspec.Struct, frozen=True, gc=False):
    """Where a body stops making sense, and why."""

    offset: int
    reason: str


_Fields = tuple[tuple[str, Kind], ...]
_OCTET, _CSTRING, _ADDRESS = Kind.OCTET, Kind.CSTRING, Kind.ADDRESS


def _address(prefix: str, name: str) -> _Fields:
    return (f"{prefix}_ton", _OCTET), (f"{prefix}_npi", _OCTET), (name, _ADDRESS)


_SOURCE = _address("source_addr", "source_addr")
_DEST = _address("dest_addr", "destination_addr")
_MESSAGE_ID: _Fields = (("message_id", _CSTRING),)
_SERVICE: _Fields = (("service_type", _CSTRING),)
_TIMES: _Fields = (("schedule_delivery_time", _CSTRING), ("validity_period", _CSTRING))
_SHORT_MESSAGE: _Fields = (
    ("sm_default_msg_id", _OCTET), ("sm_length", Kind.LENGTH), ("short_message", Kind.TEXT),
)  # fmt: skip
_BEHIND_ADDRESSES: _Fields = (
    ("esm_class", _OCTET), ("protocol_id", _OCTET), ("priority_flag", _OCTET), *_TIMES,
    ("registered_delivery", _OCTET), ("replace_if_present_flag", _OCTET), ("data_coding", _OCTET),
    *_SHORT_MESSAGE,
)  # fmt: skip
_BIND: _Fields = (
    ("system_id", _CSTRING), ("password", Kind.SECRET), ("system_type", _CSTRING),
    ("interface_version", _OCTET), ("addr_ton", _OCTET), ("addr_npi", _OCTET), ("address_range", _CSTRING),
)  # fmt: skip
_SYSTEM_ID: _Fields = (("system_id", _CSTRING),)
_MESSAGE: _Fields = (*_SERVICE, *_SOURCE, *_DEST, *_BEHIND_ADDRESSES)
DESTINATIONS = "number_of_dests"
UNSUCCESSFUL = "no_unsuccess"

LAYOUTS: dict[int, _Fields] = {
    CommandId.GENERIC_NACK: (),
    CommandId.BIND_RECEIVER: _BIND,
    CommandId.BIND_TRANSMITTER: _BIND,
    CommandId.BIND_TRANSCEIVER: _BIND,
    CommandId.BIND_RECEIVER_RESP: _SYSTEM_ID,
    CommandId.BIND_TRANSMITTER_RESP: _SYSTEM_ID,
    CommandId.BIND_TRANSCEIVER_RESP: _SYSTEM_ID,
    CommandId.OUTBIND: (*_SYSTEM_ID, ("password", Kind.SECRET)),
    CommandId.UNBIND: (),
    CommandId.UNBIND_RESP: (),
    CommandId.ENQUIRE_LINK: (),
    CommandId.ENQUIRE_LINK_RESP: (),
    CommandId.SUBMIT_SM: _MESSAGE,
    CommandId.SUBMIT_SM_RESP: _MESSAGE_ID,
    CommandId.DELIVER_SM: _MESSAGE,
    CommandId.DELIVER_SM_RESP: _MESSAGE_ID,
    CommandId.DATA_SM: (
        *_SERVICE, *_SOURCE, *_DEST,
        ("esm_class", _OCTET), ("registered_delivery", _OCTET), ("data_coding", _OCTET),
    ),
    CommandId.DATA_SM_RESP: _MESSAGE_ID,
    CommandId.SUBMIT_MULTI: (*_SERVICE, *_SOURCE, (DESTINATIONS, Kind.COUNT), *_BEHIND_ADDRESSES),
    CommandId.SUBMIT_MULTI_RESP: (*_MESSAGE_ID, (UNSUCCESSFUL, Kind.COUNT)),
    CommandId.QUERY_SM: (*_MESSAGE_ID, *_SOURCE),
    CommandId.QUERY_SM_RESP: (
        *_MESSAGE_ID, ("final_date", _CSTRING), ("message_state", _OCTET), ("error_code", _OCTET),
    ),
    CommandId.CANCEL_SM: (*_SERVICE, *_MESSAGE_ID, *_SOURCE, *_DEST),
    CommandId.CANCEL_SM_RESP: (),
    CommandId.REPLACE_SM: (*_MESSAGE_ID, *_SOURCE, *_TIMES, ("registered_delivery", _OCTET), *_SHORT_MESSAGE),
    CommandId.REPLACE_SM_RESP: (),
    CommandId.ALERT_NOTIFICATION: (*_SOURCE, *_address("esme_addr", "esme_addr")),
}  # fmt: skip
"""command_id -> its mandatory fields in order; TLVs may follow any of them."""

_ELEMENTS: dict[tuple[str, int], _Fields] = {
    (DESTINATIONS, 1): _DEST,
    (DESTINATIONS, 2): (("dl_name", _CSTRING),),
}
_TLV_HEAD = struct.Struct(">HH")


class _Cursor:
    """A place in a body that moves over fields; the first that does not fit stops it for good."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.at = 0
        self.text_octets = 0
        self.fault: Fault | None = None

    def field(self, name: str, kind: Kind) -> Place | None:
        """Step over one field."""
        start, size = self.at, len(self.body)
        if kind in (Kind.CSTRING, Kind.ADDRESS, Kind.SECRET):
            end = self.body.find(0, start)
            if end < 0:
                self.fault = Fault(start, f"{name} has no terminating NUL")
                return None
            self.at = end + 1
            return Place(name, kind, start, end)
        octets = self.text_octets if kind is Kind.TEXT else 4 if kind is Kind.LONG else 1
        if start + octets > size:
            self.fault = Fault(start, f"{name} needs {octets} octets, {size - start} are left")
            return None
        self.at = start + octets
        if kind is Kind.LENGTH:
            self.text_octets = self.body[start]
        return Place(name, kind, start, self.at)


def places(command_id: int, body: bytes) -> tuple[list[Place], Fault | None]:
    """Find the fields of a body as far as it makes sense, and where it stops. Never raises.

    Octets behind the place of a fault belong to no field. An unknown command has no fields.
    """
    cursor = _Cursor(body)
    found: list[Place] = []
    layout = LAYOUTS.get(command_id)
    if layout is None:
        return [], Fault(0, "the fields of this command are not known") if body else None
    if not body:
        # Error responses, and some successes, come without a body.
        missing = bool(layout) and not command_id & 0x80000000
        return [], Fault(0, f"{layout[0][0]} is missing: the body is empty") if missing else None
    for name, kind in layout:
        if command_id == CommandId.SUBMIT_MULTI_RESP and kind is Kind.COUNT and cursor.at == len(body):
            break
        place = cursor.field(name, kind)
        if place is None:
            return found, cursor.fault
        found.append(place)
        if kind is Kind.COUNT:
            found.extend(_elements(cursor, name, body[place.start]))
            if cursor.fault is not None:
                return found, cursor.fault
    found.extend(_tlvs(cursor))
    return found, cursor.fault


def _elements(cursor: _Cursor, name: str, count: int) -> Iterator[Place]:
    """Step over the destinations of a submit_multi, or the failures of its response."""
    for number in range(1, count + 1):
        fields: _Fields = (*_DEST, ("error_status_code", Kind.LONG))
        if name == DESTINATIONS:
            flag = cursor.field(f"dest_flag {number}", Kind.OCTET)
            if flag is None:
                return
            yield flag
            known = _ELEMENTS.get((name, cursor.body[flag.start]))
            if known is None:
                cursor.fault = Fault(flag.start, f"dest_flag {number} is neither 1 nor 2")
                return
            fields = known
        for field, kind in fields:
            place = cursor.field(f"{field} {number}", kind)
            if place is None:
                return
            yield place


def _tlvs(cursor: _Cursor) -> Iterator[Place]:
    """Step over the TLVs; one to three octets at the end are stray."""
    body = cursor.body
    while len(body) - cursor.at >= _TLV_HEAD.size:
        tag, length = _TLV_HEAD.unpack_from(body, cursor.at)
        start = cursor.at + _TLV_HEAD.size
        if start + length > len(body):
            left = len(body) - start
            cursor.fault = Fault(cursor.at, f"TLV 0x{tag:04X} needs {length} octets, {left} are left")
            return
        cursor.at = start + length
        yield Place("", Kind.TAG, start, cursor.at, tag)
    if cursor.at < len(body):
        yield Place("stray octets", Kind.STRAY, cursor.at, len(body))
