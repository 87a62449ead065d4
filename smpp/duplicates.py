"""Re-deliveries of short messages: which deliver_sm is a copy of one accepted before (smpp-ussd.md 2.4).

Equal text alone is no copy: the same text again is the normal answer to the next question. A copy has the
same source, destination, data_coding, payload and part reference, and besides one of:

* the same sequence number on the same connection;
* it comes within 15 minutes, and the connection of the first broke before its response was *confirmed*: the
  centre had not yet answered any request that we wrote behind the response;
* it comes within 10 seconds, and there is nothing of ours that left for that subscriber from that number
  after the first and that he can have read (`smpp.departure`) before he wrote the second.

The host tells what it writes and what is answered by *marks*: any number that grows with each write to a
connection (a count of writes, or UTC milliseconds). An `Identity` goes into the journal row of each accepted
message; after a restart `Duplicates.restore` takes the rows of the last 15 minutes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TypeAlias

import msgspec

BROKEN_MS = 15 * 60_000
"""How long a copy may come over another connection when the first one's response is in doubt."""
QUICK_MS = 10_000
"""How long a copy may come when the subscriber can have read nothing of ours in between."""
CONFIRMED_MS = 60_000
"""Confirmed messages are remembered so long; only equal sequence numbers can make a copy of them."""
MOST = 400_000
"""Messages remembered at most; beyond it the oldest are forgotten first."""

Connection: TypeAlias = tuple[int, int]
"""Bind and connection, as the link numbers them within one run of the process."""

_Key: TypeAlias = tuple[bytes, bytes, bytes]


class Identity(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What an accepted message is recognised by; stored in its journal row.

    `source` and `destination` are addresses as on the wire, `digest` covers data_coding, payload and part
    reference. `run` tells runs of the process apart (UTC ms of their start), `at` is when it was accepted.
    Messages of this connection accepted before `confirmed_until` had confirmed responses by then.
    """

    group: str
    source: bytes
    destination: bytes
    digest: bytes
    run: int
    connection: Connection
    sequence: int
    at: int
    confirmed_until: int = 0

    def __repr__(self) -> str:
        """Show no address: a repr may end in a log."""
        return f"Identity({self.group}, connection {self.connection}, sequence {self.sequence}, at {self.at})"


class _Accepted:
    """One remembered message."""

    __slots__ = ("at", "broken", "confirmed", "connection", "departed", "mark", "run", "sequence")

    def __init__(self, run: int, connection: Connection, sequence: int, at: int, departed: int = 0) -> None:
        self.departed = departed
        self.run = run
        self.connection = connection
        self.sequence = sequence
        self.at = at
        self.mark = 0
        self.confirmed = False
        self.broken = False


class Duplicates:
    """The accepted messages of one SMSC group that a copy may still come of. Plain memory of the host."""

    __slots__ = (
        "_by_key", "_frontier", "_group", "_older", "_recent", "_run", "_unwritten", "_written", "forgotten",
    )  # fmt: skip

    def __init__(self, group: str, run: int) -> None:
        """`run` is the start of this process in UTC milliseconds, the same for all its groups."""
        self._group = group
        self._run = run
        self._by_key: dict[_Key, list[_Accepted]] = {}
        self._recent: deque[tuple[_Key, _Accepted]] = deque()
        self._older: deque[tuple[_Key, _Accepted]] = deque()
        self._unwritten: dict[Connection, dict[int, _Accepted]] = {}
        self._written: dict[Connection, deque[_Accepted]] = {}
        self._frontier: dict[Connection, int] = {}
        self.forgotten = 0
        """Messages forgotten before their time because there were too many."""

    def is_copy(self, key: _Key, connection: Connection, sequence: int, now: int, read: int) -> bool:
        """Say whether a message is a copy.

        `key` is (source, destination, digest); `read` is the number of the latest departure that its
        subscriber can have read, 0 if there is none.
        """
        for one in self._by_key.get(key, ()):
            if one.sequence == sequence and one.connection == connection and one.run == self._run:
                return True
            age = now - one.at
            if one.broken and age <= BROKEN_MS:
                return True
            if age <= QUICK_MS and read <= one.departed:
                return True
        return False

    def accept(self, key: _Key, connection: Connection, sequence: int, now: int, departed: int) -> Identity:
        """Remember a message and return what its journal row is to hold.

        `departed` is how many messages of ours have left so far: none of them is an answer to this one.
        """
        self._sweep(now)
        one = _Accepted(self._run, connection, sequence, now, departed)
        self._keep(key, one)
        self._unwritten.setdefault(connection, {})[sequence] = one
        confirmed_until = self._frontier.get(connection, 0)
        return Identity(self._group, *key, self._run, connection, sequence, now, confirmed_until)

    def forget(self, identity: Identity) -> None:
        """Undo `accept`: the commit failed, and the centre is asked to send the message again."""
        key = (identity.source, identity.destination, identity.digest)
        kept = self._by_key.get(key, [])
        for one in kept:
            same = (one.run, one.connection, one.sequence, one.at)
            if same == (identity.run, identity.connection, identity.sequence, identity.at):
                kept.remove(one)
                break
        if not kept:
            self._by_key.pop(key, None)
        self._unwritten.get(identity.connection, {}).pop(identity.sequence, None)

    def doubt(self, identity: Identity) -> None:
        """Remember a message whose storing failed but whose text was used all the same.

        The centre will send it again, as it was asked to; that copy must have no effect.
        """
        one = _Accepted(identity.run, identity.connection, identity.sequence, identity.at)
        one.broken = True
        self._keep((identity.source, identity.destination, identity.digest), one)

    def written(self, connection: Connection, sequence: int, mark: int) -> None:
        """Take note that the deliver_sm_resp of a message was written in the write `mark`."""
        one = self._unwritten.get(connection, {}).pop(sequence, None)
        if one is not None:
            one.mark = mark
            self._written.setdefault(connection, deque()).append(one)

    def confirmed(self, connection: Connection, mark: int) -> None:
        """Take note that the centre has answered a request that was written in the write `mark`.

        It reads in order, so it has read every response of the writes before that one.
        """
        waiting = self._written.get(connection)
        if not waiting:
            return
        while waiting and waiting[0].mark < mark:
            one = waiting.popleft()
            one.confirmed = True
            self._frontier[connection] = max(self._frontier.get(connection, 0), one.at)

    def broken(self, connection: Connection) -> None:
        """Take note that a connection is gone: what was not confirmed on it is in doubt from here on."""
        for one in self._written.pop(connection, ()):
            one.broken = True
        for one in self._unwritten.pop(connection, {}).values():
            one.broken = True
        self._frontier.pop(connection, None)

    def restore(self, identities: Iterable[Identity]) -> None:
        """Take back the journal rows of the last 15 minutes after a restart, in any order.

        Their connections are gone with the process that had them, so all but the confirmed are in doubt.
        """
        rows = sorted(identities, key=lambda row: row.at)
        frontier: dict[tuple[int, Connection], int] = {}
        for row in rows:
            run = (row.run, row.connection)
            frontier[run] = max(frontier.get(run, 0), row.confirmed_until)
        for row in rows:
            if row.group != self._group:
                continue
            one = _Accepted(row.run, row.connection, row.sequence, row.at)
            one.confirmed = row.at < frontier[row.run, row.connection]
            one.broken = not one.confirmed
            self._keep((row.source, row.destination, row.digest), one)

    def __len__(self) -> int:
        return len(self._recent) + len(self._older)

    def _keep(self, key: _Key, one: _Accepted) -> None:
        self._by_key.setdefault(key, []).append(one)
        self._recent.append((key, one))

    def _sweep(self, now: int) -> None:
        """Forget what no copy can come of any more; amortised constant time."""
        recent, older = self._recent, self._older
        while recent and recent[0][1].at + CONFIRMED_MS <= now:
            key, one = recent.popleft()
            if one.confirmed:
                self._drop(key, one)
            else:
                older.append((key, one))
        while older and older[0][1].at + BROKEN_MS < now:
            self._drop(*older.popleft())
        while len(recent) + len(older) >= MOST:
            self._drop(*(older or recent).popleft())
            self.forgotten += 1

    def _drop(self, key: _Key, one: _Accepted) -> None:
        kept = self._by_key.get(key)
        if kept is None:
            return
        if one in kept:
            kept.remove(one)
        if not kept:
            del self._by_key[key]
