"""Rows to the columns of the tables and back; secret parts are sealed on the way.

Knows the columns of `migrations/`, no connection and no transaction.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from engine.values import holds_secret, pack, unpack_extension
from gateway.store.record import (
    FINAL,
    JournalRow,
    MessageState,
    OrderRow,
    OrderState,
    OutboxRow,
    Retention,
    ScheduleRow,
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
