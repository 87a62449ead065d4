"""Rows to the columns of the tables and back; secret parts are sealed on the way.

Knows the columns of `migrations/`, no connection and no transaction.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from engine.values import holds_secret, pack, unpack_extension
from gateway.store.record import (
    CLOSED,
    FINAL,
    JournalRow,
    Line,
    MessageState,
    OrderRow,
    OrderState,
    OutboxRow,
    RatingRow,
    Retention,
    ScheduleRow,
    TaskKind,
    TaskRow,
    TaskState,
)
from gateway.store.sealing import Sealer

Columns: TypeAlias = tuple[Any, ...]
State: TypeAlias = tuple[str, int, int | None, int, Any]
"""A session in the log: key, version, due, kind, data (see `gateway.store.trail`)."""

SEALED, INLINE, GONE = 1, 2, 3
"""Kinds of states: sealed octets, data written as it is (0: octets in clear), or nothing any more."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(ext_hook=unpack_extension).decode
_NO_PARTS = b""


class _TaskData(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The sealed part of a task."""

    call: int
    offer_at: int | None
    not_before: int | None
    skills: tuple[str, ...]
    trail: tuple[str, ...]
    lines: tuple[Line, ...]
    taken_at: int | None
    result: str
    closing: str
    about: str
    overdue: bool


_task_data = msgspec.msgpack.Decoder(_TaskData).decode


class Form:
    """Turns rows into columns and columns into rows, with one `Sealer`."""

    __slots__ = ("_sealer",)

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def session(self, key: str, version: int, data: bytes, due: int | None, sealed: bool) -> State:
        """Return the state of a session: key, version, due, whether it is sealed, data."""
        if sealed:
            return key, version, due, SEALED, self._sealer.seal(data, b"session:" + key.encode())
        return key, version, due, 0, data

    def open_session(self, key: str, sealed: int, data: bytes) -> bytes:
        """Return the octets that were stored for a session; raises SealError."""
        return self._sealer.open(data, b"session:" + key.encode()) if sealed else data

    def journal(self, row: JournalRow) -> Columns:
        """Return the columns of a journal row after its id."""
        data, answer = row.data, row.answer
        if row.secret:
            context = b"journal:" + row.session.encode()
            data = self._sealer.seal(data, context)
            answer = None if answer is None else self._sealer.seal(answer, context)
        retention = row.retention._value_  # `.value` is a Python property, and this is the hottest row
        return row.at, row.session, row.kind, retention, row.source, int(row.secret), data, answer

    def open_journal(self, columns: Columns) -> JournalRow:
        """Read a journal row back from the columns that `journal` made; raises SealError."""
        at, session, kind, retention, source, secret, data, answer = columns
        if secret:
            context = b"journal:" + session.encode()
            data = self._sealer.open(data, context)
            answer = None if answer is None else self._sealer.open(answer, context)
        return JournalRow(at, session, kind, data, source, answer, bool(secret), Retention(retention))

    def outbox(self, row: OutboxRow) -> Columns:
        """Return the columns of a message; a secret text is gone once the message is final."""
        final = row.state in FINAL
        body: bytes | None = None
        if not (final and row.secret):
            body = _encode((row.text, row.parts))
            if row.secret:
                body = self._sealer.seal(body, b"outbox:" + row.id.encode())
        return (
            row.id,
            row.at,
            row.to,
            row.sender,
            row.link,
            row.session,
            row.state.value,
            int(final),
            int(row.secret),
            row.tries,
            row.next_at,
            row.expires_at,
            row.error,
            _encode(row.message_ids) if row.message_ids else _NO_PARTS,
            body,
            int(row.unasked),
        )

    def open_outbox(self, columns: Columns) -> OutboxRow:
        """Read a message back from the columns that `outbox` made; raises SealError."""
        (
            key,
            at,
            to,
            sender,
            link,
            session,
            state,
            _,
            secret,
            tries,
            next_at,
            expires_at,
            error,
            ids,
            body,
            unasked,
        ) = columns
        text, parts = "", ()
        if body is not None:
            text, parts = _decode(self._sealer.open(body, b"outbox:" + key.encode()) if secret else body)
        return OutboxRow(
            id=key,
            to=to,
            sender=sender,
            text=text,
            at=at,
            next_at=next_at,
            expires_at=expires_at,
            state=MessageState(state),
            secret=bool(secret),
            link=link,
            session=session,
            parts=tuple(parts),
            message_ids=tuple(_decode(ids)) if ids else (),
            tries=tries,
            error=error,
            unasked=bool(unasked),
        )

    def order(self, row: OrderRow) -> Columns:
        """Return the columns of an order; sealed as a whole when an argument or the answer is secret."""
        data = _encode(
            (
                pack(row.arguments),
                pack(row.value),
                row.window_ms,
                row.sent_at,
                row.lang,
                row.channel,
                row.business_key,
                row.settle_at,
                row.unknown_since,
                row.doubtful,
                row.event_due,
            )
        )
        sealed = holds_secret(row.arguments) or holds_secret(row.value)
        if sealed:
            data = self._sealer.seal(data, b"ledger:" + row.key.encode())
        open_ = row.state in {OrderState.RUNNING, OrderState.UNKNOWN} or row.event_due
        useful = 0 if row.settled_at is None else row.settled_at + row.window_ms
        return (
            row.key,
            row.identity,
            row.caller,
            row.operation,
            row.state.value,
            int(open_),
            row.asked_at,
            useful,
            row.settled_at,
            row.error,
            row.attempts,
            int(sealed),
            data,
        )

    def open_order(self, columns: Columns) -> OrderRow:
        """Read an order back from the columns that `order` made; raises SealError."""
        (
            key,
            identity,
            caller,
            operation,
            state,
            _,
            asked_at,
            _,
            settled_at,
            error,
            attempts,
            sealed,
            data,
        ) = columns
        if sealed:
            data = self._sealer.open(data, b"ledger:" + key.encode())
        (
            arguments,
            value,
            window_ms,
            sent_at,
            lang,
            channel,
            business_key,
            settle_at,
            unknown_since,
            doubtful,
            event_due,
        ) = _decode(data)
        return OrderRow(
            key=key,
            identity=identity,
            caller=caller,
            operation=operation,
            state=OrderState(state),
            arguments=arguments,
            asked_at=asked_at,
            window_ms=window_ms,
            sent_at=sent_at,
            lang=lang,
            channel=channel,
            business_key=business_key,
            value=value,
            error=error,
            settled_at=settled_at,
            settle_at=settle_at,
            unknown_since=unknown_since,
            attempts=attempts,
            doubtful=doubtful,
            event_due=event_due,
        )

    def schedule(self, row: ScheduleRow) -> Columns:
        """Return the columns of a scheduled start."""
        data = self._sealer.seal(row.data, b"schedule:" + row.id.encode()) if row.secret else row.data
        return row.id, row.due, row.kind, int(row.secret), data

    def open_schedule(self, columns: Columns) -> ScheduleRow:
        """Read a scheduled start back from the columns that `schedule` made; raises SealError."""
        key, due, kind, secret, data = columns
        if secret:
            data = self._sealer.open(data, b"schedule:" + key.encode())
        return ScheduleRow(key, due, kind, data, bool(secret))

    def task(self, row: TaskRow) -> Columns:
        """Return the columns of a task; what was said and noted is sealed."""
        data = _TaskData(
            row.call,
            row.offer_at,
            row.not_before,
            row.skills,
            row.trail,
            row.lines,
            row.taken_at,
            row.result,
            row.closing,
            row.about,
            row.overdue,
        )
        return (
            row.number,
            row.kind.value,
            row.queue,
            row.state.value,
            int(row.state not in CLOSED),
            row.at,
            row.due,
            row.arrival,
            row.closed_at,
            row.key,
            row.subscriber,
            row.code,
            row.topic,
            row.session,
            self._sealer.seal(_encode(data), b"task:%d" % row.number),
        )

    def open_task(self, columns: Columns) -> TaskRow:
        """Read a task back from the columns that `task` made; raises SealError."""
        number, kind, queue, state, _, at, due, arrival, closed_at, key, subscriber, *rest = columns
        code, topic, session, sealed = rest
        data = _task_data(self._sealer.open(sealed, b"task:%d" % number))
        return TaskRow(
            number=number,
            kind=TaskKind(kind),
            queue=queue,
            subscriber=subscriber,
            at=at,
            due=due,
            arrival=arrival,
            state=TaskState(state),
            key=key,
            code=code,
            topic=topic,
            session=session,
            call=data.call,
            offer_at=data.offer_at,
            not_before=data.not_before,
            skills=data.skills,
            trail=data.trail,
            lines=data.lines,
            taken_at=data.taken_at,
            closed_at=closed_at,
            result=data.result,
            closing=data.closing,
            about=data.about,
            overdue=data.overdue,
        )

    def rating(self, row: RatingRow) -> Columns:
        """Return the columns of a rating after its id; who said it is sealed."""
        who = self._sealer.seal(row.who.encode(), _rating_context(row.flow, row.topic, row.at))
        return row.at, row.flow, row.topic, row.score, row.low, row.high, row.channel, who

    def open_rating(self, columns: Columns) -> RatingRow:
        """Read a rating back; `who` is empty once its term is over. Raises SealError."""
        at, flow, topic, score, low, high, channel, data = columns
        who = "" if data is None else self._sealer.open(data, _rating_context(flow, topic, at)).decode()
        return RatingRow(at, flow, topic, score, low, high, channel, who)


def _rating_context(flow: str, topic: str, at: int) -> bytes:
    return f"rating:{at}:{flow}:{topic}".encode()
