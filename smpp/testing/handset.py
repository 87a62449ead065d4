"""The handsets of a test centre as far as USSD goes: the open dialogue of each, and the number of the last.

It knows no sockets and no faults; a dialogue sends and waits by itself (`smpp.testing.dialog`).
"""

from smpp.pdu.message import Sm
from smpp.testing.dialect import PSSR_INDICATION, Action
from smpp.testing.dialog import Dialog
from smpp.testing.exchange import Exchange
from smpp.testing.ledger import Submitted

CLOSED_DIALOGS = 10_000
"""Of so many handsets the last dialogue is remembered, to tell a late page from a new one of the network.

Not those before it: session numbers are short, and an ESME that numbers a dialogue may take an old one.
"""


class Handsets:
    """All handsets: one dialogue each. `dialogs` are those that are open, by MSISDN."""

    def __init__(self, exchange: Exchange) -> None:
        self.dialogs: dict[str, Dialog] = {}
        self._exchange = exchange
        self._ended: dict[str, int] = {}
        self._sessions = 0

    def call(self, msisdn: str, code: str) -> Dialog:
        """Dial a code; an open dialogue of the same handset is superseded."""
        dialog = self.open(msisdn, code, "subscriber")
        dialog.begin(PSSR_INDICATION, code)
        return dialog

    def open(self, msisdn: str, code: str, origin: str, session: int | None = None) -> Dialog:
        """Begin a dialogue of which nothing is sent yet; it has the next session number if none is given."""
        old = self.dialogs.get(msisdn)
        if old is not None:
            old.end("superseded")
        self._sessions += 1
        dialog = Dialog(self._exchange, msisdn, code, self._sessions if session is None else session, origin)
        self.dialogs[msisdn] = dialog
        return dialog

    def may_show(self, sm: Sm) -> bool:
        """True if a page has a dialogue to go to, or begins one (from the network's side)."""
        dialect = self._exchange.dialect
        msisdn = sm.dest.decode("latin-1")
        dialog = self.dialogs.get(msisdn)
        number = dialect.session_number(sm) if dialect.session_info else None
        if dialog is not None:
            return number is None or number == dialect.number(dialog.session)
        if number is not None and self._ended.get(msisdn) == number:
            return False
        return dialect.begins(sm)

    def show(self, message: Submitted, action: Action) -> None:
        """Put an accepted page on its screen; without a dialogue it begins one."""
        sm, dialect = message.sm, self._exchange.dialect
        msisdn = sm.dest.decode("latin-1")
        dialog = self.dialogs.get(msisdn)
        if dialog is None:
            number = dialect.session_number(sm)
            if number is not None and dialect.renumbers:
                number = dialect.number(number + 1)
            dialog = self.open(msisdn, sm.source.decode("latin-1"), "network", number)
        dialog.show(message.text, action)

    def forget(self, dialog: Dialog) -> None:
        """A dialogue has ended."""
        if self.dialogs.get(dialog.msisdn) is not dialog:
            return
        del self.dialogs[dialog.msisdn]
        self._ended.pop(dialog.msisdn, None)
        self._ended[dialog.msisdn] = self._exchange.dialect.number(dialog.session)
        if len(self._ended) > CLOSED_DIALOGS:
            del self._ended[next(iter(self._ended))]
