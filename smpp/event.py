"""What a session or a link tells its owner: one record per thing that happened.

`bind` is the number of the bind slot of the link, `connection` counts the connections ever made in the
process: together they name the way a message came, and a reply must leave.
"""

from collections.abc import Iterator
from typing import TypeAlias

import msgspec


class Inbound(msgspec.Struct, frozen=True, gc=False):
    """A request of the peer to be answered with `respond`: deliver_sm or data_sm (submit_sm for a centre).

    The body is as it came: whoever knows the family decodes it, many at once.
    """

    bind: int
    connection: int
    sequence: int
    command_id: int
    body: bytes


class InboundRow(msgspec.Struct, frozen=True, gc=False):
    """Requests of the usual kind that came one after the other: deliver_sm (submit_sm for a centre).

    What `sequences` and `bodies` hold at one place would be one `Inbound`. Nobody changes the two lists.
    """

    bind: int
    connection: int
    command_id: int
    sequences: list[int]
    bodies: list[bytes]

    def one(self, at: int) -> Inbound:
        """Return number `at` of the requests."""
        return Inbound(self.bind, self.connection, self.sequences[at], self.command_id, self.bodies[at])

    def singly(self) -> Iterator[Inbound]:
        """Yield the requests one by one."""
        return map(self.one, range(len(self.sequences)))


class Answered(msgspec.Struct, gc=False):
    """The peer answered one of our requests. `message_id` is b"" where it gave none.

    Not frozen, because the link puts its owner's token in place of its own; nobody else changes it.
    """

    token: object
    status: int
    message_id: bytes
    bind: int
    connection: int = 0
    sequence: int = 0
    body: bytes = b""
    offered_at: int = 0
    sent_at: int = 0


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """The peer accepted pages of dialogues that had left at `sent_at`, and said nothing else about them.

    It stands where the first of their responses stood. `tokens` are the owner's.
    """

    bind: int
    connection: int
    sent_at: int
    tokens: list[object]


class Failed(msgspec.Struct, frozen=True, gc=False):
    """One of our requests got no answer of its own.

    `reason`: `closed`, `timeout`, `wrong_response` (it may have been sent: outcome unknown), `nack` (the peer
    could not read it; `status` says why), `unsent` (it never left, or was refused for the time being).
    """

    token: object
    reason: str
    status: int = 0
    offered_at: int = 0
    sent_at: int = 0


class Bound(msgspec.Struct, frozen=True, gc=False):
    """Our bind was accepted. `version` is 0x33 when the centre named none: such a centre gets no TLVs."""

    system_id: bytes
    version: int


class BindRefused(msgspec.Struct, frozen=True, gc=False):
    """Our bind was refused, with this status."""

    status: int


class BindRequested(msgspec.Struct, frozen=True, gc=False):
    """An ESME wants to bind (centre's side); answer with `accept_bind` or `refuse_bind`."""

    sequence: int
    command_id: int
    body: bytes


class Closed(msgspec.Struct, frozen=True, gc=False):
    """The session is over; write what is left to send, then close the connection."""

    reason: str


class BindUp(msgspec.Struct, frozen=True, gc=False):
    """A bind of the link stands."""

    bind: int
    connection: int
    version: int = 0x34


class BindDown(msgspec.Struct, frozen=True, gc=False):
    """A bind ended, was refused, or could not be connected; `retry_ms` is when it is tried again.

    `alarm` is True when a person is needed: the centre refuses the account or its password.
    """

    bind: int
    connection: int
    reason: str
    status: int = 0
    alarm: bool = False
    retry_ms: int = -1


SessionEvent: TypeAlias = (
    Inbound | InboundRow | Answered | Accepted | Failed | Bound | BindRefused | BindRequested | Closed
)
LinkEvent: TypeAlias = Inbound | InboundRow | Answered | Accepted | Failed | BindUp | BindDown
