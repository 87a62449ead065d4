"""Tells observers of every USSD dialog that has ended, once, when it is certain how it did.

A dialog that the flow closes has ended well only if the centre takes its last page, so its record waits for
that. What is not told when the process is killed in between is not told later. Without observers nothing is
kept and nothing made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from gateway.host.batch import Batch
from gateway.host.conversation import Conversation
from ussd.dialog import Dialog, Key
from ussd.record import WELL, DialogRecord, record_of

EndObserver: TypeAlias = Callable[[DialogRecord, Conversation | None], None]
"""`observer(record, conversation)`; without a conversation no flow has seen the dialog."""

_Name: TypeAlias = tuple[Key, int]
_UNCERTAIN = ("timeout", "wrong_response")


class DialogEnds:
    """Keeps the dialogs whose last page is on its way, and tells of those that have ended."""

    def __init__(self) -> None:
        self.observers: list[EndObserver] = []
        self.last: dict[_Name, tuple[Dialog, Conversation | None, str]] = {}
        """The dialogs whose last page has left and has no answer yet."""

    def closed(self, batch: Batch, dialog: Dialog, conversation: Conversation | None, reason: str) -> None:
        """A dialog has ended otherwise than by a last page of ours."""
        if self.observers and not dialog.releasing:
            self._tell(batch, dialog, conversation, reason)

    def leaves(self, batch: Batch, dialog: Dialog, conversation: Conversation | None, reason: str) -> None:
        """The last page of a dialog is about to leave; `reason` is why the flow closes it."""
        if self.observers:
            batch.leave(self.last.__setitem__, (dialog.key, dialog.opened_at), (dialog, conversation, reason))

    def confirmed(self, batch: Batch, name: _Name, page: int, refusal: str | None) -> None:
        """The centre has answered to a page; `refusal` is why it was not shown."""
        if self.last:
            self._settle(batch, name, page, None if refusal is None else _meaning(refusal))

    def failed(self, batch: Batch, name: _Name, page: int, failure: str) -> None:
        """A page got no answer; `failure` is that of `smpp.event.Failed`."""
        if self.last:
            self._settle(batch, name, page, "unconfirmed" if failure in _UNCERTAIN else "lost")

    def unshown(
        self, batch: Batch, dialog: Dialog | None, conversation: Conversation, reason: str, page: int
    ) -> None:
        """A page that was not the last was refused or lost, and the dialog has ended with it."""
        if self.observers and dialog is not None and dialog.page == page and not dialog.last_kind:
            self._tell(batch, dialog, conversation, _meaning(reason))

    def _settle(self, batch: Batch, name: _Name, page: int, spoilt: str | None) -> None:
        found = self.last.get(name)
        if found is None or found[0].page != page:
            return
        del self.last[name]
        batch.on_failure(lambda: self.last.__setitem__(name, found))
        dialog, conversation, reason = found
        uncertain = spoilt == "unconfirmed" and reason not in WELL
        self._tell(batch, dialog, conversation, reason if spoilt is None or uncertain else spoilt, reason)

    def _tell(
        self,
        batch: Batch,
        dialog: Dialog,
        conversation: Conversation | None,
        reason: str,
        detail: str = "",
    ) -> None:
        if dialog.recorded:
            return
        dialog.recorded = True
        batch.on_failure(lambda: setattr(dialog, "recorded", False))
        record = record_of(dialog, reason, batch.now, taken=conversation is not None, detail=detail)
        for observer in self.observers:
            batch.leave(observer, record, conversation)

    def __len__(self) -> int:
        return len(self.last)


def _meaning(refusal: str) -> str:
    """Keep what a centre calls a failure apart from a failure of the flow."""
    return "not_shown" if refusal == "failed" else refusal
