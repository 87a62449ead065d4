"""What a deliver_sm turned out to be, seen from the USSD channel.

Every arrival is answered with deliver_sm_resp 0, after the session is stored, except `Stray`, which names
its status, and `NotUssd`, which belongs to the SMS channel. `before` is for undoing: when the commit of the
turn fails, give it to `Dialogs.put_back`, the latest arrival first.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from ussd.dialog import Dialog


class Dialled(msgspec.Struct, frozen=True, gc=False):
    """The subscriber dialled: start the flow of `text`. `superseded` is the live dialog it replaces."""

    dialog: Dialog
    text: str
    superseded: Dialog | None = None
    before: Dialog | None = None

    def __repr__(self) -> str:
        """Show no text: secrets are dialled too."""
        return f"Dialled({self.dialog!r})"


class Answered(msgspec.Struct, frozen=True, gc=False):
    """Input of a live dialog.

    With `last` the network has closed the dialog with it: step the flow with the text, then tell it that
    the subscriber hung up; nothing can be shown any more.
    """

    dialog: Dialog
    text: str
    last: bool = False
    before: Dialog | None = None

    def __repr__(self) -> str:
        """Show no text: secrets are typed too."""
        return f"Answered({self.dialog!r}{', last' if self.last else ''})"


class Notified(msgspec.Struct, frozen=True, gc=False):
    """A notification was shown. `release` is a submit_sm body to send now, where the dialect wants one."""

    dialog: Dialog
    release: bytes | None = None
    before: Dialog | None = None


class Aborted(msgspec.Struct, frozen=True, gc=False):
    """The network or the subscriber closed the dialog; nothing may be submitted for it."""

    dialog: Dialog
    reason: str
    before: Dialog | None = None


class Repeated(msgspec.Struct, frozen=True, gc=False):
    """A re-delivery: answer 0, run nothing, submit `answer` (the stored page) if there is one."""

    dialog: Dialog
    answer: bytes | None


class Stray(msgspec.Struct, frozen=True, gc=False):
    """Nothing that a session waits for: answer `status`, submit `farewell` if there is one."""

    status: int
    reason: str
    farewell: bytes | None = None


class NotUssd(msgspec.Struct, frozen=True, gc=False):
    """No USSD message by the dialect's detection: an SMS or a receipt."""


NOT_USSD = NotUssd()

Arrival: TypeAlias = Dialled | Answered | Notified | Aborted | Repeated | Stray | NotUssd
