"""The USSD channel of one SMSC group: messages of the centre in, submit_sm bodies out. Pure.

Theory of operation. The operation of a message decides what it is, never the look of its text. First of all
copies of accepted messages are found (`ussd.repeat`); then a "new" opens a dialog and supersedes a live one
of the handset; input goes to the live dialog or gets a farewell, so a late answer never starts a flow. Every
accepted message makes a changed copy of its dialog and puts it into `Dialogs`; the old one is the arrival's
`before`. Answers change the dialog in place. After the end `reply` gives None: nothing is submitted.

Source: smpp-ussd.md 1.1-1.8; TS 24.090 for one dialog per handset.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from copy import copy

from smpp.msisdn import E164_MAX, MSISDN_MIN, address, normal_msisdn
from smpp.pdu.message import Sm
from smpp.pdu.status import Status
from ussd.arrival import NOT_USSD, Aborted, Answered, Arrival, Dialled, Notified, Repeated, Stray
from ussd.dialect import Code, Dialect
from ussd.dialog import ANYWHERE, NO_ID, Dialog, Dialogs, Key, Seen
from ussd.envelope import SESSION_ID_MAX, Envelope
from ussd.operation import LAST_INPUTS, TAG_OP, TAG_PAYLOAD, Event, Op
from ussd.repeat import find_original, with_seen
from ussd.screen import INPUT_MAX, KEPT_MAX, Page, Screens

_NEW, _INPUT, _NOTIFY_ACK, _ABORT = Event.NEW, Event.INPUT, Event.NOTIFY_ACK, Event.ABORT
_DIGESTS_MAX = 4_096
_KEY_MAX, _CODE_MAX = 2, 6
"""Octets of a menu key and of a dialled code whose digests are kept; a PIN is longer than either allows."""
_ZERO = ord("0")
_PLAIN_NUMBER = tuple(MSISDN_MIN <= length <= E164_MAX for length in range(256))
_DIAL_KEYS = b"*#0123456789"
_RECEIPT_MASK, _RECEIPT = 0x3C, 0x04
_REJECT = int(Status.RX_R_APPN)


class UssdChannel:
    """One group of binds to one USSD centre.

    `farewell` replaces the dialect's text for input without a session. `key` keys the digests by which
    copies are recognised, so that a stored digest does not give away a typed PIN; it must stay the same over
    restarts. `counts` are the arrivals by kind and the strays by reason, for metrics.
    """

    def __init__(
        self, dialect: Dialect, group: str, *, farewell: str | None = None, key: bytes = b""
    ) -> None:
        self.dialect = dialect
        self.group = group
        self.counts: Counter[str] = Counter()
        self.screens = Screens(dialect)
        self._envelope = Envelope(dialect)
        self._farewell = dialect.farewell if farewell is None else farewell
        self._digests: dict[tuple[bytes, bytes], bytes] = {}
        self._hasher = hashlib.blake2b(digest_size=8, key=key[:64])
        self._tag = dialect.session_id.tag
        self._op_in = dict(dialect.op_in)
        self._letters = dialect.letters
        self._detect_tlv = dialect.detect_tlv
        self._country = dialect.sms.country
        # Where the end bit alone tells the end from a menu, a session without an id needs another way.
        bare = dialect.op_out.end == dialect.op_out.menu and not dialect.letters
        self._menu = dialect.op_out.menu
        self._questions: dict[str, Page] = {}
        self._end_without_id: Code = int(Op.PSSR_RESPONSE) if bare else dialect.op_out.end

    # What comes in

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
            farewell = self._body(self._farewell, self.dialect.op_out.end, last.route, last.octets)
            return self._stray("repeated_after_loss", 0, farewell)
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
        farewell = self._body(self._farewell, self.dialect.op_out.end, self._envelope.route(sm), octets)
        return self._stray("input_without_session", 0, farewell)

    def _stray(self, reason: str, status: int, farewell: bytes | None = None) -> Stray:
        self.counts[reason] += 1
        return Stray(status, reason, farewell)

    def _dialled(self, sm: Sm, payload: bytes) -> str:
        """Return the dialled string: what the subscriber typed, with its stars and hash."""
        if self.dialect.code_field == "short_message":
            return self.screens.read(sm.data_coding, payload)
        code = sm.dest.decode("ascii", "replace")[:INPUT_MAX]
        return f"*{code}#" if code.isdigit() else code

    # What goes out

    def reply(
        self, dialog: Dialog, text: str, more: bool, now: int, dialogs: Dialogs, *, constant: bool = False
    ) -> bytes | None:
        """Return the submit_sm body of the next page; `more` false ends the dialog with it.

        It leaves through `dialog.connection` or not at all. None: the dialog has ended, nothing may be
        submitted. `constant` texts are encoded once and kept.
        """
        if dialog.ended_at:
            return None
        op_out = self.dialect.op_out
        end = False
        if more:
            code = op_out.begin if dialog.ours and not dialog.page else op_out.menu
        elif not dialog.ours:
            code, end = op_out.end if dialog.octets else self._end_without_id, True
            dialog.last_kind = "end"
        elif not dialog.page:
            code = op_out.notify if op_out.push is None else op_out.push
            end = self.dialect.ni_end == "end_bit"
            dialog.last_kind = "push"
        else:
            code, end = self._last_code(dialog)
            dialog.last_kind = self.dialect.ni_end
        head, tail = self.screens.page(text, code, constant)
        octets = dialog.octets
        if octets:
            body = b"".join((head, dialog.route, tail, self._envelope.write_id(octets, end)))
        else:
            body = b"".join((head, dialog.route, tail))
        dialog.page += 1
        dialog.body = body
        dialog.answered = False
        dialog.answer_due = 0
        if more:
            dialog.idle_due = now + self.dialect.idle_ms
        elif dialog.releasing:
            dialog.idle_due = now + self.dialect.idle_ms
            dialogs.closing(dialog, now)
        else:
            dialogs.end(dialog, now, "flow")
        return body

    def question(self, text: str, route: bytes, id_tlv: bytes, constant: bool) -> bytes:
        """Return the submit_sm body of a question in a dialog that the subscriber has opened.

        As `reply`, with the session id as it came and no dialog to change: see `ussd.short_way`.
        """
        page = self._questions.get(text) if constant else None
        if page is None:
            page = self.screens.page(text, self._menu, constant)
            if constant and len(self._questions) < KEPT_MAX:
                self._questions[text] = page
        return b"".join((page[0], route, page[1], id_tlv))

    def last_page(self, text: str, route: bytes, id_tlv: bytes, constant: bool) -> bytes:
        """As `question`, of the page that ends the dialog."""
        head, tail = self.screens.page(text, self.dialect.op_out.end, constant)
        return b"".join((head, route, tail, self._envelope.write_id(id_tlv[4:], True)))

    def _last_code(self, dialog: Dialog) -> tuple[Code, bool]:
        """Choose the operation that closes a dialog which we began (`ni_end`), and whether it ends now."""
        op_out = self.dialect.op_out
        match self.dialect.ni_end:
            case "release":
                dialog.releasing = True
                return op_out.notify, False
            case "notify_last":
                return op_out.notify_last, True
            case "end_bit":
                return op_out.menu, True
        return op_out.end, True

    def release(self, dialog: Dialog, now: int, dialogs: Dialogs) -> bytes | None:
        """Close a dialog without a text and return the submit_sm body that does; None if it has ended.

        Where the dialect has no release operation, it is the usual end with an empty text.
        """
        if dialog.ended_at:
            return None
        code = self.dialect.op_out.release
        if code is None:
            dialog.releasing = False
            return self.reply(dialog, "", False, now, dialogs, constant=True)
        body = self._body("", code, dialog.route, dialog.octets)
        dialog.page += 1
        dialog.last_kind = "release"
        dialog.body = None
        dialog.answered = False
        dialogs.end(dialog, now, "flow")
        return body

    def initiate(
        self, msisdn: str, text: str, *, code: str, now: int, dialogs: Dialogs, notify: bool = False
    ) -> tuple[Dialog, bytes] | None:
        """Begin a dialog with its first text: a question, or with `notify` a text that wants no answer.

        Returns the dialog and the submit_sm body, to be sent over any bind of the group; None where the
        subscriber has a live dialog. Raises ValueError for addresses that SMPP cannot carry.
        """
        dialog = self.open(msisdn, code, now, dialogs)
        body = None if dialog is None else self.reply(dialog, text, not notify, now, dialogs)
        return None if dialog is None or body is None else (dialog, body)

    def open(
        self, msisdn: str, called: str, now: int, dialogs: Dialogs, *, connection: tuple[int, int] = ANYWHERE
    ) -> Dialog | None:
        """Begin a dialog ourselves (network-initiated); the first `reply` carries its first text.

        None: the subscriber has a live dialog. Raises ValueError for addresses that SMPP cannot carry.
        """
        key = (self.group, msisdn)
        dialogs.sweep(now)
        last = dialogs.last(key)
        if last is not None and not last.ended_at and now < last.total_due:
            return None
        source_ton, source_npi, source = address(called.strip("*#") or called)
        ton, npi, dest = address(msisdn)
        service_type = b"USSD"
        request = Sm(service_type, ton, npi, dest, source_ton, source_npi, source)
        opened_at = now if last is None else max(now, last.opened_at + 1)
        octets, ident, past = b"", NO_ID, NO_ID if last is None else last.ident
        if self.dialect.ni_id == "ours":
            octets, ident = self._envelope.new_id(opened_at, past)
        dialog = Dialog(
            group=self.group,
            msisdn=msisdn,
            called=called,
            opened_at=opened_at,
            octets=octets,
            ident=ident,
            past=past,
            older=() if last is None else last.seen[-2:],
            service_type=service_type,
            dest=source,
            route=self._envelope.route(request),
            connection=connection,
            ours=True,
            total_due=now + self.dialect.total_ms,
        )
        dialogs.put(dialog)
        self.counts["begun"] += 1
        return dialog

    def _body(self, text: str, code: Code, route: bytes, octets: bytes) -> bytes:
        head, tail = self.screens.page(text, code, True)
        return b"%b%b%b%b" % (head, route, tail, self._envelope.write_id(octets, True) if octets else b"")

    # What became of an answer

    def shown(
        self, key: Key, opened_at: int, page: int, status: int, now: int, dialogs: Dialogs
    ) -> str | None:
        """Take the command_status of the submit_sm_resp to page number `page` of a dialog.

        Returns None if the page was accepted or is not the latest, or else the reason why it was not shown
        (`gone`, `too_long`, `timed_out`, …): the dialog has ended, and the flow is to know (`Unshown`).
        """
        dialog = dialogs.by_key.get(key)
        if dialog is None or dialog.opened_at != opened_at or dialog.page != page:
            return None
        if not status:
            # Without a body the page belongs to an input that the next one has overtaken (rule 5).
            dialog.answered = dialog.body is not None
            return None
        dialogs.end(dialog, now, "network")
        dialog.ended_by = "network"
        reason = self.dialect.status.get(status, "failed")
        self.counts[f"unshown_{reason}"] += 1
        return reason

    def unanswered(
        self, key: Key, opened_at: int, page: int, failure: str, now: int, dialogs: Dialogs
    ) -> str | None:
        """Take a page that got no submit_sm_resp: `failure` is that of `smpp.event.Failed`.

        `timeout` and `wrong_response` leave the dialog to its timers, since the page may be on the screen:
        None. With the bind gone the session is lost (rule 4): closed locally, the reason is returned.
        """
        dialog = dialogs.last(key)
        if dialog is None or dialog.opened_at != opened_at or dialog.page != page:
            return None
        if failure in ("timeout", "wrong_response"):
            return None
        dialogs.end(dialog, now, "lost")
        dialog.ended_by = "lost"
        self.counts["unshown_lost"] += 1
        return "lost"


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
