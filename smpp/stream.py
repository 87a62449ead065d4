"""The octets that a connection brings: what is usual is taken here, every other PDU is handed on.

Theory of operation. Nearly all PDUs of a busy connection are of two kinds: messages of the peer, which only
have to be put into a row, and responses which say no more than that a page was taken. Each of them costs one
call here, which reads its body together with the header of the next, and no object of its own: messages of
one run share an `InboundRow`, responses to one write an `Accepted`. A run ends where another event comes in
between, so that all events stand in the order of the octets (an `Accepted` where its first response stood).
"""

from collections.abc import Callable
from struct import Struct

from smpp.event import Accepted, InboundRow, SessionEvent
from smpp.pdu.wire import HEADER_LENGTH, MAX_PDU, RESPONSE_BIT
from smpp.window import Row, Window

_KIND_AT = 32
"""Bits of the command_status; a command_id shifted by them is the kind of a PDU without an error."""
_HEADER = Struct(">IQI")
"""A header whose command_id and command_status are read as one number, the kind."""

_STATUS = (1 << _KIND_AT) - 1
_NO_HEADER = bytes(HEADER_LENGTH)
_SHORT = 256
"""Octets from which on a PDU is read as the rare ones are."""
_BODY = [Struct(f">16x{max(0, length - HEADER_LENGTH)}sIQI").unpack_from for length in range(_SHORT)]
"""By length of a PDU: read its body and the header behind it."""
_NAME = [Struct(f">16x{max(0, length - HEADER_LENGTH - 1)}sBIQI").unpack_from for length in range(_SHORT)]
"""As `_BODY`, with the last octet of the body on its own: the NUL behind a message_id."""

Other = Callable[[list[SessionEvent], int, int, int, bytes, int], bool]
"""Takes (events, command_id, status, sequence, body, now) of a PDU; False when the session is over."""


class Stream:
    """Sorts the PDUs of one connection. `request` and `response` are the command_ids of what is usual.

    `is_open` says whether requests may come now. `bind` and `connection` are labels that the events carry.
    """

    __slots__ = ("_bind", "_connection", "_other", "_request", "_response", "_window", "is_open")

    def __init__(
        self, window: Window, bind: int, connection: int, request: int, response: int, other: Other
    ) -> None:
        self.is_open = False
        self._window = window
        self._bind = bind
        self._connection = connection
        self._request = request
        self._response = response
        self._other = other

    def read(self, events: list[SessionEvent], data: bytes, now: int) -> int:
        """Take the PDUs at the beginning of `data` that are whole; returns how many octets they are.

        It stops before a PDU of a senseless length, and behind one with which the session is over.
        """
        bind, connection, window = self._bind, self._connection, self._window
        request, accepted = self._request, self._response << _KIND_AT
        usual = request << _KIND_AT if self.is_open else -1
        bodies: list[bytes] | None = None
        row: Row | None = None
        messages: list[tuple[object, ...] | None] = []
        tokens: list[object] = []
        first, count, had, sent_at = 0, 0, 0, -1
        shortest, short = HEADER_LENGTH, _SHORT
        offset, end = 0, len(data)
        after: int
        data += _NO_HEADER  # behind the last PDU, too, a header can be read
        length, kind, sequence = _HEADER.unpack_from(data)
        while (after := offset + length) <= end:
            if shortest < length < short:
                if kind == usual:
                    if bodies is None:
                        sequences: list[int] = []
                        bodies = []
                        events.append(InboundRow(bind, connection, request, sequences, bodies))
                    sequences.append(sequence)
                    body, length, kind, sequence = _BODY[length](data, offset)
                    bodies.append(body)
                    offset = after
                    continue
                place = sequence - first
                if kind == accepted and 0 <= place < count and (message := messages[place]) is not None:
                    name, last, length, kind, sequence = _NAME[length](data, offset)
                    if not last and 0 not in name:
                        # A page is taken, and nothing comes after the message_id.
                        messages[place] = None
                        tokens.append(message[1])
                        offset = after
                        continue
                    length, kind, sequence = _HEADER.unpack_from(data, offset)
            if not HEADER_LENGTH <= length <= MAX_PDU:
                break
            if row is not None:
                window.took(row, len(tokens) - had)
                had = len(tokens)
            body = data[offset + HEADER_LENGTH : after]
            other = self._row(sequence, body) if kind == accepted else None
            if other is not None and other is not row:
                row = other
                messages, first, count = row.tokens, row.first, len(row.tokens)
                if row.sent_at != sent_at:
                    sent_at, tokens, had, bodies = row.sent_at, [], 0, None
                    events.append(Accepted(bind, connection, sent_at, tokens))
                continue
            offset = after
            if not self._other(events, kind >> _KIND_AT, kind & _STATUS, sequence, body, now):
                return offset
            bodies = None
            usual = request << _KIND_AT if self.is_open else -1
            length, kind, sequence = _HEADER.unpack_from(data, offset)
        if row is not None:
            window.took(row, len(tokens) - had)
        return offset

    def _row(self, sequence: int, body: bytes) -> Row | None:
        """Return the row of pages that a response is to, if its body is a message_id and nothing else."""
        if not 0 < len(body) < _SHORT - HEADER_LENGTH or body.find(0) != len(body) - 1:
            return None
        row = self._window.row_of(sequence)
        return row if row is not None and row.command_id | RESPONSE_BIT == self._response else None
