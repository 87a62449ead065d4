"""What flows want of calls: effects into orders for the call, or into a way out of our hands.

A caller who is led into a queue or to another number is noted, so that he is known when he comes back. This
module does not know how an order is carried out.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

import msgspec

from engine.calendar import is_open
from engine.effects import Answer, Collect, Connect, Effect, End, Enqueue, Pause, Record
from engine.inputs import AgentLeft
from gateway.host.batch import Batch
from gateway.host.conversation import Conversation
from gateway.host.host import Handler, Host
from gateway.host.voice_call import KEY, Arrival, Ask, Keep, Leave, Order, Pick, Rest, Say
from gateway.host.voice_keys import Charges, keys_of
from gateway.host.voice_out import VoiceOut
from gateway.host.voice_wait import Away, Aways
from ivr.handover import note_words, skill_words
from ivr.queue_key import queue_priority


class VoiceOrders:
    """`calls` are those that talk to flows; `gone` is told of a session (its key, why) without a call.

    `recordings` is where callers are recorded, below the sounds of Asterisk.
    """

    def __init__(
        self, host: Host, calls: Mapping[str, Arrival], aways: Aways, out: VoiceOut, gone: Handler
    ) -> None:
        self._host = host
        self._calls = calls
        self._aways = aways
        self._out = out
        self._gone = gone
        self._charges = Charges()
        self.recordings = "gudok-recordings"

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
        self._aways.drop(batch, batch.touch(conversation), conversation.key)
        self._out.ended(batch, conversation.key, effect.reason)
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
        before = self._aways.of(conversation.key)
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
        away = msgspec.structs.replace(
            away, channel=arrival.channel, claimed=arrival.claimed, peer=arrival.peer
        )
        self._aways.put(batch, batch.touch(conversation), conversation.key, away)
        told = {"IVR_SESSION": conversation.key.removeprefix(KEY), **order.variables}
        batch.leave(arrival.call.put, Leave(order.next, told))


def _later(now: int, after_ms: int | None) -> int | None:
    return None if after_ms is None else now + after_ms
