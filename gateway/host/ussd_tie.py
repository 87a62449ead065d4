"""Ties USSD dialogs to sessions: which is of which, over all centres, and how a failed commit undoes it.

It does not know what came in, nor what goes out.
"""

from __future__ import annotations

from copy import copy

from gateway.host.batch import Batch
from gateway.host.conversation import Conversation
from gateway.host.ussd_way import Way
from ussd.dialog import Dialog, Dialogs, Key


class Ties:
    """The centres by group, their dialogs, and the sessions of those that are live."""

    def __init__(self) -> None:
        self.ways: dict[str, Way] = {}
        self.dialogs = Dialogs()
        self.sessions: dict[tuple[Key, int], Conversation] = {}
        """By the key of a dialog and when it was opened."""

    def own(self, batch: Batch, conversation: Conversation) -> Dialog:
        """Return the dialog to be changed in this batch: a copy, so that a failed commit can undo it."""
        dialog = conversation.dialog
        assert dialog is not None
        if batch.before(conversation).was.dialog is dialog:
            before = dialog
            dialog = conversation.dialog = copy(before)
            self.dialogs.put(dialog)
            self.undo(batch, dialog, before)
        return dialog

    def undo(self, batch: Batch, dialog: Dialog, before: Dialog | None) -> None:
        """A failed commit puts back what was there before a dialog."""
        batch.undo.append((self.dialogs.put_back, (dialog.key, before)))

    def let_go(self, dialog: Dialog, conversation: Conversation) -> None:
        """No more messages of this dialog are for its session."""
        self.sessions.pop(((dialog.group, dialog.msisdn), dialog.opened_at), None)
        if conversation.head:
            way = self.ways.get(dialog.group)
            if way is not None:
                way.forget(conversation)
            conversation.head = b""
