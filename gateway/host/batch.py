"""One batch: the sessions it has touched, what is to be stored, and what may leave once it is stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import chain, repeat
from typing import Any, TypeAlias

import msgspec

from gateway.host.conversation import Conversation
from gateway.store.batch import Group, StoreBatch
from smpp.links import Link, PageOut

Act: TypeAlias = tuple[Callable[..., object], tuple[Any, ...]]
AcceptedRow: TypeAlias = tuple[Link, tuple[int, int], Sequence[int]]
"""Messages to be answered with status 0: their link, the (bind, connection) they came over, their numbers."""
Mark: TypeAlias = tuple[int, int, int, int, int, tuple[int, ...]]


class Before(msgspec.Struct, eq=False, gc=False):
    """A conversation as the store holds it (`was`), to be put back when the commit fails.

    `group` is its part of the transaction, `number` counts the sessions of the batch. `inputs` and `answer`
    (the latest page) are what the journal row of the turn will hold; `secret` tells that a secret is on a
    page of it.
    """

    conversation: Conversation
    group: Group
    number: int
    was: Conversation
    inputs: list[tuple[str, str | None]]
    answer: bytes | None = None
    secret: bool = False

    def put_back(self) -> None:
        """Make the conversation what it was."""
        conversation, was = self.conversation, self.was
        conversation.session = was.session
        conversation.dialog = was.dialog
        conversation.call = was.call
        conversation.look = was.look
        conversation.order = was.order
        conversation.closing = was.closing
        conversation.hides_input = was.hides_input
        conversation.held = was.held
        conversation.tally = was.tally
        conversation.recorded = was.recorded
        conversation.due = was.due
        conversation.version = was.version


class Saved:
    """A session that an earlier input of the batch has touched, as the present one finds it."""

    __slots__ = ("answer", "before", "inputs", "size")

    def __init__(self, stored: Before) -> None:
        conversation = stored.conversation
        self.before = Before(conversation, stored.group, stored.number, conversation.copy(), [])
        self.inputs = len(stored.inputs)
        self.answer = stored.answer
        self.size = stored.group.size()


class Batch:
    """What one pass over the waiting inputs gathers.

    After the commit `accepted` are answered with status 0, `leaving` is carried out in order, and `pages`
    leave, each by its link; `refused` is carried out instead of it when the commit fails, after
    `undo` in reverse order. `saved` are the sessions that the present handler has touched after an earlier
    one, with what that made of them; the sessions from number `first` on are its own. `latest` is what the
    present handler has touched last. `now` is the moment of the batch (UTC ms), the same for all its turns.
    """

    __slots__ = (
        "accepted",
        "first",
        "latest",
        "leaving",
        "now",
        "pages",
        "refused",
        "saved",
        "stored",
        "touched",
        "undo",
    )

    def __init__(self, stored: StoreBatch, now: int) -> None:
        self.stored = stored
        self.now = now
        self.touched: dict[str, Before] = {}
        self.accepted: list[AcceptedRow] = []
        self.leaving: list[Act] = []
        self.pages: defaultdict[Link, list[PageOut]] = defaultdict(list)
        self.undo: list[Act] = []
        self.refused: list[Act] = []
        self.saved: dict[str, Saved] = {}
        self.first = 0
        self.latest: Before | None = None

    def touch(self, conversation: Conversation) -> Group:
        """Take note that a conversation changes in this batch, and return its group of the transaction."""
        return self.before(conversation).group

    def before(self, conversation: Conversation) -> Before:
        """As `touch`, and return what the store holds of the conversation."""
        latest = self.latest
        if latest is not None and latest.conversation is conversation:
            return latest
        key = conversation.key
        touched = self.touched
        before = touched.get(key)
        if before is None:
            was: Conversation = conversation.__copy__()  # type: ignore[attr-defined]  # `copy`, without a call
            before = touched[key] = Before(conversation, self.stored.group(), len(touched), was, [])
        elif before.number < self.first and key not in self.saved:
            self.saved[key] = Saved(before)
        self.latest = before
        return before

    def leave(self, act: Callable[..., object], *arguments: Any) -> None:
        """Have `act(*arguments)` carried out when everything of the batch is stored."""
        self.leaving.append((act, arguments))

    def refuse(self, act: Callable[..., object], *arguments: Any) -> None:
        """Have `act(*arguments)` carried out when the commit fails."""
        self.refused.append((act, arguments))

    def on_failure(self, act: Callable[[], object]) -> None:
        """Have `act()` carried out when the commit fails, the latest first."""
        self.undo.append((act, ()))

    def mark(self) -> Mark:
        """Return how much there is, for `back_to`."""
        return (
            len(self.leaving),
            len(self.touched),
            len(self.undo),
            len(self.stored.groups),
            len(self.accepted),
            tuple(map(len, self.pages.values())),
        )

    def back_to(self, mark: Mark) -> list[Conversation]:
        """Drop what a handler that failed has done: the sessions it has touched are as it found them.

        Returns those of them that the store has never seen: they are no sessions any more.
        """
        leaving, touched, undos, stored, accepted, pages = mark
        del self.accepted[accepted:]
        for own, count in zip(self.pages.values(), chain(pages, repeat(0)), strict=False):
            del own[count:]
        self.latest = None
        del self.leaving[leaving:]
        for undo, arguments in reversed(self.undo[undos:]):
            undo(*arguments)
        del self.undo[undos:]
        unborn = []
        for key in list(self.touched)[touched:]:
            before = self.touched.pop(key)
            before.put_back()
            if before.was.version == 0:
                unborn.append(before.conversation)
        for key, saved in self.saved.items():
            saved.before.put_back()
            first = self.touched[key]
            del first.inputs[saved.inputs :]
            first.answer = saved.answer
            first.group.cut(saved.size)
        for group in self.stored.groups[stored:]:
            group.end(stored=False)
        del self.stored.groups[stored:]
        return unborn

    def give_up(self) -> None:
        """Nothing of this batch will be stored, and the store never sees it: take back what it counted."""
        for group in self.stored.groups:
            group.end(stored=False)

    @property
    def stores(self) -> bool:
        """Tell whether there is anything to commit."""
        return bool(self.stored.groups)
