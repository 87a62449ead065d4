"""The back end `shop` of the demo: three shops, their free times on the next working days, visits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Literal

import msgspec

from gateway.demo.billing.charge import normal
from gateway.demo.billing.entry import Entry, Refusal
from gateway.demo.billing.period import MOSCOW, milliseconds
from gateway.demo.billing.record import Visit

SHOPS: dict[str, str] = {"tverskaya": "Тверская 5", "arbat": "Арбат 10", "lenina": "Ленина 5"}
"""Ids and addresses."""

HOURS = (time(10, 0), time(12, 0), time(14, 30), time(17, 0))
"""When a visit may begin, Moscow time."""

AHEAD = 4
"""How many working days can be booked, from tomorrow on."""


class Shop(msgspec.Struct, frozen=True):
    """One of `shop.near`."""

    id: str
    address: str


class Shops(msgspec.Struct, frozen=True):
    """The answer of `shop.near`."""

    shops: tuple[Shop, ...]


class Slot(msgspec.Struct, frozen=True):
    """A free time; `start` has its offset."""

    id: str
    start: datetime


class Day(msgspec.Struct, frozen=True):
    """A day with free times."""

    day: date
    slots: tuple[Slot, ...]


class Days(msgspec.Struct, frozen=True):
    """The answer of `shop.days`; days without a free time are left out."""

    days: tuple[Day, ...]


class Wanted(msgspec.Struct, frozen=True):
    """The argument of `shop.book`: the id of a slot; the number goes along by itself."""

    slot: str
    phone: str = ""


class Booked(msgspec.Struct, frozen=True):
    """The answer of `shop.book`."""

    visit: str


class Nothing(msgspec.Struct, frozen=True):
    """The argument of `shop.cancel`: the visit stands in the path."""


class Standing(msgspec.Struct, frozen=True):
    """The answer of `shop.visit`."""

    state: Literal["booked", "cancelled", "done"]
    start: datetime
    address: str


def near(entry: Entry, phone: str, _: None) -> Shops:
    """`GET /shops/near/{phone}`: the demo has one town."""
    return Shops(tuple(Shop(key, address) for key, address in SHOPS.items()))


def days(entry: Entry, shop: str, _: None) -> Days:
    """`GET /shops/{shop}/days`; 404 no_shop."""
    if shop not in SHOPS:
        raise Refusal(404, "no_shop")
    taken = {visit.slot for visit in _visits(entry) if visit.state == "booked"}
    found = []
    for day in _working_days(entry.today):
        slots = tuple(slot for slot in _slots(shop, day) if slot.id not in taken)
        if slots:
            found.append(Day(day, slots))
    return Days(tuple(found))


def book(entry: Entry, _: str, wanted: Wanted) -> Booked:
    """`POST /visits`; 409 taken for a time that is gone, or never was."""
    visits = _visits(entry)
    slot, shop = _slot(entry, wanted.slot)
    if any(visit.slot == slot.id and visit.state == "booked" for visit in visits):
        raise Refusal(409, "taken")
    key = f"v{len(visits) + 1}"
    entry.keep("visit", key, Visit(key, normal(wanted.phone), shop, slot.id, milliseconds(slot.start)))
    return Booked(key)


def visit(entry: Entry, key: str, _: None) -> Standing:
    """`GET /visits/{visit}`; 404 no_visit. A visit whose time has come is done."""
    found = _visit(entry, key, 404)
    start = datetime.fromtimestamp(found.start / 1000, MOSCOW)
    state = "done" if found.state == "booked" and found.start <= entry.now else found.state
    return Standing(state, start, SHOPS[found.shop])


def cancel(entry: Entry, key: str, _: Nothing) -> dict[str, object]:
    """`POST /visits/{visit}/cancel`: the time is free again; 409 no_visit if it does not stand."""
    found = _visit(entry, key, 409)
    if found.state != "booked" or found.start <= entry.now:
        raise Refusal(409, "no_visit")
    entry.keep("visit", key, msgspec.structs.replace(found, state="cancelled"))
    return {}


def _visits(entry: Entry) -> list[Visit]:
    return [record for record in entry.book.records.values() if isinstance(record, Visit)]


def _visit(entry: Entry, key: str, status: int) -> Visit:
    found = entry.book.records.get(("visit", key))
    if not isinstance(found, Visit):
        raise Refusal(status, "no_visit")
    return found


def _working_days(today: date) -> Iterator[date]:
    day, left = today, AHEAD
    while left:
        day += timedelta(days=1)
        if day.weekday() < 5:
            left -= 1
            yield day


def _slots(shop: str, day: date) -> Iterator[Slot]:
    for hour in HOURS:
        yield Slot(f"{shop}-{day:%Y%m%d}-{hour:%H%M}", datetime.combine(day, hour, MOSCOW))


def _slot(entry: Entry, key: str) -> tuple[Slot, str]:
    for shop in SHOPS:
        for day in _working_days(entry.today):
            for slot in _slots(shop, day):
                if slot.id == key:
                    return slot, shop
    raise Refusal(409, "taken")
