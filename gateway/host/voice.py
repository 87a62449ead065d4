"""The voice lane: calls into inputs of sessions, effects of flows into orders for the call.

A call enters by FastAGI and is one coroutine (`gateway.host.voice_call`); every input goes through the host,
and nothing is played before its turn is stored. In a queue or connected to another number a caller is out of
our hands: the dialplan brings him back (`after`), or tells that he has gone (`hangup`). This module does not
know how a prompt is played nor how a text becomes sounds.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import msgspec
import structlog

from engine import answer, machine
from engine.calendar import is_open
from engine.capabilities import Channel
from engine.effects import Answer, Collect, Connect, Effect, End, Enqueue, Pause, Record
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
from gateway.host.voice_call import Ask, Keep, Leave, NotStoredError, Order, Pick, Rest, Say, VoiceCall
from gateway.host.voice_keys import Charges, keys_of
from gateway.host.voice_out import VoiceOut
from gateway.host.voice_sound import Sounds
from gateway.host.voice_wait import Away, Aways, Report, connected, hung_up_first, left_queue
from gateway.store.record import ScheduleRow
from ivr.agi.command import set_variable
from ivr.fastagi import Line
from ivr.handover import note_words, skill_words
from ivr.queue_key import queue_priority
from ivr.voice import VoiceLine, VoiceSettings

KEY = "c:"
"""Begins the keys of sessions by telephone; 32 hexadecimal digits follow, which only Asterisk is told."""
WHO = ("CALLERID(num)", "CHANNEL(name)", "UNIQUEID")
TOLD = (
    "IVR_SESSION",
    "QUEUESTATUS",
    "DIALSTATUS",
    "QEHOLDTIME",
    "MEMBERINTERFACE",
    "ANSWEREDTIME",
    "IVR_RESULT",
)
"""What is read again from the channel: the lines at the beginning of a connection prove nothing."""
GRACE_MS = 60_000
"""Asterisk's own limit of a call lies so far behind ours."""

_Taker: TypeAlias = Callable[[Batch, Any], bool | None]
"""A handler that tells by False that nothing came of it."""
_SESSION = re.compile(r"[0-9a-f]{32}", re.ASCII)
_AWAY = (Waiting.PEOPLE, Waiting.LINE)
_SHOWN = (Waiting.ANSWER, Waiting.READING)


class Arrival(msgspec.Struct, frozen=True):
    """A call that has come in: the number that was dialled, Asterisk's id of the channel, who calls."""

    call: VoiceCall
    number: str
    channel: str
    claimed: str


class VoiceLane:
    """All calls of the gateway. `serve` is the handler of the FastAGI server.

    `sounds` gives the sounds of texts, `recordings` is where callers are recorded, below the sounds of
    Asterisk; `limit_ms` is the longest a call may talk to flows at a stretch. `out` are the calls that we
    make; `queue_left` is told how a caller left a queue (channel, status).
    """

    def __init__(self, host: Host, stepper: Stepper, suspended: Suspended) -> None:
        self._host = host
        self._stepper = stepper
        self._suspended = suspended
        self._charges = Charges()
        self._calls: dict[str, Arrival] = {}
        self.aways = Aways()
        self.out = VoiceOut(host)
        self.sounds: Sounds | None = None
        self.recordings = "gudok-recordings"
        self.limit_ms = 1_800_000
        self.settings = VoiceSettings()
        self.queue_left: Callable[[str, str], None] | None = None
        self._log = structlog.get_logger()
        stepper.lanes[Channel.VOICE] = self
        stepper.voice = self
        stepper.on_line = self.on_line

    def __len__(self) -> int:
        """Return how many calls talk to flows now."""
        return len(self._calls)

    def now(self) -> int:
        """Return the moment, UTC milliseconds."""
        return self._host.clock.now()

    # A connection

    async def serve(self, line: Line) -> None:
        """Take a FastAGI connection; `IVR_NEXT` stays empty where the dialplan has to help itself."""
        match line.path:
            case "flow":
                await self._entered(line)
            case "after":
                await self._returned(line)
            case "hangup":
                await self._reported(line)
            case _:
                self._count("strange")

    async def _entered(self, line: Line) -> None:
        host = self._host
        if host.draining or host.store.full or self.sounds is None:
            self._count("refused")
            return
        await self._bound(line)
        voice = VoiceLine(line, self.settings, self.now)
        who = await voice.open(WHO)
        arrival = self._arrival(f"{KEY}{secrets.token_hex(16)}", voice, who, line.dialled)
        if await self._store(self._begin, arrival):
            await self._talk(arrival, line)

    async def _returned(self, line: Line) -> None:
        if self.sounds is None:
            return
        await self._bound(line)
        voice = VoiceLine(line, self.settings, self.now, answered=True)
        found = await voice.open((*WHO, *TOLD))
        arrival = self._arrival(KEY + found["IVR_SESSION"], voice, found, "")
        if await self._store(self._back, (arrival, _report(found))):
            await self._talk(arrival, line)

    async def _reported(self, line: Line) -> None:
        voice = VoiceLine(line, self.settings, self.now, answered=True)
        found = await voice.trusted((*WHO, *TOLD))
        who = (KEY + found["IVR_SESSION"], found["UNIQUEID"], found["CALLERID(num)"])
        if not _SESSION.fullmatch(found["IVR_SESSION"]):
            return
        for _ in range(10):
            if await self._store(self._lost, (who, _report(found))):
                return
            await asyncio.sleep(RETRY_COMMIT_S)

    async def _bound(self, line: Line) -> None:
        """Give the call a limit in Asterisk too, in case that we fall silent."""
        seconds = (self.limit_ms + GRACE_MS) // 1000
        await line.execute(set_variable("TIMEOUT(absolute)", str(seconds)))

    def _arrival(self, key: str, voice: VoiceLine, who: Mapping[str, str], number: str) -> Arrival:
        assert self.sounds is not None
        call = VoiceCall(key, voice, self.sounds, self, self.now() + self.limit_ms)
        return Arrival(call, number, who["UNIQUEID"], who["CALLERID(num)"])

    async def _talk(self, arrival: Arrival, line: Line) -> None:
        call = arrival.call
        line.on_hangup = call.hung_up
        if line.hungup:
            call.hung_up()
        try:
            await call.run()
        except NotStoredError:
            self._count("not_stored")
        finally:
            if self._calls.get(call.key) is arrival:
                del self._calls[call.key]
            if not call.left:
                self.gone(call.key, "lost")

    async def _store(self, handler: _Taker, item: object) -> bool:
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

    def _count(self, what: str) -> None:
        self._host.counters[f"calls.{what}"] += 1

    # A call comes in

    def _begin(self, batch: Batch, arrival: Arrival) -> bool:
        flows, call = self._host.library.current, arrival.call
        opening = self.out.opening(arrival.channel)
        if opening is not None and opening.flow in flows.flows:
            start: Start | None = Start(opening.flow, opening.arguments, (), arrival.number)
            caller = opening.to
        elif VoiceOut.is_ours(arrival.channel):
            # A call of ours that nobody waits for any more: the gateway was started anew in between.
            self._count("unawaited")
            batch.leave(call.put, Leave("done"))
            return True
        else:
            start = flows.call(arrival.number)
            caller = answer.phone(arrival.claimed, flows.project.country) or ""
        if start is None:
            self._count("no_flow")
            return False
        refusal = self._host.switches.refusal(start.flow, caller, Channel.VOICE)
        if refusal is not None:
            self._count("switched_off")
            self._turn_away(batch, arrival, caller, refusal)
            return True
        self._count("entered")
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
            self._count("unknown" if conversation is None else "forged")
            return None
        return conversation, away

    def _back(self, batch: Batch, item: tuple[Arrival, Report]) -> bool:
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
        self._count("returned")
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

    def _lost(self, batch: Batch, item: tuple[tuple[str, str, str], Report]) -> None:
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

    # What a call has heard (`voice_call.Ear`)

    async def heard(self, key: str, given: Input) -> bool:
        """Give an input to a session; False if it could not be stored."""
        return await self._store(self._given, (key, given))

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
        self._count(reason)
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

    # What a flow wants

    def _order(self, batch: Batch, conversation: Conversation, order: Order) -> bool:
        arrival = self._calls.get(conversation.key)
        if arrival is None:
            return False
        batch.leave(arrival.call.put, order)
        return True

    def _nobody(self, batch: Batch, conversation: Conversation) -> None:
        """A flow wants to speak, and there is no call any more."""
        batch.leave(self._host.take_later, self._gone, (conversation.key, "late"))

    def show(self, batch: Batch, conversation: Conversation, effect: Collect) -> None:
        """Ask a question."""
        conversation.hides_input = effect.secret
        flows, session = conversation.flows, conversation.session
        keys = keys_of(flows, session)
        order = Ask(
            effect.text,
            session.lang,
            keys,
            effect.timeout_ms,
            flows.project.voice_between_ms,
            flows.project.voice_barge_in,
            effect.secret,
            self._charges.of(flows, session),
        )
        if not self._order(batch, conversation, order):
            self._nobody(batch, conversation)

    def end(self, batch: Batch, conversation: Conversation, effect: End) -> None:
        """Say the last text and hang up."""
        session = conversation.session
        self._host.counters[f"ended.voice.{effect.reason}"] += 1
        self.aways.drop(batch, batch.touch(conversation), conversation.key)
        self.out.ended(batch, conversation.key, effect.reason)
        conversation.closing = bool(effect.text) and session.charged
        if effect.text:
            said = Say(effect.text, session.lang, conversation.closing)
            if not self._order(batch, conversation, said) and conversation.closing:
                self._nobody(batch, conversation)
        self._order(batch, conversation, Leave("done"))

    def on_line(self, batch: Batch, conversation: Conversation, effect: Effect) -> None:
        """Do what only a call can do."""
        lang = conversation.session.lang
        if isinstance(effect, Record | Connect | Pause) and effect.text:
            self._order(batch, conversation, Say(effect.text, lang))
        match effect:
            case Answer():
                self._order(batch, conversation, Pick())
            case Pause():
                self._order(batch, conversation, Rest())
            case Record(call=call, max_ms=max_ms):
                name = f"{self.recordings}/{secrets.token_hex(16)}"
                self._order(batch, conversation, Pick())
                if not self._order(batch, conversation, Keep(call, name, max_ms)):
                    self._nobody(batch, conversation)
            case Connect(call=call, number=number, timeout_ms=timeout_ms):
                told = {"IVR_CONNECT": number, "IVR_CTIMEOUT": str(max(1, timeout_ms // 1000))}
                self._lead(batch, conversation, Leave("connect", told), "", call)

    def enqueue(self, batch: Batch, conversation: Conversation, effect: Enqueue) -> AgentLeft | None:
        """Hand a caller over to the queue of Asterisk; `AgentLeft` comes when he is brought back."""
        project = conversation.flows.project
        before = self.aways.of(conversation.key)
        stays = before is not None and before.queue == effect.queue
        if effect.queue not in project.queues or not (stays or is_open(project, effect.queue, batch.now)):
            self._host.counters["queue_refused.closed"] += 1
            return AgentLeft(effect.call, "closed")
        if effect.text:
            self._order(batch, conversation, Say(effect.text, conversation.session.lang))
        queue = project.queues[effect.queue]
        arrival = before.arrival if before is not None and stays else batch.now
        end_at = before.end_at if before is not None and stays else _later(batch.now, effect.timeout_ms)
        offer_at = _later(batch.now, effect.callback_after_ms)
        ahead_ms = effect.priority * queue.step_ms
        away = Away("", "", effect.queue, effect.call, arrival, batch.now, offer_at, end_at, ahead_ms)
        told = {
            "IVR_QUEUE": effect.queue,
            "IVR_PRIO": str(queue_priority(arrival, ahead_ms)),
            "IVR_QTIMEOUT": "" if away.limit_s is None else str(min(999_999, away.limit_s)),
            "IVR_RECORD": "yes" if queue.record else "",
            "IVR_RECORD_NOTICE": "",
            "IVR_SURVEY": "yes" if effect.survey else "",
            "IVR_NOTE": note_words(effect.note),
            "IVR_SKILLS": skill_words(effect.skills),
        }
        self._lead(batch, conversation, Leave("queue", told), effect.queue, effect.call, away)
        return None

    def _lead(
        self,
        batch: Batch,
        conversation: Conversation,
        order: Leave,
        queue: str,
        number: int,
        away: Away | None = None,
    ) -> None:
        """Lead a caller on, and note how to know him again."""
        arrival = self._calls.get(conversation.key)
        if arrival is None:
            self._nobody(batch, conversation)
            return
        away = away or Away("", "", queue, number, batch.now, batch.now)
        away = msgspec.structs.replace(away, channel=arrival.channel, claimed=arrival.claimed)
        self.aways.put(batch, batch.touch(conversation), conversation.key, away)
        told = {"IVR_SESSION": conversation.key.removeprefix(KEY), **order.variables}
        batch.leave(arrival.call.put, Leave(order.next, told))

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


def _report(found: Mapping[str, str]) -> Report:
    return Report(
        found["QUEUESTATUS"],
        found["DIALSTATUS"],
        found["QEHOLDTIME"],
        found["MEMBERINTERFACE"],
        found["ANSWEREDTIME"],
        found["IVR_RESULT"],
    )


def _later(now: int, after_ms: int | None) -> int | None:
    return None if after_ms is None else now + after_ms


def _finish(done: asyncio.Future[bool], stored: bool) -> None:
    if not done.done():
        done.set_result(stored)
