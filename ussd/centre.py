"""The USSD channel of one SMSC group: what a message of the centre is, and what it does to its dialog. Pure.

Theory of operation. The operation of a message decides what it is, never the look of its text. First of all
copies of accepted messages are found (`ussd.repeat`); then a "new" opens a dialog and supersedes a live one
of the handset; input goes to the live dialog or gets a farewell, so a late answer never starts a flow. Every
accepted message makes a changed copy of its dialog and puts it into `Dialogs`; the old one is the arrival's
`before`. What is answered is in `ussd.answer`.

Source: smpp-ussd.md 1.1-1.8; TS 24.090 for one dialog per handset.
"""

from __future__ import annotations

import hashlib
from copy import copy

from smpp.msisdn import E164_MAX, MSISDN_MIN, normal_msisdn
from smpp.pdu.message import Sm
from smpp.pdu.status import Status
from ussd.answer import Answers
from ussd.arrival import NOT_USSD, Aborted, Answered, Arrival, Dialled, Notified, Repeated, Stray
from ussd.dialect import Code, Dialect
from ussd.dialog import NO_ID, Dialog, Dialogs, Key, Seen
from ussd.envelope import SESSION_ID_MAX
from ussd.operation import LAST_INPUTS, TAG_OP, TAG_PAYLOAD, Event
from ussd.repeat import find_original, with_seen
from ussd.screen import INPUT_MAX

_NEW, _INPUT, _NOTIFY_ACK, _ABORT = Event.NEW, Event.INPUT, Event.NOTIFY_ACK, Event.ABORT
_DIGESTS_MAX = 4_096
_KEY_MAX, _CODE_MAX = 2, 6
"""Octets of a menu key and of a dialled code whose digests are kept; a PIN is longer than either allows."""
_ZERO = ord("0")
_PLAIN_NUMBER = tuple(MSISDN_MIN <= length <= E164_MAX for length in range(256))
_DIAL_KEYS = b"*#0123456789"
_RECEIPT_MASK, _RECEIPT = 0x3C, 0x04
_REJECT = int(Status.RX_R_APPN)


class UssdChannel(Answers):
    """One group of binds to one USSD centre.

    `farewell` replaces the dialect's text for input without a session. `key` keys the digests by which
    copies are recognised, so that a stored digest does not give away a typed PIN; it must stay the same over
    restarts. `counts` are the arrivals by kind and the strays by reason, for metrics.
    """

    def __init__(
        self, dialect: Dialect, group: str, *, farewell: str | None = None, key: bytes = b""
    ) -> None:
        super().__init__(dialect, group, farewell)
        self._digests: dict[tuple[bytes, bytes], bytes] = {}
        self._hasher = hashlib.blake2b(digest_size=8, key=key[:64])
        self._tag = dialect.session_id.tag
        self._op_in = dict(dialect.op_in)
        self._letters = dialect.letters
        self._detect_tlv = dialect.detect_tlv
        self._country = dialect.sms.country

    def receive(
        self, sm: Sm, *, connection: tuple[int, int], sequence: int, now: int, dialogs: Dialogs
    ) -> Arrival:
        """Say what a deliver_sm is and update `dialogs`.

        `connection` is (bind, connection), `sequence` that of the PDU, `now` UTC milliseconds. Never raises.
        """
        op: bytes | None = None
        octets = b""
        payload = sm.short_message
        for tag, value in sm.tlvs:
            if tag == TAG_OP:
                op = value if op is None else op
            elif tag == self._tag:
                octets = octets or value[:SESSION_ID_MAX]
            elif tag == TAG_PAYLOAD:
                payload = payload or value
        detected = op is not None and self._detect_tlv
        if sm.esm_class & _RECEIPT_MASK == _RECEIPT or not (detected or self._is_ussd(sm, payload)):
            return NOT_USSD
        source = sm.source
        if sm.source_ton == 1 and source.isdigit() and source[0] != _ZERO and _PLAIN_NUMBER[len(source)]:
            msisdn = source.decode("ascii")  # the short way: written as most centres do
        else:
            normal = normal_msisdn(source, sm.source_ton, sm.source_npi, self._country)
            if normal is None:
                return self._stray("bad_source", _REJECT)
            msisdn = normal
        ident = unit = NO_ID
        over = False
        if octets:
            ident, unit, over = self._envelope.read_id(octets)
        code: Code | None = None
        written = b""
        if self._letters:
            code = written = sm.service_type
        elif op is not None:
            code = op[0] if len(op) == 1 else int.from_bytes(op, "big")
            written = op
        digest = self._digests.get((written, payload)) or self._digest(written, payload)
        key = (self.group, msisdn)
        last = dialogs.by_key.get(key)
        mine = last
        if last is not None and ident != last.ident and ident != NO_ID and not _may_be_of(last, ident):
            mine = None
        if mine is not None:
            for one in (*mine.seen, *mine.older) if mine.older else mine.seen:
                if one.digest == digest:
                    original = find_original(mine, connection, sequence, digest, unit, now)
                    if original is not None:
                        return self._repeated(mine, original)
                    break
        event = self._op_in.get(code) if code is not None else self._guess(last, payload)
        if event is None:
            return self._stray("unknown_op", _REJECT)
        seen = Seen(connection, sequence, digest, unit, now, event is _NEW)
        if event is _NEW:
            return self._open(sm, payload, key, last, seen, octets, ident, dialogs)
        if mine is None or mine.ended_at:
            return self._without_dialog(sm, event, mine, octets)
        over = over or code in LAST_INPUTS
        return self._continue(sm, payload, event, mine, seen, octets, ident, over, dialogs)

    def _digest(self, written: bytes, payload: bytes) -> bytes:
        """Make the digest of an operation and a text, and keep it where the text can be no secret."""
        hasher = self._hasher.copy()
        hasher.update(written)
        hasher.update(payload)
        digest = hasher.digest()
        longest = _CODE_MAX if payload[:1] in (b"*", b"#") else _KEY_MAX
        if len(payload) <= longest and len(self._digests) < _DIGESTS_MAX:
            self._digests[written, payload] = digest
        return digest

    def _is_ussd(self, sm: Sm, payload: bytes) -> bool:
        dialect = self.dialect
        if sm.service_type in dialect.detect_service_types:
            return True
        if self._letters and sm.service_type in self._op_in:
            return True
        return dialect.detect_dialled and _looks_dialled(payload)

    def _guess(self, last: Dialog | None, payload: bytes) -> Event | None:
        """Say what a message without an operation is: input of a live dialog, or else a dialled string."""
        if last is not None and not last.ended_at:
            return Event.INPUT
        if self.dialect.code_field == "destination_addr" or _looks_dialled(payload):
            return Event.NEW
        return Event.INPUT

    def _open(
        self,
        sm: Sm,
        payload: bytes,
        key: Key,
        last: Dialog | None,
        seen: Seen,
        octets: bytes,
        ident: int,
        dialogs: Dialogs,
    ) -> Arrival:
        dialogs.sweep(seen.at)
        superseded: Dialog | None = None
        opened_at = seen.at
        older: tuple[Seen, ...] = ()
        if last is not None:
            opened_at = max(opened_at, last.opened_at + 1)
            older = last.seen[-2:]
            if not last.ended_at:
                superseded = copy(last)
                superseded.ended_at, superseded.ended_by = seen.at, "new"
                superseded.answer_due = superseded.idle_due = 0
                self.counts["superseded"] += 1
        text = self._dialled(sm, payload)
        dialect = self.dialect
        dialog = Dialog(
            group=self.group,
            msisdn=key[1],
            called=text,
            opened_at=opened_at,
            service_type=sm.service_type,
            dest=sm.dest,
            route=self._envelope.route(sm),
            octets=octets,
            ident=ident,
            unit=seen.unit,
            connection=seen.connection,
            seen=(seen,),
            older=older,
            turns=1,
            answer_due=seen.at + dialect.answer_ms,
            total_due=seen.at + dialect.total_ms,
        )
        dialogs.put(dialog)
        self.counts["dialled"] += 1
        return Dialled(dialog, text, superseded, last)

    def _continue(
        self,
        sm: Sm,
        payload: bytes,
        event: Event,
        last: Dialog,
        seen: Seen,
        octets: bytes,
        ident: int,
        over: bool,
        dialogs: Dialogs,
    ) -> Arrival:
        # `copy` does just this; msgspec's type hints do not name it.
        dialog: Dialog = last.__copy__()  # type: ignore[attr-defined]
        dialog.connection = seen.connection
        if octets:
            dialog.octets = octets
            dialog.ident = ident
            if seen.unit >= 0:
                dialog.unit_moves = last.unit_moves or (last.unit >= 0 and seen.unit != last.unit)
                dialog.unit = seen.unit
        if sm.dest != last.dest and sm.dest:
            dialog.dest, dialog.route = sm.dest, self._envelope.route(sm)
        if event is _ABORT or (over and not payload):
            dialogs.put(dialog)
            dialogs.end(dialog, seen.at, "network")
            self.counts["aborted"] += 1
            return Aborted(dialog, "network", last)
        if last.releasing:
            dialogs.put(dialog)
            release = self.release(dialog, seen.at, dialogs)
            self.counts["acknowledged"] += 1
            return Notified(dialog, release, last)
        dialog.seen = with_seen(last.seen, seen)
        if event is _NOTIFY_ACK:
            dialog.acks += 1
            dialogs.put(dialog)
            self.counts["acknowledged"] += 1
            return Notified(dialog, None, last)
        text = self.screens.read(sm.data_coding, payload)
        dialog.turns += 1
        dialog.body = None
        dialog.answered = False
        dialog.answer_due = seen.at + self.dialect.answer_ms
        dialog.idle_due = 0
        dialogs.by_key[dialog.group, dialog.msisdn] = dialog  # live for live: nothing of `put` to keep
        if over:
            dialogs.end(dialog, seen.at, "network")
        self.counts["input"] += 1
        return Answered(dialog, text, over, last)

    def _repeated(self, last: Dialog, original: Seen) -> Repeated | Stray:
        """Answer a copy: the newest message gets the stored page, an earlier one has had its answer.

        A dialog that was lost with its bind gets the farewell: the centre, and the subscriber, still wait.
        """
        newest = bool(last.seen) and original is last.seen[-1]
        if newest and last.ended_by == "lost":
            return self._stray("repeated_after_loss", 0, self.farewell(last.route, last.octets))
        self.counts["repeated"] += 1
        current = newest and last.ended_by in ("", "flow")
        return Repeated(last, last.body if current else None)

    def _without_dialog(self, sm: Sm, event: Event, mine: Dialog | None, octets: bytes) -> Arrival:
        """Rule 2: nothing that comes without a live session starts a flow."""
        if event is _NOTIFY_ACK and mine is not None and mine.ended_by == "flow":
            self.counts["acknowledged"] += 1
            return Notified(mine)
        if event is not _INPUT:
            return self._stray(f"{event.value}_without_session", 0)
        return self._stray("input_without_session", 0, self.farewell(self._envelope.route(sm), octets))

    def _stray(self, reason: str, status: int, farewell: bytes | None = None) -> Stray:
        self.counts[reason] += 1
        return Stray(status, reason, farewell)

    def _dialled(self, sm: Sm, payload: bytes) -> str:
        """Return the dialled string: what the subscriber typed, with its stars and hash."""
        if self.dialect.code_field == "short_message":
            return self.screens.read(sm.data_coding, payload)
        code = sm.dest.decode("ascii", "replace")[:INPUT_MAX]
        return f"*{code}#" if code.isdigit() else code


def _may_be_of(dialog: Dialog, ident: int) -> bool:
    """Tell whether a message with another session id may belong to a dialog: ids are given once.

    A dialog without an id takes what comes, and one that we began takes the centre's number with the first
    message, even where we had given one; but never that of the dialog before it.
    """
    if dialog.ident == NO_ID:
        return ident != dialog.past
    return dialog.ours and not dialog.turns and not dialog.ended_at and ident != dialog.past


def _looks_dialled(octets: bytes) -> bool:
    """Tell whether a text is a dialled string: `*` or `#`, digits and stars, `#`."""
    text = octets.rstrip(b"\0\r")
    return len(text) >= 3 and text[:1] in (b"*", b"#") and text[-1:] == b"#" and not text.strip(_DIAL_KEYS)
