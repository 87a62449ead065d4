"""What is to be stored together: groups, each atomic, many of them in one transaction.

A group is one turn. Its compare-and-sets decide whether it counts: a group that loses one drops out alone
with everything it holds. Nothing here touches the file; `SqliteStore.commit` does.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TypeAlias

import msgspec

from gateway.store.detail import Own
from gateway.store.form import GONE, INLINE, Columns, Form, State
from gateway.store.memory import MemoryCount
from gateway.store.record import (
    AuditRow,
    ContactRow,
    JournalRow,
    OrderRow,
    OutboxRow,
    RatingRow,
    Retention,
    ScheduleRow,
    SwitchRow,
    TaskRow,
    WaitRow,
)


class Kind(IntEnum):
    """Which table an operation of a group is for."""

    JOURNAL = 0
    OUTBOX = 1
    ORDER = 2
    MEMORY = 3
    SCHEDULE = 4
    MESSAGE = 5
    META = 6
    TASK = 7
    RATING = 8
    CONTACT = 9
    SWITCH = 10
    AUDIT = 11
    DETAIL = 12
    WAIT = 13


Place: TypeAlias = tuple[int, ...]
"""Where something stands inside of data: the index in the outermost array, in the one that is there, ..."""
Turn: TypeAlias = tuple[int, str, str, object, bytes | Place | None]
"""The journal row of a plain turn: at, session, kind, data before it is encoded, answer (or where in it)."""
Row: TypeAlias = tuple[int, str, Columns | None]
"""A row of another table: its `Kind`, the name under which a later one replaces it, its columns."""
Ready: TypeAlias = tuple[State, Turn, tuple[Row, ...]]
"""What most groups come to: the state of one session, its turn, and what else there is."""

_encode = msgspec.msgpack.Encoder().encode
_JOURNAL, _OUTBOX, _ORDER, _MEMORY, _SCHEDULE, _MESSAGE, _META, *_LATER = map(int, Kind)
_TASK, _RATING, _CONTACT, _SWITCH, _AUDIT, _DETAIL, _WAIT = _LATER


class Group(msgspec.Struct, eq=False, gc=False):
    """One atomic group.

    `lost` is set when it dropped out: someone else was first, or it is `unfit`: it holds something that the
    database cannot take, such as half a surrogate pair.
    """

    # Tuples, because most groups hold one session and one row of the journal, and nothing of the rest.
    _form: Form
    _memory: MemoryCount
    lost: bool = False
    unfit: bool = False
    sessions: tuple[State, ...] = ()
    turn: Turn | None = None
    rows: tuple[Row, ...] = ()
    once: tuple[tuple[str, str, int], ...] = ()
    remembered: tuple[tuple[str, str, list[int | None], list[int | None]], ...] = ()

    def put_session(self, key: str, version: int, data: bytes, due: int | None, sealed: bool) -> int:
        """Store a session that is at `version` now (0: not stored yet) and return its next version.

        `due` is its next deadline (UTC ms). With `sealed` the store encrypts `data`; `get_session` gives it
        back in clear. A key goes into a batch once.
        """
        self.sessions += (self._form.session(key, version + 1, data, due, sealed),)
        return version + 1

    def put_state(self, key: str, version: int, state: object, due: int | None) -> int:
        """As `put_session` of what MessagePack makes of `state`, which holds no secret.

        It is written when the batch is: change nothing in it until then.
        """
        self.sessions += ((key, version + 1, due, INLINE, state),)
        return version + 1

    def drop_session(self, key: str, version: int) -> None:
        """Remove a session that is at `version`; one that was never stored (0) is left alone."""
        self.sessions += ((key, version + 1, None, GONE, None),)

    def journal(self, row: JournalRow) -> None:
        """Append to the journal."""
        self.rows += ((_JOURNAL, "", self._form.journal(row)),)

    def journal_turn(
        self, at: int, session: str, kind: str, data: object, answer: bytes | None, secret: bool
    ) -> None:
        """Append the turn of a session, once a group: a journal row with what MessagePack makes of `data`.

        It is written when the batch is: change nothing in it until then.
        """
        if secret:
            self.journal(JournalRow(at, session, kind, _encode(data), None, answer, secret))
        else:
            self.turn = (at, session, kind, data, answer)

    def outbox(self, row: OutboxRow) -> None:
        """Store a message as it is now: new, tried again or final."""
        self.rows += ((_OUTBOX, row.id, self._form.outbox(row)),)

    def order(self, row: OrderRow) -> None:
        """Store an order as it is now."""
        self.rows += ((_ORDER, row.key, self._form.order(row)),)

    def remember(self, subject: str, name: str, at: int, until: int | None) -> None:
        """Remember one more of `name` for `subject` until `until` (UTC ms; None: for ever)."""
        self._memory.add(subject, name, until)
        self.remembered = (*self.remembered, (subject, name, [until], []))
        self.rows += ((_MEMORY, "", (subject, name, at, until)),)

    def forget(self, subject: str, name: str) -> None:
        """Remove all that is remembered as `name` of `subject`."""
        self.remembered = (*self.remembered, (subject, name, [], self._memory.clear(subject, name)))
        self.rows += ((_MEMORY, "", (subject, name)),)

    def schedule(self, row: ScheduleRow) -> None:
        """Store something to be started later; the same id replaces it."""
        self.rows += ((_SCHEDULE, row.id, self._form.schedule(row)),)

    def unschedule(self, id: str) -> None:  # noqa: A002 - the name of the column
        """Remove a scheduled start: it has been done in this group."""
        self.rows += ((_SCHEDULE, id, None),)

    def once_id(self, kind: str, id: str, at: int) -> None:  # noqa: A002 - the name of the column
        """Take an outside id (an event, a webhook) once: the group is lost if it was taken before."""
        self.once = (*self.once, (kind, id, at))

    def message_id(self, link: str, message_id: str, outbox_id: str, part: int, at: int) -> None:
        """Note what the centre of `link` calls a part of a message of ours, for its receipt."""
        self.rows += ((_MESSAGE, "", (link, message_id, outbox_id, part, at)),)

    def meta(self, name: str, value: bytes) -> None:
        """Store a small value of the gateway's own by name."""
        self.rows += ((_META, name, (name, value)),)

    def unmeta(self, name: str) -> None:
        """Remove a small value of the gateway's own."""
        self.rows += ((_META, name, None),)

    def task(self, row: TaskRow) -> None:
        """Store a task as it is now."""
        self.rows += ((_TASK, str(row.number), self._form.task(row)),)

    def rating(self, row: RatingRow) -> None:
        """Store one answer of a rating."""
        self.rows += ((_RATING, "", self._form.rating(row)),)

    def contact(self, row: ContactRow) -> None:
        """Note that a session about a topic has ended."""
        self.rows += (contact(row),)

    def wait(self, row: WaitRow) -> None:
        """Append a wait in a queue of calls that has ended."""
        columns = (row.queue, row.arrival, row.waited_ms, row.how, row.talk_ms)
        self.rows += ((_WAIT, "", columns),)

    def switch(self, row: SwitchRow) -> None:
        """Store what staff have switched; the same kind and name replace it."""
        self.rows += ((_SWITCH, f"{row.kind} {row.name}", (row.kind, row.name, row.value, row.at, row.who)),)

    def unswitch(self, kind: str, name: str) -> None:
        """Remove a switch."""
        self.rows += ((_SWITCH, f"{kind} {name}", (kind, name)),)

    def audit(self, row: AuditRow) -> None:
        """Note who did what."""
        self.rows += ((_AUDIT, "", (row.at, row.who, row.act, row.object, row.detail)),)

    def detail(self, at: int, common: bytes, own: Own) -> None:
        """Append the record of a session that has ended, see `detail`."""
        self.rows += (detail(at, common, own),)

    def size(self) -> tuple[int, int, int]:
        """Return how much is in it, for `cut`."""
        return len(self.rows), len(self.once), len(self.remembered)

    def cut(self, size: tuple[int, int, int]) -> None:
        """Take out what came in since `size`; not for sessions, which come in last of all."""
        rows, once, remembered = size
        self.rows = self.rows[:rows]
        self.once = self.once[:once]
        for subject, name, added, cleared in reversed(self.remembered[remembered:]):
            self._memory.take_back(subject, name, added, cleared)
            self._memory.release(subject, name)
        self.remembered = self.remembered[:remembered]

    def end(self, stored: bool) -> None:
        """The transaction has ended for this group: settle what it counted. Called by the store, once."""
        for subject, name, added, cleared in reversed(self.remembered):
            if not stored:
                self._memory.take_back(subject, name, added, cleared)
            self._memory.release(subject, name)
        self.remembered = ()


def contact(row: ContactRow) -> Row:
    """Return the note that a session about a topic has ended."""
    return _CONTACT, "", (row.at, row.topic, row.who)


def detail(at: int, common: bytes, own: Own) -> Row:
    """Return the record of a session that ended at `at`; it gets the next number, without gaps.

    `common` is the JSON object of what it shares with others, `own` what only it has; that is written when
    the batch is: change nothing in it until then.
    """
    return _DETAIL, "", (at, common, own)


class StoreBatch:
    """Groups that go into one transaction, and the deletions of the sweeper; `now` is its moment (UTC ms).

    `kept` and `ended` are groups as well, of sessions that are in no other group: of those whose states
    stay, and of those that are gone. They are ready to be written all together, without a `Group` for each.
    """

    __slots__ = ("_form", "_memory", "ended", "groups", "kept", "now", "swept")

    def __init__(self, form: Form, memory: MemoryCount, now: int = 0) -> None:
        self._form = form
        self._memory = memory
        self.now = now
        self.groups: list[Group] = []
        self.kept: list[Ready] = []
        self.ended: list[Ready] = []
        self.swept: list[tuple[Retention | None, int, int]] = []

    def group(self) -> Group:
        """Open a new group of this batch."""
        group = Group(self._form, self._memory)
        self.groups.append(group)
        return group

    def unfolded(self, ready: list[Ready]) -> list[Group]:
        """Return what is ready as groups, to be looked at one by one."""
        return [
            Group(self._form, self._memory, sessions=(state,), turn=turn, rows=rows)
            for state, turn, rows in ready
        ]

    def alone(self, group: Group) -> StoreBatch:
        """Return a batch of one group of this one, for trying it out."""
        batch = StoreBatch(self._form, self._memory, self.now)
        batch.groups.append(group)
        return batch

    def sweep(self, retention: Retention | None, before: int, limit: int) -> None:
        """Delete at most `limit` rows per table of a class that are older than `before` (UTC ms).

        None is what was remembered of subscribers and has ended by `before`. Open messages and orders stay.
        """
        self.swept.append((retention, before, limit))
