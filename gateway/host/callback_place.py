"""Callbacks that keep their place in a queue of calls, agent first: each task stands there as a channel.

A task of a call back is put into its queue with the key of its order as soon as somebody is on duty there;
when an agent has taken it, Asterisk calls the subscriber, and the talk closes the task. Asterisk calls once:
after a call that came to nothing, and whenever nobody can say whether there was one, the task is people's.
Whoever takes or closes the task at the desk takes it out of the queue. What stands is a row of the store, and
how far it came is asked of Asterisk, so a restart of either side neither loses a place nor calls twice.
"""

from __future__ import annotations

import secrets
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import msgspec
import structlog

from engine.calendar import is_open
from gateway.host.batch import Batch
from gateway.host.host import Host
from gateway.host.kept_place import AGAIN, PEOPLE, STANDS, Kept, KeptPlaces
from gateway.host.people import FLOW
from gateway.host.task import Tasks
from gateway.host.voice_wait import RESULTS
from gateway.store.record import Line, ScheduleRow, TaskKind, TaskRow, TaskState
from ivr.ami.placeholder import AGENT, CALLED, NOT_CALLED, News, Placeholder
from ivr.handover import note_words, skill_words
from ivr.queue_key import queue_priority

LOOK_MS = 5_000
"""So often the open orders are looked through for those that may stand in their queue."""
AGAIN_MS = 15_000
"""Who left the queue without a call is put back after so long."""
FAILED_MS = 60_000
TRIES = 3
"""Placeholders that Asterisk refuses before the order is left to people."""
SETTLED_MS = 40_000
"""After so long a placeholder stands, or never will."""
ASK_MS = 30_000
LEFT_MS = 2_000
"""What the agent says of the talk comes within this after its end."""
LONGEST_MS = 6 * 3_600_000
"""A call of which nothing was heard for so long is over."""
WITHDRAW_MS = 30_000
FORGOTTEN = 100

_SAID = {
    "BUSY": "The subscriber was called once and was busy.",
    "NOANSWER": "The subscriber was called once and did not answer.",
    "CANCEL": "The subscriber was called once; the agent hung up before the answer.",
}
_FAILED = "The subscriber was called once and could not be reached."
_BOTH = "An agent took this callback in the queue when it was taken here: the subscriber is called."
_UNKNOWN = "The subscriber may have been called; nobody knows how it ended."


class Standing(Protocol):
    """Where callbacks stand: `gateway.asterisk.Asterisks`, which says what each of these means."""

    def room(self, queue: str) -> str:
        """Return the Asterisk for a callback of a queue, "" if there is none."""
        ...

    def most(self, name: str) -> int:
        """Return how many may stand in one queue of an Asterisk."""
        ...

    def place(self, name: str, place: Placeholder, done: Callable[[str], None]) -> None:
        """Have a callback stand in its queue."""
        ...

    def stands(self, name: str, identity: str) -> bool | None:
        """Tell whether it is there."""
        ...

    def withdraw(self, name: str, identity: str) -> None:
        """Take it out."""
        ...

    def mark(self, name: str, identity: str, done: Callable[[str | None], None]) -> None:
        """Ask how far it came."""
        ...


class CallbackPlaces:
    """All orders that stand in queues of calls. `talks_to` tells whether a subscriber talks to a flow."""

    def __init__(self, host: Host, tasks: Tasks, standing: Standing) -> None:
        self._host = host
        self._tasks = tasks
        self._standing = standing
        self.talks_to: Callable[[str], bool] = lambda phone: False
        self._places = KeptPlaces()
        self._left: dict[str, News] = {}
        self._over: dict[str, tuple[int, News]] = {}
        self._gone: set[str] = set()
        self._forget: dict[str, deque[str]] = {}
        self._look_at = 0
        self._log = structlog.get_logger()

    def __len__(self) -> int:
        """Return how many stand in a queue, or are in a call."""
        return sum(1 for kept in self._places.by_number.values() if kept.state == STANDS)

    def of(self, number: int) -> Kept | None:
        """Return what is known of the place of a task."""
        return self._places.by_number.get(number)

    def load(self, rows: Iterable[ScheduleRow]) -> None:
        """Take over what the store holds."""
        self._places.load(rows)

    # Time

    def tend(self, now: int) -> None:
        """About once a second: look after those that stand, and put those there that may."""
        for number, kept in list(self._places.by_number.items()):
            row = self._tasks.open.get(number)
            if row is None:
                self._withdraw(number, kept, now)
                self._host.take(self._closed, number)
            elif kept.state == STANDS:
                self._tend(number, kept, row, now)
        if now >= self._look_at and not self._host.draining and not self._host.store.full:
            self._look_at = now + LOOK_MS
            for number in list(self._next(now)):
                self._host.take(self._place, number)

    def _tend(self, number: int, kept: Kept, row: TaskRow, now: int) -> None:
        over = self._over.get(kept.identity)
        if over is not None:
            if now >= over[0] + LEFT_MS:
                self._host.take(self._ended, kept.identity)
            return
        if row.state is TaskState.TAKEN and not kept.agent:
            self._withdraw(number, kept, now)
            self._host.take(self._to_people, (number, kept.identity, ""))
        elif not kept.agent and not self._is_open(row.queue, now):
            self._withdraw(number, kept, now)
        elif now < max(kept.since + SETTLED_MS, self._places.asked.get(number, 0) + ASK_MS):
            return
        elif kept.agent or self._standing.stands(kept.asterisk, kept.identity) is not True:
            self._places.asked[number] = now
            if now >= kept.since + LONGEST_MS and kept.agent:
                self._host.take(self._to_people, (number, kept.identity, _UNKNOWN))
            else:
                self._standing.mark(kept.asterisk, kept.identity, lambda mark: self._told(kept, mark))

    def _told(self, kept: Kept, mark: str | None) -> None:
        if mark is not None:
            self._host.take(self._marked, (kept.identity, mark))

    def _is_open(self, queue: str, now: int) -> bool:
        project = self._host.library.current.project
        return queue in project.queues and is_open(project, queue, now)

    def _next(self, now: int) -> Iterator[int]:
        """Return the orders that may stand in their queue now, in the order of their places."""
        count = Counter(
            (self._tasks.open[number].queue, kept.asterisk)
            for number, kept in self._places.by_number.items()
            if kept.state == STANDS and number in self._tasks.open
        )
        rooms: dict[str, str] = {}
        wanted = [row for row in self._tasks.open.values() if self._may_stand(row, now)]
        for row in sorted(wanted, key=lambda one: (one.arrival, one.number)):
            if row.queue not in rooms:
                rooms[row.queue] = self._standing.room(row.queue) if self._is_open(row.queue, now) else ""
            room = rooms[row.queue]
            if room and count[row.queue, room] < self._standing.most(room):
                count[row.queue, room] += 1
                yield row.number

    def _may_stand(self, row: TaskRow, now: int) -> bool:
        if row.kind is not TaskKind.CALLBACK or row.state is not TaskState.OPEN:
            return False
        if row.not_before is not None and row.not_before > now:
            return False
        kept = self._places.by_number.get(row.number)
        return kept is None or (kept.state == AGAIN and kept.at <= now)

    # Into the queue

    def _place(self, batch: Batch, number: int) -> None:
        row = self._tasks.open.get(number)
        if row is None or not self._may_stand(row, batch.now) or self.talks_to(row.subscriber):
            return
        if any(self._is_with(kept, other, row.subscriber) for other, kept in self._places.by_number.items()):
            return
        room = self._standing.room(row.queue)
        if not room:
            return
        before = self._places.by_number.get(number)
        identity = str(10**11 + secrets.randbelow(9 * 10**11))
        kept = Kept(STANDS, room, identity, batch.now, 0, 0 if before is None else before.tries)
        self._places.put(batch, batch.stored.group(), number, kept)
        batch.leave(self._send, number, kept, row)

    def _is_with(self, kept: Kept, number: int, phone: str) -> bool:
        """Tell whether another order stands for a subscriber: two agents would call one telephone."""
        row = self._tasks.open.get(number)
        return kept.state == STANDS and row is not None and row.subscriber == phone

    def _send(self, number: int, kept: Kept, row: TaskRow) -> None:
        notes = " ".join(line.text for line in row.lines if line.who == FLOW)
        old = self._forget.get(kept.asterisk)
        place = Placeholder(
            kept.identity,
            row.queue,
            queue_priority(row.arrival, 0),
            row.subscriber,
            note_words(notes),
            skill_words(row.skills),
            old.popleft() if old else "",
        )
        self._host.counters["callbacks_placed"] += 1
        self._standing.place(
            kept.asterisk,
            place,
            lambda result: self._host.take_later(self._ordered, (number, kept.identity, result)),
        )

    def _ordered(self, batch: Batch, item: tuple[int, str, str]) -> None:
        """Asterisk has said what came of putting an order into its queue."""
        number, identity, result = item
        kept = self._places.by_number.get(number)
        if result in ("answered", "lost") or kept is None or kept.identity != identity:
            return
        if kept.state != STANDS or kept.agent:
            return
        self._host.counters[f"callbacks_not_placed.{result}"] += 1
        tries = kept.tries + 1
        if tries >= TRIES:
            self._to_people(batch, (number, identity, ""))
            return
        again = Kept(AGAIN, at=batch.now + FAILED_MS, tries=tries)
        self._places.put(batch, batch.stored.group(), number, again)

    # Out of the queue

    def _withdraw(self, number: int, kept: Kept, now: int) -> None:
        if kept.state == STANDS and now >= self._places.withdrawn.get(number, 0) + WITHDRAW_MS:
            self._places.withdrawn[number] = now
            self._standing.withdraw(kept.asterisk, kept.identity)

    def heard(self, news: News) -> None:
        """Take what an Asterisk tells; what is not of ours changes nothing."""
        if news.identity in self._places.number_of:
            self._host.take(self._news, news)

    def _news(self, batch: Batch, news: News) -> None:
        number = self._places.number_of.get(news.identity)
        if number is None:
            return
        if news.step == "agent":
            self._agent(batch, number)
        elif news.step == "left":
            self._left[news.identity] = news
            if news.identity in self._over:
                self._ended(batch, news.identity)
        else:
            self._over[news.identity] = (batch.now, news)
            if news.mark != CALLED or news.identity in self._left:
                self._ended(batch, news.identity)

    def _agent(self, batch: Batch, number: int) -> None:
        kept, row = self._places.by_number[number], self._tasks.open.get(number)
        if kept.state != STANDS or row is None:
            return
        group = batch.stored.group()
        self._places.put(batch, group, number, msgspec.structs.replace(kept, agent=True))
        if row.state is TaskState.OPEN:
            taken = msgspec.structs.replace(row, state=TaskState.TAKEN, taken_at=batch.now)
            self._tasks.put(batch, group, taken)
        elif not kept.agent:
            self._tasks.write(batch, group, row, Line(batch.now, FLOW, _BOTH))

    def _ended(self, batch: Batch, identity: str) -> None:
        """Both halves of a placeholder are gone, or the second one long enough."""
        if identity in self._over:
            news = self._over[identity][1]
            mark = news.status or "NONE" if news.mark == CALLED else news.mark
            self._conclude(batch, identity, mark)

    def _marked(self, batch: Batch, item: tuple[str, str]) -> None:
        """Asterisk was asked how far a placeholder came that nothing was heard of."""
        identity, mark = item
        kept = self._places.by_number.get(self._places.number_of.get(identity, 0))
        if kept is None or kept.identity != identity or kept.state != STANDS:
            return
        if mark == AGENT:
            self._to_people(batch, (self._places.number_of[identity], identity, _UNKNOWN))
        elif mark == CALLED:
            self._agent(batch, self._places.number_of[identity])
        elif mark or identity in self._gone:
            self._conclude(batch, identity, mark)
        elif self._standing.stands(kept.asterisk, identity) is False:
            # Asked once more: between the queue and the mark an agent is just picking up.
            self._gone.add(identity)

    def _conclude(self, batch: Batch, identity: str, mark: str) -> None:
        """Nothing more comes of a placeholder; `mark` is how far it came, or the DIALSTATUS of its call."""
        number = self._places.number_of.get(identity)
        row = None if number is None else self._tasks.open.get(number)
        if number is None or row is None:
            return
        kept = self._places.by_number[number]
        batch.leave(self._done_with, identity, kept.asterisk)
        if mark in (NOT_CALLED, AGENT):
            if kept.state == STANDS:
                again = Kept(AGAIN, at=batch.now + AGAIN_MS, tries=kept.tries)
                self._give_back(batch, number, kept, row, again)
        elif mark == "ANSWER" and (kept.agent or row.state is TaskState.OPEN):
            self._talked(batch, number, row, identity)
        else:
            said = "The subscriber was called and has answered." if mark == "ANSWER" else _SAID.get(mark)
            self._to_people(batch, (number, identity, said or _FAILED))

    def _talked(self, batch: Batch, number: int, row: TaskRow, identity: str) -> None:
        left = self._left.get(identity)
        result = left.result if left is not None and left.result in RESULTS else ""
        group = batch.stored.group()
        done = msgspec.structs.replace(row, state=TaskState.DONE, closed_at=batch.now, result=result)
        self._tasks.put(batch, group, done)
        self._places.drop(batch, group, number)
        self._host.counters[f"tasks_done.{TaskKind.CALLBACK}"] += 1
        self._host.counters["callbacks_made"] += 1

    def _give_back(self, batch: Batch, number: int, kept: Kept, row: TaskRow, now: Kept) -> None:
        """Nobody works the task any more that an agent had taken in the queue."""
        group = batch.stored.group()
        self._places.put(batch, group, number, now)
        if kept.agent and row.state is TaskState.TAKEN:
            free = msgspec.structs.replace(row, state=TaskState.OPEN, taken_at=None)
            self._tasks.put(batch, group, free)

    def _to_people(self, batch: Batch, item: tuple[int, str, str]) -> None:
        """From now on an order is only a task; `said` tells people what was done."""
        number, identity, said = item
        kept, row = self._places.by_number.get(number), self._tasks.open.get(number)
        if kept is None or kept.identity != identity or row is None:
            return
        self._host.counters["callbacks_left_to_people"] += 1
        if said:
            row = self._tasks.write(batch, batch.stored.group(), row, Line(batch.now, FLOW, said)) or row
        left = msgspec.structs.replace(kept, state=PEOPLE, agent=False)
        self._give_back(batch, number, kept, row, left)

    def _closed(self, batch: Batch, number: int) -> None:
        """The task is closed."""
        if number in self._places.by_number and number not in self._tasks.open:
            kept = self._places.by_number[number]
            batch.leave(self._done_with, kept.identity, kept.asterisk)
            self._places.drop(batch, batch.stored.group(), number)

    def _done_with(self, identity: str, asterisk: str) -> None:
        """Nothing needs to be known any more of a placeholder: a later one has its mark deleted."""
        self._left.pop(identity, None)
        self._over.pop(identity, None)
        self._gone.discard(identity)
        if identity:
            self._forget.setdefault(asterisk, deque(maxlen=FORGOTTEN)).append(identity)
