"""The rows of the store as plain data. All times are UTC in milliseconds of the host's one clock.

No SQL here and no meaning beyond what a row needs to be kept, found again, sealed and deleted in time.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from engine.values import Value


class Retention(StrEnum):
    """What kind of record a row is, and so how long it is kept (reliability.md, section 5)."""

    SESSION = "session"
    SMS = "sms"
    DETAIL = "edr"
    RATING = "rating"
    ORDER = "order"
    ONCE = "once"
    TASK = "task"
    CONTACT = "contact"
    AUDIT = "audit"
    WAIT = "wait"


class JournalRow(msgspec.Struct, frozen=True, gc=False):
    """One thing that happened in a session.

    `source` is the identity the channel gave the message (`main:12:345`), by which a repeated message finds
    this row and its stored `answer`. `secret` rows have `data` and `answer` sealed.
    """

    at: int
    session: str
    kind: str
    data: bytes = b""
    source: str | None = None
    answer: bytes | None = None
    secret: bool = False
    retention: Retention = Retention.SESSION


class MessageState(StrEnum):
    """Where an SMS of ours is. The last five are final: `unknown` was sent and may have arrived or not.

    `cancelled` never left: its subscriber wants nothing that he has not asked for.
    """

    WAITING = "waiting"
    SENT = "sent"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    FAILED = "failed"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"


FINAL = frozenset(
    {
        MessageState.DELIVERED,
        MessageState.FAILED,
        MessageState.EXPIRED,
        MessageState.UNKNOWN,
        MessageState.CANCELLED,
    },
)


class OutboxRow(msgspec.Struct, frozen=True, gc=False):
    """One SMS to a subscriber, whole: the host puts it again whenever it has changed.

    `sender` is the short code it leaves from, `link` the link it was given to ("" while any may take it).
    `parts` are the encoded parts once they were made, `message_ids` what the centre called them. A `secret`
    text is sealed in the file and wiped when `state` is final; the others stay for their retention time.
    `unasked` ones are no answer to anything the subscriber did: they wait for the rest, for the end of the
    quiet hours, and never leave to who has said STOP.
    """

    id: str
    to: str
    sender: str
    text: str
    at: int
    next_at: int
    expires_at: int
    state: MessageState = MessageState.WAITING
    secret: bool = False
    link: str = ""
    session: str = ""
    parts: tuple[bytes, ...] = ()
    message_ids: tuple[str, ...] = ()
    tries: int = 0
    error: str = ""
    unasked: bool = False


class OrderState(StrEnum):
    """Where an order is (reliability.md 2.1)."""

    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class OrderRow(msgspec.Struct, frozen=True, gc=False):
    """One order: something a back end must do at most once for a caller.

    `key` is what the back end sees, fixed with the intent. `identity` is what makes two requests the same
    order. `arguments` are those first sent, `error` the refusal, `value` what a success returned.
    `window_ms` is the operation's `once`. `sent_at` is the last time a request left. `settle_at` is when an
    unknown is looked at next; None while people have it or nothing is to be done. `doubtful` is set once the
    order was unknown, so that its end is told; `event_due` while the settled event has not been fired yet.
    """

    key: str
    identity: str
    caller: str
    operation: str
    state: OrderState
    arguments: Mapping[str, Value]
    asked_at: int
    window_ms: int
    sent_at: int
    lang: str = ""
    channel: str = ""
    business_key: str | None = None
    value: Value = None
    error: str = ""
    settled_at: int | None = None
    settle_at: int | None = None
    unknown_since: int | None = None
    attempts: int = 1
    doubtful: bool = False
    event_due: bool = False


class ScheduleRow(msgspec.Struct, frozen=True, gc=False):
    """Something to start at `due`: an event to deliver, a task, a later flow."""

    id: str
    due: int
    kind: str
    data: bytes
    secret: bool = False


class TaskKind(StrEnum):
    """What people are asked for: an answer by SMS, a call back, or what became of an order of money."""

    QUESTION = "question"
    CALLBACK = "callback"
    MONEY = "money"


class TaskState(StrEnum):
    """Where a task is. The last two are final; `expired` is one that nobody has done in its time."""

    OPEN = "open"
    TAKEN = "taken"
    DONE = "done"
    EXPIRED = "expired"


CLOSED = frozenset({TaskState.DONE, TaskState.EXPIRED})


class Line(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One line of a task: who wrote it (`flow`, `subscriber` or `staff`), when, and what."""

    at: int
    who: str
    text: str


class TaskRow(msgspec.Struct, frozen=True, gc=False):
    """Something that people do for a subscriber, whole: the host puts it again whenever it has changed.

    `number` is what the subscriber is told. `due` is by when it has to be done, `arrival` its place in the
    queue: `at` minus the head start. `key` makes two orders the same one. `code` is the short code answers
    leave from ("": the project's). `session` waits for the end of a question under call number `call`;
    `offer_at` is when that session is offered a call back, None if it is not or was. `lines` are what was
    written, the oldest first, `trail` what was dialled, chosen and answered before. `result`, `closing` and
    `about` are result, note and topic of whoever closed it. `not_before` is the hour that was agreed upon.
    Everything that tells of the subscriber, except the number, is sealed in the file.
    """

    number: int
    kind: TaskKind
    queue: str
    subscriber: str
    at: int
    due: int
    arrival: int
    state: TaskState = TaskState.OPEN
    key: str = ""
    code: str = ""
    topic: str = ""
    session: str = ""
    call: int = 0
    offer_at: int | None = None
    not_before: int | None = None
    skills: tuple[str, ...] = ()
    trail: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    taken_at: int | None = None
    closed_at: int | None = None
    result: str = ""
    closing: str = ""
    about: str = ""
    overdue: bool = False


class RatingRow(msgspec.Struct, frozen=True, gc=False):
    """One answer of a rating; `score` is None for a question without an answer, `who` the MSISDN."""

    at: int
    flow: str
    topic: str
    score: int | None
    low: int
    high: int
    channel: str
    who: str


class ContactRow(msgspec.Struct, frozen=True, gc=False):
    """A session about `topic` that has ended; `who` is a keyed hash."""

    at: int
    topic: str
    who: bytes


class WaitRow(msgspec.Struct, frozen=True, gc=False):
    """A wait in a queue of calls that has ended: when it began, how long it was (ms), how it ended.

    `how` is `answered`, `abandoned`, `timeout` or `other`; `talk_ms` is how long the talk was.
    """

    queue: str
    arrival: int
    waited_ms: int
    how: str
    talk_ms: int = 0


class SwitchRow(msgspec.Struct, frozen=True, gc=False):
    """One thing that staff have switched by hand: what (`kind`, `name`), to what, when and by whom."""

    kind: str
    name: str
    value: str
    at: int
    who: str


class AuditRow(msgspec.Struct, frozen=True, gc=False):
    """Who did what to what, and when; kept to be shown, never changed."""

    at: int
    who: str
    act: str
    object: str
    detail: str = ""


class StoredSession(msgspec.Struct, frozen=True, gc=False):
    """What `load` tells of a session without reading it: enough to set its timer again."""

    key: str
    version: int
    due: int | None


class Loaded(msgspec.Struct, frozen=True, gc=False):
    """Everything that must be known again after a start.

    `outbox` are the messages that are not final, `orders` those that may still matter: running, unknown,
    not told yet, and all that ended within their `once`. `tasks` are the open ones.
    """

    sessions: tuple[StoredSession, ...]
    outbox: tuple[OutboxRow, ...]
    orders: tuple[OrderRow, ...]
    schedule: tuple[ScheduleRow, ...]
    tasks: tuple[TaskRow, ...] = ()
