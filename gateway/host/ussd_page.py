"""Pages of USSD dialogs: how they leave over a link, and what became of each.

What stands on a page is not known here. A session is told when nobody saw its last one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from engine.inputs import HungUp, Unshown
from engine.session import Waiting
from gateway.host.batch import Batch
from gateway.host.call import RETRY_COMMIT_S
from gateway.host.conversation import Conversation
from gateway.host.dialog_end import DialogEnds
from gateway.host.host import Handler, Host
from gateway.host.outreach import Outreach
from gateway.host.stepper import Stepper
from gateway.host.ussd_tie import Ties
from gateway.host.ussd_way import Way
from smpp.event import Answered, Failed
from smpp.links import Link
from ussd.dialog import ANYWHERE, Dialog, Key


class Page(msgspec.Struct, frozen=True, gc=False):
    """Token of a page on its way: which dialog, which of its pages, which session it belongs to."""

    dialog: Key
    opened_at: int
    number: int
    session: str
    live: Conversation | None = None


class Pages:
    """The pages that are on their way, over all centres."""

    def __init__(
        self, host: Host, stepper: Stepper, ties: Ties, ends: DialogEnds, outreach: Outreach
    ) -> None:
        self._host = host
        self._stepper = stepper
        self._ways = ties.ways
        self._dialogs = ties.dialogs
        self._ends = ends
        self._outreach = outreach
        host.on_unsent = self.failed

    # On its way

    def put(self, batch: Batch, link: Link, body: bytes, token: Page, dialog: Dialog) -> None:
        """Have a page leave over the connection of its dialog; of one that we begin over any."""
        connection = dialog.connection
        if connection == ANYWHERE:
            batch.leave(self._submit, link, body, token, dialog.msisdn)
        else:
            batch.pages[link].append((body, token, connection, dialog.msisdn.encode()))

    def _submit(self, link: Link, body: bytes, token: Page, msisdn: str) -> None:
        """Send the first page of a dialog that we begin: no more urgent than an SMS."""
        if not link.submit(body, token, prefer=None, sticky=False, subscriber=msisdn.encode(), urgent=False):
            self._host.take_later(self.failed, Failed(token, "unsent"))

    # What became of it

    def arrived(self, pages: Sequence[object]) -> Sequence[object]:
        """Take note that the centre has accepted pages, where nobody waits to hear of it.

        Returns those of them that take a longer look: nothing was done about them yet, see `confirmed`.
        """
        if self._ends.last or self._outreach.open:
            return pages
        longer: list[object] = []
        for page in pages:
            if (
                type(page) is not Page
                or (conversation := page.live) is None
                or conversation.closing
                or (dialog := conversation.dialog) is None
            ):
                longer.append(page)
            elif dialog.page == page.number:
                # Without a body the page belongs to an input that the next one has overtaken.
                dialog.answered = dialog.body is not None
        return longer

    def confirmed(self, batch: Batch, event: Answered) -> None:
        """Take the submit_sm_resp of a page."""
        page = event.token
        if type(page) is not Page:
            return
        dialog_key = page.dialog
        way = self._ways.get(dialog_key[0])
        if way is None:
            return
        reason = way.channel.shown(
            dialog_key, page.opened_at, page.number, event.status, batch.now, self._dialogs
        )
        self._ends.confirmed(batch, (page.dialog, page.opened_at), page.number, reason)
        if self._outreach.open:
            self._reached(batch, way, page, event)
        conversation = self._host.conversations.get(page.session)
        if conversation is None or (reason is None and not conversation.closing):
            return
        if reason is not None:
            self._ends.unshown(batch, self._dialogs.last(page.dialog), conversation, reason, page.number)
            self._host.counters[f"ussd_unshown.{reason}"] += 1
            self.unshown(batch, conversation, reason)
        elif event.status == 0:
            batch.touch(conversation)
            conversation.closing = False

    def _reached(self, batch: Batch, way: Way, page: Page, event: Answered) -> None:
        """Take the answer to a page that may be the first of a dialog of ours."""
        dialog = self._dialogs.last(page.dialog)
        if dialog is None or dialog.opened_at != page.opened_at:
            return
        if dialog.connection == ANYWHERE and not event.status:
            dialog.connection = (event.bind, event.connection)
        self._outreach.confirmed(batch, dialog, page.number, event.status, way.channel.dialect)

    def failed(self, batch: Batch, event: Failed) -> None:
        """Take a page that got no answer of its own."""
        page = event.token
        if not isinstance(page, Page):
            return
        way = self._ways.get(page.dialog[0])
        conversation = self._host.conversations.get(page.session)
        self._ends.failed(batch, (page.dialog, page.opened_at), page.number, event.reason)
        dialog = self._dialogs.last(page.dialog)
        if dialog is not None and dialog.opened_at == page.opened_at:
            self._outreach.failed(batch, dialog, page.number, event.reason)
        batch.refuse(self._take_again, self.failed, event)
        if way is None or conversation is None:
            return
        reason = way.channel.unanswered(
            page.dialog, page.opened_at, page.number, event.reason, batch.now, self._dialogs
        )
        if reason is not None:
            self._ends.unshown(batch, dialog, conversation, reason, page.number)
        if reason is None and conversation.closing:
            reason = event.reason
        if reason is not None:
            self._host.counters[f"ussd_unshown.{reason}"] += 1
            self.unshown(batch, conversation, reason)

    def confirm_again(self, event: Answered) -> None:
        """The centre says it only once: the commit failed, so take the same news again a little later."""
        if isinstance(event.token, Page):
            self._take_again(self._confirmed_late, event)

    def _confirmed_late(self, batch: Batch, event: Answered) -> None:
        """Take what `confirm_again` has kept; that commit may fail too."""
        batch.refuse(self.confirm_again, event)
        self.confirmed(batch, event)

    def _take_again(self, handler: Handler, event: Answered | Failed | Conversation) -> None:
        asyncio.get_running_loop().call_later(RETRY_COMMIT_S, self._host.take, handler, event)

    def unshown(self, batch: Batch, conversation: Conversation, reason: str) -> None:
        """Tell a session that its last page was not seen; one that waits for a back end has no page."""
        batch.touch(conversation)
        conversation.closing = False
        waits = conversation.session.waiting in (Waiting.BACKEND, Waiting.LOOK)
        self._stepper.step(batch, conversation, HungUp(reason) if waits else Unshown(reason))

    def too_late(self, batch: Batch, conversation: Conversation) -> None:
        """A last text was said when its dialog had gone already."""
        if conversation.closing:
            batch.refuse(self._take_again, self.too_late, conversation)
            self.unshown(batch, conversation, "late")

    @staticmethod
    def owes(conversation: Conversation) -> bool:
        """Tell whether what a charge has come to stands on a page that the centre never confirmed.

        So it is after a restart between the commit of the page and its way out, for instance.
        """
        dialog = conversation.dialog
        seen = dialog is None or dialog.answered
        return not seen and conversation.session.charged and conversation.session.waiting is Waiting.ANSWER


def page_of(dialog: Dialog) -> Page:
    """Return the token of the latest page of a dialog that no session waits to hear of."""
    return Page(dialog.key, dialog.opened_at, dialog.page, "")
