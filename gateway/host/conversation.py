"""One live session with what the host must know beside it, and its form in the store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from engine.effects import CallBackend, Look, Question
from engine.flow_set import FlowSet
from engine.session import Session, Waiting, form_judged, is_secret, load
from engine.values import holds_secret, pack, unpack_extension
from gateway.journal.tally import NOTHING, Tally
from gateway.store.record import JournalRow
from ussd.dialog import Dialog

RECORD_VERSION = 2
"""Version 1 has the session as octets inside the record."""


class Record(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one row of `session` holds, sealed as a whole when anything inside is secret.

    `session` is as `engine.session.form_judged` has it, read back as a session. `call` is the back-end call
    that the session waits for: number, operation, arguments, business key, limit; after a restart it is
    asked again, under the same order where it is one. `look` are the questions it waits for, `order` the key
    of the order waited for. `closing` is true while nobody has confirmed the last text of a session that has
    charged. `tally` is for its record, `held` are messages that came while nothing could take them.
    """

    version: int
    build: str
    session: Session | bytes
    dialog: Dialog | None
    call: tuple[int, str, Any, str | None, int | None] | None
    look: tuple[tuple[str, str, str], ...] | None
    order: str | None
    closing: bool
    tally: Tally = NOTHING
    held: tuple[str, ...] = ()


BEGUN_OUTSIDE = "e:in:"
"""Begins the keys of the sessions of events from outside."""
BEGUN_LATER = "p:"
"""Begins the keys of scheduled starts and of their sessions by SMS."""
BEGUN_OUT = "o:"
"""Begins the keys of outbound plans and of their sessions by SMS."""
BEGUN_BY_US = (BEGUN_OUTSIDE, BEGUN_LATER, BEGUN_OUT)
"""Begin the keys of all sessions that we begin: events from outside, scheduled and outbound starts."""
TIMED = frozenset({Waiting.ANSWER, Waiting.READING, Waiting.OFFER, Waiting.PAUSE})
"""What a session waits for that ends with `Silence` at its deadline."""
_ANSWER, _ENDED = Waiting.ANSWER, Waiting.ENDED
TURN = "turn"
LAST_TURN = "last_turn"
"""Kinds of journal rows."""
LAST_PAGE = (0, Dialog.__struct_fields__.index("body"))
"""Where the answer stands in the data of a `LAST_TURN` row."""

_last_turn = msgspec.msgpack.Decoder(tuple[Dialog, Any]).decode
_decoder = msgspec.msgpack.Decoder(Record, ext_hook=unpack_extension)


class Conversation(msgspec.Struct, eq=False, gc=False):
    """A session while it lives: mutable, owned by the host.

    `key` names the row of the store: `u:` a USSD dialog, `s:` an SMS dialogue, `e:` an event. `version`
    counts the stored states. `due` is the earliest deadline (UTC ms); `slot` belongs to the wheel.
    `closing` is true for a session that has charged and ended, until its last screen is confirmed.
    `hides_input` tells that what is typed next must not be written down; after a restart nobody knows.
    `held` are messages of the subscriber, oldest first, that came while nothing could take them. `head` is
    how the messages of its USSD dialog begin, for `ussd.short_way`; it is not stored. `plain` is the last of
    its sessions that was found to be all there is to store beside the dialog, none of it secret or odd.

    It has nothing that leads back to it, so the collector of cycles need not know it.
    """

    key: str
    flows: FlowSet
    session: Session
    dialog: Dialog | None = None
    version: int = 0
    call: CallBackend | None = None
    look: Look | None = None
    order: str | None = None
    closing: bool = False
    hides_input: bool = False
    held: tuple[str, ...] = ()
    tally: Tally = NOTHING
    recorded: bool = False
    due: int | None = None
    slot: int = 0
    head: bytes = b""
    plain: Session | None = None

    def copy(self) -> Conversation:
        """Return what it is now, to be put back perhaps."""
        # `copy.copy` does just this; msgspec's type hints do not name it.
        copied: Conversation = self.__copy__()  # type: ignore[attr-defined]
        return copied

    @property
    def ended(self) -> bool:
        """Tell whether the flow will do nothing more."""
        return self.session.waiting is Waiting.ENDED

    def deadline(self) -> int | None:
        """Return when something happens here if nothing comes in: UTC ms."""
        session, dialog = self.session, self.dialog
        waiting = session.waiting
        if waiting is _ENDED:
            return None
        due = session.deadline if waiting is _ANSWER or waiting in TIMED else None
        if dialog is not None and not dialog.ended_at:
            limit = dialog.total_due
            if due is None:
                due = limit
                if dialog.answer_due and dialog.answer_due < limit:
                    due = dialog.answer_due
            elif limit < due:
                due = limit
        return due

    def is_secret(self) -> bool:
        """Tell whether anything here must not be stored in clear."""
        return (
            bool(self.held)
            or is_secret(self.session)
            or (self.call is not None and holds_secret(self.call.arguments))
        )

    def record(self) -> tuple[object, bool]:
        """Return a `Record` in a form MessagePack can write, and whether it must be sealed."""
        call, look, held = self.call, self.look, self.held
        stored = asked = None
        session = self.session
        form, secret = form_judged(session)
        if held:
            secret = True  # what it will be the answer to, nobody knows yet
        if call is not None:
            stored = (call.call, call.operation, pack(call.arguments), call.key, call.within_ms)
            secret = secret or holds_secret(call.arguments)
        if look is not None:
            asked = tuple((one.kind, one.name, one.subject) for one in look.questions)
        if form is session and not (secret or stored or asked or self.order or self.closing):
            self.plain = session
        return (
            RECORD_VERSION,
            session.build,
            form,
            self.dialog,
            stored,
            asked,
            self.order,
            self.closing,
            self.tally,
            held,
        ), secret

    def journal(self, inputs: list[tuple[str, str | None]]) -> tuple[str, object]:
        """Return kind and data, still to be encoded, of a turn: what came in, and where the flow stands.

        The last turn of a USSD dialog keeps the dialog, so that a repeat of its last message is known as
        one and gets the stored page, also after a restart.
        """
        dialog = self.dialog
        if dialog is not None and dialog.ended_at:
            return LAST_TURN, (dialog, inputs)
        frames = self.session.frames
        if not frames:
            return TURN, (("", 0), inputs)
        frame = frames[-1]
        return TURN, ((frame.flow, frame.pc), inputs)


def begun_by_us(key: str) -> bool:
    """Tell by its key whether we began a session and nobody had asked us to."""
    return key.startswith(BEGUN_BY_US)


def read_ended_dialog(row: JournalRow) -> Dialog:
    """Return the dialog of a `LAST_TURN` row. Raises msgspec.DecodeError."""
    dialog, _ = _last_turn(row.data)
    return dialog


def read_record(data: bytes) -> Record:
    """Read a stored record. Raises msgspec.DecodeError, or ValueError for a newer form."""
    record = _decoder.decode(data)
    if record.version not in (1, RECORD_VERSION):
        raise ValueError(
            f"the session was stored in form {record.version}, this version reads {RECORD_VERSION}"
        )
    return record


def revive(key: str, version: int, record: Record, flows: FlowSet) -> Conversation:
    """Make the conversation again that a record was made of."""
    session = load(record.session) if isinstance(record.session, bytes) else record.session
    conversation = Conversation(key, flows, session)
    conversation.version = version
    conversation.dialog = record.dialog
    conversation.order = record.order
    conversation.closing = record.closing
    conversation.tally = record.tally
    conversation.held = record.held
    conversation.hides_input = True
    if record.look is not None:
        conversation.look = Look(tuple(Question(*one) for one in record.look))
    if record.call is not None:
        number, operation, arguments, business_key, within_ms = record.call
        given: Mapping[str, Any] = arguments
        conversation.call = CallBackend(number, operation, given, business_key, within_ms)
    return conversation
