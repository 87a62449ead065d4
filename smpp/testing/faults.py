"""How a test centre misbehaves: one record, changed while the centre runs.

Shares are from 0 to 1 and drawn from the centre's seeded generator, so that a run can be repeated. Nothing
here acts; the centre looks at it for every PDU.
"""

from dataclasses import dataclass, field

from smpp.pdu.status import Status


@dataclass(slots=True)
class Faults:
    """All faults of one centre; the default is a centre that behaves."""

    throttle: float = 0.0
    """Share of submit_sm refused with `throttle_status`."""
    throttle_status: int = int(Status.RTHROTTLED)
    limit: float | None = None
    """A real limit: submit_sm accepted a second, the rest is throttled."""
    refuse: float = 0.0
    """Share of submit_sm refused with `refuse_status`."""
    refuse_status: int = int(Status.RSYSERR)
    drop_response: float = 0.0
    """Share of submit_sm that take effect and get no response."""
    delay_ms: int = 0
    """Every submit_sm_resp is so late."""
    reorder: float = 0.0
    """Share of reads whose responses leave in reverse order."""
    empty_response: float = 0.0
    """Share of successful submit_sm_resp without a body."""
    wrong_sequence: float = 0.0
    """Share of responses with a sequence number that was never used."""
    wrong_command: float = 0.0
    """Share of responses that are a query_sm_resp."""
    nack: float = 0.0
    """Share of submit_sm answered with a generic_nack, without effect."""
    duplicate: float = 0.0
    """Share of deliver_sm sent twice with a new sequence number, though they were answered."""
    duplicate_same: float = 0.0
    """Share of deliver_sm sent twice with the same sequence number, at once."""
    malformed: float = 0.0
    """Share of our PDUs followed by a broken one."""
    malformed_pdus: tuple[bytes, ...] = field(default_factory=lambda: BROKEN_PDUS)
    cut: float = 0.0
    """Share of writes after which the connection ends in the middle of a PDU."""
    lose: float = 0.0
    """Share of deliver_sm_resp that the centre does not see: it sends the message again."""
    close_after: int = 0
    """The connection is closed after so many deliver_sm, again and again; 0 never."""
    ignore_enquire_link: bool = False
    receipt_first: bool = False
    """The receipt overtakes the submit_sm_resp."""
    refuse_bind: int = 0
    """Status with which every bind is refused; 0 accepts."""


def _pdu(command_id: int, sequence: int, body: bytes) -> bytes:
    head = (len(body) + 16, command_id, 0, sequence)
    return b"".join(number.to_bytes(4, "big") for number in head) + body


BROKEN_PDUS: tuple[bytes, ...] = (
    # deliver_sm whose service_type never ends
    _pdu(0x05, 0x7FFF0001, b"USSDUSSDUSSD"),
    # deliver_sm with sm_length beyond the body
    _pdu(0x05, 0x7FFF0002, b"\0\1\1" + b"79161234567\0" + b"\1\1929\0" + b"\0\0\0\0\0\0\0\0\0\xff" + b"abc"),
    # deliver_sm without a body
    _pdu(0x05, 0x7FFF0003, b""),
    # a command nobody knows
    _pdu(0x0777, 0x7FFF0004, b"\xde\xad"),
    # a response nobody asked for
    _pdu(0x80000004, 0x7FFF0005, b"id\0"),
    # a generic_nack for nothing
    _pdu(0x80000000, 0, b""),
    # a response of an unknown command
    _pdu(0x80000777, 7, b"x"),
)
"""Broken PDUs with a sound length: none of them may cost more than itself."""
