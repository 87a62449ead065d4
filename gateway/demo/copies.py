"""Copies of messages, as the page tells of them: the centre knows whose they are, the gateway that they came.

Only what the gateway has counted as a copy is told, so a row is proof that it noticed.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from gateway.app import Gateway
from smpp.testing.ledger import Delivery, Ledger

LOOKED_AT = 200
"""Newest deliveries among which the owners of new copies are looked for."""
SAID = "a copy came: answered from the store"

_KINDS = {"ussd": "the message of the dialog came twice", "sms": "the SMS came twice"}


class Copies:
    """Tells of each message that came more than once. `tell(phone, text, detail)` makes the row."""

    def __init__(self, ledger: Ledger, tell: Callable[[str, str, str], object]) -> None:
        self._ledger = ledger
        self._tell = tell
        self._counted = 0
        self._told = 0

    def start_over(self) -> None:
        """Begin with a new gateway, whose counters are at nought; what came before is not told any more."""
        self._counted = 0
        self._told = max((one.number for one in self._ledger.delivered), default=0)

    def look(self, gateway: Gateway) -> None:
        """Tell of the copies that the gateway has counted since the last look."""
        counted = sum(channel.counts["repeated"] for channel in gateway.centres.ussd_channels.values())
        counted += sum(channel.counts["duplicate"] for channel in gateway.centres.sms_channels.values())
        if counted == self._counted:
            return
        self._counted = counted
        for delivery in reversed(self._new()):
            self._tell(delivery.sm.source.decode("latin-1"), SAID, _KINDS[delivery.kind])
            self._told = delivery.number

    def _new(self) -> list[Delivery]:
        newest = islice(reversed(self._ledger.delivered), LOOKED_AT)
        return [
            one
            for one in newest
            if one.number > self._told and one.kind in _KINDS and len(one.attempts) > 1 and one.acked
        ]
