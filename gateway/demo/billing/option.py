"""Option operations of the demo billing: the list, on, off."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from gateway.demo.billing.catalogue import OPTIONS
from gateway.demo.billing.entry import Entry, Refusal
from gateway.demo.billing.money import exact
from gateway.demo.billing.period import month_after
from gateway.demo.billing.subscriber import Connected


class OptionState(msgspec.Struct, frozen=True):
    """One option of the list."""

    id: str
    name: str
    fee: Decimal
    on: bool


class Options(msgspec.Struct, frozen=True):
    """The answer of `billing.options`."""

    options: tuple[OptionState, ...]


class Order(msgspec.Struct, frozen=True):
    """The arguments of `billing.option_on`; `fee` is the price the subscriber was told."""

    option: str
    fee: Decimal

    def __post_init__(self) -> None:
        """Refuse what is no sum of money."""
        exact(self.fee)


class Choice(msgspec.Struct, frozen=True):
    """The argument of `billing.option_off`."""

    option: str


def options(entry: Entry, phone: str, _: None) -> Options:
    """`GET /subscribers/{phone}/options`: what the tariff offers, and whatever is still connected."""
    s = entry.subscriber(phone)
    connected = {o.id for o in s.options}
    listed = dict.fromkeys((*s.plan.options, *(o.id for o in s.options)))
    return Options(
        options=tuple(
            OptionState(id=key, name=OPTIONS[key].name, fee=OPTIONS[key].fee, on=key in connected)
            for key in listed
        )
    )


def option_on(entry: Entry, phone: str, order: Order) -> dict[str, object]:
    """`POST /subscribers/{phone}/options/on`: the fee of a month is taken and the option works.

    An option that is already on costs nothing again. Refuses with 402 low_balance, or 409 not_allowed
    if the tariff does not go with it, its price has changed, or the number is blocked.
    """
    s = entry.subscriber(phone)
    option = OPTIONS.get(order.option)
    if option is None or option.id not in s.plan.options or option.id in s.plan.conflicts:
        raise Refusal(409, "not_allowed", "not_with_this_tariff")
    if any(o.id == option.id for o in s.options):
        return {}
    if s.blocks:
        raise Refusal(409, "not_allowed", "blocked")
    if exact(order.fee) != option.fee:
        raise Refusal(409, "not_allowed", "fee_changed")
    s = entry.take(s, "option_on", option.fee, option.id)
    today = entry.today
    next_fee = month_after(today, today.day)
    entry.line(s, f"Подключение опции «{option.name}»", option.fee, today, next_fee)
    connected = Connected(id=option.id, anchor=today.day, next_fee=next_fee)
    entry.put(msgspec.structs.replace(s, options=(*s.options, connected)))
    return {}


def option_off(entry: Entry, phone: str, choice: Choice) -> dict[str, object]:
    """`POST /subscribers/{phone}/options/off`: switch off; one that is off stays off."""
    s = entry.subscriber(phone)
    kept = tuple(o for o in s.options if o.id != choice.option)
    if kept != s.options:
        entry.put(msgspec.structs.replace(s, options=kept))
    return {}
