"""USSD messages that are known by how they begin: taken without decoding, as many together as there are.

What takes a longer look is left to `gateway.host.ussd`; both ways have to come to the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from engine import machine
from engine.capabilities import Channel
from engine.effects import End
from engine.first_turn import first_turn
from engine.inputs import Text
from engine.key_turn import key_turn
from engine.session import Session, Waiting
from engine.values import is_plain
from gateway.host.batch import Batch
from gateway.host.conversation import Conversation
from gateway.host.dialog_end import DialogEnds
from gateway.host.host import Host
from gateway.host.outreach import Outreach
from gateway.host.stepper import Stepper
from gateway.host.suspension import Suspended
from gateway.host.ussd_page import Page
from gateway.host.ussd_tie import Ties
from gateway.host.ussd_way import Live, Way
from gateway.journal.tally import END, FLOW
from gateway.store.batch import detail
from smpp.event import InboundRow
from smpp.links import Link
from ussd.arrival import Dialled
from ussd.short_way import Taken

_USSD = Channel.USSD.value
_ANSWER, _ENDED = Waiting.ANSWER, Waiting.ENDED

Beginning: TypeAlias = Callable[[Batch, Way, Dialled], Conversation | None]


class KnownMessages:
    """Takes the messages of all centres that need no decoding.

    `begin` is what the lane does about a code that was dialled; it returns the session, None if there is
    none.
    """

    def __init__(
        self,
        host: Host,
        stepper: Stepper,
        suspended: Suspended,
        ties: Ties,
        ends: DialogEnds,
        outreach: Outreach,
        begin: Beginning,
    ) -> None:
        self._host = host
        self._stepper = stepper
        self._suspended = suspended
        self._ways = ties.ways
        self._sessions = ties.sessions
        self._dialogs = ties.dialogs
        self._put_back = ties.dialogs.put_back
        self._let_go = ties.let_go
        self._ends = ends
        self._outreach = outreach
        self._begin = begin

    def receive(self, batch: Batch, link: Link, event: InboundRow, at: int) -> int:
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
            if not self._message(batch, way, connection, sequence, body):
                sequences = sequences[:count]
                break
            count += 1
        if count:
            batch.accepted.append((link, connection, sequences))
        return at + count

    def _message(
        self, batch: Batch, way: Way, connection: tuple[int, int], sequence: int, body: bytes
    ) -> bool:
        """Take a deliver_sm if it is a menu key of a dialog whose last message looked like it.

        As `UssdLane.receive`, without decoding it; False, and nothing done, if it takes a longer look. It is
        answered by who calls this.
        """
        live = way.short.find(body)
        if live is None:
            return self._dialled(batch, way, connection, sequence, body)
        conversation, key = live.conversation, live.key
        last, session, dialogs = conversation.dialog, conversation.session, self._dialogs.by_key
        if session.waiting is not _ANSWER or last is None or dialogs.get(key) is not last:
            return False
        if last.dest != live.dest:
            return False  # a message that looked otherwise came in between
        if conversation.held or self._outreach.open:
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
            self._end(batch, way, live, taken, after, effect)
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

    def _end(self, batch: Batch, way: Way, live: Live, taken: Taken, after: Session, effect: End) -> None:
        """End a session that owes nobody anything with its last screen, or without one.

        As `Stepper.step` and `UssdLane.end`: `taken` came in, and `after` is the session with the flow's
        last word.
        """
        conversation, key, typed = live.conversation, live.key, taken[0]
        last = conversation.dialog
        assert last is not None
        batch.undo.append((self._put_back, (key, last)))
        if last.ours:
            conversation.dialog = self._dialogs.by_key[key] = way.short.go_on(last, taken, None)
            self._stepper.step(batch, conversation, Text(typed), machine.Turn(after, (effect,)))
            return
        text = effect.text or ""
        assert type(text) is str, "a short turn shows no secret"
        body = way.channel.last_page(text, last.route, taken[2], effect.constant)
        dialog = way.short.go_on(last, taken, body, more=False)
        self._dialogs.put_ended(key, dialog)
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
        self._ends.leaves(batch, dialog, conversation, effect.reason)
        token = Page(key, dialog.opened_at, dialog.page, conversation.key, conversation)
        batch.pages[way.link].append((body, token, dialog.connection, live.msisdn))

    def _dialled(
        self, batch: Batch, way: Way, connection: tuple[int, int], sequence: int, body: bytes
    ) -> bool:
        """Take a deliver_sm if a subscriber without a dialog has dialled a code that was dialled before.

        Where the flow begins with a question, and nothing else is about, the dialog, its session and the
        first screen are made at once. It is what `UssdLane.receive` and `Stepper.step` come to.
        """
        host, short = self._host, way.short
        if host.store.full:
            return False
        now = batch.now
        call = short.dial(body, way.channel.group, connection, sequence, now, self._dialogs)
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
            dialog = short.open(call, text, None, self._dialogs)
            conversation = self._begin(batch, way, Dialled(dialog, text))
            if conversation is not None and conversation.session.waiting is not _ENDED:
                way.know(head, dialog, conversation)
            return True
        session, effect = turn
        assert type(effect.text) is str, "the first turn shows no secret"
        page = way.channel.question(effect.text, call.route, call.id_tlv, effect.constant)
        dialog = short.open(call, start.called, page, self._dialogs)
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
        self._sessions[key, opened_at] = conversation
        batch.undo.append((self._let_go, (dialog, conversation)))
        short.heads[head] = Live(conversation, key, call.source, dialog.dest, len(head))
        token = Page(key, opened_at, 1, name, conversation)
        batch.pages[way.link].append((page, token, connection, call.source))
        return True
