"""One bind of a link: a place for a connection that comes and goes.

A transceiver is one slot; a pair is two, whose receiver names its transmitter as its twin. The slot keeps
what outlives a connection: the way back (`smpp.reconnect`), why the last one ended, how often it was bound.
"""

from collections.abc import Callable
from typing import Any

from smpp.client import Connection
from smpp.pdu.command import CommandId
from smpp.reconnect import Backoff
from smpp.session import Session
from smpp.settings import LinkSettings, Mode

KINDS = {
    CommandId.BIND_TRANSCEIVER: "transceiver",
    CommandId.BIND_TRANSMITTER: "transmitter",
    CommandId.BIND_RECEIVER: "receiver",
}


class Slot:
    """Bind number `index` of a link."""

    def __init__(self, index: int, command_id: CommandId, twin: int, backoff: Backoff) -> None:
        self.index = index
        self.command_id = command_id
        self.twin = twin
        """The slot through which answers to messages of this slot leave: itself, or its transmitter."""
        self.backoff = backoff
        self.connection: Connection | None = None
        self.number = 0
        self.connecting = False
        self.retry_at: int | None = 0
        self.refused = 0
        self.reason = ""
        self.alarm = ""
        self.bound_at: int | None = None
        self.system_id = b""
        self.times_bound = 0

    @property
    def transmits(self) -> bool:
        """True if submit_sm may leave on this kind of bind."""
        return self.command_id is not CommandId.BIND_RECEIVER

    @property
    def session(self) -> Session | None:
        """The session while it is bound."""
        connection = self.connection
        if connection is None or not connection.session.bound:
            return None
        return connection.session

    @property
    def sender(self) -> Session | None:
        """The session if a submit_sm may be put on it now, its window aside."""
        connection = self.connection
        if connection is None or connection.congested or not connection.session.can_submit:
            return None
        return connection.session

    def describe(self, now: int) -> dict[str, Any]:
        """What a status page shows of this bind; times in milliseconds."""
        session = self.connection.session if self.connection else None
        return {
            "bind": self.index,
            "kind": KINDS[self.command_id],
            "state": session.state.value if session else "connecting" if self.connecting else "closed",
            "connection": self.number,
            "bound_for_ms": now - self.bound_at if self.bound_at is not None else None,
            "times_bound": self.times_bound,
            "centre": self.system_id.decode("ascii", "replace"),
            "version": f"{session.version:#x}" if session else None,
            "pending": len(session.window) if session else 0,
            "retry_in_ms": max(0, self.retry_at - now) if self.retry_at is not None else None,
            "last_end": self.reason,
            "alarm": self.alarm,
            "counters": dict(session.counters) if session else {},
        }


def make_slots(settings: LinkSettings, backoff: Callable[[], Backoff]) -> list[Slot]:
    """The slots of a link: one per transceiver, or receiver and transmitter for each pair."""
    slots: list[Slot] = []
    for _ in range(settings.binds):
        index = len(slots)
        if settings.mode is Mode.TRANSCEIVER:
            slots.append(Slot(index, CommandId.BIND_TRANSCEIVER, index, backoff()))
        else:
            slots.append(Slot(index, CommandId.BIND_RECEIVER, index + 1, backoff()))
            slots.append(Slot(index + 1, CommandId.BIND_TRANSMITTER, index + 1, backoff()))
    return slots
