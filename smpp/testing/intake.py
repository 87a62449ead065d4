"""What a test centre does with the messages of an ESME: take or refuse, answer as ordered, act on them."""

from random import Random

from smpp.event import Inbound
from smpp.pdu.command import CommandId
from smpp.pdu.message import Sm, decode_sm
from smpp.pdu.status import Status
from smpp.pdu.wire import HEADER, HEADER_LENGTH, RESPONSE_BIT, PduError
from smpp.testing.exchange import Exchange
from smpp.testing.ledger import Submitted
from smpp.testing.peer import Peer

SUBMIT_SM = int(CommandId.SUBMIT_SM)
NACK = int(CommandId.GENERIC_NACK)
FIRST_ID = 0x0A0000
"""Message ids begin where hex and decimal look different."""


class Intake:
    """Takes one read of submit_sm at a time; its answers leave together."""

    def __init__(self, centre: Exchange, rng: Random) -> None:
        self._centre = centre
        self._rng = rng
        self._ids = FIRST_ID
        self._count = 0
        self._second = -1
        self._this_second = 0

    def take(self, peer: Peer, requests: list[Inbound]) -> None:
        """Answer the requests of one read, then let the accepted messages take effect."""
        responses: list[bytes] = []
        accepted: list[Submitted] = []
        for request in requests:
            if request.command_id == SUBMIT_SM:
                self._submit(peer, request, responses, accepted)
            else:
                # query_sm and its like: a centre need not offer them.
                command = request.command_id | RESPONSE_BIT
                responses.append(_pdu(command, int(Status.RINVCMDID), request.sequence, b""))
        faults = self._centre.faults
        if faults.reorder and len(responses) > 1 and self._rng.random() < faults.reorder:
            responses.reverse()
        self._centre.answer(peer, b"".join(responses), len(responses))
        for message in accepted:
            self._centre.act(message)

    def _submit(
        self, peer: Peer, request: Inbound, responses: list[bytes], accepted: list[Submitted]
    ) -> None:
        sequence = request.sequence
        centre = self._centre
        try:
            sm = decode_sm(request.body, sequence, SUBMIT_SM)
        except PduError as error:
            centre.ledger.counters["bad_submit"] += 1
            responses.append(_pdu(SUBMIT_SM | RESPONSE_BIT, error.status, sequence, b""))
            return
        draw, faults = self._rng.random, centre.faults
        if faults.nack and draw() < faults.nack:
            responses.append(_pdu(NACK, int(Status.RINVCMDLEN), sequence, b""))
            return
        status = self._status(peer, sm)
        dropped = status == 0 and faults.drop_response > 0 and draw() < faults.drop_response
        message = self._record(peer, request, sm, status, answered=not dropped)
        if status == 0:
            accepted.append(message)
        if dropped:
            centre.ledger.counters["dropped_responses"] += 1
            return
        responses.append(self._response(message, sequence))
        if faults.malformed and draw() < faults.malformed:
            centre.ledger.counters["malformed"] += 1
            responses.append(self._rng.choice(faults.malformed_pdus))

    def _response(self, message: Submitted, sequence: int) -> bytes:
        """A submit_sm_resp, spoilt as ordered."""
        faults, draw = self._centre.faults, self._rng.random
        command = SUBMIT_SM | RESPONSE_BIT
        if faults.wrong_sequence and draw() < faults.wrong_sequence:
            sequence = (sequence + 0x3000_0000) & 0x7FFF_FFFF
            self._centre.ledger.counters["wrong_sequences"] += 1
        if faults.wrong_command and draw() < faults.wrong_command:
            command = int(CommandId.QUERY_SM_RESP)
        if message.status or (faults.empty_response and draw() < faults.empty_response):
            return _pdu(command, message.status, sequence, b"")
        return _pdu(command, 0, sequence, message.message_id + b"\0")

    def _status(self, peer: Peer, sm: Sm) -> int:
        """0, or why this message is not taken."""
        centre, faults, draw = self._centre, self._centre.faults, self._rng.random
        if peer.in_flight >= centre.limits.in_flight:
            return faults.throttle_status
        if faults.throttle and draw() < faults.throttle:
            return faults.throttle_status
        if faults.limit is not None and not self._within_limit(faults.limit):
            return faults.throttle_status
        if faults.refuse and draw() < faults.refuse:
            return faults.refuse_status
        if centre.dialect.action(sm) is not None and not centre.may_show(sm):
            return centre.dialect.no_dialog_status
        return 0

    def _within_limit(self, limit: float) -> bool:
        second = self._centre.now() // 1000
        if second != self._second:
            self._second, self._this_second = second, 0
        self._this_second += 1
        return self._this_second <= limit

    def _record(self, peer: Peer, request: Inbound, sm: Sm, status: int, *, answered: bool) -> Submitted:
        centre = self._centre
        self._count += 1
        message_id = b""
        if status == 0:
            self._ids += 1
            form = "x" if centre.dialect.message_ids == "hex" else "d"
            message_id = format(self._ids, form).encode("ascii")
        raw = sm.tlv(0x0501) if sm.tlvs else None
        message = Submitted(
            self._count,
            message_id,
            sm,
            peer.number,
            request.sequence,
            centre.now(),
            status,
            centre.dialect.decode(sm),
            raw[0] if raw else None,
            answered,
        )
        centre.ledger.took(message)
        return message


def _pdu(command_id: int, status: int, sequence: int, body: bytes) -> bytes:
    return HEADER.pack(HEADER_LENGTH + len(body), command_id, status, sequence) + body
