"""Which sessions by SMS a subscriber has at a number, and what he writes while none of them can take it.

One of them may wait for a back end when the next message comes. It belongs to that session, not to a second
one beside it: it is held, in the session's own row, and let in when the session asks, hands over to people or
ends. A message that was written before a question came is never taken for the answer where a charge may
follow.
"""

from __future__ import annotations

from typing import TypeAlias

from engine.capabilities import Channel
from engine.session import Waiting
from engine.steps.request import Request
from engine.steps.run_ import Run
from gateway.host.batch import Batch
from gateway.host.conversation import Conversation, begun_by_us
from gateway.host.host import Host

Pair: TypeAlias = tuple[str, str]
"""A subscriber and the number he writes to."""
MOST_HELD = 20
"""Messages that one session holds."""
_ASKS = frozenset({Waiting.ANSWER, Waiting.READING, Waiting.OFFER})
_BUSY = frozenset({Waiting.BEGIN, Waiting.BACKEND, Waiting.LOOK, Waiting.PAUSE, Waiting.LINE})


class Talks:
    """The live sessions by SMS of each pair, that which spoke last at the end."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._keys: dict[Pair, tuple[str, ...]] = {}

    def join(self, batch: Batch, conversation: Conversation) -> None:
        """A session begins or asks."""
        pair = _pair(conversation)
        before = self._keys.get(pair, ())
        if before and before[-1] == conversation.key:
            return
        self._keys[pair] = (*(key for key in before if key != conversation.key), conversation.key)
        batch.on_failure(lambda: self._put_back(pair, before))

    def leave(self, conversation: Conversation) -> None:
        """A session is over."""
        pair = _pair(conversation)
        left = tuple(key for key in self._keys.get(pair, ()) if key != conversation.key)
        self._put_back(pair, left)

    def _put_back(self, pair: Pair, keys: tuple[str, ...]) -> None:
        if keys:
            self._keys[pair] = keys
        else:
            self._keys.pop(pair, None)

    def of(self, subscriber: str) -> list[Conversation]:
        """Return the live sessions of a subscriber, at whatever number."""
        pairs = [pair for pair in self._keys if pair[0] == subscriber]
        return [one for pair in pairs for one in self._live(pair)]

    def _live(self, pair: Pair) -> list[Conversation]:
        """Return the live sessions of a pair, the latest first."""
        found = (self._host.conversations.get(key) for key in reversed(self._keys.get(pair, ())))
        return [one for one in found if one is not None and not one.ended]

    def asking(self, pair: Pair) -> Conversation | None:
        """Return the session that has asked last and waits for the answer."""
        return next((one for one in self._live(pair) if one.session.waiting in _ASKS), None)

    @staticmethod
    def is_busy(conversation: Conversation) -> bool:
        """Tell whether a session can take nothing now, and will later."""
        return conversation.session.waiting in _BUSY

    def hold(self, batch: Batch, pair: Pair, text: str) -> bool:
        """Keep a message for the session that is busy; False if there is none.

        One that we began and that has said nothing yet is not meant by what its subscriber writes.
        """
        for one in self._live(pair):
            known = one.session.asked or one.session.first or not begun_by_us(one.key)
            if self.is_busy(one) and known:
                self.add(batch, one, text)
                return True
        return False

    def add(self, batch: Batch, conversation: Conversation, text: str) -> None:
        """Keep a message; one too many is counted and dropped."""
        before = batch.before(conversation)
        if len(conversation.held) >= MOST_HELD:
            self._host.counters["sms_held_dropped"] += 1
            return
        conversation.held = (*conversation.held, text)
        before.inputs.append(("Held", None))
        self._host.counters["sms_held"] += 1

    def load(self) -> None:
        """After a start: take the sessions that live again."""
        for conversation in self._host.conversations.values():
            if conversation.session.channel == Channel.SMS and not conversation.ended:
                pair = _pair(conversation)
                self._keys[pair] = (*self._keys.get(pair, ()), conversation.key)


def _pair(conversation: Conversation) -> Pair:
    return conversation.session.caller, conversation.session.called


def may_answer(conversation: Conversation) -> bool:
    """Tell whether a message from before the question may be its answer: not where money may follow."""
    flows, open_ = conversation.flows.flows, [one.flow for one in conversation.session.frames]
    seen: set[str] = set()
    while open_:
        name = open_.pop()
        if name in seen or name not in flows:
            continue
        seen.add(name)
        for step in flows[name].program:
            if isinstance(step, Request) and step.operation.charge:
                return False
            if isinstance(step, Run):
                open_.append(step.flow)
    return True
