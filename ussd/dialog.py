"""One USSD dialog as plain data, and the set of those that are alive or have just ended.

The host stores a `Dialog` beside the row of its session and hands it back with `Dialogs.restore`. A dialog
is never changed by a message in place: `UssdChannel.receive` puts a changed copy into `Dialogs`, so the host
undoes a failed commit with `Dialogs.put_back`. The network allows one USSD dialog per handset (TS 24.090),
so (group, MSISDN) finds it; the session id decides whether a message belongs to it.
"""

from __future__ import annotations

from collections import deque
from typing import TypeAlias

import msgspec

from smpp.msisdn import masked

Key: TypeAlias = tuple[str, str]
"""SMSC group and MSISDN."""

NO_ID = -1
LINGER_MS = 180_000
"""An ended dialog is kept so long, so that re-deliveries of its last messages are known as such."""
LINGER_MAX = 200_000
"""Ended dialogs kept at most; beyond it the oldest go first."""
_ANOTHER_RUN = (-1, -1)
ANYWHERE = (-2, -2)
"""Connection of a dialog that we have begun and nobody has answered yet: any bind of the group will do."""


class Seen(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One accepted message: what a re-delivery is recognised by (smpp-ussd.md 1.5, rule 6).

    `connection` is (bind, connection), `digest` covers operation and text, `unit` the number of the dialogue
    unit (-1 without one), `at` UTC milliseconds.
    """

    connection: tuple[int, int]
    sequence: int
    digest: bytes
    unit: int
    at: int
    opening: bool = False


class Dialog(msgspec.Struct, array_like=True, gc=False):
    """One USSD dialog with one handset.

    `called` is the dialled string, `opened_at` (UTC ms) also tells two dialogs of one subscriber apart.
    `dest` and `route` are the addresses: the service's as it came, and both encoded as every answer carries
    them. `octets` is the session id as it came last, `ident` and `unit` what the masks make of it.
    `connection` is the bind that delivered last: the answer leaves there or nowhere.
    `page` counts our answers, `body` is the last one, `answered` tells whether the centre has accepted it.
    `answer_due` is when the centre stops waiting for us (0: it is not waiting), `idle_due` when the
    subscriber's time is over, `total_due` the end of the dialog; UTC ms.
    `seen` are messages of this dialog, the opening first, `older` the last ones of the dialog before it.
    `ours` is true when we began it, `releasing` when it closes with the next acknowledgement.
    `ended_at` is 0 while the dialog lives; `ended_by` is `flow`, `network`, `lost`, `timer` or `new`.
    `past` is the session id of the subscriber's dialog before one of ours, `acks` counts notifications that
    were confirmed, `last_kind` names the operation that closed the dialog from our side (`OpOut`), `plan`
    says in whose name we began it, `recorded` that its record is written.
    """

    group: str
    msisdn: str
    called: str
    opened_at: int
    service_type: bytes
    dest: bytes
    route: bytes
    octets: bytes = b""
    ident: int = NO_ID
    unit: int = -1
    unit_moves: bool = False
    connection: tuple[int, int] = _ANOTHER_RUN
    seen: tuple[Seen, ...] = ()
    older: tuple[Seen, ...] = ()
    turns: int = 0
    page: int = 0
    body: bytes | None = None
    answered: bool = False
    releasing: bool = False
    ours: bool = False
    answer_due: int = 0
    idle_due: int = 0
    total_due: int = 0
    ended_at: int = 0
    ended_by: str = ""
    past: int = NO_ID
    acks: int = 0
    last_kind: str = ""
    plan: str = ""
    recorded: bool = False

    @property
    def key(self) -> Key:
        """Where `Dialogs` keeps it."""
        return (self.group, self.msisdn)

    @property
    def live(self) -> bool:
        """Tell whether something may still be submitted."""
        return not self.ended_at

    def time_left(self, now: int) -> int:
        """Milliseconds left to answer the centre; 0 if it is too late or the centre is not waiting."""
        return max(0, self.answer_due - now)

    def next_deadline(self) -> int | None:
        """Return when `overdue` will next have something to say (UTC ms), None for an ended dialog."""
        if self.ended_at:
            return None
        return min(self.answer_due or self.idle_due or self.total_due, self.total_due)

    def overdue(self, now: int) -> str | None:
        """Return the time limit that is over: `total`, `answer`, `idle`, or None (smpp-ussd.md 1.7)."""
        if self.ended_at:
            return None
        if now >= self.total_due:
            return "total"
        if self.answer_due:
            return "answer" if now >= self.answer_due else None
        return "idle" if self.idle_due and now >= self.idle_due else None

    def __repr__(self) -> str:
        """Show nothing personal: a repr may end in a log."""
        state = f"ended by {self.ended_by}" if self.ended_at else "live"
        return f"Dialog({self.group}, {masked(self.msisdn)}, {state}, page {self.page})"


class Dialogs:
    """The dialogs of all groups: at most one per subscriber, the live one or the one that ended last.

    Plain memory that the host owns; everything in it can be put back from stored `Dialog`s.
    """

    __slots__ = ("_ended", "by_key", "live")

    def __init__(self) -> None:
        self.by_key: dict[Key, Dialog] = {}
        """For the channel's hot path; everybody else calls the methods."""
        self._ended: deque[tuple[int, Key, int]] = deque()
        self.live = 0
        """Number of dialogs that are alive."""

    def get(self, key: Key) -> Dialog | None:
        """Return the dialog of a subscriber if it is alive."""
        dialog = self.by_key.get(key)
        return dialog if dialog is not None and not dialog.ended_at else None

    def last(self, key: Key) -> Dialog | None:
        """Return the dialog of a subscriber, alive or lately ended."""
        return self.by_key.get(key)

    def put(self, dialog: Dialog) -> None:
        """Keep a dialog in place of the one its subscriber had."""
        key = (dialog.group, dialog.msisdn)
        before = self.by_key.get(key)
        self.by_key[key] = dialog
        if before is None:
            self.live += not dialog.ended_at
        elif bool(before.ended_at) != bool(dialog.ended_at):
            self.live += -1 if dialog.ended_at else 1
        known = before is not None and before.ended_at and before.opened_at == dialog.opened_at
        if dialog.ended_at and not known:
            self._ended.append((dialog.ended_at, key, dialog.opened_at))

    def put_ended(self, key: Key, dialog: Dialog) -> None:
        """As `put`, of a dialog that has ended and is alive here."""
        self.by_key[key] = dialog
        self.live -= 1
        self._ended.append((dialog.ended_at, key, dialog.opened_at))

    def put_back(self, key: Key, before: Dialog | None) -> None:
        """Undo what came since: `before` is the `before` of the arrival whose commit failed."""
        if before is not None:
            self.put(before)
            return
        gone = self.by_key.pop(key, None)
        if gone is not None and not gone.ended_at:
            self.live -= 1

    def end(self, dialog: Dialog, now: int, by: str) -> None:
        """Close a dialog locally: from here nothing is submitted for it. A second end changes nothing."""
        current = self.by_key.get((dialog.group, dialog.msisdn))
        if current is dialog:  # as it nearly always is
            if not dialog.ended_at:
                dialog.ended_at, dialog.ended_by = now, by
                dialog.answer_due = dialog.idle_due = 0
                self.live -= 1
                self._ended.append((now, (dialog.group, dialog.msisdn), dialog.opened_at))
            return
        for one in (dialog, current):
            if one is None or one.ended_at or one.opened_at != dialog.opened_at:
                continue
            one.ended_at, one.ended_by = now, by
            one.answer_due = one.idle_due = 0
            if one is current:
                self.live -= 1
                self._ended.append((now, one.key, one.opened_at))

    def closing(self, dialog: Dialog, now: int) -> None:
        """Have a dialog forgotten by `sweep` although its last acknowledgement may never come."""
        self._ended.append((now, dialog.key, dialog.opened_at))

    def sweep(self, now: int) -> None:
        """Forget what ended long ago. Cheap; the channel calls it whenever a dialog opens."""
        ended = self._ended
        while ended and (ended[0][0] + LINGER_MS <= now or len(ended) > LINGER_MAX):
            _, key, opened_at = ended.popleft()
            dialog = self.by_key.get(key)
            if dialog is None or dialog.opened_at != opened_at:
                continue
            if dialog.ended_at or dialog.releasing:
                self.live -= not dialog.ended_at
                del self.by_key[key]

    def restore(self, dialog: Dialog) -> None:
        """Put a stored dialog back after a restart, alive or ended; the later one of a subscriber stays.

        Numbers of binds and connections begin anew in a new process, so the old ones are made to match none.
        """
        dialog.connection = _ANOTHER_RUN
        dialog.seen = tuple(msgspec.structs.replace(one, connection=_ANOTHER_RUN) for one in dialog.seen)
        there = self.by_key.get(dialog.key)
        if there is None or there.opened_at < dialog.opened_at:
            self.put(dialog)

    def __len__(self) -> int:
        return len(self.by_key)
