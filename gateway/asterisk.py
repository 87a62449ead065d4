"""The Asterisks of the settings, by their manager interfaces: their queues, and the calls that we make.

Every connection that comes up begins with the whole picture anew. What a caller is told of a queue is what
all Asterisks together have; the figures of its waits are counted as they end. Numbers of callers are in the
events and are never kept here.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from random import Random

import structlog

from gateway.call_settings import AsteriskSettings
from ivr.ami import placeholder, roll
from ivr.ami.client import AmiClient
from ivr.ami.message import ActionError, Message
from ivr.ami.originate import Attempt, headers, result
from ivr.ami.placeholder import News, Placeholder
from ivr.ami.session import Outcome
from ivr.queue_picture import QueuePicture, Wait
from ivr.statistics import HOUR_MS, HourFigures, hours

USUAL_S = 180.0
"""How long a talk takes as long as too few have ended to tell."""
ENOUGH = 5
"""Talks that tell the pace of a queue."""
LATEST = 100
"""Talks that the pace of a queue is taken from."""
KEPT_MS = 24 * HOUR_MS
MOST_WAITS = 200_000
IN_TIME_S = 20.0
"""A wait up to this counts as in time, as most operators have it."""
WRAP_UP_S = 5.0
"""Between two talks an agent rests so long (queues.conf)."""
ANSWER_MS = 60_000
"""Beside the time of ringing: then nobody tells any more what became of a call."""


class _One:
    """One Asterisk: its connection and the picture of its queues."""

    def __init__(self, settings: AsteriskSettings, clock: Callable[[], int], random: Random) -> None:
        self.settings = settings
        self.picture = QueuePicture()
        self.ringing = 0
        self.synced = False
        self.on_news: Callable[[News], None] | None = None
        self._clock = clock
        self._log = structlog.get_logger()
        self.client = AmiClient(
            settings.name,
            settings.host,
            settings.port,
            settings.user,
            settings.secret,
            clock=clock,
            random=random,
            on_event=self._event,
            on_ready=self._ready,
        )

    def _event(self, message: Message) -> None:
        self.picture.event(message, self._clock())
        if message.event == "UserEvent" and self.on_news is not None:
            news = placeholder.news(message)
            if news is not None:
                self.on_news(news)

    def _ready(self) -> None:
        self.synced = False
        self.client.send("QueueStatus", (), self._resynced)

    def _resynced(self, outcome: Outcome) -> None:
        if outcome.done:
            self.picture.resync(outcome.events, self._clock())
            self.synced = True
        else:
            self._log.warning("ami_no_queues", asterisk=self.settings.name, reason=outcome.error)

    @property
    def free(self) -> int:
        return self.settings.calls - self.ringing if self.client.ready else 0

    @property
    def current(self) -> bool:
        """Whether the picture is that of now."""
        return self.synced and self.client.ready


class Asterisks:
    """All of them.

    It is the `Dialler` of the calls that we make (`gateway.host.voice_out`), and where callbacks keep their
    places (`gateway.host.callback_place`). `on_waits` gets the waits that have ended.
    """

    def __init__(
        self, settings: Iterable[AsteriskSettings], clock: Callable[[], int], counters: Counter[str]
    ) -> None:
        self._clock = clock
        self._counters = counters
        self._all = [_One(one, clock, Random()) for one in settings]  # noqa: S311 - jitter, no secret
        self._waits: deque[Wait] = deque(maxlen=MOST_WAITS)
        self._talks: dict[str, deque[float]] = {}
        self.on_waits: Callable[[Sequence[Wait]], None] | None = None

    def __bool__(self) -> bool:
        return bool(self._all)

    def start(self) -> None:
        """Connect, and stay connected."""
        for one in self._all:
            one.client.start()

    async def close(self) -> None:
        """Log off."""
        for one in self._all:
            await one.client.close()

    @property
    def ready(self) -> dict[str, bool]:
        """Which of them can be spoken to now, by name."""
        return {one.settings.name: one.client.ready for one in self._all}

    # Calls of ours

    @property
    def free(self) -> int:
        """Return how many calls may be begun now."""
        return sum(max(0, one.free) for one in self._all)

    def dial(self, attempt: Attempt, done: Callable[[str], None]) -> None:
        """Begin a call by the Asterisk that rings least. Raises ActionError."""
        able = [one for one in self._all if one.free > 0]
        if not able:
            done("refused")
            return
        by = min(able, key=lambda one: one.ringing)
        given = headers(attempt)
        by.ringing += 1

        def told(outcome: Outcome) -> None:
            by.ringing -= 1
            done(result(outcome))

        within_ms = attempt.ring_s * 1000 + ANSWER_MS
        by.client.send("Originate", given, told, within_ms=within_ms, late=True)

    # Callbacks that keep their places

    def on_news(self, told: Callable[[News], None]) -> None:
        """Have news of placeholders told."""
        for one in self._all:
            one.on_news = told

    def room(self, queue: str) -> str:
        """Return the Asterisk where a callback of a queue waits least, "" if nobody is on duty for it."""
        able = [one for one in self._all if one.current and one.picture.staffed(queue)]
        if not able:
            return ""
        best = min(able, key=lambda one: one.picture.ahead(queue) / one.picture.staffed(queue))
        return best.settings.name

    def most(self, name: str) -> int:
        """Return how many callbacks may hold places in one queue of an Asterisk."""
        return next((one.settings.callbacks for one in self._all if one.settings.name == name), 0)

    def place(self, name: str, place: Placeholder, done: Callable[[str], None]) -> None:
        """Have a callback stand in its queue; `done` is told once (`ivr.ami.originate.result`)."""
        one = self._named(name)
        if one is None:
            done("refused")
            return
        try:
            given = placeholder.headers(place)
        except ActionError:
            done("bad_number")
            return
        one.client.send(
            "Originate", given, lambda outcome: done(result(outcome)), within_ms=ANSWER_MS, late=True
        )

    def stands(self, name: str, identity: str) -> bool | None:
        """Tell whether a placeholder is in its queue; None while that Asterisk cannot be asked."""
        one = self._named(name)
        if one is None:
            return None
        found = one.picture.waiting.get(placeholder.channel_of(identity))
        return found is not None and found.left_at is None

    def withdraw(self, name: str, identity: str) -> None:
        """Take a placeholder out of its queue, if it is still there."""
        one = self._named(name)
        found = None if one is None else one.picture.waiting.get(placeholder.channel_of(identity))
        if one is not None and found is not None and found.channel:
            given = (("Queue", found.queue), ("Caller", found.channel))
            one.client.send("QueueWithdrawCaller", given, self._withdrawn)

    def _withdrawn(self, outcome: Outcome) -> None:
        self._counters["callbacks_withdrawn" if outcome.done else "callbacks_not_withdrawn"] += 1

    def mark(self, name: str, identity: str, done: Callable[[str | None], None]) -> None:
        """Ask how far a placeholder came (`ivr.ami.placeholder`); None: nobody can say now."""
        one = self._named(name)
        if one is None:
            done(None)
            return
        given = (("Family", placeholder.FAMILY), ("Key", identity))
        one.client.send("DBGet", given, lambda outcome: done(placeholder.mark_of(outcome)))

    def _named(self, name: str) -> _One | None:
        """Return an Asterisk whose picture is that of now."""
        return next((one for one in self._all if one.settings.name == name and one.current), None)

    # Channels

    def peers(self) -> dict[str, str]:
        """Return the address of each Asterisk by name, nothing while one of them cannot be asked."""
        if not all(one.current for one in self._all):
            return {}
        return {one.settings.name: one.client.peer for one in self._all}

    def channels(self, name: str, done: Callable[[frozenset[str] | None], None]) -> None:
        """Ask for the ids of all channels of an Asterisk; None: nobody can say now."""
        one = self._named(name)
        if one is None:
            done(None)
            return
        one.client.send(roll.ACTION, (), lambda outcome: done(roll.channels(outcome)))

    # Queues

    def queue_left(self, channel: str, status: str) -> None:
        """The dialplan has told how a caller left a queue: a time-out is no abandonment."""
        for one in self._all:
            if channel in one.picture.waiting:
                one.picture.reported(channel, status, self._clock())

    def answer(self, kind: str, queue: str, session: str) -> int | None:
        """Answer `expected_wait` (seconds) and `position` for a caller; None while nothing is known."""
        known = [one.picture for one in self._all if one.client.ready]
        if not known:
            return None
        ahead = sum(picture.ahead(queue) for picture in known)
        if kind == "position":
            return ahead + 1
        if sum(picture.free(queue) for picture in known) > ahead:
            return 0
        staffed = max(1, sum(picture.staffed(queue) for picture in known))
        return int(-(-(ahead + 1) * self._handling_s(queue) // staffed))

    def _handling_s(self, queue: str) -> float:
        talks = self._talks.get(queue, ())
        return USUAL_S if len(talks) < ENOUGH else WRAP_UP_S + sum(talks) / len(talks)

    def state(self) -> dict[str, tuple[int, int, int]]:
        """Return for each queue how many wait, how many are on duty, how many of these are free."""
        names: set[str] = set()
        for one in self._all:
            names.update(one.picture.members)
            names.update(caller.queue for caller in one.picture.waiting.values())
        return {
            name: (
                sum(one.picture.queue_length(name) for one in self._all),
                sum(one.picture.staffed(name) for one in self._all),
                sum(one.picture.free(name) for one in self._all),
            )
            for name in sorted(names)
        }

    @property
    def waits(self) -> tuple[Wait, ...]:
        """The waits of the last day, those of the time before the start included."""
        return tuple(self._waits)

    def figures(self, within_s: float = IN_TIME_S) -> tuple[HourFigures, ...]:
        """Return the figures of every queue and hour of the last day."""
        return hours(self._waits, within_s)

    def load(self, waits: Iterable[Wait]) -> None:
        """Take over the waits of the last day that the store holds, in the order in which they ended."""
        for wait in waits:
            self._note(wait)

    def _note(self, wait: Wait) -> None:
        self._waits.append(wait)
        if wait.end == "answered":
            talks = self._talks.setdefault(wait.queue, deque(maxlen=LATEST))
            talks.append(wait.talk_ms / 1000)

    def tend(self, now: int) -> None:
        """About once a second: count the waits that have ended, and have them kept."""
        ended: list[Wait] = []
        for one in self._all:
            one.picture.tick(now)
            ended += one.picture.finished()
        for wait in ended:
            self._note(wait)
            self._counters[f"waits.{wait.queue}.{wait.end}"] += 1
            self._counters[f"waits_ms.{wait.queue}.{wait.end}"] += wait.waited_ms
        if ended and self.on_waits is not None:
            self.on_waits(ended)
        while self._waits and self._waits[0].arrival < now - KEPT_MS:
            self._waits.popleft()
