"""The nightly fee job: what happens to one subscriber at 00:00 of a date.

In this order: a promised payment that is due is taken back, the fee of the tariff, the fees of options.
An ordinary fee lets both remainders expire (C3); a fee that cannot be taken blocks the number and
leaves the period unpaid. Knows nothing of clocks or storage: the desk says which night it is.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec

from gateway.demo.billing.catalogue import OPTIONS, Bucket
from gateway.demo.billing.entry import Entry
from gateway.demo.billing.package import FEE_LINE
from gateway.demo.billing.period import month_after
from gateway.demo.billing.subscriber import FINANCIAL, Night, Subscriber


def night(entry: Entry) -> int:
    """Run the job for every subscriber on the date of the entry; returns how many subscribers it charged.

    A second run on the same date finds nothing due.
    """
    charged = 0
    for subscriber in list(entry.book.subscribers.values()):
        before = len(entry.change.movements)
        s = _promise(entry, subscriber)
        if s.next_fee <= entry.today:
            s = _fee(entry, s)
        _options(entry, s)
        charged += len(entry.change.movements) > before
    return charged


def _promise(entry: Entry, s: Subscriber) -> Subscriber:
    if s.promise is None or s.promise.until > entry.today:
        return s
    s = entry.move(s, "promise_back", -s.promise.sum)
    blocks = s.blocks
    if s.balance < 0 and FINANCIAL not in blocks:
        blocks = (*blocks, FINANCIAL)
    return entry.put(msgspec.structs.replace(s, promise=None, blocks=blocks))


def _fee(entry: Entry, s: Subscriber) -> Subscriber:
    fee = s.fee
    if s.blocks or s.balance < fee:
        return _unpaid(entry, s)
    start = entry.today
    anchor = start.day if s.unpaid else s.anchor
    next_fee = month_after(start, anchor) if s.period == "month" else start + timedelta(days=1)
    if fee:
        s = entry.move(s, "monthly_fee" if s.period == "month" else "daily_fee", -fee)
    text = FEE_LINE if s.period == "month" else "Списание ежесуточной платы по Тарифному плану"
    entry.line(s, text, fee, start, next_fee)
    return entry.put(
        msgspec.structs.replace(
            s,
            unpaid=False,
            anchor=anchor,
            period_start=start,
            next_fee=next_fee,
            night=Night(at=entry.now, main=s.main, fee=fee) if s.period == "month" else None,
            main=s.plan.full,
            carried=Bucket(),
        )
    )


def _unpaid(entry: Entry, s: Subscriber) -> Subscriber:
    blocks = s.blocks or (FINANCIAL,)
    changed = msgspec.structs.replace(s, unpaid=True, blocks=blocks, main=Bucket(), carried=Bucket())
    return s if changed == s else entry.put(changed)


def _options(entry: Entry, s: Subscriber) -> None:
    if s.blocks:
        return
    kept = []
    for connected in s.options:
        if connected.next_fee > entry.today:
            kept.append(connected)
            continue
        fee = OPTIONS[connected.id].fee
        if s.balance < fee:
            continue  # an option that is not paid for is switched off, the number stays
        s = entry.move(s, "option_fee", -fee, connected.id)
        kept.append(msgspec.structs.replace(connected, next_fee=month_after(entry.today, connected.anchor)))
    if tuple(kept) != s.options:
        entry.put(msgspec.structs.replace(s, options=tuple(kept)))
