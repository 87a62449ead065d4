"""The back end `marketing` of the demo: a personal offer, and what was answered to it.

The offer is the next dearer tariff on sale. Who has answered is left alone for ninety days.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from gateway.demo.billing.catalogue import TARIFFS
from gateway.demo.billing.entry import Entry, Refusal
from gateway.demo.billing.money import percent_off
from gateway.demo.billing.period import DAY
from gateway.demo.billing.record import Answered

REST = 90 * DAY
"""How long nothing is offered to somebody who has answered, milliseconds."""


class Offer(msgspec.Struct, frozen=True):
    """The answer of `marketing.offer`; `id` is the tariff, `gb` are whole gigabytes."""

    id: str
    name: str
    minutes: int
    gb: int
    fee: Decimal


class Said(msgspec.Struct, frozen=True):
    """The arguments of `marketing.answer`."""

    offer: str
    accepted: bool


def offer(entry: Entry, phone: str, _: None) -> Offer:
    """`GET /offers/{phone}`; 404 no_offer, also for an unknown number."""
    s = entry.subscriber(phone, "no_offer")
    said = entry.book.records.get(("answered", phone))
    if s.blocks or (isinstance(said, Answered) and entry.now < said.at + REST):
        raise Refusal(404, "no_offer")
    dearer = [t for t in TARIFFS.values() if t.sold and t.fee > s.plan.fee and t.family != s.plan.family]
    if not dearer:
        raise Refusal(404, "no_offer")
    best = min(dearer, key=lambda t: t.fee)
    return Offer(
        id=best.id,
        name=best.family,
        minutes=best.full.minutes,
        gb=best.full.mb // 1024,
        fee=percent_off(best.fee, s.discount),
    )


def answer(entry: Entry, phone: str, said: Said) -> dict[str, object]:
    """`POST /offers/{phone}/answer`: remember it; 404 no_offer for what nobody could have offered."""
    entry.subscriber(phone, "no_offer")
    if said.offer not in TARIFFS:
        raise Refusal(404, "no_offer")
    entry.keep("answered", phone, Answered(phone, said.offer, said.accepted, entry.now))
    return {}
