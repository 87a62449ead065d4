"""The voice lane: calls and what they have heard into inputs of sessions.

A call enters by FastAGI (`gateway.host.voice_door`) and is one coroutine (`gateway.host.voice_call`); every
input goes through the host, and nothing is played before its turn is stored. In a queue or connected to
another number a caller is out of our hands: the dialplan brings him back, or tells that he has gone. This
module does not know how a prompt is played nor how a text becomes sounds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from engine import answer, machine
from engine.capabilities import Channel
from engine.flow_set import FlowSet
from engine.inputs import AgentLeft, Begin, HungUp, Input, Reopened, Silence, Unshown
from engine.session import Session, Waiting
from engine.trigger import Start
from gateway.host.batch import Batch
from gateway.host.call import RETRY_COMMIT_S
from gateway.host.conversation import TIMED, Conversation
from gateway.host.host import Handler, Host
from gateway.host.stepper import Stepper
from gateway.host.suspension import Suspended
from gateway.host.voice_call import Arrival, Leave, Pick, Say
from gateway.host.voice_order import VoiceOrders
from gateway.host.voice_out import VoiceOut
from gateway.host.voice_wait import Away, Aways, Report, connected, hung_up_first, left_queue
from gateway.store.record import ScheduleRow

_Taker: TypeAlias = Callable[[Batch, Any], bool | None]
"""A handler that tells by False that nothing came of it."""
_AWAY = (Waiting.PEOPLE, Waiting.LINE)
_SHOWN = (Waiting.ANSWER, Waiting.READING)


class VoiceLane:
    """All calls of the gateway. `orders` is the lane as the stepper drives it.

    `aways` are the callers who are out of our hands, `out` the calls that we make; `queue_left` is told how a
    caller left a queue (channel, status).
    """

    def __init__(self, host: Host, stepper: Stepper, suspended: Suspended) -> None:
        self._host = host
        self._stepper = stepper
        self._suspended = suspended
        self._calls: dict[str, Arrival] = {}
        self.aways = Aways()
        self.out = VoiceOut(host)
        self.orders = VoiceOrders(host, self._calls, self.aways, self.out, self._gone)
        self.queue_left: Callable[[str, str], None] | None = None
        stepper.lanes[Channel.VOICE] = self.orders
        stepper.voice = self.orders
        stepper.on_line = self.orders.on_line

    def __len__(self) -> int:
        """Return how many calls talk to flows now."""
        return len(self._calls)

    def now(self) -> int:
        """Return the moment, UTC milliseconds."""
        return self._host.clock.now()

    async def stored(self, handler: _Taker, item: object) -> bool:
        """Have something done in a batch; whether it was done and is stored."""
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._host.take(self._done, (handler, item, done))
        return await done

    @staticmethod
    def _done(batch: Batch, item: tuple[_Taker, object, asyncio.Future[bool]]) -> None:
        handler, given, done = item
        try:
            taken = handler(batch, given)
        except Exception:
            _finish(done, False)
            raise
        batch.leave(_finish, done, taken is not False)
        batch.refuse(_finish, done, False)

    def count(self, what: str) -> None:
        """Count what became of a call."""
        self._host.counters[f"calls.{what}"] += 1

    # A call comes in

    def begin(self, batch: Batch, arrival: Arrival) -> bool:
        """Begin the flow of a call; False if there is none."""
        flows, call = self._host.library.current, arrival.call
        opening = self.out.opening(arrival.channel)
        if opening is not None and opening.flow in flows.flows:
            start: Start | None = Start(opening.flow, opening.arguments, (), arrival.number)
            caller = opening.to
        elif VoiceOut.is_ours(arrival.channel):
            # A call of ours that nobody waits for any more: the gateway was started anew in between.
            self.count("unawaited")
            batch.leave(call.put, Leave("done"))
            return True
        else:
            start = flows.call(arrival.number)
            caller = answer.phone(arrival.claimed, flows.project.country) or ""
        if start is None:
            self.count("no_flow")
            return False
        refusal = self._host.switches.refusal(start.flow, caller, Channel.VOICE)
        if refusal is not None:
            self.count("switched_off")
            self._turn_away(batch, arrival, caller, refusal)
            return True
        self.count("entered")
        session, given = self._session(batch, flows, start, caller, arrival)
        conversation = Conversation(call.key, flows, session)
        batch.touch(conversation)
        self._host.conversations[call.key] = conversation
        self._join(batch, arrival)
        if opening is not None:
            self.out.begun(batch, arrival.channel, call.key)
        if not flows.flows[start.flow].answer_late:
            batch.leave(call.put, Pick())
        self._stepper.step(batch, conversation, given)
        return True

    def _session(
        self, batch: Batch, flows: FlowSet, start: Start, caller: str, arrival: Arrival
    ) -> tuple[Session, Input]:
        opening = self.out.opening(arrival.channel)
        if opening is None and caller:
            kept = self._suspended.take(batch, flows, Channel.VOICE, caller, start)
            if kept is not None:
                return machine.reopen(flows, kept, batch.now), Reopened()
        session = machine.begin(
            flows,
            channel=Channel.VOICE,
            caller=caller,
            called=start.called,
            lang=self._host.language(caller, batch.now, "" if opening is None else opening.lang),
            event={} if opening is None else opening.event,
            now=batch.now,
        )
        return session, Begin(start.flow, start.arguments, start.ahead)

    def _turn_away(self, batch: Batch, arrival: Arrival, caller: str, text: str) -> None:
        """A switch of staff is in the way: the caller hears why, unpaid, and that is all."""
        if text:
            batch.leave(arrival.call.put, Say(text, self._host.language(caller, batch.now)))
        batch.leave(arrival.call.put, Leave("done"))

    def _join(self, batch: Batch, arrival: Arrival) -> None:
        key = arrival.call.key
        self._calls[key] = arrival
        batch.on_failure(lambda: self._calls.pop(key, None))

    # A caller comes back, or does not

    def _away(self, key: str, channel: str, claimed: str) -> tuple[Conversation, Away | None] | None:
        """Return the session of a caller, if channel and number are those that were led on."""
        conversation = self._host.conversations.get(key)
        away = self.aways.of(key)
        if conversation is None or (away is not None and (away.channel, away.claimed) != (channel, claimed)):
            self.count("unknown" if conversation is None else "forged")
            return None
        return conversation, away

    def back(self, batch: Batch, item: tuple[Arrival, Report]) -> bool:
        """Take a caller who comes back; False if it is nobody who was led on."""
        arrival, report = item
        call = arrival.call
        found = self._away(call.key, arrival.channel, arrival.claimed)
        if found is None or found[1] is None or call.key in self._calls:
            return False
        conversation, away = found
        session = conversation.session
        assert away is not None
        if session.waiting not in _AWAY or session.call != away.call:
            return False
        group = batch.touch(conversation)
        self.count("returned")
        self._join(batch, arrival)
        given: Input
        if session.waiting is Waiting.LINE:
            given = connected(report, session.call)
        else:
            given = left_queue(away, report, session.call, batch.now)
            self._host.counters[f"queue_left.{away.queue}.{given.outcome}"] += 1
            if self.queue_left is not None:
                batch.leave(self.queue_left, arrival.channel, report.status)
        if not isinstance(given, AgentLeft) or given.outcome != "waiting":
            self.aways.drop(batch, group, call.key)
        self._stepper.step(batch, conversation, given)
        return True

    def lost(self, batch: Batch, item: tuple[tuple[str, str, str], Report]) -> None:
        """The dialplan tells that a caller has hung up; a call that is with us tells it itself."""
        (key, channel, claimed), report = item
        found = self._away(key, channel, claimed)
        if found is None or key in self._calls:
            return
        conversation, away = found
        session = conversation.session
        given: Input | None = None
        if away is not None and session.waiting is Waiting.PEOPLE and session.call == away.call:
            given = hung_up_first(away, report, session.call, batch.now)
            outcome = "abandoned" if given is None else "answered"
            self._host.counters[f"queue_left.{away.queue}.{outcome}"] += 1
        if conversation.ended:
            return
        group = batch.touch(conversation)
        self.aways.drop(batch, group, key)
        self._stepper.step(batch, conversation, given or HungUp("hangup"))

    def left(self, arrival: Arrival) -> None:
        """A connection has ended: its call is not with us any more."""
        call = arrival.call
        if self._calls.get(call.key) is arrival:
            del self._calls[call.key]
        if not call.left:
            self.gone(call.key, "lost")

    # What a call has heard (`voice_call.Ear`)

    async def heard(self, key: str, given: Input) -> bool:
        """Give an input to a session; False if it could not be stored."""
        return await self.stored(self._given, (key, given))

    def _given(self, batch: Batch, item: tuple[str, Input]) -> None:
        key, given = item
        conversation = self._host.conversations.get(key)
        if conversation is None or conversation.ended:
            return
        batch.touch(conversation)
        self.out.pressed(batch, key, given)
        self._stepper.step(batch, conversation, given)

    def gone(self, key: str, reason: str) -> None:
        """A caller has gone, or must go: told until it is stored."""
        self.count(reason)
        self._host.take(self._gone, (key, reason))

    def _gone(self, batch: Batch, item: tuple[str, str]) -> None:
        key, reason = item
        conversation = self._host.conversations.get(key)
        if conversation is None:
            return
        self._again(batch, self._gone, item)
        if conversation.ended:
            if conversation.closing:
                self._unheard(batch, conversation, reason)
            return
        group = batch.touch(conversation)
        self.aways.drop(batch, group, key)
        session = conversation.session
        # Whether what a charge has come to was heard to its end, nobody knows: it is written as well.
        owes = session.charged and session.waiting in _SHOWN
        self._stepper.step(batch, conversation, Unshown(reason) if owes else HungUp(reason))

    def missing(self, key: str, away: Away) -> None:
        """A caller who was led on is not in his Asterisk any more."""
        if self.aways.of(key) is away and key not in self._calls:
            self.gone(key, "missing")

    def listened(self, key: str, whole: bool) -> None:
        """The last text of a session that has charged was heard, or was not."""
        self._host.take(self._listened, (key, whole))

    def _listened(self, batch: Batch, item: tuple[str, bool]) -> None:
        key, whole = item
        conversation = self._host.conversations.get(key)
        if conversation is None or not conversation.closing:
            return
        self._again(batch, self._listened, item)
        if whole:
            batch.touch(conversation)
            conversation.closing = False
        else:
            self._unheard(batch, conversation, "hangup")

    def _unheard(self, batch: Batch, conversation: Conversation, reason: str) -> None:
        batch.touch(conversation)
        conversation.closing = False
        self._stepper.step(batch, conversation, Unshown(reason))

    def _again(self, batch: Batch, handler: Handler, item: object) -> None:
        loop = asyncio.get_running_loop()
        batch.refuse(loop.call_later, RETRY_COMMIT_S, self._host.take, handler, item)

    def talks_to(self, phone: str) -> bool:
        """Tell whether a subscriber is in a call with a flow now."""
        conversations = (self._host.conversations.get(key) for key in self._calls)
        return any(one is not None and one.session.caller == phone for one in conversations)

    def arrival_of(self, session: str) -> int | None:
        """Return the place of a caller in the queue he was in, for a call back that keeps it.

        That is when he came, less the head start of his class (UTC ms).
        """
        away = self.aways.of(session)
        return away.arrival - max(0, away.ahead_ms) if away is not None and away.queue else None

    # Time, and the time after a start

    def due(self, batch: Batch, conversation: Conversation) -> None:
        """Take a session whose deadline has come; a call that is here keeps the time of its questions."""
        session = conversation.session
        if session.waiting not in TIMED or session.deadline is None or batch.now < session.deadline:
            return
        if session.waiting is Waiting.PAUSE:
            self._stepper.step(batch, conversation, Silence())
        elif conversation.key not in self._calls:
            self._gone(batch, (conversation.key, "late"))

    def tend(self, now: int) -> None:
        """About once a second: end the sessions of callers who never came back."""
        for key in self.aways.expired(now):
            self.gone(key, "missing")
        self.out.tend(now)

    def load(self, rows: Iterable[ScheduleRow]) -> None:
        """Take over who was in a queue when the gateway stopped."""
        self.aways.load(rows)

    def recover(self, batch: Batch, conversation: Conversation) -> None:
        """After a start: the calls that were with us are gone; those in a queue will come back."""
        if conversation.session.channel != Channel.VOICE or conversation.ended:
            return
        waits = conversation.session.waiting in _AWAY and self.aways.of(conversation.key) is not None
        if not waits:
            self._gone(batch, (conversation.key, "restart"))


def _finish(done: asyncio.Future[bool], stored: bool) -> None:
    if not done.done():
        done.set_result(stored)
