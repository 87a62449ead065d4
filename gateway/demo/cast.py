"""Who can be chosen on the handset page: each persona of the demo billing and what it is good for.

It knows the billing's records and no page: what it returns is plain data.
"""

from __future__ import annotations

import contextlib
from typing import Any

from gateway.demo.billing.entry import Entry, Refusal
from gateway.demo.billing.marketing import offer
from gateway.demo.billing.network import outage
from gateway.demo.billing.package import refusal
from gateway.demo.billing.subscriber import Subscriber

PARTS: dict[str, tuple[str, str]] = {
    "rich": ("Everything works", "1 500 ₽, bank card, home contract, an offer under *115#"),
    "poor": ("Too little money", "Below the fee; an outage at home until 18:00"),
    "blocked": ("Blocked by choice", "A voluntary block stands on the number"),
    "unpaid": ("Fee not yet taken", "A block was lifted, the fee comes tonight"),
    "daily": ("Pays by the day", "Only a full month can be renewed"),
    "discount": ("Discount of 100 %", "The fee is zero, nothing to renew"),
    "no_service": ("Lacks the service", "The renewal is not enabled on the number"),
    "not_listed": ("Tariff not listed", "Outside the fourteen that can be renewed"),
    "archived": ("Archived tariff", "Counts as listed: billing gives the family name"),
    "saved": ("Has a saved remainder", "Carried over once, spent first"),
    "no_contract": ("No home contract", "*202# has nothing to send"),
    "many_options": ("Twelve options", "Long lists, page after page, under *100#"),
    "employee": ("Staff of a shop", "Works at “Тверская 5”, may write to 0555"),
    "auto_payment": ("Automatic payment", "500 ₽ as soon as less than 100 ₽ is left"),
    "fee_tonight": ("Fee due tonight", "Money for one fee only: renew at 23:59"),
    "financial": ("Out of money", "A financial block; a top-up lifts it"),
    "exact": ("Exactly the fee", "490 ₽ for a fee of 490 ₽"),
    "promised": ("Promised payment", "Borrowed 200 ₽, due in two days"),
    "archived_other": ("Old tariff, not listed", "Archived, and its family is not listed"),
    "month_end": ("Anchor day 31", "31 January, 28 February, 31 March"),
}

RULES: dict[str, str] = {
    "": "allowed by billing",
    "tariff_not_listed": "refused: tariff not listed (G1)",
    "no_service": "refused: service missing (R4)",
    "blocked": "refused: blocked (R2)",
    "unpaid": "refused: period unpaid (R6)",
    "daily_period": "refused: daily period (R3)",
    "no_fee": "refused: fee is zero (R5)",
    "low_balance": "refused: not enough money (R1)",
}


def card(subscriber: Subscriber, entry: Entry) -> dict[str, Any]:
    """Return what the page shows of a persona at this moment; `entry` only reads."""
    title, about = PARTS.get(subscriber.persona, (subscriber.persona, ""))
    plan = subscriber.plan
    return {
        "phone": subscriber.phone,
        "name": subscriber.name,
        "title": title,
        "about": about,
        "tariff": plan.version or plan.family,
        "balance": str(subscriber.balance),
        "fee": str(subscriber.fee),
        "period": subscriber.period,
        "next_fee": subscriber.next_fee.isoformat(),
        "blocks": list(subscriber.blocks),
        "unpaid": subscriber.unpaid,
        "main": _bucket(subscriber.main),
        "carried": _bucket(subscriber.carried),
        "full": _bucket(plan.full),
        "renewal": RULES.get(refusal(subscriber), "refused"),
        "renewable": not refusal(subscriber),
        "marks": _marks(subscriber, entry),
    }


def _marks(subscriber: Subscriber, entry: Entry) -> list[str]:
    """Return what else can be tried with a persona, in two words each."""
    marks = []
    with contextlib.suppress(Refusal):
        marks.append(f"offer {offer(entry, subscriber.phone, None).name}")
    known = outage(entry, subscriber.phone, None)
    if known.known:
        marks.append("outage" if known.until is None else f"outage until {known.until:%H:%M}")
    if subscriber.office:
        marks.append("staff")
    if subscriber.contract is not None:
        marks.append("home contract")
    if subscriber.card:
        marks.append("bank card")
    return marks


def _bucket(bucket: Any) -> dict[str, int]:
    return {"minutes": bucket.minutes, "sms": bucket.sms, "mb": bucket.mb}
