"""The USSD lane: messages of a centre into inputs of sessions, screens of flows into submit_sm.

Which message belongs to which dialog is `ussd.centre`'s decision; this module gives it to the session of
that dialog. Messages that need no decoding are taken by `gateway.host.ussd_known`; how pages leave and what
becomes of them is known to `gateway.host.ussd_page`.
"""

from __future__ import annotations

from collections.abc import Callable

from engine import machine
from engine.capabilities import Channel
from engine.effects import Collect, End
from engine.flow_set import FlowSet
from engine.inputs import Begin, HungUp, Late, Reopened, Silence, Text
from engine.session import Session, Waiting
from engine.values import Secret
from gateway.host.batch import Batch
from gateway.host.conversation import TIMED, Conversation
from gateway.host.dialog_end import DialogEnds
from gateway.host.host import Host
from gateway.host.opening import Opened, Opening
from gateway.host.outreach import Outreach, Reach
from gateway.host.stepper import Stepper, plain
from gateway.host.suspension import Suspended
from gateway.host.ussd_known import KnownMessages
from gateway.host.ussd_page import Page, Pages, page_of
from gateway.host.ussd_tie import Ties
from gateway.host.ussd_way import Way
from smpp.event import Inbound
from smpp.links import Link
from smpp.pdu.message import Sm
from ussd.arrival import Aborted, Answered, Dialled, Notified, NotUssd, Repeated, Stray
from ussd.centre import UssdChannel
from ussd.dialog import Dialog
from ussd.short_way import ShortWay

_ENDED = Waiting.ENDED
STORE_FAILED = 0x64  # ESME_RX_T_APPN: the centre sends the message again


class UssdLane:
    """All USSD dialogs of the gateway, over all centres that carry USSD.

    `ends.observers` are told of every dialog that has ended, `outreach.told` of what came of those that the
    gateway began. `is_stopped` tells who is on the stop list. `known` takes messages that need no decoding,
    `pages` what centres say of pages; `ties` is what all of them share.
    """

    def __init__(self, host: Host, stepper: Stepper, suspended: Suspended) -> None:
        self._host = host
        self._stepper = stepper
        self._suspended = suspended
        self.ties = Ties()
        self.dialogs = self.ties.dialogs
        self.ends = DialogEnds()
        self.is_stopped: Callable[[str], bool] = lambda _: False
        self.outreach = Outreach(lambda name: host.counters.update((name,)))
        self.pages = Pages(host, stepper, self.ties, self.ends, self.outreach)
        self.known = KnownMessages(
            host, stepper, suspended, self.ties, self.ends, self.outreach, self._dialled
        )
        stepper.lanes[Channel.USSD] = self

    def add(self, link: Link, channel: UssdChannel) -> None:
        """Serve a centre; its group is the channel's."""
        self.ties.ways[channel.group] = Way(link, channel, ShortWay(channel.dialect, channel.counts))

    # What comes in

    def receive(self, batch: Batch, link: Link, event: Inbound, sm: Sm) -> bool:
        """Take a deliver_sm; False if it is no USSD message."""
        way = self.ties.ways.get(link.name)
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
                head = way.remember(event, sm, arrival.dialog, answering)
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
                head = way.remember(event, sm, arrival.dialog, conversation)
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
        self.ties.sessions[(dialog.group, dialog.msisdn), dialog.opened_at] = conversation
        batch.undo.append((self.ties.let_go, (dialog, conversation)))
        self._stepper.step(batch, conversation, given)
        return conversation

    def open(self, batch: Batch, opening: Opening) -> Opened:
        """Begin a dialog by ourselves (network-initiated); its first screen goes over any bind."""
        flows = self._host.library.current
        flow = flows.flows.get(opening.flow)
        if flow is None or not self.ties.ways:
            return Opened.NEVER
        if self._host.switches.refusal(opening.flow, opening.to, Channel.USSD) is not None:
            return Opened.NEVER
        if self.is_stopped(opening.to):
            self._host.counters["starts_stopped"] += 1
            return Opened.DONE
        way = next((one for one in self.ties.ways.values() if one.link.bound), None)
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
        self.ties.undo(batch, dialog, last)
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
        conversation = self.ties.sessions.get((key, dialog.opened_at))
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
            self.pages.unshown(batch, conversation, "network")
        return conversation

    def _repeated(self, batch: Batch, way: Way, arrival: Repeated, source: tuple[int, int]) -> None:
        dialog = arrival.dialog
        if dialog.live:
            # The first copy's connection may be gone: what is still to be said leaves by the new one.
            dialog.connection = source
        if arrival.answer is not None:
            token = page_of(dialog)
            batch.pages[way.link].append((arrival.answer, token, source, dialog.msisdn.encode()))

    def _stray(self, batch: Batch, way: Way, arrival: Stray, source: tuple[int, int]) -> None:
        if arrival.farewell is not None:
            batch.pages[way.link].append((arrival.farewell, None, source, b""))

    def _aborted(self, batch: Batch, arrival: Aborted) -> None:
        self.ties.undo(batch, arrival.dialog, arrival.before)
        self._hung_up(batch, arrival.dialog, arrival.reason)

    def _notified(self, batch: Batch, way: Way, arrival: Notified) -> None:
        dialog = arrival.dialog
        self.ties.undo(batch, dialog, arrival.before)
        self.outreach.end(batch, dialog, Reach.REACHED)
        if arrival.release is not None:
            self.pages.put(batch, way.link, arrival.release, page_of(dialog), dialog)

    def _hung_up(self, batch: Batch, dialog: Dialog, reason: str) -> None:
        conversation = self.ties.sessions.get((dialog.key, dialog.opened_at))
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
        batch.leave(self.ties.let_go, dialog, conversation)
        self._mark_secret(batch, conversation, effect.text)
        text = "" if effect.text is None else plain(effect.text)
        conversation.closing = bool(text) and conversation.session.charged
        if dialog.ours and not dialog.page and not text:
            # Begun by us, and there was nothing to say: the subscriber never knows of it.
            self.dialogs.end(self.ties.own(batch, conversation), batch.now, "flow")
            self.outreach.end(batch, dialog, Reach.UNSAID)
        elif dialog.live:
            if dialog.ours and dialog.page and not dialog.turns:
                self.outreach.end(batch, dialog, Reach.NO_ANSWER)
            self._reply(batch, conversation, text, False, effect.constant)
            self.ends.leaves(batch, conversation.dialog or dialog, conversation, effect.reason)
        elif conversation.closing:
            batch.leave(self._host.take_later, self.pages.too_late, conversation)

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
            dialog = self.ties.own(batch, conversation)
        way = self.ties.ways.get(dialog.group)
        if way is None:
            return
        body = way.channel.reply(dialog, text, more, batch.now, self.dialogs, constant=constant)
        if body is None:
            self._host.counters["ussd_screen_too_late"] += 1
            return
        before.answer = body
        key = (dialog.group, dialog.msisdn)
        token = Page(key, dialog.opened_at, dialog.page, conversation.key, conversation)
        self.pages.put(batch, way.link, body, token, dialog)

    def _farewell(self, batch: Batch, way: Way, dialog: Dialog, text: str, reason: str) -> None:
        body = way.channel.reply(dialog, text, False, batch.now, self.dialogs, constant=True)
        if body is not None:
            self.ends.leaves(batch, dialog, None, reason)
            self.pages.put(batch, way.link, body, page_of(dialog), dialog)

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
                dialog = self.ties.own(batch, conversation)
                self.dialogs.end(dialog, batch.now, "timer")
                self.ends.closed(batch, dialog, conversation, "total")
                self.outreach.end(batch, dialog, Reach.NO_ANSWER)
                if self.pages.owes(conversation):
                    self.pages.unshown(batch, conversation, "total")
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
                batch.leave(self.ties.let_go, dialog, conversation)
                self.ends.leaves(batch, conversation.dialog or dialog, conversation, "late")
                self._stepper.step(batch, conversation, Late())
            case _:
                self._silent(batch, conversation)

    def _silent(self, batch: Batch, conversation: Conversation) -> None:
        session = conversation.session
        if session.waiting not in TIMED:
            return
        if session.deadline is not None and batch.now >= session.deadline:
            if self.pages.owes(conversation):
                self.pages.unshown(batch, conversation, "silence")
            else:
                self._stepper.step(batch, conversation, Silence())

    # Memory

    def restore(self, conversation: Conversation) -> None:
        """Take a dialog over that was stored before the start."""
        dialog = conversation.dialog
        if dialog is None:
            return
        self.dialogs.restore(dialog)
        if dialog.live and not conversation.ended:
            self.ties.sessions[dialog.key, dialog.opened_at] = conversation
            self.outreach.restore(dialog)

    def recover(self, batch: Batch, conversation: Conversation) -> None:
        """After a start: a closing text that nobody confirmed goes out by SMS."""
        if conversation.closing:
            self.pages.unshown(batch, conversation, "restart")
