"""What goes out to one USSD centre: pages of its dialogs as submit_sm bodies, and what became of them. Pure.

Theory of operation. An answer changes its dialog in place: the page is counted, kept for a copy of the input
and sets the time limits anew. After the end `reply` gives None: nothing is submitted. Dialogs that we begin
ourselves are opened here; what the centre sends is `ussd.centre`'s, which builds on this.

Source: smpp-ussd.md 1.1-1.8; TS 24.090 for one dialog per handset.
"""

from __future__ import annotations

from collections import Counter

from engine.counts import Counts
from smpp.msisdn import address
from smpp.pdu.message import Sm
from ussd.dialect import Code, Dialect
from ussd.dialog import ANYWHERE, NO_ID, Dialog, Dialogs, Key
from ussd.envelope import Envelope
from ussd.operation import Op
from ussd.screen import KEPT_MAX, Page, Screens


class Answers:
    """All that one group of binds to one USSD centre submits.

    `farewell` replaces the dialect's text for input without a session. `counts` are for metrics.
    """

    def __init__(self, dialect: Dialect, group: str, farewell: str | None = None) -> None:
        self.dialect = dialect
        self.group = group
        self.counts: Counter[str] = Counts()
        self.screens = Screens(dialect)
        self._envelope = Envelope(dialect)
        self._farewell = dialect.farewell if farewell is None else farewell
        self._menu = dialect.op_out.menu
        self._questions: dict[str, Page] = {}
        # Where the end bit alone tells the end from a menu, a session without an id needs another way.
        bare = dialect.op_out.end == dialect.op_out.menu and not dialect.letters
        self._end_without_id: Code = int(Op.PSSR_RESPONSE) if bare else dialect.op_out.end

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

    def farewell(self, route: bytes, octets: bytes) -> bytes:
        """Return the submit_sm body for input that no dialog takes; it ends what the centre has open."""
        return self._body(self._farewell, self.dialect.op_out.end, route, octets)

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
