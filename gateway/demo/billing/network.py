"""The back end `network` of the demo: known outages by district, reports of new ones, connected houses.

Three reports from different numbers of one district within an hour make an outage known there.
"""

from __future__ import annotations

import re
from datetime import time
from decimal import Decimal

import msgspec

from gateway.demo.billing.charge import normal
from gateway.demo.billing.entry import Entry, Refusal
from gateway.demo.billing.record import Report

DISTRICTS = ("Центральный", "Ленинский", "Заречный", "Садовый", "Приморский")
"""Where subscribers live: the last digit but one and the last of a number tell, see `district`."""

OUTAGES: dict[str, time | None] = {"Ленинский": time(18, 0), "Заречный": None}
"""Outages that are known, and when they will be repaired if that is known."""

HOUSES: dict[str, tuple[int, bool]] = {
    "ленина": (60, True),
    "мира": (40, True),
    "тверская": (25, True),
    "садовая": (30, True),
    "лесная": (20, False),
    "полевая": (12, False),
}
"""Streets: the last house number, and whether its houses are connected."""

HOUR = 3_600_000
MANY = 3
SPEED = 500
FEE = Decimal("600.00")

_ADDRESS = re.compile(r"([^\W\d]+)\W+(?:д\w*\W+|дом\W+)?(\d{1,4})\b")


class Outage(msgspec.Struct, frozen=True):
    """The answer of `network.outage`."""

    area: str
    known: bool
    until: time | None = None


class Told(msgspec.Struct, frozen=True):
    """The arguments of `network.report`."""

    area: str
    address: str
    text: str
    phone: str = ""

    def __repr__(self) -> str:
        """Show nothing personal."""
        return "Told(...)"


class Taken(msgspec.Struct, frozen=True):
    """The answer of `network.report`."""

    number: int


class Address(msgspec.Struct, frozen=True):
    """The argument of `network.house`."""

    address: str

    def __repr__(self) -> str:
        """Show nothing personal."""
        return "Address(...)"


class House(msgspec.Struct, frozen=True):
    """The answer of `network.house`: whether the house is connected, Mbit/s and monthly fee if it is."""

    covered: bool
    speed: int | None = None
    fee: Decimal | None = None


def district(phone: str) -> str:
    """Return the district of a number: personas 2 and 4 live where an outage is known."""
    named = {"79160000002": "Ленинский", "79160000004": "Заречный"}
    if phone in named or phone.startswith("7916000"):
        return named.get(phone, DISTRICTS[0])
    return DISTRICTS[int(phone[-2:]) % len(DISTRICTS)]


def outage(entry: Entry, phone: str, _: None) -> Outage:
    """`GET /outages/by-phone/{phone}`; a number nobody knows lives nowhere and has no outage."""
    if phone not in entry.book.subscribers:
        return Outage("", known=False)
    area = district(phone)
    if area in OUTAGES:
        return Outage(area, known=True, until=OUTAGES[area])
    fresh = {r.phone for r in _reports(entry) if r.area == area and r.at > entry.now - HOUR}
    return Outage(area, known=len(fresh) >= MANY)


def report(entry: Entry, _: str, told: Told) -> Taken:
    """`POST /reports`; a number that reports again within an hour gets its first report's number."""
    phone = normal(told.phone)
    reports = _reports(entry)
    for known in reports:
        if phone and known.phone == phone and known.at > entry.now - HOUR:
            return Taken(known.number)
    number = 1 + max((known.number for known in reports), default=100)
    found = Report(number, phone, told.area, told.address, told.text, entry.now)
    entry.keep("report", str(number), found)
    return Taken(number)


def house(entry: Entry, _: str, asked: Address) -> House:
    """`POST /houses/find`; 404 no_house for a street or number that does not exist."""
    for match in _ADDRESS.finditer(asked.address.casefold()):
        street = HOUSES.get(match[1])
        if street is not None and 1 <= int(match[2]) <= street[0]:
            return House(covered=True, speed=SPEED, fee=FEE) if street[1] else House(covered=False)
    raise Refusal(404, "no_house")


def _reports(entry: Entry) -> list[Report]:
    return [record for record in entry.book.records.values() if isinstance(record, Report)]
