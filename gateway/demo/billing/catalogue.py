"""What the demo operator sells: tariffs, options, top-up cards. Data, the same at every start.

A *family* is the name that billing gives for a tariff and its archived versions alike; the fourteen
families of «Обнови пакет» are marked `listed`. Knows nothing of subscribers or storage.
"""

from __future__ import annotations

from decimal import Decimal
from random import Random

import msgspec

from gateway.demo.billing.money import ZERO


class Bucket(msgspec.Struct, frozen=True):
    """An amount of service: minutes of calls, SMS, megabytes of data."""

    minutes: int = 0
    sms: int = 0
    mb: int = 0


class Option(msgspec.Struct, frozen=True):
    """A paid addition to a tariff; `fee` is charged at once and then every month."""

    id: str
    name: str
    fee: Decimal


class Tariff(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a tariff.

    `listed`: its package can be renewed. `sold`: a subscriber may change to it. `conflicts`: options
    that are shown but cannot be connected with it.
    """

    id: str
    family: str
    version: str = ""
    fee: Decimal
    day_fee: Decimal = ZERO
    full: Bucket
    listed: bool = True
    sold: bool = True
    options: tuple[str, ...] = ("travel", "caller_id", "games", "unlim_net")
    conflicts: tuple[str, ...] = ()


class Card(msgspec.Struct, frozen=True):
    """A top-up card. The code is a secret: only `id` is ever stored or shown."""

    id: str
    code: str
    sum: Decimal


PROMISE_SUM = Decimal("200.00")
PROMISE_FEE = Decimal("10.00")
PROMISE_DAYS = 3
AUTO_LEAST, AUTO_MOST = Decimal(100), Decimal(5000)

OPTIONS: dict[str, Option] = {
    row[0]: Option(row[0], row[1], Decimal(row[2]))
    for row in (
        ("travel", "Поездки по миру", "150.00"),
        ("caller_id", "Антиопределитель", "99.00"),
        ("games", "Игры без трафика", "60.00"),
        ("unlim_net", "Безлимитный интернет", "300.00"),
        ("night", "Ночной безлимит", "45.00"),
        ("music", "Музыка", "169.00"),
        ("tv", "ТВ", "199.00"),
        ("cloud", "Облако", "75.00"),
        ("antispam", "Защита от спама", "30.00"),
        ("family", "Семейная группа", "100.00"),
        ("roaming", "Забугорище", "499.00"),
        ("voicemail", "Автоответчик", "20.50"),
    )
}


def _tariff(
    key: str,
    family: str,
    fee: int,
    full: tuple[int, int, int],
    *,
    version: str = "",
    listed: bool = True,
    sold: bool = True,
    options: tuple[str, ...] = ("travel", "caller_id", "games", "unlim_net"),
    conflicts: tuple[str, ...] = (),
) -> Tariff:
    monthly = Decimal(fee).quantize(Decimal("0.01"))
    return Tariff(
        id=key,
        family=family,
        version=version,
        fee=monthly,
        day_fee=(monthly / 25).quantize(Decimal("0.01")),
        full=Bucket(*full),
        listed=listed,
        sold=sold,
        options=options,
        conflicts=conflicts,
    )


_ALL = tuple(OPTIONS)

TARIFFS: dict[str, Tariff] = {
    tariff.id: tariff
    for tariff in (
        _tariff("smart", "Smart", 490, (550, 550, 5120)),
        _tariff("smart_mini", "Smart mini", 250, (350, 350, 1024)),
        _tariff("maxi_smart", "MAXI Smart", 650, (700, 700, 8192), sold=False),
        _tariff("maxi_top", "MAXI TOP", 1200, (1500, 1500, 15360), sold=False),
        _tariff("smart_light", "Smart light", 300, (400, 400, 2048), sold=False),
        _tariff("smart_nonstop", "Smart Nonstop", 550, (400, 400, 10240), sold=False),
        _tariff("smart_top", "Smart TOP", 1050, (2000, 2000, 15360), sold=False),
        _tariff("smart_plus", "Smart+", 900, (1100, 1100, 6144), sold=False),
        _tariff(
            "smart_unlim", "Smart Безлимитище", 650, (500, 500, 20480), sold=False, conflicts=("unlim_net",)
        ),
        _tariff("smile_plus", "Smile+", 400, (300, 300, 3072), sold=False),
        _tariff("ultra", "Ultra", 990, (3000, 3000, 15360), options=_ALL),
        _tariff("vip", "VIP", 2900, (5000, 5000, 51200), sold=False, options=_ALL),
        _tariff("x", "X", 300, (100, 100, 10240)),
        _tariff("our_smart", "Наш Smart", 600, (1000, 1000, 10240), sold=False),
        _tariff("smart_2014", "Smart", 450, (500, 500, 3072), version="Smart 082014", sold=False),
        _tariff("ultra_2013", "Ultra", 950, (2000, 2000, 10240), version="Ultra 112013", sold=False),
        _tariff(
            "smart_mini_2015", "Smart mini", 200, (300, 300, 500), version="Smart mini 032015", sold=False
        ),
        _tariff("per_second", "Посекундный", 150, (60, 10, 100), listed=False),
        _tariff("red_2008", "Красный", 120, (30, 5, 50), version="Красный 2008", listed=False, sold=False),
        _tariff("call", "Звонок", 100, (50, 0, 0), listed=False, sold=False, options=()),
    )
}

DEMO_CARDS: tuple[Card, ...] = (
    Card("card-300", "12345678901234", Decimal("300.00")),
    Card("card-500", "50050050050050", Decimal("500.00")),
    Card("card-1000", "10001000100010", Decimal("1000.00")),
    Card("card-used", "99999999999999", Decimal("100.00")),
)
"""The cards of the demo's documentation; the last one is sold as already used."""


def _cards() -> dict[str, Card]:
    source = Random(9290)  # noqa: S311 - made-up cards of a demo
    cards = {card.code: card for card in DEMO_CARDS}
    for number in range(1, 201):
        code = f"{source.randrange(10**14):014d}"
        cards.setdefault(code, Card(f"card-{number:04d}", code, Decimal(source.choice((100, 300, 500)))))
    return cards


CARDS: dict[str, Card] = _cards()
"""Every card that exists, by its fourteen-digit code."""
