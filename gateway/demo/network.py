"""The mobile network of the demo: handsets at a test centre, each with a USSD dialog and its SMS.

It does what a subscriber does and keeps what a subscriber sees. Everything passes the centre's sockets; it
does not know the gateway behind them.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable
from itertools import islice

import msgspec

from smpp.pdu.tlv import Tag, first_tlv
from smpp.testing.centre import Centre, Dialog, Screen, Sms
from smpp.testing.ledger import Delivery
from smpp.text import can_gsm7

NETWORK_PATIENCE_MS = 30_000
"""A network gives a USSD request up after so long without an answer."""
MOST_MESSAGES = 200
LONGEST_SMS = 10_000
USSD_GSM7, USSD_UCS2 = 182, 80
RECEIPTS_SEEN = 200

_DIALLED = re.compile(r"[0-9*#+]{1,60}", re.ASCII)
_NUMBER = re.compile(r"\+?[0-9]{1,15}", re.ASCII)

Told = Callable[[str, object, str], None]


class RefusedError(Exception):
    """A handset cannot do this; the message says why, to the person at the page."""


class Message(msgspec.Struct):
    """One SMS in a thread. `state`: sending, delivered, failed; received, confirmed (its receipt arrived)."""

    id: int
    number: str
    mine: bool
    text: str
    parts: int
    at: int
    state: str


class Ussd(msgspec.Struct):
    """What the display shows. `state`: running, menu (an answer is expected), notify, ended, failed.

    `rings` marks a dialog that the network began: the handset makes itself heard.
    """

    code: str
    state: str
    at: int
    text: str = ""
    screens: int = 0
    rings: bool = False


class Handset:
    """One subscriber's phone."""

    def __init__(self, phone: str) -> None:
        self.phone = phone
        self.ussd: Ussd | None = None
        self.dialog: Dialog | None = None
        self.messages: deque[Message] = deque(maxlen=MOST_MESSAGES)
        self.sending: list[tuple[Message, list[Delivery]]] = []
        self.unconfirmed: deque[tuple[Message, frozenset[bytes]]] = deque(maxlen=50)


class Network:
    """The handsets by number. `tell(topic, data, phone)` is called when something can be seen to change.

    `ahead_ms` is how far the day on the handsets is ahead of real time.
    """

    def __init__(self, centre: Centre, tell: Told) -> None:
        self.centre = centre
        self._tell = tell
        self._handsets: dict[str, Handset] = {}
        self._messages = 0
        self.ahead_ms = 0
        centre.on_screen = self._on_screen
        centre.on_sms = self._on_sms

    def handset(self, phone: str) -> Handset:
        """Return a subscriber's handset."""
        return self._handsets.setdefault(phone, Handset(phone))

    def forget(self) -> None:
        """Switch all handsets off and empty their memories."""
        for handset in self._handsets.values():
            if handset.dialog is not None and handset.dialog.open:
                handset.dialog.end("network")
        self._handsets.clear()

    def hang_up(self) -> None:
        """End every open dialog; messages stay."""
        for handset in self._handsets.values():
            if handset.dialog is not None and handset.dialog.open:
                handset.dialog.end("network")
            handset.dialog = handset.ussd = None
            self._show(handset)

    # What the subscriber does

    def dial(self, phone: str, code: str) -> None:
        """Dial a USSD code; an open dialog is superseded. Raises RefusedError."""
        if not _DIALLED.fullmatch(code):
            raise RefusedError("A code has digits, * and #, at most 60")
        if not code.startswith(("*", "#")) or not code.endswith("#"):
            raise RefusedError("This is no USSD code: it begins with * and ends with #, like *929#")
        handset = self.handset(phone)
        if handset.dialog is not None and handset.dialog.open:
            handset.dialog.hang_up()
        handset.dialog = self._offer(lambda: self.centre.call(phone, code))
        handset.ussd = Ussd(code, "running", self.centre.now())
        self._show(handset)

    def answer(self, phone: str, text: str) -> None:
        """Send what was typed into the dialog. Raises RefusedError."""
        handset = self.handset(phone)
        dialog, ussd = handset.dialog, handset.ussd
        if dialog is None or ussd is None or ussd.state != "menu" or not dialog.open:
            raise RefusedError("No dialog expects an answer")
        room = USSD_GSM7 if can_gsm7(text) else USSD_UCS2
        if len(text.encode("utf-16-be")) // 2 > room:
            raise RefusedError(f"An answer has at most {room} characters of this alphabet")
        self._offer(lambda: dialog.type(text))
        ussd.state, ussd.at = "running", self.centre.now()
        self._show(handset)

    def cancel(self, phone: str) -> None:
        """Hang up, or clear what is left on the display."""
        handset = self.handset(phone)
        if handset.dialog is not None and handset.dialog.open:
            handset.dialog.hang_up()
        handset.dialog = handset.ussd = None
        self._show(handset)

    async def send(self, phone: str, to: str, text: str) -> None:
        """Send an SMS, in as many parts as it needs. Raises RefusedError."""
        if not _NUMBER.fullmatch(to):
            raise RefusedError("The number has up to 15 digits, like 9290")
        if len(text) > LONGEST_SMS:
            raise RefusedError(f"A message has at most {LONGEST_SMS} characters")
        handset = self.handset(phone)
        try:
            deliveries = await self.centre.sms(phone, to.removeprefix("+"), text, wait=False)
        except ValueError as error:
            raise RefusedError(f"The network cannot take this message: {error}") from error
        message = self._message(handset, to, True, text, len(deliveries), "sending")
        handset.sending.append((message, deliveries))
        self.look()

    def _offer(self, act: Callable[[], Dialog | None]) -> Dialog | None:
        try:
            return act()
        except ValueError as error:
            raise RefusedError(f"The network cannot take this: {error}") from error

    # What the subscriber sees

    def look(self) -> None:
        """Notice what the centre tells nobody: answers, receipts, dialogs that ended without a screen."""
        now = self.centre.now()
        for handset in self._handsets.values():
            self._look_at_dialog(handset, now)
            self._look_at_messages(handset)

    def _look_at_dialog(self, handset: Handset, now: int) -> None:
        dialog, ussd = handset.dialog, handset.ussd
        if dialog is None or ussd is None or ussd.state in ("ended", "failed"):
            return
        if dialog.open:
            if ussd.state == "running" and now - ussd.at > NETWORK_PATIENCE_MS:
                dialog.hang_up()
                ussd.state, ussd.text = "failed", "The network did not answer."
                self._show(handset)
            return
        if ussd.state == "running":
            ussd.state = "failed"
            ussd.text = "Connection problem or invalid code."
        else:
            ussd.state = "ended"
        self._show(handset)

    def _look_at_messages(self, handset: Handset) -> None:
        for message, deliveries in list(handset.sending):
            if any(one.status is None for one in deliveries):
                continue
            message.state = "delivered" if all(one.acked for one in deliveries) else "failed"
            handset.sending.remove((message, deliveries))
            self._tell("message", message, handset.phone)
        if not handset.unconfirmed:
            return
        acked = self._receipts()
        for message, ids in list(handset.unconfirmed):
            if ids <= acked:
                message.state = "confirmed"
                handset.unconfirmed.remove((message, ids))
                self._tell("message", message, handset.phone)

    def _receipts(self) -> frozenset[bytes]:
        """The messages whose delivery the gateway has learned of, among the newest."""
        found = set()
        for delivery in islice(reversed(self.centre.ledger.delivered), RECEIPTS_SEEN):
            if delivery.kind == "receipt" and delivery.acked:
                found.add((first_tlv(delivery.sm.tlvs, Tag.RECEIPTED_MESSAGE_ID) or b"").rstrip(b"\0"))
        return frozenset(found)

    def _on_screen(self, dialog: Dialog, screen: Screen) -> None:
        handset = self.handset(dialog.msisdn)
        if handset.dialog is not dialog:
            if dialog.origin != "network":
                return
            handset.dialog = dialog
            handset.ussd = Ussd(dialog.code, "running", screen.at)
        assert handset.ussd is not None
        state = "ended" if screen.action in ("end", "release") else screen.action
        count = handset.ussd.screens + 1
        handset.ussd = Ussd(
            dialog.code if not handset.ussd.code else handset.ussd.code,
            state,
            screen.at,
            screen.text,
            count,
            dialog.origin == "network",
        )
        self._show(handset)

    def _on_sms(self, sms: Sms) -> None:
        handset = self.handset(sms.to)
        message = self._message(handset, sms.source, False, sms.text, sms.parts, "received")
        handset.unconfirmed.append((message, frozenset(sms.message_ids)))
        asyncio.get_running_loop().call_later(0.05, self.look)

    def _message(
        self, handset: Handset, number: str, mine: bool, text: str, parts: int, state: str
    ) -> Message:
        self._messages += 1
        message = Message(self._messages, number, mine, text, parts, self.centre.now() + self.ahead_ms, state)
        handset.messages.append(message)
        self._tell("message", message, handset.phone)
        return message

    def _show(self, handset: Handset) -> None:
        self._tell("ussd", handset.ussd, handset.phone)
