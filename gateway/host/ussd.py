"""The USSD lane: messages of a centre into inputs of sessions, screens of flows into submit_sm.

Which message belongs to which dialog is `ussd.centre`'s decision; this module ties dialogs to sessions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from copy import copy

import msgspec

from engine import machine
from engine.capabilities import Channel
from engine.effects import Collect, End
from engine.first_turn import first_turn
from engine.flow_set import FlowSet
from engine.inputs import Begin, HungUp, Late, Reopened, Silence, Text, Unshown
from engine.key_turn import key_turn
from engine.session import Session, Waiting
from engine.values import Secret, is_plain
from gateway.host.batch import Batch
from gateway.host.call import RETRY_COMMIT_S
from gateway.host.conversation import TIMED, Conversation
from gateway.host.dialog_end import DialogEnds
from gateway.host.host import Handler, Host
from gateway.host.opening import Opened, Opening
from gateway.host.outreach import Outreach, Reach
from gateway.host.stepper import Stepper, plain
from gateway.host.suspension import Suspended
from gateway.journal.tally import END, FLOW
from gateway.store.batch import detail
from smpp.event import Answered as Confirmed
from smpp.event import Failed, Inbound, InboundRow
from smpp.links import Link
from smpp.pdu.command import CommandId
from smpp.pdu.message import Sm
from ussd.arrival import Aborted, Answered, Dialled, Notified, NotUssd, Repeated, Stray
from ussd.centre import UssdChannel
from ussd.dialog import ANYWHERE, Dialog, Dialogs, Key
from ussd.short_way import ShortWay, Taken

_USSD = Channel.USSD.value
_ANSWER, _ENDED = Waiting.ANSWER, Waiting.ENDED
_DELIVER = int(CommandId.DELIVER_SM)
STORE_FAILED = 0x64  # ESME_RX_T_APPN: the centre sends the message again


class Page(msgspec.Struct, frozen=True, gc=False):
    """Token of a page on its way: which dialog, which of its pages, which session it belongs to."""

    dialog: Key
    opened_at: int
    number: int
    session: str
    live: Conversation | None = None


class Way(msgspec.Struct, frozen=True, gc=False):
    """One centre as this lane sees it."""

    link: Link
    channel: UssdChannel
    short: ShortWay[Live]


class Live(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A dialog whose messages are known by how they begin, with what its pages need each time.

    `size` is the length of what they begin with.
    """

    conversation: Conversation
    key: Key
    msisdn: bytes
    dest: bytes
    size: int


class UssdLane:
    """All USSD dialogs of the gateway, over all centres that carry USSD.

    `ends.observers` are told of every dialog that has ended, `outreach.told` of what came of those that the
    gateway began. `is_stopped` tells who is on the stop list.
    """

    def __init__(self, host: Host, stepper: Stepper, suspended: Suspended) -> None:
        self._host = host
        self._stepper = stepper
        self._suspended = suspended
        self.dialogs = Dialogs()
        self._put_back = self.dialogs.put_back
        self._ways: dict[str, Way] = {}
        self._of_dialog: dict[tuple[Key, int], Conversation] = {}
        self.ends = DialogEnds()
        self.is_stopped: Callable[[str], bool] = lambda _: False
        self.outreach = Outreach(lambda name: host.counters.update((name,)))
        stepper.lanes[Channel.USSD] = self
        host.on_unsent = self.failed

    def add(self, link: Link, channel: UssdChannel) -> None:
        """Serve a centre; its group is the channel's."""
        self._ways[channel.group] = Way(link, channel, ShortWay(channel.dialect, channel.counts))

    # What comes in

    def receive_known(self, batch: Batch, link: Link, event: InboundRow, at: int) -> int:
        """Take messages from number `at` on as far as each is that of a dialog which looks like it.

        Returns the number of the first that takes a longer look.
        """
        way = self._ways.get(link.name)
        if way is None or self._host.observers:
            return at
        sequences, bodies = event.sequences, event.bodies
        if at:
            sequences, bodies = sequences[at:], bodies[at:]
        connection, count = (event.bind, event.connection), 0
        for sequence, body in zip(sequences, bodies, strict=True):
            if not self._message_known(batch, way, connection, sequence, body):
                sequences = sequences[:count]
                break
            count += 1
        if count:
            batch.accepted.append((link, connection, sequences))
        return at + count

    def _message_known(
        self, batch: Batch, way: Way, connection: tuple[int, int], sequence: int, body: bytes
    ) -> bool:
        """Take a deliver_sm if it is a menu key of a dialog whose last message looked like it.

        As `receive`, without decoding it; False, and nothing done, if it takes a longer look. It is answered
        by who calls this.
        """
        live = way.short.find(body)
        if live is None:
            return self._dialled_known(batch, way, connection, sequence, body)
        conversation, key = live.conversation, live.key
        last, session, dialogs = conversation.dialog, conversation.session, self.dialogs.by_key
        if session.waiting is not _ANSWER or last is None or dialogs.get(key) is not last:
            return False
        if last.dest != live.dest:
            return False  # a message that looked otherwise came in between
        if conversation.held or self.outreach.open:
            return False
        now = batch.now
        taken = way.short.take(body, live.size, last, connection, sequence, now)
        if taken is None:
            return False
        text = taken[0]
        turn = key_turn(conversation.flows, session, text, now)
        if turn is None:
            batch.before(conversation)
            conversation.dialog = dialogs[key] = way.short.go_on(last, taken, None)
            batch.undo.append((self._put_back, (key, last)))
            taken_long = machine.run_through(conversation.flows, session, Text(text), now)
            self._stepper.step(batch, conversation, Text(text), taken_long)
            return True
        after, effect = turn
        if isinstance(effect, End):
            self._end_known(batch, way, live, taken, after, effect)
            return True
        # The commonest turn: the next screen, and nothing else.
        assert type(effect.text) is str, "a short turn shows no secret"
        page = way.channel.question(effect.text, last.route, taken[2], effect.constant)
        dialog = way.short.go_on(last, taken, page)
        inputs, facts = conversation.tally
        tally = (inputs + 1, facts)
        given = ("Text", None if conversation.hides_input else text)
        variables = after.frames[-1].variables
        if (
            conversation.plain is session
            and (variables is session.frames[-1].variables or is_plain(variables.values()))
            and conversation.key not in batch.touched
        ):
            batch.turned(conversation, after, dialog, tally, given, effect.secret)
        else:
            before = batch.before(conversation)
            before.inputs.append(given)
            before.answer = page
            conversation.session, conversation.dialog, conversation.tally = after, dialog, tally
            conversation.hides_input = effect.secret
        dialogs[key] = dialog
        batch.undo.append((self._put_back, (key, last)))
        token = Page(key, dialog.opened_at, dialog.page, conversation.key, conversation)
        batch.pages[way.link].append((page, token, connection, live.msisdn))
        return True

    def _end_known(
        self, batch: Batch, way: Way, live: Live, taken: Taken, after: Session, effect: End
    ) -> None:
        """End a session that owes nobody anything with its last screen, or without one.

        As `Stepper.step` and `end`: `taken` came in, and `after` is the session with the flow's last word.
        """
        conversation, key, typed = live.conversation, live.key, taken[0]
        last = conversation.dialog
        assert last is not None
        batch.undo.append((self._put_back, (key, last)))
        if last.ours:
            conversation.dialog = self.dialogs.by_key[key] = way.short.go_on(last, taken, None)
            self._stepper.step(batch, conversation, Text(typed), machine.Turn(after, (effect,)))
            return
        text = effect.text or ""
        assert type(text) is str, "a short turn shows no secret"
        body = way.channel.last_page(text, last.route, taken[2], effect.constant)
        dialog = way.short.go_on(last, taken, body, more=False)
        self.dialogs.put_ended(key, dialog)
        inputs, facts = conversation.tally
        tally = (inputs + 1, (*facts, (END, effect.reason)))
        given = ("Text", None if conversation.hides_input else typed)
        session = conversation.session
        if conversation.plain is session and conversation.key not in batch.touched:
            ended = batch.ended(conversation, after, dialog, tally, given)
            row = self._stepper.contacts.row(batch, conversation, session.frames)
            details = self._host.details
            if details is not None:
                conversation.recorded = True
                record = detail(batch.now, *details.record(conversation, session.frames, batch.now))
                ended.rows = (record,) if row is None else (row, record)
            elif row is not None:
                ended.rows = (row,)
        else:
            before = batch.before(conversation)
            before.inputs.append(given)
            before.answer = body
            conversation.dialog, conversation.tally = dialog, tally
            self._stepper.contacts.ended(batch, conversation, session.frames)
            conversation.session = after
        self._host.counters[f"ended.ussd.{effect.reason}"] += 1
        batch.leaving.append((self._let_go, (dialog, conversation)))
        self.ends.leaves(batch, dialog, conversation, effect.reason)
        token = Page(key, dialog.opened_at, dialog.page, conversation.key, conversation)
        batch.pages[way.link].append((body, token, dialog.connection, live.msisdn))

    def _dialled_known(
        self, batch: Batch, way: Way, connection: tuple[int, int], sequence: int, body: bytes
    ) -> bool:
        """Take a deliver_sm if a subscriber without a dialog has dialled a code that was dialled before.

        Where the flow begins with a question, and nothing else is about, the dialog, its session and the
        first screen are made at once. It is what `_dialled`, `Stepper.step` and `_reply` come to.
        """
        host, short = self._host, way.short
        if host.store.full:
            return False
        now = batch.now
        call = short.dial(body, way.channel.group, connection, sequence, now, self.dialogs)
        if call is None:
            return False
        text, flows = call.code.text, host.library.current
        start = None if host.draining else flows.dial(text)
        turn = None
        if start is not None and host.switches.idle and self._suspended.idle:
            msisdn = call.key[1]
            turn = first_turn(flows, start, _USSD, msisdn, host.language(msisdn, now), now)
        head = body[: -call.code.behind]
        if start is None or turn is None:
            dialog = short.open(call, text, None, self.dialogs)
            conversation = self._dialled(batch, way, Dialled(dialog, text))
            if conversation is not None and conversation.session.waiting is not _ENDED:
                self._know(way, head, dialog, conversation)
            return True
        session, effect = turn
        assert type(effect.text) is str, "the first turn shows no secret"
        page = way.channel.question(effect.text, call.route, call.id_tlv, effect.constant)
        dialog = short.open(call, start.called, page, self.dialogs)
        key, opened_at = call.key, dialog.opened_at
        batch.undo.append((self._put_back, (key, None)))
        name = f"u:{key[0]}:{key[1]}:{opened_at}"
        tally = (0, ((FLOW, start.flow),))
        conversation = Conversation(name, flows, session, hides_input=effect.secret, tally=tally, head=head)
        # Before the dialog is its own: a failed commit leaves neither.
        if is_plain(session.frames[0].variables.values()):  # there is nothing else in a first turn
            batch.turned(conversation, session, dialog, tally, ("Begin", None), effect.secret)
        else:
            before = batch.before(conversation)
            before.inputs.append(("Begin", None))
            before.answer = page
            conversation.dialog = dialog
        host.conversations[name] = conversation
        self._of_dialog[key, opened_at] = conversation
        batch.undo.append((self._let_go, (dialog, conversation)))
        short.heads[head] = Live(conversation, key, call.source, dialog.dest, len(head))
        token = Page(key, opened_at, 1, name, conversation)
        batch.pages[way.link].append((page, token, connection, call.source))
        return True

    def _get_known(
        self, way: Way, event: Inbound, sm: Sm, dialog: Dialog, conversation: Conversation
    ) -> bytes:
        """Remember how the messages of a dialog look; returns how they begin, b"" if that says nothing."""
        if event.command_id != _DELIVER or conversation.session.waiting is _ENDED:
            return b""
        head = way.short.head(event.body, sm)
        if head:
            self._know(way, head, dialog, conversation)
        return head

    def _know(self, way: Way, head: bytes, dialog: Dialog, conversation: Conversation) -> None:
        """Let messages that begin so be those of a dialog."""
        heads = way.short.heads
        if head != conversation.head or head not in heads:
            if conversation.head:
                self._forget(way, conversation)
            conversation.head = head
            key = (dialog.group, dialog.msisdn)
            heads[head] = Live(conversation, key, dialog.msisdn.encode(), dialog.dest, len(head))

    @staticmethod
    def _forget(way: Way, conversation: Conversation) -> None:
        """Have a dialog that is over, or looks otherwise now, take the long way."""
        live = way.short.heads.get(conversation.head)
        if live is not None and live.conversation is conversation:
            del way.short.heads[conversation.head]

    def receive(self, batch: Batch, link: Link, event: Inbound, sm: Sm) -> bool:
        """Take a deliver_sm; False if it is no USSD message."""
        way = self._ways.get(link.name)
        if way is None:
            return False
        source = (event.bind, event.connection)
        arrival = way.channel.receive(
            sm, connection=source, sequence=event.sequence, now=batch.now, dialogs=self.dialogs
        )
        if type(arrival) is Answered:
            # By far the commonest, so it does not go through the questions below.
            batch.accepted.append((link, source, (event.sequence,)))
            answering = self._answered(batch, arrival)
            if answering is not None:
                head = self._get_known(way, event, sm, arrival.dialog, answering)
                if head:
                    way.short.learn(head, event.body, sm, arrival.dialog.seen[-1].digest)
            return True
        if type(arrival) is Dialled:
            if self._host.store.full:
                # Live dialogs go on with the room of the reserve; nothing new is begun.
                self.dialogs.put_back(arrival.dialog.key, arrival.before)
                self._host.counters["refused_disk_full"] += 1
                batch.leave(link.respond, event.bind, event.connection, event.sequence, STORE_FAILED)
                return True
            batch.accepted.append((link, source, (event.sequence,)))
            conversation = self._dialled(batch, way, arrival)
            if conversation is not None:
                head = self._get_known(way, event, sm, arrival.dialog, conversation)
                if head:
                    way.short.learn_code(head, event.body, sm, arrival.text, arrival.dialog)
            return True
        if isinstance(arrival, NotUssd):
            return False
        status = arrival.status if isinstance(arrival, Stray) else 0
        if status:
            batch.leave(link.respond, event.bind, event.connection, event.sequence, status)
        else:
            batch.accepted.append((link, source, (event.sequence,)))
        if isinstance(arrival, Repeated):
            self._repeated(batch, way, arrival, source)
        elif isinstance(arrival, Stray):
            self._stray(batch, way, arrival, source)
        elif isinstance(arrival, Aborted):
            self._aborted(batch, arrival)
        elif isinstance(arrival, Notified):
            self._notified(batch, way, arrival)
        return True

    def _dialled(self, batch: Batch, way: Way, arrival: Dialled) -> Conversation | None:
        """Begin what was dialled; returns the session, None if there is none."""
        dialog = arrival.dialog
        batch.undo.append((self.dialogs.put_back, ((dialog.group, dialog.msisdn), arrival.before)))
        if arrival.superseded is not None:
            self._hung_up(batch, arrival.superseded, "superseded")
        if self._host.draining:
            self._farewell(batch, way, dialog, way.channel.dialect.farewell, "closing_down")
            return None
        flows = self._host.library.current
        start = flows.dial(arrival.text)
        if start is None:
            self._host.counters["ussd_no_flow"] += 1
            self._farewell(batch, way, dialog, self._unknown(batch, dialog), "no_flow")
            return None
        refusal = self._host.switches.refusal(start.flow, dialog.msisdn, Channel.USSD)
        if refusal is not None:
            self._farewell(batch, way, dialog, refusal or self._unknown(batch, dialog), "switched_off")
            return None
        dialog.called = start.called  # secrets in what was dialled are hidden there
        kept = self._suspended.take(batch, flows, Channel.USSD, dialog.msisdn, start)
        if kept is not None:
            again = machine.reopen(flows, kept, batch.now)
            return self._converse(batch, dialog, flows, again, Reopened())
        session = machine.begin(
            flows,
            channel=Channel.USSD,
            caller=dialog.msisdn,
            called=start.called,
            lang=self._host.language(dialog.msisdn, batch.now),
            now=batch.now,
        )
        given = Begin(start.flow, start.arguments, start.ahead)
        return self._converse(batch, dialog, flows, session, given)

    def _unknown(self, batch: Batch, dialog: Dialog) -> str:
        return self._host.library.current.project.unknown(self._host.language(dialog.msisdn, batch.now))

    def _converse(
        self, batch: Batch, dialog: Dialog, flows: FlowSet, session: Session, given: Begin | Reopened
    ) -> Conversation:
        """Let a session begin over a fresh dialog."""
        conversation = Conversation(f"u:{dialog.group}:{dialog.msisdn}:{dialog.opened_at}", flows, session)
        batch.touch(conversation)  # before the dialog is its own: a failed commit leaves neither
        conversation.dialog = dialog
        self._host.conversations[conversation.key] = conversation
        self._of_dialog[(dialog.group, dialog.msisdn), dialog.opened_at] = conversation
        batch.undo.append((self._let_go, (dialog, conversation)))
        self._stepper.step(batch, conversation, given)
        return conversation

    def open(self, batch: Batch, opening: Opening) -> Opened:
        """Begin a dialog by ourselves (network-initiated); its first screen goes over any bind."""
        flows = self._host.library.current
        flow = flows.flows.get(opening.flow)
        if flow is None or not self._ways:
            return Opened.NEVER
        if self._host.switches.refusal(opening.flow, opening.to, Channel.USSD) is not None:
            return Opened.NEVER
        if self.is_stopped(opening.to):
            self._host.counters["starts_stopped"] += 1
            return Opened.DONE
        way = next((one for one in self._ways.values() if one.link.bound), None)
        if way is None:
            return Opened.LATER
        code = next((one.pattern for one in flow.ussd if not one.parameters), "") or flows.project.sms_from
        last = self.dialogs.last((way.channel.group, opening.to))
        try:
            dialog = way.channel.open(opening.to, code, batch.now, self.dialogs)
        except ValueError:
            return Opened.NEVER  # no address that the centre could be given
        if dialog is None:
            return Opened.LATER  # the subscriber is in a dialog
        self._undo(batch, dialog, last)
        session = machine.begin(
            flows,
            channel=Channel.USSD,
            caller=opening.to,
            called=code,
            lang=self._host.language(opening.to, batch.now, opening.lang),
            event=opening.event,
            now=batch.now,
        )
        self.outreach.begun(batch, dialog, opening.id)
        self._converse(batch, dialog, flows, session, Begin(opening.flow, opening.arguments))
        return Opened.BEGUN if self.outreach.is_open(opening.id) else Opened.DONE

    def _answered(self, batch: Batch, arrival: Answered) -> Conversation | None:
        """Give an input to its session; returns that, None if there is none."""
        dialog = arrival.dialog
        key = (dialog.group, dialog.msisdn)
        batch.undo.append((self.dialogs.put_back, (key, arrival.before)))
        conversation = self._of_dialog.get((key, dialog.opened_at))
        if arrival.last:
            self.ends.closed(batch, dialog, conversation, "last_input")
        if self.outreach.open:
            self.outreach.end(batch, dialog, Reach.REACHED)
        if conversation is None or conversation.session.waiting is _ENDED:
            self._host.counters["ussd_answer_without_session"] += 1
            return None
        batch.before(conversation)
        conversation.dialog = dialog
        self._stepper.step(batch, conversation, Text(arrival.text))
        if arrival.last and (conversation.closing or not conversation.ended):
            # The network had closed the dialog with this input: no page of ours could be seen.
            self._unshown(batch, conversation, "network")
        return conversation

    def _repeated(self, batch: Batch, way: Way, arrival: Repeated, source: tuple[int, int]) -> None:
        dialog = arrival.dialog
        if dialog.live:
            # The first copy's connection may be gone: what is still to be said leaves by the new one.
            dialog.connection = source
        if arrival.answer is not None:
            token = self._token(dialog)
            batch.pages[way.link].append((arrival.answer, token, source, dialog.msisdn.encode()))

    def _stray(self, batch: Batch, way: Way, arrival: Stray, source: tuple[int, int]) -> None:
        if arrival.farewell is not None:
            batch.pages[way.link].append((arrival.farewell, None, source, b""))

    def _aborted(self, batch: Batch, arrival: Aborted) -> None:
        self._undo(batch, arrival.dialog, arrival.before)
        self._hung_up(batch, arrival.dialog, arrival.reason)

    def _notified(self, batch: Batch, way: Way, arrival: Notified) -> None:
        dialog = arrival.dialog
        self._undo(batch, dialog, arrival.before)
        self.outreach.end(batch, dialog, Reach.REACHED)
        if arrival.release is not None:
            self._put_page(batch, way.link, arrival.release, self._token(dialog), dialog)

    def _hung_up(self, batch: Batch, dialog: Dialog, reason: str) -> None:
        conversation = self._of_dialog.get((dialog.key, dialog.opened_at))
        self.ends.closed(batch, dialog, conversation, reason)
        self.outreach.end(batch, dialog, Reach.BUSY if reason == "superseded" else Reach.REJECTED)
        if conversation is None or conversation.ended:
            return
        batch.touch(conversation)
        conversation.dialog = dialog
        self._stepper.step(batch, conversation, HungUp(reason))

    # What goes out

    def show(self, batch: Batch, conversation: Conversation, effect: Collect) -> None:
        """Put a question on the screen."""
        conversation.hides_input = effect.secret
        text = effect.text
        if type(text) is not str:
            assert isinstance(text, Secret)
            self._mark_secret(batch, conversation, text)
            text = text.reveal()
        self._reply(batch, conversation, text, True, effect.constant)

    def end(self, batch: Batch, conversation: Conversation, effect: End) -> None:
        """Put the last text on the screen and close the dialog; without a text only close it."""
        self._host.counters[f"ended.ussd.{effect.reason}"] += 1
        dialog = conversation.dialog
        if dialog is None:
            return
        batch.leave(self._let_go, dialog, conversation)
        self._mark_secret(batch, conversation, effect.text)
        text = "" if effect.text is None else plain(effect.text)
        conversation.closing = bool(text) and conversation.session.charged
        if dialog.ours and not dialog.page and not text:
            # Begun by us, and there was nothing to say: the subscriber never knows of it.
            self.dialogs.end(self._own_dialog(batch, conversation), batch.now, "flow")
            self.outreach.end(batch, dialog, Reach.UNSAID)
        elif dialog.live:
            if dialog.ours and dialog.page and not dialog.turns:
                self.outreach.end(batch, dialog, Reach.NO_ANSWER)
            self._reply(batch, conversation, text, False, effect.constant)
            self.ends.leaves(batch, conversation.dialog or dialog, conversation, effect.reason)
        elif conversation.closing:
            batch.leave(self._host.take_later, self._too_late, conversation)

    @staticmethod
    def _mark_secret(batch: Batch, conversation: Conversation, text: str | Secret | None) -> None:
        """The journal keeps the page for a repeat: sealed, if there is a secret on it."""
        if isinstance(text, Secret):
            batch.before(conversation).secret = True

    def _reply(self, batch: Batch, conversation: Conversation, text: str, more: bool, constant: bool) -> None:
        latest = batch.latest
        before = (
            latest
            if latest is not None and latest.conversation is conversation
            else batch.before(conversation)
        )
        dialog = conversation.dialog
        if dialog is None or before.was.dialog is dialog:
            dialog = self._own_dialog(batch, conversation)
        way = self._ways.get(dialog.group)
        if way is None:
            return
        body = way.channel.reply(dialog, text, more, batch.now, self.dialogs, constant=constant)
        if body is None:
            self._host.counters["ussd_screen_too_late"] += 1
            return
        before.answer = body
        key = (dialog.group, dialog.msisdn)
        token = Page(key, dialog.opened_at, dialog.page, conversation.key, conversation)
        self._put_page(batch, way.link, body, token, dialog)

    def _own_dialog(self, batch: Batch, conversation: Conversation) -> Dialog:
        """Return the dialog to be changed in this batch: a copy, so that a failed commit can undo it."""
        dialog = conversation.dialog
        assert dialog is not None
        if batch.before(conversation).was.dialog is dialog:
            before = dialog
            dialog = conversation.dialog = copy(before)
            self.dialogs.put(dialog)
            self._undo(batch, dialog, before)
        return dialog

    def _farewell(self, batch: Batch, way: Way, dialog: Dialog, text: str, reason: str) -> None:
        body = way.channel.reply(dialog, text, False, batch.now, self.dialogs, constant=True)
        if body is not None:
            self.ends.leaves(batch, dialog, None, reason)
            self._put_page(batch, way.link, body, self._token(dialog), dialog)

    def _put_page(self, batch: Batch, link: Link, body: bytes, token: Page, dialog: Dialog) -> None:
        """Have a page leave over the connection of its dialog; of one that we begin over any."""
        connection = dialog.connection
        if connection == ANYWHERE:
            batch.leave(self._submit, link, body, token, dialog.msisdn)
        else:
            batch.pages[link].append((body, token, connection, dialog.msisdn.encode()))

    def _submit(self, link: Link, body: bytes, token: Page, msisdn: str) -> None:
        """Send the first page of a dialog that we begin: no more urgent than an SMS."""
        if not link.submit(body, token, prefer=None, sticky=False, subscriber=msisdn.encode(), urgent=False):
            self._host.take_later(self.failed, Failed(token, "unsent"))

    def _token(self, dialog: Dialog) -> Page:
        return Page(dialog.key, dialog.opened_at, dialog.page, "")

    # What became of a page

    def arrived(self, pages: Sequence[object]) -> Sequence[object]:
        """Take note that the centre has accepted pages, where nobody waits to hear of it.

        Returns those of them that take a longer look: nothing was done about them yet, see `confirmed`.
        """
        if self.ends.last or self.outreach.open:
            return pages
        longer: list[object] = []
        for page in pages:
            if (
                type(page) is not Page
                or (conversation := page.live) is None
                or conversation.closing
                or (dialog := conversation.dialog) is None
            ):
                longer.append(page)
            elif dialog.page == page.number:
                # Without a body the page belongs to an input that the next one has overtaken.
                dialog.answered = dialog.body is not None
        return longer

    def confirmed(self, batch: Batch, event: Confirmed) -> None:
        """Take the submit_sm_resp of a page."""
        page = event.token
        if type(page) is not Page:
            return
        dialog_key = page.dialog
        way = self._ways.get(dialog_key[0])
        if way is None:
            return
        reason = way.channel.shown(
            dialog_key, page.opened_at, page.number, event.status, batch.now, self.dialogs
        )
        self.ends.confirmed(batch, (page.dialog, page.opened_at), page.number, reason)
        if self.outreach.open:
            self._reached(batch, way, page, event)
        conversation = self._host.conversations.get(page.session)
        if conversation is None or (reason is None and not conversation.closing):
            return
        if reason is not None:
            self.ends.unshown(batch, self.dialogs.last(page.dialog), conversation, reason, page.number)
            self._host.counters[f"ussd_unshown.{reason}"] += 1
            self._unshown(batch, conversation, reason)
        elif event.status == 0:
            batch.touch(conversation)
            conversation.closing = False

    def _reached(self, batch: Batch, way: Way, page: Page, event: Confirmed) -> None:
        """Take the answer to a page that may be the first of a dialog of ours."""
        dialog = self.dialogs.last(page.dialog)
        if dialog is None or dialog.opened_at != page.opened_at:
            return
        if dialog.connection == ANYWHERE and not event.status:
            dialog.connection = (event.bind, event.connection)
        self.outreach.confirmed(batch, dialog, page.number, event.status, way.channel.dialect)

    def failed(self, batch: Batch, event: Failed) -> None:
        """Take a page that got no answer of its own."""
        page = event.token
        if not isinstance(page, Page):
            return
        way = self._ways.get(page.dialog[0])
        conversation = self._host.conversations.get(page.session)
        self.ends.failed(batch, (page.dialog, page.opened_at), page.number, event.reason)
        dialog = self.dialogs.last(page.dialog)
        if dialog is not None and dialog.opened_at == page.opened_at:
            self.outreach.failed(batch, dialog, page.number, event.reason)
        self._once_more(batch, self.failed, event)
        if way is None or conversation is None:
            return
        reason = way.channel.unanswered(
            page.dialog, page.opened_at, page.number, event.reason, batch.now, self.dialogs
        )
        if reason is not None:
            self.ends.unshown(batch, dialog, conversation, reason, page.number)
        if reason is None and conversation.closing:
            reason = event.reason
        if reason is not None:
            self._host.counters[f"ussd_unshown.{reason}"] += 1
            self._unshown(batch, conversation, reason)

    def confirm_again(self, event: Confirmed) -> None:
        """The centre says it only once: the commit failed, so take the same news again a little later."""
        if isinstance(event.token, Page):
            self._take_again(self._confirmed_late, event)

    def _confirmed_late(self, batch: Batch, event: Confirmed) -> None:
        """Take what `confirm_again` has kept; that commit may fail too."""
        batch.refuse(self.confirm_again, event)
        self.confirmed(batch, event)

    def _once_more(self, batch: Batch, handler: Handler, event: Failed) -> None:
        """As `confirm_again`, when the commit of this batch should fail."""
        batch.refused.append((self._take_again, (handler, event)))

    def _take_again(self, handler: Handler, event: Confirmed | Failed | Conversation) -> None:
        asyncio.get_running_loop().call_later(RETRY_COMMIT_S, self._host.take, handler, event)

    def _unshown(self, batch: Batch, conversation: Conversation, reason: str) -> None:
        """Tell a session that its last page was not seen; one that waits for a back end has no page."""
        batch.touch(conversation)
        conversation.closing = False
        waits = conversation.session.waiting in (Waiting.BACKEND, Waiting.LOOK)
        self._stepper.step(batch, conversation, HungUp(reason) if waits else Unshown(reason))

    def _too_late(self, batch: Batch, conversation: Conversation) -> None:
        """A last text was said when its dialog had gone already."""
        if conversation.closing:
            batch.refuse(self._take_again, self._too_late, conversation)
            self._unshown(batch, conversation, "late")

    # Time

    def due(self, batch: Batch, conversation: Conversation) -> None:
        """Take a session whose deadline has come."""
        dialog, session = conversation.dialog, conversation.session
        if dialog is None or conversation.ended:
            return
        if not dialog.live:
            self._silent(batch, conversation)
            return
        match dialog.overdue(batch.now):
            case "total":
                batch.touch(conversation)
                dialog = self._own_dialog(batch, conversation)
                self.dialogs.end(dialog, batch.now, "timer")
                self.ends.closed(batch, dialog, conversation, "total")
                self.outreach.end(batch, dialog, Reach.NO_ANSWER)
                if self._owes(conversation):
                    self._unshown(batch, conversation, "total")
                else:
                    self._stepper.step(batch, conversation, HungUp("total"))
            case "answer" if session.waiting in (Waiting.BACKEND, Waiting.LOOK):
                batch.touch(conversation)
                self._host.counters["ussd_late"] += 1
                self._reply(
                    batch,
                    conversation,
                    conversation.flows.project.late(conversation.session.lang),
                    False,
                    True,
                )
                batch.leave(self._let_go, dialog, conversation)
                self.ends.leaves(batch, conversation.dialog or dialog, conversation, "late")
                self._stepper.step(batch, conversation, Late())
            case _:
                self._silent(batch, conversation)

    def _silent(self, batch: Batch, conversation: Conversation) -> None:
        session = conversation.session
        if session.waiting not in TIMED:
            return
        if session.deadline is not None and batch.now >= session.deadline:
            if self._owes(conversation):
                self._unshown(batch, conversation, "silence")
            else:
                self._stepper.step(batch, conversation, Silence())

    @staticmethod
    def _owes(conversation: Conversation) -> bool:
        """Tell whether what a charge has come to stands on a page that the centre never confirmed.

        So it is after a restart between the commit of the page and its way out, for instance.
        """
        dialog = conversation.dialog
        seen = dialog is None or dialog.answered
        return not seen and conversation.session.charged and conversation.session.waiting is Waiting.ANSWER

    # Memory

    def _let_go(self, dialog: Dialog, conversation: Conversation) -> None:
        """No more messages of this dialog are for its session."""
        self._of_dialog.pop(((dialog.group, dialog.msisdn), dialog.opened_at), None)
        if conversation.head:
            way = self._ways.get(dialog.group)
            if way is not None:
                self._forget(way, conversation)
            conversation.head = b""

    def _undo(self, batch: Batch, dialog: Dialog, before: Dialog | None) -> None:
        batch.undo.append((self.dialogs.put_back, (dialog.key, before)))

    def restore(self, conversation: Conversation) -> None:
        """Take a dialog over that was stored before the start."""
        dialog = conversation.dialog
        if dialog is None:
            return
        self.dialogs.restore(dialog)
        if dialog.live and not conversation.ended:
            self._of_dialog[dialog.key, dialog.opened_at] = conversation
            self.outreach.restore(dialog)

    def recover(self, batch: Batch, conversation: Conversation) -> None:
        """After a start: a closing text that nobody confirmed goes out by SMS."""
        if conversation.closing:
            self._unshown(batch, conversation, "restart")
