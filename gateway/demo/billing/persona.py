"""The demo's people: named personas with fixed numbers, and a seeded crowd. The same at every start.

    79160000001  rich           Smart, 1 500 roubles, premium, contract and bank card: everything works
    79160000002  poor           Smart, 120.50 roubles: too little for the fee (R1)
    79160000003  blocked        voluntary block (R2)
    79160000004  unpaid         a lifted block, the fee is due in the coming night (R6)
    79160000005  daily          daily charging period (R3)
    79160000006  discount       discount of 100 % (R5)
    79160000007  no_service     lacks the service of the renewal (R4)
    79160000008  not_listed     tariff outside the list (G1)
    79160000009  archived       archived version of Smart: listed by its family name
    79160000010  saved          has a saved remainder from an earlier renewal
    79160000011  no_contract    no home contract, no payments, no options to connect, tariff not listed
    79160000012  many_options   Ultra with twelve options, five of them on
    79160000013  employee       staff of the shop "Тверская 5"
    79160000014  auto_payment   automatic payment of 500 roubles below 100
    79160000015  fee_tonight    next fee in the coming night, balance for one fee only
    79160000016  financial      financial block: a top-up lifts it and leaves the period unpaid
    79160000017  exact          balance equals the fee
    79160000018  promised       a promised payment is running
    79160000019  archived_other archived tariff whose family is not listed (G1)
    79160000020  month_end      anchor day 31

    79161000001..79161000300    the crowd

The last four digits of a persona's passport are those of its number. Knows nothing of storage.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import msgspec

from gateway.demo.billing.catalogue import PROMISE_SUM, TARIFFS, Bucket
from gateway.demo.billing.money import ZERO, kopecks, kopecks_to_money
from gateway.demo.billing.period import midnight, month_after, months_before
from gateway.demo.billing.subscriber import (
    FINANCIAL,
    AutoPayment,
    Connected,
    Contract,
    Movement,
    Promise,
    Subscriber,
)

CROWD = 300
"""How many unnamed subscribers there are."""

_NONE = Bucket()

_PERSONAS: tuple[tuple[str, str, str, str, Mapping[str, Any]], ...] = (
    ("rich", "Анна Богатова", "smart", "1500.00", {"segment": "premium", "card": True}),
    ("poor", "Пётр Мелочев", "smart", "120.50", {}),
    ("blocked", "Борис Замков", "smart", "900.00", {"blocks": ("voluntary",)}),
    ("unpaid", "Ульяна Долгова", "smart", "700.00", {"unpaid": True, "main": _NONE}),
    ("daily", "Денис Суточный", "smart", "800.00", {"period": "day"}),
    ("discount", "Светлана Скидкина", "smart", "300.00", {"discount": 100}),
    ("no_service", "Нина Безуслугина", "smart", "800.00", {"service": False}),
    ("not_listed", "Семён Секундов", "per_second", "800.00", {}),
    ("archived", "Аркадий Архивов", "smart_2014", "800.00", {}),
    ("saved", "Софья Остаткина", "smart", "1000.00", {"carried": Bucket(120, 30, 900)}),
    ("no_contract", "Никита Новиков", "call", "50.00", {"contract": None}),
    ("many_options", "Мария Опцина", "ultra", "3000.00", {"segment": "premium", "card": True}),
    ("employee", "Елена Штатная", "smart", "600.00", {"office": "Тверская 5"}),
    ("auto_payment", "Артём Автоплатов", "smart", "550.00", {"card": True}),
    ("fee_tonight", "Фёдор Полночев", "smart", "500.00", {}),
    ("financial", "Фаина Блокова", "smart", "10.00", {"blocks": (FINANCIAL,), "unpaid": True, "main": _NONE}),
    ("exact", "Тимур Ровный", "smart", "490.00", {}),
    ("promised", "Олег Обещанов", "smart", "260.00", {}),
    ("archived_other", "Раиса Красная", "red_2008", "400.00", {}),
    ("month_end", "Илья Последнев", "smart_mini", "2000.00", {}),
)


def people(today: date) -> Iterator[tuple[Subscriber, list[Movement]]]:
    """Yield every subscriber as of `today` with the ledger lines whose sum is its balance."""
    for number, (persona, name, tariff, balance, special) in enumerate(_PERSONAS, 1):
        yield _persona(number, persona, name, tariff, Decimal(balance), special, today)
    source = Random(929)  # noqa: S311 - made-up people of a demo
    for number in range(1, CROWD + 1):
        yield _someone(number, source, today)


def _persona(
    number: int,
    persona: str,
    name: str,
    tariff: str,
    balance: Decimal,
    special: Mapping[str, Any],
    today: date,
) -> tuple[Subscriber, list[Movement]]:
    full = TARIFFS[tariff].full
    fields: dict[str, Any] = {
        "phone": f"7916000{number:04d}",
        "name": name,
        "persona": persona,
        "tariff": tariff,
        "balance": balance,
        "main": Bucket(full.minutes * 2 // 5, full.sms * 2 // 5, full.mb * 2 // 5),
        "passport": f"{number:04d}",
        "contract": Contract(f"7800{number:05d}", f"gudok{number:02d}", f"pass-{number * 7919 % 10_000:04d}"),
        **_dates(today, 12),
        **special,
        **_dated(persona, today),
    }
    subscriber = Subscriber(**fields)
    return subscriber, _history(subscriber, today, 0 if persona == "no_contract" else 3, Random(number))  # noqa: S311


def _dated(persona: str, today: date) -> dict[str, Any]:
    """Return the fields of a persona that hang on the date."""
    tomorrow = today + timedelta(days=1)
    match persona:
        case "unpaid" | "financial":
            return {**_dates(today, 12), "next_fee": today - timedelta(days=3)}
        case "daily":
            return {"next_fee": tomorrow, "period_start": today}
        case "fee_tonight":
            return {"next_fee": tomorrow, "anchor": tomorrow.day, "period_start": months_before(tomorrow, 1)}
        case "month_end":
            last = today.replace(day=1) - timedelta(days=1)
            due = month_after(last, 31)
            start = last if due > today else due
            return {"anchor": 31, "period_start": start, "next_fee": month_after(start, 31)}
        case "promised":
            return {"promise": Promise(sum=PROMISE_SUM, until=today + timedelta(days=2))}
        case "auto_payment":
            return {"auto": AutoPayment(on=True, sum=Decimal("500.00"), below=Decimal("100.00"))}
        case "many_options":
            on = ("travel", "games", "night", "music", "antispam")
            return {"options": tuple(_connected(key, today, 9) for key in on)}
        case _:
            return {}


def _dates(today: date, ago: int) -> dict[str, Any]:
    start = today - timedelta(days=ago)
    return {"anchor": start.day, "period_start": start, "next_fee": month_after(start, start.day)}


def _connected(key: str, today: date, ago: int) -> Connected:
    start = today - timedelta(days=ago)
    return Connected(id=key, anchor=start.day, next_fee=month_after(start, start.day))


def _someone(number: int, source: Random, today: date) -> tuple[Subscriber, list[Movement]]:
    plan = TARIFFS[source.choice(sorted(TARIFFS))]
    left = source.random()
    fields: dict[str, Any] = {
        "phone": f"7916100{number:04d}",
        "name": f"Абонент {number}",
        "region": source.choice(("msk", "spb", "nsk", "ekb")),
        "segment": "premium" if source.random() < 0.1 else "mass",
        "tariff": plan.id,
        "discount": source.choice((0, 0, 0, 0, 0, 10, 50)),
        "balance": kopecks_to_money(source.randrange(0, 250_000)),
        "service": source.random() < 0.95,
        "blocks": ("voluntary",) if source.random() < 0.03 else (),
        "main": Bucket(int(plan.full.minutes * left), int(plan.full.sms * left), int(plan.full.mb * left)),
        "passport": f"{source.randrange(10_000):04d}",
        "card": source.random() < 0.3,
        "options": tuple(
            _connected(key, today, source.randrange(0, 27))
            for key in plan.options
            if key not in plan.conflicts and source.random() < 0.2
        ),
        **_dates(today, source.randrange(0, 27)),
    }
    if source.random() < 0.5:
        fields["contract"] = Contract(f"7801{number:05d}", f"home{number}", f"{source.randrange(10**8):08d}")
    subscriber = Subscriber(**fields)
    return subscriber, _history(subscriber, today, source.randrange(0, 4), source)


def _history(subscriber: Subscriber, today: date, payments: int, source: Random) -> list[Movement]:
    """Return an opening line and payments of the last three months that add up to the balance."""
    paid = [(80 - 27 * n, Decimal(source.choice((100, 200, 300, 500)))) for n in range(payments)]
    opening = subscriber.balance - sum((amount for _, amount in paid), ZERO)
    lines = [(100, "opening", max(opening, ZERO)), *((ago, "payment", amount) for ago, amount in paid)]
    if opening < 0:
        lines.append((12, "monthly_fee", opening))
    balance, movements = ZERO, []
    for ago, kind, amount in lines:
        amount = kopecks_to_money(kopecks(amount))
        balance += amount
        at = midnight(today - timedelta(days=ago)) + 12 * 3_600_000
        movements.append(Movement(at=at, phone=subscriber.phone, kind=kind, amount=amount, balance=balance))
    return movements


def fields_of(subscriber: Subscriber) -> dict[str, Any]:
    """Return a subscriber as plain data for the administrator: no password, no passport digits."""
    plain: dict[str, Any] = msgspec.to_builtins(subscriber)
    if plain["contract"] is not None:
        plain["contract"]["password"] = "••••"  # noqa: S105 - the mask, not a password
    if plain["passport"]:
        plain["passport"] = "••••"
    return {**plain, "family": subscriber.plan.family, "fee": str(subscriber.fee)}
