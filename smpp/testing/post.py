"""The deliveries of a test centre: store and forward, round robin over the receivers, again when in doubt.

A delivery stays until the ESME has answered it for good: one that was on a connection that ended, got no
answer, or was answered "not now" (0x64, 0x14, 0x08, 0x58) goes out again, as centres do.
"""

import asyncio
from collections import deque
from random import Random

from smpp.event import Answered, Failed
from smpp.pdu.command import CommandId
from smpp.pdu.message import Sm, encode_sm_body
from smpp.pdu.status import Status
from smpp.pdu.wire import HEADER, HEADER_LENGTH
from smpp.testing.exchange import Exchange
from smpp.testing.ledger import Attempt, Conversation, Delivery
from smpp.testing.peer import Peer

DELIVER_SM = int(CommandId.DELIVER_SM)
TRY_AGAIN = frozenset({Status.RX_T_APPN, Status.RMSGQFUL, Status.RSYSERR, Status.RTHROTTLED})


class Post:
    """What the centre has to deliver; a message answered "not now" comes again after `retry_ms`."""

    def __init__(self, centre: Exchange, rng: Random, retry_ms: int, tries: int) -> None:
        self._centre = centre
        self._rng = rng
        self._retry_ms = retry_ms
        self._tries = tries
        self._waiting: deque[Delivery] = deque()
        self._count = 0
        self._turn = 0

    @property
    def waiting(self) -> int:
        """Deliveries that wait for a receiver or a place in its window."""
        return len(self._waiting)

    def add(self, kind: str, sm: Sm, dialog: Conversation | None) -> Delivery:
        """Take a message for delivery; it leaves at once if a receiver has room. Raises ValueError."""
        if len(self._waiting) >= self._centre.limits.waiting:
            raise ValueError("too many deliveries wait for a receiver")
        self._count += 1
        body = encode_sm_body(sm)
        delivery = Delivery(self._count, kind, sm, body, self._centre.now(), dialog)
        if self._waiting or not self._send(delivery):
            self._waiting.append(delivery)
        return delivery

    def pump(self) -> None:
        """Send what waits, as far as the receivers have room."""
        waiting = self._waiting
        while waiting:
            if waiting[0].status is not None or self._send(waiting[0]):
                waiting.popleft()
            else:
                return

    def answered(self, event: Answered) -> None:
        """The ESME answered a delivery."""
        delivery, attempt = self._of(event.token)
        if delivery is None or attempt is None:
            return
        faults = self._centre.faults
        if faults.lose and self._rng.random() < faults.lose:
            attempt.outcome = "lost"
            self._again(delivery, 0)
            return
        attempt.outcome = "answered"
        if delivery.status is not None:
            self._centre.ledger.counters["answered_again"] += 1
            return
        if event.status in TRY_AGAIN and len(delivery.attempts) < self._tries:
            self._again(delivery, self._retry_ms)
            return
        delivery.status = event.status
        self._centre.ledger.answered(delivery, event.status, self._centre.now())
        if event.status and delivery.dialog is not None:
            delivery.dialog.end("refused")

    def failed(self, event: Failed) -> None:
        """A delivery got no answer."""
        delivery, attempt = self._of(event.token)
        if delivery is None or attempt is None:
            return
        attempt.outcome = event.reason
        if delivery.status is None:
            if len(delivery.attempts) < self._tries:
                self._again(delivery, 0)
            else:
                delivery.status = int(Status.RDELIVERYFAILURE)
                self._centre.ledger.counters["given_up"] += 1

    def _of(self, token: object) -> tuple[Delivery | None, Attempt | None]:
        return token if isinstance(token, tuple) else (None, None)

    def _again(self, delivery: Delivery, after_ms: int) -> None:
        """Deliver once more, unless its dialogue has ended meanwhile."""
        if delivery.dialog is not None and not delivery.dialog.open:
            return
        if after_ms:
            self._centre.later(after_ms, lambda: self._again(delivery, 0))
        else:
            self._waiting.append(delivery)
            self._centre.later(0, self.pump)

    def _send(self, delivery: Delivery) -> bool:
        """Put a delivery on the next receiver with room; False if there is none."""
        peers = self._centre.receivers()
        for step in range(len(peers)):
            peer = peers[(self._turn + step) % len(peers)]
            if self._put(peer, delivery):
                self._turn += step + 1
                self._misbehave(peer, delivery)
                return True
        return False

    def _put(self, peer: Peer, delivery: Delivery) -> bool:
        now = self._centre.now()
        attempt = Attempt(peer.number, 0, now)
        session = peer.live.session
        sequence = session.request(DELIVER_SM, delivery.body, (delivery, attempt), now)
        if sequence is None:
            return False
        attempt.sequence = sequence
        delivery.attempts.append(attempt)
        peer.delivered += 1
        self._centre.ledger.sent(delivery, attempt)
        self._centre.touch(peer)
        return True

    def _misbehave(self, peer: Peer, delivery: Delivery) -> None:
        """What the faults of the moment do to a delivery that was just put on the wire."""
        faults, rng = self._centre.faults, self._rng
        if faults.duplicate and rng.random() < faults.duplicate:
            self._centre.ledger.counters["duplicated"] += 1
            self._put(peer, delivery)
        if faults.duplicate_same and rng.random() < faults.duplicate_same:
            self._centre.ledger.counters["duplicated"] += 1
            sequence = delivery.attempts[-1].sequence
            head = HEADER.pack(HEADER_LENGTH + len(delivery.body), DELIVER_SM, 0, sequence)
            peer.live.flush()
            peer.live.write(head + delivery.body)
        if faults.malformed and rng.random() < faults.malformed:
            self._centre.ledger.counters["malformed"] += 1
            peer.live.flush()
            peer.live.write(rng.choice(faults.malformed_pdus))
        if faults.close_after and peer.delivered >= faults.close_after:
            self._centre.ledger.counters["closed"] += 1
            peer.delivered = 0
            asyncio.get_running_loop().call_soon(peer.live.abort_after_writing)
