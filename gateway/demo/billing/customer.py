"""The back end `crm` of the demo: who a caller is, the home contract, identification, staff numbers."""

from __future__ import annotations

import hmac
from datetime import date
from decimal import Decimal

import msgspec

from gateway.demo.billing.charge import normal
from gateway.demo.billing.entry import Entry, Refusal


class Customer(msgspec.Struct, frozen=True):
    """The answer of `crm.customer`."""

    segment: str
    region: str
    balance: Decimal


class HomeAccount(msgspec.Struct, frozen=True):
    """The answer of `crm.account`; login and password are what the subscriber asked for."""

    contract: str
    balance: Decimal
    pay_by: date
    login: str
    password: str

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "HomeAccount(...)"


class Identity(msgspec.Struct, frozen=True):
    """The arguments of `crm.check_identity`: a number and the last four digits of its owner's passport."""

    number: str
    passport: str

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "Identity(...)"


class Same(msgspec.Struct, frozen=True):
    """The answer of `crm.check_identity`."""

    same: bool


class Employee(msgspec.Struct, frozen=True):
    """The answer of `crm.employee`."""

    office: str


def customer(entry: Entry, phone: str, _: None) -> Customer:
    """`GET /customers/{phone}`."""
    s = entry.subscriber(phone)
    return Customer(segment=s.segment, region=s.region, balance=s.balance)


def home_account(entry: Entry, phone: str, _: None) -> HomeAccount:
    """`GET /accounts/by-phone/{phone}`; 404 no_contract also for an unknown number."""
    s = entry.subscriber(phone, "no_contract")
    if s.contract is None:
        raise Refusal(404, "no_contract")
    return HomeAccount(
        contract=s.contract.number,
        balance=s.balance,
        pay_by=s.next_fee,
        login=s.contract.login,
        password=s.contract.password,
    )


def check_identity(entry: Entry, _: str, asked: Identity) -> Same:
    """`POST /identity/check`; 404 unknown_number. A number without a known passport is never the same."""
    s = entry.subscriber(normal(asked.number), "unknown_number")
    same = bool(s.passport) and hmac.compare_digest(s.passport.encode(), asked.passport.encode())
    return Same(same=same)


def employee(entry: Entry, phone: str, _: None) -> Employee:
    """`GET /employees/{phone}`; 404 not_staff."""
    s = entry.subscriber(phone, "not_staff")
    if not s.office:
        raise Refusal(404, "not_staff")
    return Employee(office=s.office)
