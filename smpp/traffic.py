"""The messages of one link on their way out: which bind they take, when they wait, when they are sent again.

It owns the backlog and the rate, and puts messages on the sessions of the slots it was given; what is
reported to the owner of the link it returns. It knows no sockets, timers or events of the binds: time is an
argument, and `wake` says when it wants to be called again.
"""

from collections import Counter
from collections.abc import Sequence
from typing import TypeAlias

from smpp.backlog import Backlog, Outgoing
from smpp.event import Answered, Failed
from smpp.pdu.status import Policy, policy
from smpp.pdu.tlv import Tag, first_tlv, read_tlvs, tlv_int
from smpp.reconnect import Random
from smpp.session import SUBMIT_SM, Submission
from smpp.settings import LinkSettings
from smpp.slot import Slot
from smpp.throttle import Throttle

REBINDS = 3
"""So often a message that the centre refuses for the state of the bind is sent again after a rebind."""
EXPIRE_EVERY_MS = 1_000


PageOut: TypeAlias = Submission
"""A page of a dialogue: body, token, the (bind, connection) of the message it answers, subscriber.

While nothing is wrong with it, it is its own token in the window; it becomes an `Outgoing` only to wait.
"""


class Traffic:
    """What leaves over `slots`; `counters` are the link's."""

    def __init__(
        self, settings: LinkSettings, slots: list[Slot], counters: Counter[str], now: int, rng: Random
    ) -> None:
        self.throttle = Throttle(settings.rate, now)
        self.backlog = Backlog(settings.queue, rng)
        self.wake: int | None = None
        """The earliest time at which something can leave that waits now; the link resets it."""
        self.leaving = False
        """True when the link closes: nothing is taken and nothing sent again."""
        self.congestion: int | None = None
        """The last congestion_state (0-100) that the centre told, None if it never did."""
        self._settings = settings
        self._slots = slots
        self._senders = [slot for slot in slots if slot.transmits]
        self._counters = counters
        self._offered = 0
        self._expire_at = now

    @property
    def bound(self) -> bool:
        """True while messages can leave: at least one transmitter is bound and reads."""
        return any(slot.sender is not None for slot in self._senders)

    def capacity(self, now: int) -> int:
        """Messages that could be taken now and leave without waiting for a place."""
        if self.throttle.paused(now):
            return 0
        free = sum(session.window.free for slot in self._senders if (session := slot.sender))
        return max(0, free - len(self.backlog))

    def spare(self, now: int) -> tuple[int, int]:
        """Return how many messages may be submitted now without keeping any other waiting, and how many ever.

        Half of every window and of every burst stays free for what comes next; nothing is to spare while
        anything waits.
        """
        windows = [session.window for slot in self._senders if (session := slot.sender)]
        room = sum(max(0, window.free - window.size // 2) for window in windows)
        most = sum(window.size - window.size // 2 for window in windows)
        tokens, tokens_most = self.throttle.bucket.spare(now)
        if self.backlog.size or self.throttle.paused(now):
            return 0, min(most, tokens_most)
        return min(room, tokens), min(most, tokens_most)

    def submit(
        self,
        body: bytes,
        token: object,
        prefer: tuple[int, int] | None,
        sticky: bool,
        subscriber: bytes,
        urgent: bool,
        now: int,
    ) -> bool:
        """Send or keep a message; False when it can do neither. See `Link.submit`."""
        if self.leaving:
            return False
        backlog = self.backlog
        self._offered += 1
        if sticky:
            slot = self._way_back(prefer)
            if slot is None:
                return False
            message = Outgoing(
                self._offered, body, token, subscriber, urgent, True, now, slot.index, slot.number
            )
            if not backlog.size and self.throttle.easy:
                # Nothing waits and nothing limits: what `_send` would find out, found out already.
                connection = slot.connection
                if (
                    connection is not None
                    and not connection.congested
                    and connection.session.request(SUBMIT_SM, body, message, now, now) is not None
                ):
                    return True
            free_way = not backlog.size or not backlog.ready(slot.index)
        else:
            slot = self._free_sender(prefer)
            if slot is None and not self.bound:
                return False
            free_way = not backlog.must_wait(subscriber)
            message = Outgoing(self._offered, body, token, subscriber, urgent, False, now)
        if free_way and slot is not None and self._send(slot, message, now):
            return True
        if not backlog.add(message):
            self._counters["queue_full"] += 1
            return False
        return True

    def submit_pages(self, pages: Sequence[PageOut], now: int) -> list[object]:
        """Send or keep pages of dialogues; returns the tokens of those that can be neither."""
        refused: list[object] = []
        at, count = 0, len(pages)
        while at < count:
            prefer = pages[at][2]
            slot = None if self.leaving else self._way_back(prefer)
            connection = None if slot is None else slot.connection
            if slot is None or connection is None:
                refused.append(pages[at][1])
                at += 1
                continue
            if not self.backlog.size and self.throttle.easy and not connection.congested:
                # Nothing waits and nothing limits: as many as the window takes leave at once.
                at = connection.session.submit_all(pages, at, now)
                if at == count or pages[at][2] != prefer:
                    continue
            body, token, prefer, subscriber = pages[at]
            if not self.submit(body, token, prefer, True, subscriber, True, now):
                refused.append(token)
            at += 1
        return refused

    def pump(self, now: int) -> None:
        """Let waiting messages go, as many as windows and rate allow."""
        backlog, throttle = self.backlog, self.throttle
        for slot in self._senders:
            session = slot.sender
            while session is not None and session.window.free and backlog.ready(slot.index):
                if not throttle.admit(now):
                    self._wake_at(throttle.ready_at(now))
                    return
                message = backlog.pop(slot.index)
                if message is None:
                    throttle.bucket.give_back()
                    break
                session.request(SUBMIT_SM, message.body, message, now, message.offered_at)

    def answered(self, slot: Slot, event: Answered, now: int) -> Answered | None:
        """The centre answered a message: what to report, None if it is sent again instead."""
        message = event.token
        if type(message) is tuple:
            message = self._outgoing(message, slot, event.offered_at)
        elif type(message) is not Outgoing:
            return None
        status = event.status
        if status:
            what = policy(status, self._settings.vendor)
            if what is Policy.THROTTLE:
                self.throttle.answered(event.sent_at, now, refused=True)
                if self._again_later(message, now):
                    return None
            elif what is Policy.BIND and self._rebind(slot, message, now):
                return None
        else:
            self.throttle.answered(event.sent_at, now, refused=False)
        if len(event.body) > len(event.message_id) + 5:
            self._note_congestion(event)
        self.backlog.settled(message)
        event.token = message.token
        return event

    def failed(self, slot: Slot, event: Failed, now: int) -> Failed | None:
        """A message got no answer of its own: what to report, None if it is sent again instead."""
        message = event.token
        if isinstance(message, tuple):
            message = self._outgoing(message, slot, event.offered_at)
        elif not isinstance(message, Outgoing):
            return None
        if event.reason == "nack" and policy(event.status, self._settings.vendor) is Policy.THROTTLE:
            # Some centres throttle with a generic_nack: the message was refused like any other.
            self.throttle.answered(event.sent_at, now, refused=True)
            if self._again_later(message, now):
                return None
        self._counters[event.reason] += 1
        self.backlog.settled(message)
        return Failed(message.token, event.reason, event.status, event.offered_at, event.sent_at)

    def connection_ended(self, slot: Slot) -> list[Failed]:
        """Give up the pages that could only have left on the connection of this slot."""
        return self._unsent(self.backlog.remove_sticky(slot.index, slot.number))

    def expire(self, now: int, unbound_since: int | None) -> list[Failed]:
        """Give up pages whose dialogue is over, and everything when the link has been down for too long."""
        if not len(self.backlog) or now < self._expire_at:
            return []
        self._expire_at = now + EXPIRE_EVERY_MS
        left = self.backlog.remove_overdue(now - self._settings.sticky_wait_ms)
        if unbound_since is not None and now - unbound_since >= self._settings.unbound_wait_ms:
            left += self.backlog.clear()
        return self._unsent(left)

    def hand_back(self) -> list[Failed]:
        """Give up all that waits and is no page of a dialogue."""
        return self._unsent(self.backlog.remove_unbound())

    def clear(self) -> list[Failed]:
        """Give up everything that waits."""
        return self._unsent(self.backlog.clear())

    def on_time(self, now: int) -> None:
        """Judge the last second; let the throttled messages go whose wait is over."""
        self.throttle.on_time(now)
        if len(self.backlog):
            self.backlog.on_time(now)

    def next_deadline(self, now: int) -> int | None:
        """When `on_time` or `pump` will have something to do, as far as time decides it."""
        due = self.backlog.next_due()
        if self.backlog.has_ready() and self.bound:
            ready_at = self.throttle.ready_at(now)
            if ready_at > now and (due is None or ready_at < due):
                due = ready_at
        return due

    # -- inside -----------------------------------------------------------------------------------

    def _outgoing(self, page: PageOut, slot: Slot, offered_at: int) -> Outgoing:
        """Return a page that has left over a slot as a message that can wait."""
        body, token, _, subscriber = page
        self._offered += 1
        return Outgoing(
            self._offered, body, token, subscriber, True, True, offered_at, slot.index, slot.number
        )

    def _way_back(self, prefer: tuple[int, int] | None) -> Slot | None:
        """The transmitter through which an answer to that connection leaves, if it still can."""
        if prefer is None or not 0 <= prefer[0] < len(self._slots):
            return None
        slot = self._slots[prefer[0]]
        connection = slot.connection
        if connection is None or slot.number != prefer[1] or not connection.session.bound:
            return None
        if slot.twin != slot.index:
            slot = self._slots[slot.twin]
            connection = slot.connection
        return slot if connection is not None and connection.session.can_submit else None

    def _free_sender(self, prefer: tuple[int, int] | None) -> Slot | None:
        """The transmitter with most room, the preferred one if it has any; None if all are full or gone."""
        if prefer is not None and 0 <= prefer[0] < len(self._slots):
            wanted = self._slots[self._slots[prefer[0]].twin]
            session = wanted.sender
            if session is not None and session.window.free:
                return wanted
        best, room = None, 0
        for slot in self._senders:
            session = slot.sender
            if session is not None and session.window.free > room:
                best, room = slot, session.window.free
        return best

    def _send(self, slot: Slot, message: Outgoing, now: int) -> bool:
        """Put a message on the wire if there is a place and a token for it."""
        session = slot.sender
        if session is None:
            return False
        if not self.throttle.easy and (session.window.free < 1 or not self.throttle.admit(now)):
            return False
        return session.request(SUBMIT_SM, message.body, message, now, message.offered_at) is not None

    def _again_later(self, message: Outgoing, now: int) -> bool:
        """Keep a throttled message for another try; False when its dialogue cannot wait any longer."""
        self._counters["throttled"] += 1
        if self.leaving or (message.sticky and now - message.offered_at >= self._settings.sticky_wait_ms):
            return False
        self._wake_at(self.backlog.throttled(message, now))
        return True

    def _rebind(self, slot: Slot, message: Outgoing, now: int) -> bool:
        """The centre says that we are not bound: keep the message, bind again. False when that is vain."""
        if message.sticky or message.tries >= REBINDS or self.leaving:
            return False
        self._counters["rebinds"] += 1
        message.tries += 1
        self.backlog.put_back(message)
        if slot.connection is not None:
            slot.connection.unbind(now, 0)
        return True

    def _note_congestion(self, event: Answered) -> None:
        """congestion_state (SMPP 5.0, 4.8.4.18) comes on some 3.4 binds too: shown, not acted upon."""
        value = first_tlv(read_tlvs(event.body, len(event.message_id) + 1)[0], Tag.CONGESTION_STATE)
        if value:
            self.congestion = tlv_int(value[-1:])

    def _unsent(self, messages: list[Outgoing]) -> list[Failed]:
        if messages:
            self._counters["unsent"] += len(messages)
        return [Failed(message.token, "unsent", 0, message.offered_at) for message in messages]

    def _wake_at(self, moment: int) -> None:
        if self.wake is None or moment < self.wake:
            self.wake = moment
