"""The messages to subscribers that are not final: each with its parts, and where it waits."""

from __future__ import annotations

from collections import deque

import msgspec

from gateway.host.batch import Batch
from gateway.host.carrier import Carrier
from gateway.host.host import Host
from gateway.host.unasked import Unasked
from gateway.store.record import FINAL, MessageState, OutboxRow


class PartToken(msgspec.Struct, frozen=True, gc=False):
    """Token of one part on its way; `attempt` makes late answers to an earlier attempt strangers."""

    id: str
    part: int
    attempt: int


class Message:
    """An open message: its row as stored, and which of its parts are where.

    `ids` are the centre's names of the parts, None while a part is not accepted; `reported` the parts whose
    receipt has come. `bodies` are kept while some parts of a long message are accepted and others are not:
    the handset joins only parts of one reference number. `attempt` counts how often it was sent from here.
    `refused_by` are the centres that refuse our account for it; `doubtful` is True once a part of a secret
    may have been sent: nothing of it is sent again. `stuck_since` is since when its centre is gone.
    """

    __slots__ = (
        "attempt", "bodies", "carrier", "doubtful", "ids", "refused_by", "reported", "row", "stuck_since",
    )  # fmt: skip

    def __init__(self, row: OutboxRow) -> None:
        self.row = row
        self.carrier: Carrier | None = None
        self.ids: list[bytes | None] = []
        self.bodies: list[bytes] = []
        self.reported: set[int] = set()
        self.attempt = 0
        self.doubtful = False
        self.refused_by: set[str] = set()
        self.stuck_since: int | None = None

    @property
    def untaken(self) -> bool:
        """True while no part is accepted: the whole message may still go any way."""
        return all(one is None for one in self.ids)


class Messages:
    """All open messages by their ids: `queue` waits for a link, `later` for its time (UTC ms)."""

    def __init__(self, host: Host, unasked: Unasked) -> None:
        self._host = host
        self._unasked = unasked
        self.open: dict[str, Message] = {}
        self.queue: deque[str] = deque()
        self.later: dict[str, int] = {}

    def of_token(self, token: object) -> Message | None:
        """Return the message of a part, None for a stranger and for an earlier attempt."""
        if not isinstance(token, PartToken):
            return None
        message = self.open.get(token.id)
        return message if message is not None and message.attempt == token.attempt else None

    def wait(self, row: OutboxRow) -> None:
        """Let a message wait for its turn, in the row of its class."""
        if row.unasked:
            self._unasked.add(row.id)
        else:
            self.queue.append(row.id)

    def end(self, batch: Batch, message: Message, state: MessageState, error: str) -> None:
        """Store the end of a message."""
        before = message.row
        assert state in FINAL
        row = msgspec.structs.replace(before, state=state, error=error)
        batch.stored.group().outbox(row)
        self.open.pop(row.id, None)
        self.later.pop(row.id, None)
        batch.on_failure(lambda: self.open.__setitem__(row.id, message))
        self._host.counters[f"sms_{state.value}"] += 1
        for observe in self._host.observers:
            observe("sms", None, row)
