"""What the other back ends of the demo keep in the books beside money: visits, reports, answers to offers.

Each is an immutable record under a kind and an id. Knows nothing of storage or HTTP.
"""

from __future__ import annotations

from typing import Literal

import msgspec


class Visit(msgspec.Struct, frozen=True, tag="visit"):
    """A booked visit to a shop. `start` is UTC milliseconds; `slot` is taken while it is `booked`."""

    id: str
    phone: str
    shop: str
    slot: str
    start: int
    state: Literal["booked", "cancelled"] = "booked"


class Report(msgspec.Struct, frozen=True, tag="report"):
    """A report of an outage. Address and text are what the subscriber wrote."""

    number: int
    phone: str
    area: str
    address: str
    text: str
    at: int

    def __repr__(self) -> str:
        """Show nothing personal."""
        return f"Report(number={self.number}, area={self.area!r})"


class Answered(msgspec.Struct, frozen=True, tag="answered"):
    """What a subscriber said to an offer, and when."""

    phone: str
    offer: str
    accepted: bool
    at: int


Record = Visit | Report | Answered
"""Everything kept so; the tag tells which."""
