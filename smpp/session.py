"""One SMPP connection without the connection: octets in, events out, octets to send.

Theory of operation. The owner of the socket gives every read to `receive_data`, writes what `data_to_send`
returns (once per batch), calls `on_time` when `next_deadline` has come, and closes the socket when the
session is `closed`. Time is an argument everywhere, in UTC milliseconds. Which states there are and what may
arrive in them stands in `smpp.state`; numbering and matching of requests in `smpp.window`.

* enquire_link and unbind of the peer are answered here, ahead of all traffic; an unknown request gets a
  generic_nack; a request in the wrong state is answered 0x04. None of them ends the session.
* Message requests are handed on undecoded (`InboundRow`, the rare ones `Inbound`): the owner decodes a whole
  batch and calls `respond`. How a read is cut and sorted stands in `smpp.stream`.
* A `Submission` whose response says no more than that the peer has taken it is reported with the others that
  left with the same write (`Accepted`); every other response is an event of its own (`Answered`).
* Only a lost place in the stream (command_length outside 16..70000), a timer or unbind end the session.
  Then every request still unanswered is reported as `Failed(.., "closed")`: its outcome is unknown.
* A response that comes too late, twice, or never asked for is counted and dropped.

What it does not know: sockets, clocks, what a message means, reconnecting, rates.
"""

import struct
from collections import Counter
from collections.abc import Sequence
from itertools import takewhile
from struct import Struct
from typing import TypeAlias

from smpp.event import (
    Answered,
    BindRefused,
    BindRequested,
    Bound,
    Closed,
    Failed,
    Inbound,
    SessionEvent,
)
from smpp.pdu.bind import decode_bind_resp
from smpp.pdu.command import CommandId
from smpp.pdu.message import decode_submit_resp
from smpp.pdu.status import Status, status_text
from smpp.pdu.wire import HEADER, HEADER_LENGTH, RESPONSE_BIT, Framer, PduError
from smpp.settings import Timers
from smpp.state import BIND_INPUTS, BOUND, RECEIVING, TRAFFIC, TRANSITIONS, TRANSMITTING, Input, Role, State
from smpp.stream import Stream
from smpp.window import Pending, Window

SUBMIT_SM = int(CommandId.SUBMIT_SM)
DELIVER_SM = int(CommandId.DELIVER_SM)
GENERIC_NACK = int(CommandId.GENERIC_NACK)
ENQUIRE_LINK = int(CommandId.ENQUIRE_LINK)
UNBIND = int(CommandId.UNBIND)

MAX_UNUSUAL = 10_000
"""data_sm and its like that may wait for their response at once; of more, the oldest are taken for usual."""

_REQUESTS = frozenset(int(command) for command in CommandId if not command & RESPONSE_BIT)
_UNANSWERED = frozenset({int(CommandId.ALERT_NOTIFICATION), int(CommandId.OUTBIND)})
_SUBMIT = Struct(">II").pack(SUBMIT_SM, 0)
_SHORT = 400
"""Octets of a body from which on it is joined to its header."""
_PDU = [Struct(f">I8sI{size}s").pack for size in range(_SHORT)]
"""By size of a body: write it with its header, whose middle is command_id and command_status."""
_ID_RESPONSE = Struct(">IIIIx")
"""Header and an empty message_id: what a deliver_sm_resp is (SMPP 3.4, 4.6.2)."""

Submission: TypeAlias = tuple[bytes, object, tuple[int, int], bytes]
"""A message that is its own token: the body of a submit_sm, its owner's token, its way, more of it."""


class Session:
    """One connection from connect to close.

    `bind` and `connection` are labels that the events carry. `now` is the time the connection stood.
    """

    def __init__(
        self,
        role: Role,
        now: int,
        *,
        window: int = 10,
        timers: Timers | None = None,
        bind: int = 0,
        connection: int = 0,
        first_sequence: int = 1,
    ) -> None:
        self.role = role
        self.timers = timers or Timers()
        self.bind = bind
        self.connection = connection
        self.state = State.OPEN
        self.bound = False
        """True while messages may pass in at least one direction."""
        self.window = Window(window, self.timers.response_ms, first_sequence)
        self.version = 0x34
        self.close_reason = ""
        self.counters: Counter[str] = Counter()
        self.can_submit = False
        self._framer = Framer()
        self._traffic: frozenset[int] = frozenset()
        self._usual_request = DELIVER_SM if role is Role.ESME else SUBMIT_SM
        self._usual_response = (SUBMIT_SM if role is Role.ESME else DELIVER_SM) | RESPONSE_BIT
        self._stream = Stream(
            self.window, bind, connection, self._usual_request, self._usual_response, self._other
        )
        self._unusual: dict[int, int] = {}
        self._control: list[bytes] = []
        self._out: list[bytes] = []
        self._heard_at = now
        self._part_since: int | None = None
        self._bind_by: int | None = now + self.timers.bind_ms if role is Role.SMSC else None
        self._bind_command = 0
        self._enquiry: tuple[int, int] | None = None
        self._leave_by: int | None = None
        self._unbind_by: int | None = None

    # -- what the owner asks and orders --------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """True when the session is over: send what is left and close the connection."""
        return self.state is State.CLOSED

    def data_to_send(self) -> bytes:
        """All octets gathered since the last call, b"" if none: answers for the link first, then traffic."""
        if self._control:
            data = b"".join(self._control) + b"".join(self._out)
            self._control.clear()
        elif self._out:
            data = b"".join(self._out)
        else:
            return b""
        self._out.clear()
        return data

    def start_bind(self, command_id: int, body: bytes, now: int) -> int:
        """ESME: send the bind request (`body` encoded by its family). Returns its sequence number."""
        self._move(Input.BIND_SENT)
        self._bind_command = command_id
        self._bind_by = now + self.timers.bind_ms
        return self._send_control(command_id, body)

    def accept_bind(
        self, sequence: int, command_id: int, system_id: bytes, version: int | None, now: int
    ) -> None:
        """SMSC: accept a requested bind; `version` None leaves sc_interface_version out, as 3.3 does."""
        self._move(BIND_INPUTS[command_id])
        self._bind_by = None
        tlv = b"" if version is None else b"\x02\x10\x00\x01" + bytes((version,))
        self._control_pdu(command_id | RESPONSE_BIT, 0, sequence, system_id + b"\0" + tlv)
        self._heard_at = now

    def refuse_bind(self, sequence: int, command_id: int, status: int) -> list[SessionEvent]:
        """SMSC: refuse a requested bind and end the session."""
        self._control_pdu(command_id | RESPONSE_BIT, status, sequence, b"")
        events: list[SessionEvent] = []
        self._end(events, Input.BIND_REFUSED, f"bind refused: {status_text(status)}")
        return events

    def submit(self, body: bytes, token: object, now: int, offered_at: int | None = None) -> int | None:
        """Send a submit_sm; its sequence number, or None when nothing may leave now (window, state)."""
        return self.request(SUBMIT_SM, body, token, now, offered_at)

    def request(
        self, command_id: int, body: bytes, token: object, now: int, offered_at: int | None = None
    ) -> int | None:
        """Send any request with a body already encoded; as `submit`. `token` comes back with the answer."""
        if not self.can_submit:
            return None
        sequence = self.window.add(command_id, token, now if offered_at is None else offered_at, now)
        if sequence is not None:
            self._out.append(HEADER.pack(HEADER_LENGTH + len(body), command_id, 0, sequence) + body)
        return sequence

    def respond(self, sequence: int, status: int = 0, encoded: bytes | None = None) -> None:
        """Answer an `Inbound`; `encoded` is a whole response PDU where the owner built one."""
        if self.state is State.CLOSED:
            return
        if encoded is not None:
            self._unusual.pop(sequence, None)
            self._out.append(encoded)
            return
        command_id = self._usual_request
        if self._unusual:
            command_id = self._unusual.pop(sequence, command_id)
        self._out.append(_ID_RESPONSE.pack(HEADER_LENGTH + 1, command_id | RESPONSE_BIT, status, sequence))

    def submit_all(self, messages: Sequence[Submission], at: int, now: int) -> int:
        """Send messages from number `at` on as far as they have the same way, each being its own token.

        Returns the number of the first that did not leave, because its way is another or something forbids.
        """
        if not self.can_submit:
            return at
        way, same = messages[at][2], messages[at:]
        if [message[2] for message in same].count(way) != len(same):  # by far quicker than to look at each
            same = list(takewhile(lambda message: message[2] == way, same))
        numbers = self.window.add_row(SUBMIT_SM, same, now)
        self._out += [
            _PDU[size](HEADER_LENGTH + size, _SUBMIT, sequence, message[0])
            if (size := len(message[0])) < _SHORT
            else HEADER.pack(HEADER_LENGTH + size, SUBMIT_SM, 0, sequence) + message[0]
            for sequence, message in zip(numbers, same, strict=False)  # as many as there was room for
        ]
        return at + len(numbers)

    def accept_all(self, sequences: Sequence[int]) -> None:
        """Answer the `Inbound`s with these numbers with status 0, as `respond` would one by one."""
        if self.state is State.CLOSED:
            return
        usual, unusual = self._usual_request, self._unusual
        pack, length = _ID_RESPONSE.pack, HEADER_LENGTH + 1
        if not unusual:
            command_id = usual | RESPONSE_BIT
            # All at once: the same octets so many times, then their numbers, octet by octet of these.
            octets = bytearray(pack(length, command_id, 0, 0) * len(sequences))
            numbers = struct.pack(f">{len(sequences)}I", *sequences)
            for place in range(4):
                octets[12 + place :: length] = numbers[place::4]
            self._out.append(bytes(octets))
            return
        for sequence in sequences:
            command_id = unusual.pop(sequence, usual)
            self._out.append(pack(length, command_id | RESPONSE_BIT, 0, sequence))

    def unbind(self, now: int, pending_ms: int | None = None) -> list[SessionEvent]:
        """Leave politely: wait for pending answers, send unbind, wait for its answer, then `Closed`.

        `pending_ms` replaces the timer for the pending answers.
        """
        events: list[SessionEvent] = []
        if self.bound and self._leave_by is None:
            self.can_submit = False
            self._leave_by = now + (self.timers.unbind_pending_ms if pending_ms is None else pending_ms)
            self._leave_when_idle(now)
        elif not self.bound and self.state is not State.UNBINDING and not self.closed:
            self._end(events, Input.LOST, "closed before it was bound")
        return events

    def lost(self, reason: str) -> list[SessionEvent]:
        """The connection ended by itself: what was pending fails, the session is closed."""
        events: list[SessionEvent] = []
        if not self.closed:
            self._end(events, Input.LOST, reason)
        return events

    # -- what comes in ----------------------------------------------------------------------------

    def receive_data(self, data: bytes, now: int) -> list[SessionEvent]:
        """Take what one read delivered. Never raises: bad PDUs are answered and counted."""
        events: list[SessionEvent] = []
        if self.state is State.CLOSED:
            return events
        self._heard_at = now
        framer = self._framer
        data = framer.join(data)
        offset = self._stream.read(events, data, now) if data else 0
        if self.closed:
            return events
        if offset < len(data):
            framer.keep(data[offset:])
        if framer.error is not None:
            self._lose_place(events, framer.error)
        elif not framer.pending:
            self._part_since = None
        elif offset or self._part_since is None:
            self._part_since = now
        if self._leave_by is not None:
            self._leave_when_idle(now)
        return events

    def _remember(self, sequence: int, command_id: int) -> None:
        """Which response a request of the rarer kinds wants; an owner that never answers costs no memory."""
        if len(self._unusual) >= MAX_UNUSUAL:
            del self._unusual[next(iter(self._unusual))]
        self._unusual[sequence] = command_id

    def _answer(
        self,
        events: list[SessionEvent],
        command_id: int,
        status: int,
        sequence: int,
        pending: Pending | None,
        body: bytes,
    ) -> None:
        """A response to one of our message requests, and what waits under its number."""
        if pending is None or pending.command_id | RESPONSE_BIT != command_id:
            self._unasked(events, pending, status)
        else:
            message_id = decode_submit_resp(body, status)
            events.append(
                Answered(
                    pending.token,
                    status,
                    message_id,
                    self.bind,
                    self.connection,
                    sequence,
                    body,
                    pending.offered_at,
                    pending.sent_at,
                )
            )

    def _unasked(self, events: list[SessionEvent], pending: Pending | None, status: int) -> None:
        """A response to nothing that waits, or of another kind than what waits under its number."""
        if pending is None:
            self.counters["unknown_response"] += 1
        else:
            self.counters["wrong_response"] += 1
            events.append(_failed(pending, "wrong_response", status))

    def _other(
        self, events: list[SessionEvent], command_id: int, status: int, sequence: int, body: bytes, now: int
    ) -> bool:
        """Take what is not usual; False when the session is over with it."""
        if command_id in self._traffic:
            if command_id != self._usual_request:
                self._remember(sequence, command_id)
            events.append(Inbound(self.bind, self.connection, sequence, command_id, body))
        elif command_id == self._usual_response:
            self._answer(events, command_id, status, sequence, self.window.take(sequence), body)
        elif command_id & RESPONSE_BIT:
            self._other_response(events, command_id, status, sequence, body)
        elif command_id == ENQUIRE_LINK:
            bound = self.bound or self.state is State.UNBINDING
            self._control_pdu(ENQUIRE_LINK | RESPONSE_BIT, 0 if bound else Status.RINVBNDSTS, sequence, b"")
            self.counters["enquire_link"] += 1
        elif command_id == UNBIND and (self.bound or self.state is State.UNBINDING):
            self._control_pdu(UNBIND | RESPONSE_BIT, 0, sequence, b"")
            self._end(events, Input.UNBOUND, "unbound by the peer")
        elif command_id in BIND_INPUTS and self.role is Role.SMSC:
            self._bind_request(events, command_id, sequence, body)
        else:
            self._refuse(command_id, sequence)
        return self.state is not State.CLOSED

    def _refuse(self, command_id: int, sequence: int) -> None:
        """Answer a request that we do not know or that has no place in this state."""
        if command_id not in _REQUESTS:
            self.counters["unknown_command"] += 1
            self._control_pdu(GENERIC_NACK, Status.RINVCMDID, sequence, b"")
        elif command_id in _UNANSWERED:
            self.counters["notification"] += 1
        elif self.state is State.UNBINDING and command_id in (DELIVER_SM, SUBMIT_SM, CommandId.DATA_SM):
            # It crossed our unbind: some centres read 0x04 as final and lose it, 0x64 brings it back.
            self.counters["after_unbind"] += 1
            self._control_pdu(command_id | RESPONSE_BIT, Status.RX_T_APPN, sequence, b"\0")
        else:
            self.counters["wrong_state"] += 1
            self._control_pdu(command_id | RESPONSE_BIT, Status.RINVBNDSTS, sequence, b"")

    def _other_response(
        self, events: list[SessionEvent], command_id: int, status: int, sequence: int, body: bytes
    ) -> None:
        """A response to a request of the link itself, a generic_nack, or one that nobody asked for."""
        reserved = self.window.release(sequence)
        if reserved is None:
            if command_id == GENERIC_NACK:
                self._nacked(events, status, sequence)
            elif command_id & ~RESPONSE_BIT in _REQUESTS:
                self._answer(events, command_id, status, sequence, self.window.take(sequence), body)
            else:
                self.counters["unknown_command"] += 1
        elif reserved == ENQUIRE_LINK:
            # Whatever it answers, it is alive: some peers nack what they do not implement.
            self._enquiry = None
        elif reserved == UNBIND:
            self._end(events, Input.UNBOUND, "unbound")
        elif command_id == reserved | RESPONSE_BIT:
            self._bind_answered(events, status, body)
        else:
            refused = status or int(Status.RINVCMDID)
            events.append(BindRefused(refused))
            self._end(events, Input.BIND_REFUSED, f"bind not understood: {status_text(refused)}")

    def _nacked(self, events: list[SessionEvent], status: int, sequence: int) -> None:
        """A generic_nack fails the request with its number and is never answered (SMPP 3.4, 4.3)."""
        pending = self.window.take(sequence)
        self.counters["nack" if pending else "unknown_response"] += 1
        if pending is not None:
            events.append(_failed(pending, "nack", status))

    def _bind_answered(self, events: list[SessionEvent], status: int, body: bytes) -> None:
        self._bind_by = None
        if status:
            events.append(BindRefused(status))
            self._end(events, Input.BIND_REFUSED, f"bind refused: {status_text(status)}")
            return
        answer = decode_bind_resp(body, 0, self._bind_command | RESPONSE_BIT)
        self.version = answer.sc_version
        self._move(BIND_INPUTS[self._bind_command])
        events.append(Bound(answer.system_id, self.version))

    def _bind_request(self, events: list[SessionEvent], command_id: int, sequence: int, body: bytes) -> None:
        """SMSC: a first bind goes to the owner, a second one on the same connection is refused."""
        if self.state is State.OPEN:
            self._move(Input.BIND_SENT)
            self._bind_command = command_id
            events.append(BindRequested(sequence, command_id, body))
        else:
            self.counters["wrong_state"] += 1
            self._control_pdu(command_id | RESPONSE_BIT, Status.RALYBND, sequence, b"")

    def _lose_place(self, events: list[SessionEvent], error: PduError) -> None:
        """The stream cannot be read any more: nack with sequence 0 and close (SMPP 3.4, 4.3.1)."""
        self.counters["bad_length"] += 1
        self._control_pdu(GENERIC_NACK, error.status, 0, b"")
        self._end(events, Input.LOST, error.reason)

    # -- time -------------------------------------------------------------------------------------

    def next_deadline(self) -> int | None:
        """When `on_time` has something to do, None if never."""
        if self.state is State.CLOSED:
            return None
        timers = self.timers
        candidates = [self._bind_by, self._leave_by, self._unbind_by, self.window.next_deadline()]
        if self._part_since is not None:
            candidates.append(self._part_since + timers.rest_of_pdu_ms)
        if self._enquiry is not None:
            candidates.append(self._enquiry[1])
        elif timers.enquire_after_ms and self.bound:
            candidates.append(self._heard_at + timers.enquire_after_ms)
        if timers.inactivity_ms and self.bound:
            candidates.append(self._heard_at + timers.inactivity_ms)
        return min((moment for moment in candidates if moment is not None), default=None)

    def on_time(self, now: int) -> list[SessionEvent]:
        """Do what the time demands: fail late requests, ask whether the peer lives, end the session."""
        events: list[SessionEvent] = []
        if self.state is State.CLOSED:
            return events
        for late in self.window.expired(now):
            self.counters["timeout"] += 1
            events.append(_failed(late, "timeout"))
        over = self._over(now)
        if over is not None:
            self._end(events, Input.LOST, over)
            return events
        after = self.timers.enquire_after_ms
        if after and self.bound and self._enquiry is None and now - self._heard_at >= after:
            sequence = self._send_control(ENQUIRE_LINK, b"")
            self._enquiry = (sequence, now + self.timers.enquire_answer_ms)
        if self._leave_by is not None:
            self._leave_when_idle(now)
        return events

    def _over(self, now: int) -> str | None:
        """Why the session has to end now, None if it need not."""
        timers = self.timers
        if self._bind_by is not None and now >= self._bind_by:
            return "no answer to the bind" if self.role is Role.ESME else "no bind came"
        if self._unbind_by is not None and now >= self._unbind_by:
            return "no answer to the unbind"
        if self._part_since is not None and now >= self._part_since + timers.rest_of_pdu_ms:
            return "the rest of a PDU did not come"
        if self._enquiry is not None and now >= self._enquiry[1]:
            return "no answer to enquire_link"
        if timers.inactivity_ms and self.bound and now >= self._heard_at + timers.inactivity_ms:
            return "nothing came for too long"
        return None

    # -- inside -----------------------------------------------------------------------------------

    def _leave_when_idle(self, now: int) -> None:
        """Send the unbind as soon as nothing is pending, or when waiting for that has lasted too long."""
        if self.bound and self._leave_by is not None and (not len(self.window) or now >= self._leave_by):
            self._leave_by = None
            self._move(Input.UNBIND_SENT)
            self._unbind_by = now + self.timers.unbind_answer_ms
            sequence = self.window.reserve(UNBIND)
            self._out.append(HEADER.pack(HEADER_LENGTH, UNBIND, 0, sequence))

    def _send_control(self, command_id: int, body: bytes) -> int:
        sequence = self.window.reserve(command_id)
        self._control_pdu(command_id, 0, sequence, body)
        return sequence

    def _control_pdu(self, command_id: int, status: int, sequence: int, body: bytes) -> None:
        self._control.append(HEADER.pack(HEADER_LENGTH + len(body), command_id, status, sequence) + body)

    def _move(self, step: Input) -> None:
        """Change the state by the table; what the state permits is looked up once, here."""
        state = TRANSITIONS.get((self.state, step))
        if state is None:
            raise ValueError(f"{step.value} cannot happen while the session is {self.state.value}")
        self.state = state
        # Looked up once per change: a set of states hashes enums in Python, too slow for every message.
        self.bound = state in BOUND
        self._traffic = TRAFFIC.get((self.role, state), frozenset())
        self._stream.is_open = self._usual_request in self._traffic
        sending = TRANSMITTING if self.role is Role.ESME else RECEIVING
        self.can_submit = state in sending and self._leave_by is None

    def _end(self, events: list[SessionEvent], step: Input, reason: str) -> None:
        self._move(step)
        self.close_reason = reason
        self._leave_by = self._bind_by = self._unbind_by = self._part_since = self._enquiry = None
        events.extend(_failed(pending, "closed") for pending in self.window.clear())
        events.append(Closed(reason))


def _failed(pending: Pending, reason: str, status: int = 0) -> Failed:
    return Failed(pending.token, reason, status, pending.offered_at, pending.sent_at)
