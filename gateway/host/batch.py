"""One batch: the sessions it has touched, what is to be stored, and what may leave once it is stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import chain, repeat
from typing import Any, TypeAlias

import msgspec

from engine.session import Session
from gateway.host.conversation import LAST_PAGE, LAST_TURN, RECORD_VERSION, TURN, Conversation
from gateway.journal.tally import Tally
from gateway.store.batch import Group, Row, StoreBatch, Turn
from gateway.store.form import GONE, INLINE, State
from smpp.links import Link, PageOut
from ussd.dialog import Dialog

Act: TypeAlias = tuple[Callable[..., object], tuple[Any, ...]]
AcceptedRow: TypeAlias = tuple[Link, tuple[int, int], Sequence[int]]
"""Messages to be answered with status 0: their link, the (bind, connection) they came over, their numbers."""
Mark: TypeAlias = tuple[int, int, int, int, int, tuple[int, ...]]
Given: TypeAlias = tuple[str, str | None]
"""What came in, as the journal tells it: the kind of the input, and its text if that is no secret."""


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
    inputs: list[Given]
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

    @property
    def unborn(self) -> bool:
        """Tell whether the store has never seen the session."""
        return self.was.version == 0


class Turned(msgspec.Struct, eq=False, gc=False):
    """A conversation that one short turn has changed, and nothing else: what is to be stored is ready.

    `session`, `dialog`, `tally`, `hides_input` and `due` are those from before the turn; it has changed no
    more. `rows` come into the transaction beside the state and the turn.
    """

    conversation: Conversation
    state: State
    turn: Turn
    session: Session
    dialog: Dialog | None
    tally: Tally
    hides_input: bool
    due: int | None
    rows: tuple[Row, ...] = ()

    @property
    def unborn(self) -> bool:
        """Tell whether the store has never seen the session."""
        return self.state[1] == 1

    def put_back(self) -> None:
        """Make the conversation what it was."""
        self._put_back(self.conversation)

    def _put_back(self, conversation: Conversation) -> None:
        conversation.session = self.session
        conversation.dialog = self.dialog
        conversation.tally = self.tally
        conversation.hides_input = self.hides_input
        conversation.due = self.due
        conversation.version = self.state[1] - 1
        conversation.recorded = False

    def reopened(self, group: Group, number: int) -> Before:
        """Return the same as a conversation that more may happen to; the conversation stays as it is.

        It is session number `number` of the batch.
        Only what storing it will make again, its deadline and its version, is as before the turn.
        """
        conversation = self.conversation
        conversation.due, conversation.version = self.due, self.state[1] - 1
        was = conversation.copy()
        self._put_back(was)
        group.rows = self.rows
        data: Any = self.turn[3]
        dialog = conversation.dialog
        page = None if dialog is None else dialog.body
        return Before(conversation, group, number, was, list(data[1]), page)


class Ended(Turned):
    """As `Turned`, of a conversation that is over with it."""


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
        self.touched: dict[str, Before | Turned] = {}
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
        else:
            if not isinstance(before, Before):
                number = list(touched).index(key)
                before = touched[key] = before.reopened(self.stored.group(), number)
            if before.number < self.first and key not in self.saved:
                self.saved[key] = Saved(before)
        self.latest = before
        return before

    def turned(
        self,
        conversation: Conversation,
        session: Session,
        dialog: Dialog,
        tally: Tally,
        given: Given,
        hides_input: bool,
    ) -> None:
        """Note a short turn of a session that the batch has not touched yet: a question has been asked.

        The state and the turn are what `Conversation.record`, `deadline` and `journal` come to for a session
        that is `plain` and a dialog with a page on its way. Before it, nothing may have changed in
        `conversation`.
        """
        key, due = conversation.key, session.deadline
        if due is None or dialog.total_due < due:
            due = dialog.total_due
        version = conversation.version + 1
        frame = session.frames[-1]
        build = session.build
        record = (RECORD_VERSION, build, session, dialog, None, None, None, False, tally, ())
        self.touched[key] = Turned(
            conversation,
            (key, version, due, INLINE, record),
            (self.now, key, TURN, ((frame.flow, frame.pc), (given,)), dialog.body),
            conversation.session,
            conversation.dialog,
            conversation.tally,
            conversation.hides_input,
            conversation.due,
        )
        conversation.session = conversation.plain = session
        conversation.dialog = dialog
        conversation.tally = tally
        conversation.hides_input = hides_input
        conversation.due = due
        conversation.version = version

    def ended(
        self, conversation: Conversation, session: Session, dialog: Dialog, tally: Tally, given: Given
    ) -> Ended:
        """As `turned`, of a session that was stored and has come to its end with the last page of its dialog.

        Whoever calls it adds the `rows`.
        """
        key = conversation.key
        ended = self.touched[key] = Ended(
            conversation,
            (key, conversation.version + 1, None, GONE, None),
            (self.now, key, LAST_TURN, (dialog, (given,)), LAST_PAGE),
            conversation.session,
            conversation.dialog,
            conversation.tally,
            conversation.hides_input,
            conversation.due,
        )
        conversation.session = session
        conversation.dialog = dialog
        conversation.tally = tally
        conversation.due = None
        return ended

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
            if before.unborn:
                unborn.append(before.conversation)
        earlier: list[Group] = []
        for key, saved in self.saved.items():
            saved.before.put_back()
            first = self.touched[key]
            assert isinstance(first, Before), "whatever is saved is open"
            del first.inputs[saved.inputs :]
            first.answer = saved.answer
            first.group.cut(saved.size)
            earlier.append(first.group)
        # One of an earlier handler is among them if its session was `Turned`, and reopened since.
        groups = self.stored.groups[stored:]
        self.stored.groups[stored:] = [group for group in groups if group in earlier]
        for group in groups:
            if group not in earlier:
                group.end(stored=False)
        return unborn

    def give_up(self) -> None:
        """Nothing of this batch will be stored, and the store never sees it: take back what it counted."""
        for group in self.stored.groups:
            group.end(stored=False)

    @property
    def stores(self) -> bool:
        """Tell whether there is anything to commit."""
        return bool(self.touched or self.stored.groups)
