"""SMS that nobody asked for: the stop list, the quiet hours, and a pace below everything interactive.

Unasked is what a session says that we began (an event from outside, a scheduled or an outbound start) before
its subscriber has answered. Such a message never leaves to who is on the stop list, waits for the end of the
quiet hours, and takes at most a share of a link's rate; it is handed to a link only while that has places and
tokens to spare, so no page and no answer ever waits for it (reliability 3.4). The outbox owns the messages;
this module decides when they may go.
"""

from __future__ import annotations

from collections import deque

from engine.answer import cleaned
from engine.flow import Project
from engine.session import Waiting
from engine.trigger import words_of
from gateway.host.batch import Batch
from gateway.host.conversation import Conversation, begun_by_us
from gateway.host.event import opens_at
from gateway.host.host import Host
from gateway.store.batch import Group
from gateway.store.sqlite import SqliteStore
from smpp.links import Link
from smpp.throttle import RateLimit

STOP_WORDS = frozenset({"стоп", "stop", "отписаться"})
PART_UNITS = 66
"""Letters of one part, at the least: how many parts a text can have at most."""


def is_stop(text: str) -> bool:
    """Tell whether a message is one of the words that end everything unasked, whatever stands round it."""
    words = words_of(cleaned(text))
    return len(words) == 1 and words[0] in STOP_WORDS


def is_unasked(batch: Batch, conversation: Conversation) -> bool:
    """Tell whether what a session says in this turn answers nothing that its subscriber did."""
    dialog = conversation.dialog
    if not begun_by_us(conversation.key) and (dialog is None or not dialog.ours):
        return False
    before = batch.before(conversation)
    if any(kind == "Text" for kind, _ in before.inputs):
        return False
    session = before.was.session
    return session.waiting in (Waiting.BEGIN, Waiting.ANSWER, Waiting.READING) or not session.asked


def quiet_until(project: Project, now: int) -> int:
    """Return when unasked messages may leave: `now`, or the end of the quiet hours (UTC ms)."""
    quiet = project.sms_quiet
    if quiet is None or quiet[0] == quiet[1]:
        return now
    return opens_at((quiet[1], quiet[0]), project.zone, now)


def most_parts(text: str) -> int:
    """Return how many parts a text has at most, whatever its alphabet."""
    return 1 if len(text) <= PART_UNITS else -(-len(text) // PART_UNITS)


class Share:
    """How much of one link unasked messages may take."""

    def __init__(self, link: Link, per_cent: int, now: int) -> None:
        self._link = link
        self._part = per_cent / 100
        self._limit = RateLimit(self._rate(), now)

    def _rate(self) -> float | None:
        rate = self._link.rate
        return None if rate is None else rate * self._part

    def admits(self, parts: int, now: int) -> bool:
        """Take the room of a message of so many parts, if the link has it to spare."""
        rate = self._rate()
        if rate != self._limit.rate:
            self._limit.change(rate, now)
        spare, most = self._link.spare()
        if spare < min(parts, max(1, most)) or not self._limit.take(now):
            return False
        for _ in range(parts - 1):
            self._limit.owe()
        return True


class Unasked:
    """The stop list and the row of unasked messages that wait, by the ids of the outbox."""

    def __init__(self, host: Host, store: SqliteStore) -> None:
        self._host = host
        self._store = store
        self._row: deque[str] = deque()
        self._known: set[str] = set()
        self._shares: dict[str, Share] = {}

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, name: str) -> bool:
        return name in self._known

    def add_link(self, link: Link, per_cent: int) -> None:
        """Let messages leave over a link, as so many per cent of its rate at most."""
        self._shares[link.name] = Share(link, per_cent, self._host.clock.now())

    # The stop list

    @property
    def _project(self) -> Project:
        return self._host.library.current.project

    def is_stopped(self, subscriber: str) -> bool:
        """Tell whether a subscriber wants nothing unasked."""
        name = self._project.sms_stop
        return bool(name) and self._store.count_memory(subscriber, name, self._host.clock.now()) > 0

    def stop(self, batch: Batch, group: Group, subscriber: str) -> bool:
        """Put a subscriber on the stop list; False if the project has none."""
        project = self._project
        name = project.sms_stop
        if not name:
            return False
        if not self.is_stopped(subscriber):
            kept = project.memory[name]
            group.remember(subscriber, name, batch.now, None if kept is None else batch.now + kept)
        self._host.counters["stops"] += 1
        return True

    def leaves_at(self, now: int) -> int:
        """Return when an unasked message of now may leave (UTC ms)."""
        return quiet_until(self._project, now)

    # The row

    def add(self, name: str) -> None:
        """Let a message wait for its turn; one that waits already keeps its place."""
        if name not in self._known:
            self._known.add(name)
            self._row.append(name)

    def admits(self, link: Link, text: str) -> bool:
        """Tell whether a message may be handed to a link now, and take its room."""
        return self._shares[link.name].admits(most_parts(text), self._host.clock.now())

    def take(self, most: int) -> list[str]:
        """Take the first `most` messages out of the row; none during the quiet hours."""
        now = self._host.clock.now()
        if not self._row or self.leaves_at(now) > now:
            return []
        taken = [self._row.popleft() for _ in range(min(most, len(self._row)))]
        self._known.difference_update(taken)
        return taken

    def put_back(self, names: list[str]) -> None:
        """Put messages that could not leave back at the head of the row, in their order."""
        self._known.update(names)
        self._row.extendleft(reversed(names))
