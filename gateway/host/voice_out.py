"""Calls that we make: dialled by Asterisk, and a session when they are answered; what came of each is told.

An attempt has an id of its own, which Asterisk makes the id of the channel: the call that enters FastAGI with
it is that attempt. Whether a person has answered or a machine, a key tells, or a flow that has said all it
had to say. This module does not know when to call again (`gateway.host.outbound`, `gateway.host.start`).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Protocol

import msgspec

from engine.capabilities import Channel
from engine.inputs import Digits, Input
from gateway.host.batch import Batch
from gateway.host.host import Host
from gateway.host.opening import Opened, Opening
from gateway.host.outreach import Reach
from ivr.ami.message import ActionError
from ivr.ami.originate import Attempt

OURS = "gudok-"
"""Begins the ids of the channels of our calls."""
_NAME = re.compile(rf"{OURS}[0-9a-f]{{24}}", re.ASCII)
"""An Asterisk with the system name `gudok` begins every id with `gudok-`, too: those are not ours."""
CONTEXT = "gudok-out"
"""Where an answered call of ours goes on in the dialplan."""
ENTERS_MS = 90_000
"""A call that was answered is here within this, beside the time that it rang."""
_REACHED = frozenset({"end", "return", "left", "hangup", "refused"})
"""A flow that ends so has said what it had to say."""
_MEANT = {
    "no_answer": Reach.NO_ANSWER,
    "hung_up": Reach.NO_ANSWER,
    "busy": Reach.BUSY,
    "congestion": Reach.LATER,
    "bad_number": Reach.REFUSED,
    "refused": Reach.LOST,
    "lost": Reach.UNKNOWN,
}


class Dialler(Protocol):
    """What makes calls: `gateway.asterisk.Asterisks`."""

    @property
    def free(self) -> int:
        """Return how many calls may be begun now."""
        ...

    def dial(self, attempt: Attempt, done: Callable[[str], None]) -> None:
        """Begin a call; `done` is told once what came of it (`ivr.ami.originate.result`)."""
        ...


class _Dialled(msgspec.Struct):
    """An attempt under way; `until` is when nothing more will come of it. `key` is its session."""

    opening: Opening
    until: int
    key: str = ""


class VoiceOut:
    """The calls we have begun. It is the opener of `voice`; each of `told` gets (batch, plan, reach)."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._open: dict[str, _Dialled] = {}
        self._of_session: dict[str, str] = {}
        self.dialler: Dialler | None = None
        self.number = ""
        self.ring_ms = 40_000
        self.told: list[Callable[[Batch, str, Reach], None]] = []

    def __len__(self) -> int:
        return len(self._open)

    @staticmethod
    def is_ours(channel: str) -> bool:
        """Tell by its id whether a channel is a call that we made."""
        return _NAME.fullmatch(channel) is not None

    def open(self, batch: Batch, opening: Opening) -> Opened:
        """Dial a subscriber; the session begins when the call is answered."""
        flows, dialler = self._host.library.current, self.dialler
        flow = flows.flows.get(opening.flow)
        if dialler is None or flow is None:
            return Opened.NEVER
        if self._host.switches.refusal(opening.flow, opening.to, Channel.VOICE) is not None:
            return Opened.NEVER
        if any(one.opening.id == opening.id for one in self._open.values()):
            return Opened.BEGUN
        if dialler.free <= 0 or any(one.opening.to == opening.to for one in self._open.values()):
            return Opened.LATER
        number = next(iter(flow.call), "") or self.number or next(iter(flows.calls), "")
        name = f"{OURS}{secrets.token_hex(12)}"
        attempt = Attempt(name, opening.to, CONTEXT, number, (), self.ring_ms // 1000)
        self._open[name] = _Dialled(opening, batch.now + self.ring_ms + ENTERS_MS)
        batch.on_failure(lambda: self._open.pop(name, None))
        batch.leave(self._dial, dialler, attempt)
        return Opened.BEGUN

    def _dial(self, dialler: Dialler, attempt: Attempt) -> None:
        self._host.counters["calls.dialled"] += 1
        try:
            dialler.dial(attempt, lambda result: self._host.take(self._result, (attempt.identity, result)))
        except ActionError:
            self._host.take_later(self._result, (attempt.identity, "bad_number"))

    def _result(self, batch: Batch, item: tuple[str, str]) -> None:
        name, result = item
        self._host.counters[f"calls_out.{result}"] += 1
        dialled = self._open.get(name)
        if result != "answered" and dialled is not None and not dialled.key:
            self._tell(batch, name, _MEANT.get(result, Reach.NO_ANSWER))

    # The call is here

    def opening(self, channel: str) -> Opening | None:
        """Return what a call of ours was made for; None for a call that nobody waits for."""
        dialled = self._open.get(channel)
        return None if dialled is None or dialled.key else dialled.opening

    def begun(self, batch: Batch, channel: str, key: str) -> None:
        """An answered call has its session now."""
        self._open[channel].key = key
        self._of_session[key] = channel
        batch.on_failure(lambda: self._forget(channel, key))

    def _forget(self, channel: str, key: str) -> None:
        self._of_session.pop(key, None)
        if channel in self._open:
            self._open[channel].key = ""

    def pressed(self, batch: Batch, key: str, given: Input) -> None:
        """Something was heard in a call: a key is a person."""
        if self._of_session and isinstance(given, Digits) and key in self._of_session:
            self._tell(batch, self._of_session[key], Reach.REACHED)

    def ended(self, batch: Batch, key: str, reason: str) -> None:
        """The session of a call is over."""
        if self._of_session and key in self._of_session:
            reach = Reach.REACHED if reason in _REACHED else Reach.NO_ANSWER
            self._tell(batch, self._of_session[key], reach)

    def _tell(self, batch: Batch, name: str, reach: Reach) -> None:
        dialled = self._open.pop(name, None)
        if dialled is None:
            return
        self._of_session.pop(dialled.key, None)
        batch.on_failure(lambda: self._put_back(name, dialled))
        self._host.counters[f"voice_reach.{reach.value}"] += 1
        for told in self.told:
            told(batch, dialled.opening.id, reach)

    def _put_back(self, name: str, dialled: _Dialled) -> None:
        self._open[name] = dialled
        if dialled.key:
            self._of_session[dialled.key] = name

    def tend(self, now: int) -> None:
        """About once a second: whoever was answered and never came has not been reached."""
        for name, dialled in list(self._open.items()):
            if not dialled.key and dialled.until <= now:
                self._host.take(self._result, (name, "no_answer"))
