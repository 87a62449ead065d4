"""query_sm and its response: the state of a message submitted before.

Source: SMPP 3.4 section 4.8.
"""

from typing import ClassVar

import msgspec

from smpp.pdu.command import CommandId
from smpp.pdu.family import Family
from smpp.pdu.mask import mask_address
from smpp.pdu.message import ADDRESS_MAX, MESSAGE_ID_MAX, TIME_MAX, address_field
from smpp.pdu.status import Status
from smpp.pdu.tlv import Tlvs, read_tlvs, write_tlvs
from smpp.pdu.wire import Reader, write_cstring, write_octets


class QuerySm(msgspec.Struct, frozen=True, gc=False):
    """query_sm: the id and the source address the message was submitted with."""

    command_id: ClassVar[CommandId] = CommandId.QUERY_SM
    message_id: bytes = b""
    source_ton: int = 0
    source_npi: int = 0
    source: bytes = b""
    tlvs: Tlvs = ()
    oddities: int = 0

    def __repr__(self) -> str:
        """Show the address masked."""
        return f"QuerySm(message_id={self.message_id!r}, source={mask_address(self.source)})"


class QuerySmResp(msgspec.Struct, frozen=True, gc=False):
    """query_sm_resp. A body that is empty (an error) gives the values of a message of unknown state."""

    command_id: ClassVar[CommandId] = CommandId.QUERY_SM_RESP
    message_id: bytes = b""
    final_date: bytes = b""
    """Absolute time YYMMDDhhmmsstnnp; empty while the message is not final."""
    message_state: int = 7
    error_code: int = 0
    tlvs: Tlvs = ()
    oddities: int = 0


def _read(body: bytes, sequence: int) -> QuerySm:
    reader = Reader(body, sequence, CommandId.QUERY_SM)
    message_id = reader.cstring(MESSAGE_ID_MAX, "message_id", Status.RINVMSGID)
    ton, npi = reader.octets(2, "source_addr_ton and npi")
    source = reader.cstring(ADDRESS_MAX, "source_addr", Status.RINVSRCADR)
    return QuerySm(message_id, ton, npi, source, *read_tlvs(reader.body, reader.offset))


def _write(query: QuerySm) -> bytes:
    return (
        write_cstring(query.message_id, MESSAGE_ID_MAX, "message_id")
        + address_field(query.source_ton, query.source_npi, query.source)
        + write_tlvs(query.tlvs)
    )


def _read_resp(body: bytes, sequence: int) -> QuerySmResp:
    if not body:
        return QuerySmResp()
    reader = Reader(body, sequence, CommandId.QUERY_SM_RESP)
    message_id = reader.cstring(MESSAGE_ID_MAX, "message_id", Status.RINVMSGID)
    final_date = reader.cstring(TIME_MAX, "final_date", Status.RINVSCHED)
    state, error = reader.octets(2, "message_state and error_code")
    return QuerySmResp(message_id, final_date, state, error, *read_tlvs(reader.body, reader.offset))


def _write_resp(resp: QuerySmResp) -> bytes:
    return (
        write_cstring(resp.message_id, MESSAGE_ID_MAX, "message_id")
        + write_cstring(resp.final_date, TIME_MAX, "final_date")
        + write_octets((resp.message_state, resp.error_code), ("message_state", "error_code"))
        + write_tlvs(resp.tlvs)
    )


FAMILIES = (
    Family(CommandId.QUERY_SM, QuerySm, _read, _write),
    Family(CommandId.QUERY_SM_RESP, QuerySmResp, _read_resp, _write_resp),
)
