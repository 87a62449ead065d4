"""What the queues of one Asterisk look like now, from its events: who waits, who answers, who is free.

Asterisk says `QueueCallerAbandon` also when a caller's time in the queue is over, and nothing in that event
tells the two apart. So a leave is kept open until the dialplan reports the status (`QUEUESTATUS`) or the
channel hangs up: with a report it is a time-out, with a hang-up alone an abandonment. Callers are known by
their Uniqueid; their numbers are not kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ivr.ami.message import Message

OPEN_MS = 30_000
"""A caller who left and of whom nothing more was heard for so long has abandoned."""

PLACEHOLDER = "cb-"
"""Channel ids of callbacks that hold a place begin with this; they are in no figure."""

_READY = frozenset({"1"})
"""`Status` of a member who could take a call now (AST_DEVICE_NOT_INUSE)."""
_GONE = frozenset({"4", "5"})
"""Invalid and unavailable: not on duty, whatever the configuration says."""


@dataclass(slots=True)
class Waiting:
    """A caller in a queue; `arrival` in UTC ms, `channel` is the name by which Asterisk is told of him."""

    queue: str
    arrival: int
    position: int = 0
    left_at: int | None = None
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """How a wait ended: `answered`, `abandoned`, `timeout` (led on by us), `other` (closed, full, empty)."""

    queue: str
    arrival: int
    waited_ms: int
    end: str
    talk_ms: int = 0


@dataclass(slots=True)
class Member:
    """Somebody who answers calls of a queue."""

    status: str = "0"
    paused: bool = False

    @property
    def staffed(self) -> bool:
        """Whether the member is on duty."""
        return not self.paused and self.status not in _GONE

    @property
    def free(self) -> bool:
        """Whether the member could take a call now."""
        return not self.paused and self.status in _READY


@dataclass(slots=True)
class QueuePicture:
    """Feed it events; `finished()` gives and forgets the waits that have ended."""

    waiting: dict[str, Waiting] = field(default_factory=dict)
    members: dict[str, dict[str, Member]] = field(default_factory=dict)
    _talks: dict[str, Wait] = field(default_factory=dict)
    _finished: list[Wait] = field(default_factory=list)

    def event(self, message: Message, now: int) -> None:
        """Take an event in; others than those of queues change nothing. `now` is UTC in milliseconds."""
        identity = message.get("Uniqueid")
        match message.event:
            case "QueueCallerJoin":
                position = message.number("Position") or 0
                channel = message.get("Channel")
                self.waiting[identity] = Waiting(message.get("Queue"), now, position, channel=channel)
            case "AgentConnect":
                self._answered(identity, message, now)
            case "AgentComplete":
                self._completed(identity, message)
            case "QueueCallerAbandon" | "QueueCallerLeave":
                caller = self.waiting.get(identity)
                if caller is not None and caller.left_at is None:
                    caller.left_at = now
            case "Hangup":
                self._end(identity, "abandoned", now)
                talk = self._talks.pop(identity, None)
                if talk is not None:
                    self._finished.append(talk)
            case "QueueMemberAdded" | "QueueMemberStatus" | "QueueMemberPause" | "QueueMember":
                self._member(message)
            case "QueueMemberRemoved":
                self.members.get(message.get("Queue"), {}).pop(message.get("Interface"), None)

    def reported(self, identity: str, status: str, now: int) -> None:
        """The dialplan has told how `Queue()` ended for a channel (`QUEUESTATUS`)."""
        end = {"TIMEOUT": "timeout", "WITHDRAW": "timeout", "CONTINUE": "answered"}.get(status, "other")
        self._end(identity, end, now)

    def resync(self, entries: Iterable[Message], now: int) -> None:
        """Make the picture anew from the list that answers `QueueStatus`; unfinished waits are forgotten."""
        self.waiting.clear()
        self._talks.clear()
        self.members.clear()
        for message in entries:
            if message.event == "QueueMember":
                self._member(message)
            elif message.event == "QueueEntry":
                waited = message.number("Wait") or 0
                position = message.number("Position") or 0
                self.waiting[message.get("Uniqueid")] = Waiting(
                    message.get("Queue"), now - waited * 1000, position, channel=message.get("Channel")
                )

    def tick(self, now: int) -> None:
        """About once a second: whoever left long ago without a word has abandoned."""
        for identity, caller in list(self.waiting.items()):
            if caller.left_at is not None and now - caller.left_at > OPEN_MS:
                self._end(identity, "abandoned", now)

    def finished(self) -> list[Wait]:
        """Return, and forget, the waits that have ended."""
        found, self._finished = self._finished, []
        return found

    def queue_length(self, queue: str) -> int:
        """Return how many callers wait in a queue, without the placeholders of callbacks."""
        return sum(
            1
            for identity, one in self.waiting.items()
            if one.queue == queue and one.left_at is None and not identity.startswith(PLACEHOLDER)
        )

    def ahead(self, queue: str) -> int:
        """Return how many are served before a newcomer: those who wait, and callbacks that hold a place."""
        return sum(1 for one in self.waiting.values() if one.queue == queue and one.left_at is None)

    def staffed(self, queue: str) -> int:
        """Return how many members are on duty."""
        return sum(1 for one in self.members.get(queue, {}).values() if one.staffed)

    def free(self, queue: str) -> int:
        """Return how many members could take a call now."""
        return sum(1 for one in self.members.get(queue, {}).values() if one.free)

    def expected_wait_s(self, queue: str, handling_s: float) -> int:
        """Return how long a caller who joins now would wait, in seconds, rounded up.

        Those ahead, and the newcomer, are served by everybody on duty; somebody is free on average
        `handling_s / staffed` after the last one was. Nobody on duty counts as one.
        """
        ahead = self.queue_length(queue)
        if self.free(queue) > ahead:
            return 0
        return int(-(-(ahead + 1) * handling_s // max(1, self.staffed(queue))))

    def _member(self, message: Message) -> None:
        interface = message.get("Interface") or message.get("Location")
        member = self.members.setdefault(message.get("Queue"), {}).setdefault(interface, Member())
        member.status = message.get("Status", member.status)
        paused = message.get("Paused")
        if paused:
            member.paused = paused == "1"

    def _answered(self, identity: str, message: Message, now: int) -> None:
        caller = self.waiting.pop(identity, None)
        if caller is None or identity.startswith(PLACEHOLDER):
            return
        held = message.number("HoldTime")
        waited = now - caller.arrival if held is None else held * 1000
        self._talks[identity] = Wait(caller.queue, caller.arrival, max(0, waited), "answered")

    def _completed(self, identity: str, message: Message) -> None:
        talk = self._talks.pop(identity, None)
        if talk is not None:
            seconds = max(0, message.number("TalkTime") or 0)
            self._finished.append(
                Wait(talk.queue, talk.arrival, talk.waited_ms, "answered", talk_ms=seconds * 1000)
            )

    def _end(self, identity: str, end: str, now: int) -> None:
        caller = self.waiting.pop(identity, None)
        if caller is None or identity.startswith(PLACEHOLDER):
            return
        until = now if caller.left_at is None else caller.left_at
        self._finished.append(Wait(caller.queue, caller.arrival, max(0, until - caller.arrival), end))
