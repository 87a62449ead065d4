"""The bind family: bind_receiver, bind_transmitter, bind_transceiver, their responses, and outbind.

Source: SMPP 3.4 section 4.1. A bind response without sc_interface_version means SMPP 3.3: send it no TLVs.
"""

from typing import Any, ClassVar

import msgspec

from smpp.pdu.command import CommandId
from smpp.pdu.family import Family
from smpp.pdu.status import Status
from smpp.pdu.tlv import Oddity, Tag, Tlvs, first_tlv, read_tlvs, tlv_int, write_tlvs
from smpp.pdu.wire import HEADER, Reader, write_cstring, write_octets

SYSTEM_ID_MAX = 15
PASSWORD_MAX = 8
SYSTEM_TYPE_MAX = 12
ADDRESS_RANGE_MAX = 40
VERSION_34 = 0x34
VERSION_50 = 0x50


class Bind(msgspec.Struct, frozen=True, gc=False):
    """The body that all three bind requests share. Construction raises ValueError if a field is too long."""

    system_id: bytes = b""
    password: bytes = b""
    system_type: bytes = b""
    interface_version: int = VERSION_34
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: bytes = b""
    tlvs: Tlvs = ()
    oddities: int = 0

    def __post_init__(self) -> None:
        write_cstring(self.system_id, SYSTEM_ID_MAX, "system_id")
        write_cstring(self.password, PASSWORD_MAX, "password")
        write_cstring(self.system_type, SYSTEM_TYPE_MAX, "system_type")
        write_cstring(self.address_range, ADDRESS_RANGE_MAX, "address_range")

    def __repr__(self) -> str:
        """Show everything but the password."""
        return (
            f"{type(self).__name__}(system_id={self.system_id!r}, password=***, "
            f"system_type={self.system_type!r}, interface_version=0x{self.interface_version:02X}, "
            f"address_range={self.address_range!r})"
        )


class BindReceiver(Bind, frozen=True, gc=False):
    """bind_receiver."""

    command_id: ClassVar[CommandId] = CommandId.BIND_RECEIVER


class BindTransmitter(Bind, frozen=True, gc=False):
    """bind_transmitter."""

    command_id: ClassVar[CommandId] = CommandId.BIND_TRANSMITTER


class BindTransceiver(Bind, frozen=True, gc=False):
    """bind_transceiver."""

    command_id: ClassVar[CommandId] = CommandId.BIND_TRANSCEIVER


class BindResp(msgspec.Struct, frozen=True, gc=False):
    """The body that all three bind responses share; an error response may have no body at all."""

    system_id: bytes = b""
    tlvs: Tlvs = ()
    oddities: int = 0

    def __post_init__(self) -> None:
        write_cstring(self.system_id, SYSTEM_ID_MAX, "system_id")

    @property
    def sc_version(self) -> int:
        """sc_interface_version of the SMSC; 0x33 if it does not say."""
        value = first_tlv(self.tlvs, Tag.SC_INTERFACE_VERSION)
        return tlv_int(value) if value else 0x33


class BindReceiverResp(BindResp, frozen=True, gc=False):
    """bind_receiver_resp."""

    command_id: ClassVar[CommandId] = CommandId.BIND_RECEIVER_RESP


class BindTransmitterResp(BindResp, frozen=True, gc=False):
    """bind_transmitter_resp."""

    command_id: ClassVar[CommandId] = CommandId.BIND_TRANSMITTER_RESP


class BindTransceiverResp(BindResp, frozen=True, gc=False):
    """bind_transceiver_resp."""

    command_id: ClassVar[CommandId] = CommandId.BIND_TRANSCEIVER_RESP


class Outbind(msgspec.Struct, frozen=True, gc=False):
    """outbind: the SMSC asks the ESME to bind as a receiver (SMPP 3.4, 4.1.7)."""

    command_id: ClassVar[CommandId] = CommandId.OUTBIND
    system_id: bytes = b""
    password: bytes = b""
    tlvs: Tlvs = ()
    oddities: int = 0

    def __post_init__(self) -> None:
        write_cstring(self.system_id, SYSTEM_ID_MAX, "system_id")
        write_cstring(self.password, PASSWORD_MAX, "password")

    def __repr__(self) -> str:
        """Show everything but the password."""
        return f"Outbind(system_id={self.system_id!r}, password=***)"


_REQUESTS: dict[int, type[Bind]] = {
    int(record.command_id): record for record in (BindReceiver, BindTransmitter, BindTransceiver)
}
_RESPONSES: dict[int, type[BindResp]] = {
    int(record.command_id): record for record in (BindReceiverResp, BindTransmitterResp, BindTransceiverResp)
}


def decode_bind(body: bytes, sequence: int, command_id: int) -> Bind:
    """Decode a bind request. Raises PduError 0x01 (cut), 0x0F, 0x0E, 0x53 or 0x0D (a field too long)."""
    reader = Reader(body, sequence, command_id)
    system_id = reader.cstring(SYSTEM_ID_MAX, "system_id", Status.RINVSYSID)
    password = reader.cstring(PASSWORD_MAX, "password", Status.RINVPASWD)
    system_type = reader.cstring(SYSTEM_TYPE_MAX, "system_type", Status.RINVSYSTYP)
    version, ton, npi = reader.octets(3, "interface_version to addr_npi")
    address_range = reader.cstring(ADDRESS_RANGE_MAX, "address_range", Status.RBINDFAIL)
    tlvs, oddities = read_tlvs(reader.body, reader.offset)
    return _REQUESTS[command_id](
        system_id, password, system_type, version, ton, npi, address_range, tlvs, oddities
    )


def encode_bind_body(bind: Bind) -> bytes:
    """Encode the body of a bind request. Raises ValueError for what does not fit."""
    return b"".join(
        (
            write_cstring(bind.system_id, SYSTEM_ID_MAX, "system_id"),
            write_cstring(bind.password, PASSWORD_MAX, "password"),
            write_cstring(bind.system_type, SYSTEM_TYPE_MAX, "system_type"),
            write_octets(
                (bind.interface_version, bind.addr_ton, bind.addr_npi),
                ("interface_version", "addr_ton", "addr_npi"),
            ),
            write_cstring(bind.address_range, ADDRESS_RANGE_MAX, "address_range"),
            write_tlvs(bind.tlvs),
        )
    )


def encode_bind(sequence: int, bind: BindReceiver | BindTransmitter | BindTransceiver) -> bytes:
    """Encode a whole bind request. Raises ValueError for what does not fit."""
    body = encode_bind_body(bind)
    return HEADER.pack(16 + len(body), bind.command_id, 0, sequence) + body


def decode_bind_resp(body: bytes, sequence: int, command_id: int) -> BindResp:
    """Decode a bind response. An empty body, a missing NUL and a too long system_id are forgiven.

    A response cannot be answered with an error, and an SMSC that bound us must not be lost over its name:
    a system_id that does not fit is left empty. Raises nothing.
    """
    record = _RESPONSES[command_id]
    end = body.find(b"\0")
    if end < 0:
        name = bytes(body) if len(body) <= SYSTEM_ID_MAX else b""
        return record(name, (), int(Oddity.NO_NUL) if body else 0)
    tlvs, oddities = read_tlvs(bytes(body), end + 1)
    return record(bytes(body[:end]) if end <= SYSTEM_ID_MAX else b"", tlvs, oddities)


def encode_bind_resp(
    sequence: int, command_id: int, status: int = 0, system_id: bytes = b"", version: int | None = VERSION_34
) -> bytes:
    """Encode a whole bind response (SMSC side); ``command_id`` is that of the response.

    An error goes out without a body, as most SMSCs do; ``version`` None leaves sc_interface_version out.
    """
    body = b""
    if status == 0:
        tlvs: Tlvs = () if version is None else ((Tag.SC_INTERFACE_VERSION, bytes((version,))),)
        body = write_cstring(system_id, SYSTEM_ID_MAX, "system_id") + write_tlvs(tlvs)
    return HEADER.pack(16 + len(body), command_id, status, sequence) + body


def _write_resp(resp: BindResp) -> bytes:
    return write_cstring(resp.system_id, SYSTEM_ID_MAX, "system_id") + write_tlvs(resp.tlvs)


def _read_outbind(body: bytes, sequence: int) -> Outbind:
    reader = Reader(body, sequence, CommandId.OUTBIND)
    system_id = reader.cstring(SYSTEM_ID_MAX, "system_id", Status.RINVSYSID)
    password = reader.cstring(PASSWORD_MAX, "password", Status.RINVPASWD)
    return Outbind(system_id, password, *read_tlvs(reader.body, reader.offset))


def _write_outbind(outbind: Outbind) -> bytes:
    return (
        write_cstring(outbind.system_id, SYSTEM_ID_MAX, "system_id")
        + write_cstring(outbind.password, PASSWORD_MAX, "password")
        + write_tlvs(outbind.tlvs)
    )


def _request_family(record: Any) -> Family:
    command_id: CommandId = record.command_id

    def read(body: bytes, sequence: int) -> Bind:
        return decode_bind(body, sequence, command_id)

    return Family(command_id, record, read, encode_bind_body)


def _response_family(record: Any) -> Family:
    command_id: CommandId = record.command_id

    def read(body: bytes, sequence: int) -> BindResp:
        return decode_bind_resp(body, sequence, command_id)

    return Family(command_id, record, read, _write_resp)


FAMILIES = (
    *(_request_family(record) for record in _REQUESTS.values()),
    *(_response_family(record) for record in _RESPONSES.values()),
    Family(CommandId.OUTBIND, Outbind, _read_outbind, _write_outbind),
)
