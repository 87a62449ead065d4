"""How a dialect is written: `config/dialects/<name>.yaml`, read by the located loader.

Three sections: `country` (how numbers are written at home), `ussd` and `sms`. Everything left out has the
value of the specification, so the standard dialect is nearly empty. What may stand together is judged by
`ussd.dialect.Dialect` and `smpp.profile.SmsProfile`; their complaint is shown at the field it names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.reading.diagnostic import Report
from engine.reading.fields import (
    BOOLEAN,
    DURATION,
    STRING,
    Field,
    FieldValue,
    Kind,
    choice,
    list_of,
    map_of,
    nested,
    read_fields,
    whole_number,
)
from engine.reading.tree import Node, Table, Text
from engine.reading.yaml_text import read_tree
from smpp.msisdn import Country
from smpp.profile import ALPHABETS, PART_MODES, RECEIPT_IDS, VALIDITY_FORMS, SmsProfile
from smpp.shift_table import LANGUAGES
from ussd.dialect import (
    CODE_FIELDS,
    EYELINE,
    LETTERS,
    MEANINGS,
    NI_ENDS,
    NI_IDS,
    Code,
    Dialect,
    OpOut,
    SessionId,
)
from ussd.operation import TAG_SESSION_INFO, TAG_USER_REFERENCE, Event, Op

_RECEIPTS = {"all": 1, "failures": 2, "none": 0}
_CARRIERS = {
    "none": 0,
    "its_session_info": TAG_SESSION_INFO,
    "user_message_reference": TAG_USER_REFERENCE,
    LETTERS: TAG_SESSION_INFO,
}
_LETTERS_IN: dict[Event, tuple[Code, ...]] = {
    Event.NEW: (b"BR",),
    Event.INPUT: (b"CA",),
    Event.NOTIFY_ACK: (b"CN",),
    Event.ABORT: (b"AA", b"AF", b"AN", b"AR", b"EA", b"EF", b"ER"),
}
_LETTERS_OUT: dict[str, Code] = {
    "menu": b"CR", "end": b"EF", "notify": b"CN", "begin": b"BR", "release": b"EF", "notify_last": b"EN",
    "push": b"BN",
}  # fmt: skip
_NUMBERS_IN: dict[Event, tuple[Code, ...]] = {
    Event.NEW: (int(Op.PSSD_INDICATION), int(Op.PSSR_INDICATION)),
    Event.INPUT: (int(Op.USSR_CONFIRM), int(Op.USSR_CONFIRM_LAST)),
    Event.NOTIFY_ACK: (int(Op.USSN_CONFIRM),),
    Event.ABORT: (int(Op.RELEASE_INDICATION),),
}


def parse_number(text: str) -> int | None:
    """Read a number as dialects write them: `17`, `0x11`; None if it is neither."""
    digits = text[2:] if text[:2] in ("0x", "0X") else text
    try:
        return (
            int(digits, 16 if digits is not text else 10) if digits.isascii() and digits.isalnum() else None
        )
    except ValueError:
        return None


def _number(low: int, high: int) -> Kind:
    label = f"a number from {low} to {high}, or in hex: 0x{high:X}"

    def read(node: Node, report: Report, name: str) -> int | None:
        value = parse_number(node.value) if isinstance(node, Text) else None
        if value is not None and low <= value <= high:
            return value
        report.error("type", f"{name + ': ' if name else ''}expected {label}", node)
        return None

    return Kind(label, read, {"type": ["integer", "string"]})


def _read_code(node: Node, report: Report, name: str) -> Code | None:
    if isinstance(node, Text):
        text = node.value
        if len(text) == 2 and text.isascii() and text.isalpha() and text.isupper():
            return text.encode("ascii")
        value = parse_number(text)
        if value is not None and value <= 0xFF:
            return value
    report.error("type", f"{name}: expected an operation: 0x11, 17, or two capital letters", node)
    return None


def _read_carrier(node: Node, report: Report, name: str) -> str | None:
    if isinstance(node, Text):
        text = node.value
        tag = parse_number(text.removeprefix("tlv:")) if text.startswith("tlv:") else None
        if text in _CARRIERS or (tag is not None and 0 < tag <= 0xFFFF):
            return text
    report.error("type", f"{name}: expected {', '.join(_CARRIERS)} or tlv:0x1501", node)
    return None


def _read_status_key(node: Node, report: Report, name: str) -> str | None:
    value = _number(1, 0xFFFFFFFF).read(node, report, name)
    return None if value is None else str(value)


def _read_octets(node: Node, report: Report, name: str) -> bytes | None:
    """Read the value of a TLV: `0x0102` are octets, anything else is ASCII text."""
    if isinstance(node, Text):
        text = node.value
        try:
            value = bytes.fromhex(text[2:]) if text[:2] in ("0x", "0X") else text.encode("ascii")
        except ValueError:
            value = b""
        if value and len(value) <= _TLV_OCTETS:
            return value
    report.error("type", f"{name}: expected octets as 0x0102, or a text of up to {_TLV_OCTETS} letters", node)
    return None


_TLV_OCTETS = 255
_OCTET = _number(0, 0xFF)
_TAG = _number(1, 0xFFFF)
_MASK = _number(0, (1 << 64) - 1)
_VALUE = Kind("octets: 0x0102, or a text", _read_octets, {"type": "string"})
_CODE = Kind("an operation", _read_code, {"type": ["integer", "string"]})
_CODES = list_of(_CODE)

_COUNTRY = (
    Field("code", STRING, default="", doc="country code: 7"),
    Field("trunk", STRING, default="", doc="what stands in front of a national number: 8"),
    Field("digits", whole_number(4, 15), default=10, doc="digits of a national number"),
)
_DETECT = (
    Field("tlv", BOOLEAN, default=True, doc="a message with TLV 0x0501 is USSD"),
    Field("service_types", list_of(STRING), doc="service types that are USSD"),
    Field("dialled", BOOLEAN, default=False, doc="a text like *929# is USSD"),
)
_OP_IN = tuple(Field(event.value, _CODES, doc=f"operations that mean {event.value}") for event in Event)
_OP_OUT = tuple(
    Field(name, _CODE, doc=doc)
    for name, doc in (
        ("menu", "a text that waits for input"),
        ("end", "the last text of a session the subscriber began"),
        ("notify", "a text without input"),
        ("begin", "the first text of a session that we begin"),
        ("release", "closes a session without a text; none if the centre has no such operation"),
        ("notify_last", "a text without input that closes the session"),
        ("push", "a text without input that is a whole session of ours; as notify if not written"),
    )
)
_USSD = (
    Field("detect", nested(_DETECT, "detect"), doc="what makes a message USSD; any of these"),
    Field("op_in", nested(_OP_IN, "op_in"), doc="what the operations of the centre mean"),
    Field("op_out", nested(_OP_OUT, "op_out"), doc="the operations of our answers"),
    Field(
        "session_id",
        Kind("none, its_session_info, user_message_reference, tlv:0x1501", _read_carrier, {"type": "string"}),
        default="its_session_info",
        doc="where the session id travels",
    ),
    Field("id_octets", whole_number(1, 8), doc="octets of a session id that the masks fit"),
    Field("id_mask", _MASK, doc="bits of the session id that name the session"),
    Field("unit_mask", _MASK, doc="bits that number the dialogue unit"),
    Field("end_bit", _MASK, doc="bit that tells the end of the session"),
    Field("end_bit_polarity", choice("set", "clear"), default="set", doc="its state at the end"),
    Field("code_field", choice(*CODE_FIELDS), default="short_message", doc="where the dialled string is"),
    Field("dcs_in", map_of(_OCTET, _read_status_key), doc="data_coding that comes: what it really is"),
    Field("dcs_gsm7_out", _OCTET, default=0x00, doc="data_coding of GSM-7 pages"),
    Field("dcs_ucs2_out", _OCTET, default=0x08, doc="data_coding of UCS-2 pages"),
    Field("packed", BOOLEAN, default=False, doc="GSM-7 pages go as packed septets"),
    Field("language", STRING, default="ru", doc="language code in front of texts in 0x10 and 0x11"),
    Field("service_type_out", STRING, default="echo", doc="service_type of answers, or echo"),
    Field("source_ton_out", _OCTET, doc="TON of our address in answers; echoed if not written"),
    Field("source_npi_out", _OCTET, doc="NPI of our address in answers; echoed if not written"),
    Field("dest_ton_out", _OCTET, doc="TON of the subscriber in answers; echoed if not written"),
    Field("dest_npi_out", _OCTET, doc="NPI of the subscriber in answers; echoed if not written"),
    Field(
        "page_chars",
        nested(
            (
                Field("gsm7", whole_number(1, 254), default=182, doc="septets of a page"),
                Field("ucs2", whole_number(1, 127), default=80, doc="UTF-16 units of a page"),
            ),
            "page_chars",
        ),
        doc="what a page holds",
    ),
    Field("ni_end", choice(*NI_ENDS), default="end", doc="how a session that we began is closed"),
    Field("ni_id", choice(*NI_IDS), default="centre", doc="who gives a session that we began its id"),
    Field("status", map_of(choice(*MEANINGS), _read_status_key), doc="vendor codes: what they mean"),
    Field("answer", DURATION, default=10_000, doc="time for our answer"),
    Field("idle", DURATION, default=60_000, doc="time for the subscriber's answer"),
    Field("total", DURATION, default=180_000, doc="time of a whole session"),
    Field("farewell", STRING, default=Dialect().farewell, doc="text for input without a session"),
)
_SMS = (
    Field("alphabet_in", choice(*ALPHABETS), default="gsm7", doc="data_coding 0 of what comes"),
    Field("alphabet_out", choice(*ALPHABETS), default="gsm7", doc="data_coding 0 of what goes"),
    Field("dcs_gsm7_out", _OCTET, default=0x00, doc="data_coding of texts in that alphabet"),
    Field("dcs_ucs2_out", _OCTET, default=0x08, doc="data_coding of UCS-2 texts"),
    Field("part_mode", choice(*PART_MODES), default="udh8", doc="how long messages are split"),
    Field("parts", whole_number(1, 255), default=10, doc="most parts of one message"),
    Field("part_wait", DURATION, default=900_000, doc="how long missing parts are waited for"),
    Field("service_type", STRING, default="", doc="service_type of our messages"),
    Field("receipts", choice(*_RECEIPTS), default="all", doc="which receipts are asked for"),
    Field("receipt_ids", choice(*RECEIPT_IDS), default="exact", doc="how ids of receipts are written"),
    Field("validity_form", choice(*VALIDITY_FORMS), default="relative", doc="how validity is written"),
    Field("validity", DURATION, default=86_400_000, doc="how long a message is worth sending"),
    Field("secret_validity", DURATION, default=900_000, doc="the same for messages with a secret"),
    Field("short_code_ton", _OCTET, default=0, doc="TON of our short codes"),
    Field("short_code_npi", _OCTET, default=1, doc="NPI of our short codes"),
    Field("priority", whole_number(0, 3), default=0, doc="priority_flag of our messages"),
    Field("languages", list_of(choice(*LANGUAGES)), doc="national shift tables that save parts"),
    Field("tlvs", map_of(_VALUE, _read_status_key), doc="TLVs of every message: 0x1401: 0x01"),
    Field("echo_tlvs", list_of(_TAG), doc="TLVs of a message that its answers carry back: [0x1402]"),
)
FIELDS = (
    Field("country", nested(_COUNTRY, "country"), doc="how numbers are written at home"),
    Field("ussd", nested(_USSD, "ussd"), doc="the USSD side of the centre"),
    Field("sms", nested(_SMS, "sms"), doc="the SMS side of the centre"),
)
"""Everything that a dialect file may say; also the source of its documentation and JSON Schema."""
SECTIONS: Mapping[str, tuple[Field, ...]] = {"country": _COUNTRY, "ussd": _USSD, "sms": _SMS}
"""The fields of each section."""

_Values = Mapping[str, FieldValue]


def read_dialect(source: str, file: str, report: Report) -> Dialect | None:
    """Read a dialect; its name is that of the file. Every finding goes to `report`; None if it has errors."""
    mine = Report()
    tree = read_tree(source, file, mine)
    dialect: Dialect | None = None
    if isinstance(tree, Table):
        values = read_fields(tree, FIELDS, mine, "a dialect")
        if not mine.has_errors:
            dialect = _made(values, file, tree, mine)
    elif not mine.has_errors:
        if tree is not None and isinstance(tree, Text):
            mine.error("type", "expected a table with country, ussd, sms", tree)
        else:
            dialect = Dialect(name=_name(file))
    report.extend(mine)
    return None if mine.has_errors else dialect


def _name(file: str) -> str:
    return file.rsplit("/", 1)[-1].removesuffix(".yaml")


def _made(values: _Values, file: str, tree: Table, report: Report) -> Dialect | None:
    ussd: dict[str, FieldValue] = _section(values, "ussd", _USSD)
    sms: dict[str, FieldValue] = _section(values, "sms", _SMS)
    home: dict[str, FieldValue] = _section(values, "country", _COUNTRY)
    section = home
    try:
        country = Country(home["code"].value, home["trunk"].value, home["digits"].value)
        section = ussd
        settings = _ussd_settings(ussd)
        section = sms
        profile = _profile(sms, country, Dialect(status=settings["status"]))
        section = ussd
        return Dialect(name=_name(file), sms=profile, **settings)
    except ValueError as error:
        message = str(error)
        field = section.get(message.split(maxsplit=1)[0].split(".")[0].rstrip(":,"))
        report.error("dialect", message, field.node if field is not None and field.node is not None else tree)
        return None


def _section(values: _Values, name: str, fields: tuple[Field, ...]) -> dict[str, FieldValue]:
    written = values[name].value
    return written if written is not None else {field.name: FieldValue(field.default) for field in fields}


def _profile(sms: _Values, country: Country, dialect: Dialect) -> SmsProfile:
    plain = (
        "alphabet_in", "alphabet_out", "dcs_gsm7_out", "dcs_ucs2_out", "part_mode", "parts",
        "receipt_ids", "validity_form", "short_code_ton", "short_code_npi", "priority",
    )  # fmt: skip
    return SmsProfile(
        **{name: sms[name].value for name in plain},
        service_type=_octets("service_type", sms["service_type"].value),
        registered_delivery=_RECEIPTS[sms["receipts"].value],
        validity_ms=sms["validity"].value,
        secret_validity_ms=sms["secret_validity"].value,
        part_wait_ms=sms["part_wait"].value,
        languages=tuple(sorted(LANGUAGES[one.value] for one in sms["languages"].value or ())),
        tlvs=tuple(sorted((int(tag), one.value) for tag, one in (sms["tlvs"].value or {}).items())),
        echo_tlvs=frozenset(one.value for one in sms["echo_tlvs"].value or ()),
        country=country,
        status=dialect.vendor,
    )


def _ussd_settings(ussd: _Values) -> dict[str, Any]:
    plain = (
        "code_field", "dcs_gsm7_out", "dcs_ucs2_out", "packed", "language", "ni_end", "ni_id", "farewell",
        "source_ton_out", "source_npi_out", "dest_ton_out", "dest_npi_out",
    )  # fmt: skip
    settings: dict[str, Any] = {name: ussd[name].value for name in plain}
    carrier: str = ussd["session_id"].value
    letters = carrier == LETTERS
    detect: _Values = ussd["detect"].value or {}
    if detect:
        settings["detect_tlv"] = detect["tlv"].value
        settings["detect_dialled"] = detect["dialled"].value
        if detect["service_types"].value is not None:
            settings["detect_service_types"] = frozenset(
                _octets("detect", one.value) for one in detect["service_types"].value
            )
    settings["letters"] = letters
    settings["op_in"] = _op_in(ussd["op_in"].value or {}, _LETTERS_IN if letters else _NUMBERS_IN)
    out = {name: one.value for name, one in (ussd["op_out"].value or {}).items() if one.value is not None}
    settings["op_out"] = OpOut(**{**(_LETTERS_OUT if letters else {}), **out})
    settings["session_id"] = _session_id(ussd, carrier)
    if ussd["service_type_out"].value != "echo":
        settings["service_type_out"] = _octets("service_type_out", ussd["service_type_out"].value)
    if ussd["dcs_in"].value is not None:
        settings["dcs_in"] = {int(coding): one.value for coding, one in ussd["dcs_in"].value.items()}
    page: _Values = ussd["page_chars"].value or {}
    for name, one in page.items():
        settings[f"page_{name}"] = one.value
    written = ussd["status"].value or {}
    settings["status"] = {**EYELINE, **{int(code): one.value for code, one in written.items()}}
    for name in ("answer", "idle", "total"):
        settings[f"{name}_ms"] = ussd[name].value
    return settings


def _op_in(written: _Values, usual: Mapping[Event, tuple[Code, ...]]) -> dict[Code, Event]:
    """Make the table of incoming operations: an event that is written has just the codes written."""
    table: dict[Code, Event] = {}
    for event in Event:
        field = written.get(event.value)
        codes = usual[event] if field is None or field.value is None else [one.value for one in field.value]
        for code in codes:
            if table.setdefault(code, event) is not event:
                raise ValueError(f"op_in: {code!r} means both {table[code].value} and {event.value}")
    return table


def _session_id(ussd: _Values, carrier: str) -> SessionId:
    """Lay the masks over the carrier: the specification's for its_session_info, the whole value elsewhere."""
    tag = _CARRIERS[carrier] if carrier in _CARRIERS else parse_number(carrier.removeprefix("tlv:")) or 0
    if tag == TAG_SESSION_INFO:
        usual = SessionId()
        width, id_mask, unit_mask, end_bit = usual.width, usual.id_mask, usual.unit_mask, usual.end_bit
    else:
        width = 4 if carrier.startswith("tlv:") else 2
        if ussd["id_octets"].value is not None:
            width = ussd["id_octets"].value
        id_mask, unit_mask, end_bit = (1 << 8 * width) - 1, 0, 0
    masks = {"id_mask": id_mask, "unit_mask": unit_mask, "end_bit": end_bit}
    written = {name: ussd[name].value for name in masks if ussd[name].value is not None}
    if written and "unit_mask" not in written:
        # Whoever lays the bits anew has no use for the usual numbering where it would overlap.
        taken = written.get("id_mask", id_mask) | written.get("end_bit", end_bit)
        written["unit_mask"] = unit_mask & ~taken
    if ussd["id_octets"].value is not None:
        width = ussd["id_octets"].value
    return SessionId(tag, width, **{**masks, **written}, end_when_set=ussd["end_bit_polarity"].value == "set")


def _octets(name: str, text: str) -> bytes:
    if not text.isascii() or len(text) > 5 or "\0" in text:
        raise ValueError(f"{name} is at most 5 ASCII characters")
    return text.encode("ascii")
