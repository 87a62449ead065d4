"""A PDU explained field by field: octets, names, values, what they mean, and where it stops making sense.

For people who read a capture: it never raises, and shows as much as there is. Pure; what may be shown to whom
is decided where the octets are kept (`smpp.masking`).
"""

from collections.abc import Callable, Iterator

import msgspec

from smpp.pdu.command import command_name, is_response
from smpp.pdu.layout import Kind, Place, places
from smpp.pdu.status import status_text
from smpp.pdu.tlv import Tag, tag_name
from smpp.pdu.wire import HEADER, HEADER_LENGTH, MAX_PDU, foreign_protocol
from smpp.shift_table import LANGUAGES
from smpp.text import alphabet_of, decode_as, unpack
from smpp.udh import CONCAT_8, CONCAT_16, LOCKING_SHIFT, SINGLE_SHIFT, UDHI, fill_bits, read_udh

_TON = (
    "unknown",
    "international",
    "national",
    "network specific",
    "subscriber number",
    "alphanumeric",
    "abbreviated",
)
_NPI = {
    0: "unknown",
    1: "ISDN (E.163/E.164)",
    3: "data (X.121)",
    4: "telex",
    6: "land mobile (E.212)",
    8: "national",
    9: "private",
    10: "ERMES",
    14: "internet (IP)",
    18: "WAP client id",
}
_MODES = ("default mode", "datagram", "forward", "store and forward")
_TYPES = {
    0x00: "",
    0x04: "delivery receipt",
    0x08: "SME delivery acknowledgement",
    0x10: "SME user acknowledgement",
    0x18: "conversation abort",
    0x20: "intermediate notification",
}
_RECEIPTS = ("no receipt", "receipt for any outcome", "receipt for failures", "receipt for successes")
_STATES = {
    1: "enroute",
    2: "delivered",
    3: "expired",
    4: "deleted",
    5: "undeliverable",
    6: "accepted",
    7: "unknown",
    8: "rejected",
}
_OPERATIONS = {
    0x00: "PSSD indication",
    0x01: "PSSR indication: the subscriber dialled",
    0x02: "USSR request: text, input wanted",
    0x03: "USSN request: text only",
    0x10: "PSSD response: final text",
    0x11: "PSSR response: final text",
    0x12: "USSR confirm: the subscriber's input",
    0x13: "USSN confirm: shown",
    0x80: "release request",
    0x81: "release indication",
    0x82: "USSR request, last",
    0x83: "USSN request, last",
    0x92: "USSR confirm, last",
}
_ELEMENTS = {
    CONCAT_8: "part",
    CONCAT_16: "part",
    SINGLE_SHIFT: "national single shift",
    LOCKING_SHIFT: "national locking shift",
    0x04: "ports, 8 bits",
    0x05: "ports, 16 bits",
}
_LANGUAGE_NAMES = {number: name for name, number in LANGUAGES.items()}


class Item(msgspec.Struct, frozen=True, gc=False):
    """One field: `offset` and `length` in octets of the PDU, its `value` as shown, and what it means."""

    offset: int
    length: int
    name: str
    value: str
    note: str = ""


class Explained(msgspec.Struct, frozen=True, gc=False):
    """A PDU taken apart. `text` is its message, None if it carries none; `error` tells where it is broken."""

    command: str
    length: int
    status: int
    sequence: int
    items: tuple[Item, ...]
    text: str | None = None
    error: str | None = None
    error_offset: int | None = None


def explain(pdu: bytes, alphabet: str = "gsm7") -> Explained:
    """Explain the octets of one PDU, whole or cut. `alphabet` is what data_coding 0 means there."""
    if len(pdu) < HEADER_LENGTH:
        return Explained(
            "?", len(pdu), 0, 0, (), None, f"a header has 16 octets, {len(pdu)} are there", len(pdu)
        )
    length, command_id, status, sequence = HEADER.unpack_from(pdu)
    items = [
        Item(
            0, 4, "command_length", str(length), "" if length == len(pdu) else f"{len(pdu)} octets are there"
        ),
        Item(4, 4, "command_id", f"0x{command_id:08X}", command_name(command_id)),
        Item(8, 4, "command_status", f"0x{status:08X}", _status_note(command_id, status)),
        Item(12, 4, "sequence_number", str(sequence)),
    ]
    body = pdu[HEADER_LENGTH:]
    found, fault = places(command_id, body)
    octets = {place.name: body[place.start] for place in found if place.kind is Kind.OCTET}
    items.extend(_item(place, body, octets) for place in found)
    message = next((one for one in found if one.kind is Kind.TEXT and one.end > one.start), None)
    message = message or next((one for one in found if one.tag == Tag.MESSAGE_PAYLOAD), None)
    text = None
    if message is not None:
        payload = body[message.start : message.end]
        items.extend(_header_items(payload, message.start, octets.get("esm_class", 0)))
        text = _read_text(payload, octets, alphabet)
    error = None if fault is None else fault.reason
    at = None if fault is None else fault.offset + HEADER_LENGTH
    if not HEADER_LENGTH <= length <= MAX_PDU:
        foreign = foreign_protocol(pdu[:4])
        error, at = f"command_length {length}" + (f": this is {foreign}" if foreign else " is impossible"), 0
    elif length != len(pdu) and error is None:
        error, at = f"command_length says {length} octets, {len(pdu)} are there", min(length, len(pdu))
    return Explained(command_name(command_id), length, status, sequence, tuple(items), text, error, at)


def _status_note(command_id: int, status: int) -> str:
    if is_response(command_id):
        return status_text(status).split(" ", 1)[1]
    return "" if not status else "a request has 0 here"


def _item(place: Place, body: bytes, octets: dict[str, int]) -> Item:
    value = body[place.start : place.end]
    offset = place.start + HEADER_LENGTH
    bare = place.name.rstrip("0123456789 ")
    match place.kind:
        case Kind.OCTET | Kind.LENGTH | Kind.COUNT:
            word = _WORDS.get(bare)
            return Item(offset, 1, place.name, _number(bare, value[0]), word(value[0]) if word else "")
        case Kind.LONG:
            status = int.from_bytes(value, "big")
            return Item(offset, 4, place.name, f"0x{status:08X}", status_text(status).split(" ", 1)[1])
        case Kind.SECRET:
            return Item(offset, len(value) + 1, place.name, f"{len(value)} octets", "not shown")
        case Kind.TEXT | Kind.STRAY:
            return Item(offset, len(value), place.name, value.hex(" "))
        case Kind.TAG:
            name = tag_name(place.tag)
            shown = value.hex(" ")
            # The tag and the length stand before the value.
            return Item(offset - 4, len(value) + 4, name, shown, _tlv_note(place.tag, value))
    return Item(offset, len(value) + 1, place.name, _quoted(value), _time_note(bare, value))


def _quoted(value: bytes) -> str:
    return "'" + value.decode("ascii", "backslashreplace").replace("\n", "\\n").replace("\r", "\\r") + "'"


def _number(name: str, value: int) -> str:
    return f"0x{value:02X}" if name in _HEX else str(value)


def _ton(value: int) -> str:
    return _TON[value] if value < len(_TON) else "reserved"


def _npi(value: int) -> str:
    return _NPI.get(value, "reserved")


def _esm_class(value: int) -> str:
    words = [
        _TYPES.get(value & 0x3C, "reserved type"),
        "" if value & 0x3C else _MODES[value & 3],
        "UDH" if value & UDHI else "",
        "reply path" if value & 0x80 else "",
    ]
    return ", ".join(word for word in words if word)


def _registered(value: int) -> str:
    words = [_RECEIPTS[value & 3]]
    words += ["SME acknowledgement"] if value & 0x0C else []
    words += ["intermediate notifications"] if value & 0x10 else []
    return ", ".join(words)


def _coding(value: int) -> str:
    return alphabet_of(value, "the centre's alphabet")


def _state(value: int) -> str:
    return _STATES.get(value, "reserved")


def _version(value: int) -> str:
    return f"SMPP {value >> 4}.{value & 15}"


_HEX = frozenset(
    {"esm_class", "protocol_id", "registered_delivery", "data_coding", "interface_version", "error_code"}
)
_WORDS: dict[str, Callable[[int], str]] = {
    **dict.fromkeys(("source_addr_ton", "dest_addr_ton", "esme_addr_ton", "addr_ton"), _ton),
    **dict.fromkeys(("source_addr_npi", "dest_addr_npi", "esme_addr_npi", "addr_npi"), _npi),
    "esm_class": _esm_class,
    "registered_delivery": _registered,
    "data_coding": _coding,
    "message_state": _state,
    "interface_version": _version,
    "dest_flag": lambda value: {1: "address", 2: "distribution list"}.get(value, "reserved"),
    "replace_if_present_flag": lambda value: "replace" if value else "",
}


def _tlv_note(tag: int, value: bytes) -> str:
    number = int.from_bytes(value, "big")
    match tag:
        case Tag.USSD_SERVICE_OP:
            return _OPERATIONS.get(number, "vendor" if number > 0x1F else "reserved")
        case Tag.ITS_SESSION_INFO if len(value) == 2:
            end = ", end of session" if value[1] & 1 else ""
            return f"session {value[0]}, unit {value[1] >> 1}{end}"
        case Tag.MESSAGE_STATE:
            return _state(number)
        case Tag.SC_INTERFACE_VERSION:
            return _version(number & 0xFF)
        case Tag.RECEIPTED_MESSAGE_ID | Tag.ADDITIONAL_STATUS_INFO_TEXT:
            return _quoted(value.rstrip(b"\0"))
        case Tag.NETWORK_ERROR_CODE if len(value) == 3:
            return f"network {value[0]}, error {int.from_bytes(value[1:], 'big')}"
        case Tag.MESSAGE_PAYLOAD:
            return "the text"
    return str(number) if 0 < len(value) <= 4 else ""


def _time_note(name: str, value: bytes) -> str:
    """Words for a time: absolute, or relative as `000001000000000R`."""
    if name not in ("schedule_delivery_time", "validity_period", "final_date") or len(value) != 16:
        return ""
    digits = value[:15].decode("ascii", "replace")
    if not digits.isdigit():
        return ""
    parts = [digits[start : start + 2] for start in range(0, 12, 2)]
    if value.endswith(b"R"):
        units = ("years", "months", "days", "hours", "minutes", "seconds")
        told = [f"{int(part)} {unit}" for part, unit in zip(parts, units, strict=True) if int(part)]
        return "in " + (", ".join(told) or "no time")
    quarters = int(digits[13:15])
    zone = f"{chr(value[15])}{quarters // 4:02}:{quarters % 4 * 15:02}"
    return f"20{parts[0]}-{parts[1]}-{parts[2]} {parts[3]}:{parts[4]}:{parts[5]} {zone}"


def _header_items(payload: bytes, start: int, esm_class: int) -> Iterator[Item]:
    """Take the user data header apart."""
    if not esm_class & UDHI:
        return
    offset = start + HEADER_LENGTH
    header = read_udh(payload)
    if header is None:
        yield Item(offset, len(payload), "UDH", payload[:1].hex(), "runs over its bounds")
        return
    at = offset + 1
    for identifier, data in header.elements:
        name = _ELEMENTS.get(identifier, "element")
        yield Item(
            at, len(data) + 2, f"UDH 0x{identifier:02X}", data.hex(" "), _element_note(identifier, name, data)
        )
        at += len(data) + 2


def _element_note(identifier: int, name: str, data: bytes) -> str:
    if identifier in (CONCAT_8, CONCAT_16) and len(data) >= 3:
        return f"part {data[-1]} of {data[-2]}, reference {int.from_bytes(data[:-2], 'big')}"
    if identifier in (SINGLE_SHIFT, LOCKING_SHIFT) and data:
        return f"{name}: {_LANGUAGE_NAMES.get(data[0], 'reserved')}"
    return name


def _read_text(payload: bytes, octets: dict[str, int], alphabet: str) -> str:
    """Read the text of one message or part by its own header."""
    header = read_udh(payload) if octets.get("esm_class", 0) & UDHI else None
    start = 0 if header is None else header.length
    name, text = alphabet_of(octets.get("data_coding", 0), alphabet), payload[start:]
    if name == "gsm7-packed":
        name, text = "gsm7", unpack(text, fill=fill_bits(start), ussd=False)
    if header is None:
        return decode_as(name, text)
    return decode_as(name, text, locking=header.locking, single=header.single)
