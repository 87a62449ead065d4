"""The table of operations: name, method, path, arguments, and the function that carries each out.

The names and shapes are those of the back ends in the project's `backends.yaml`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from gateway.demo.billing import (
    charge,
    customer,
    knowledge,
    marketing,
    network,
    option,
    package,
    payment,
    shop,
    tariff,
)
from gateway.demo.billing.entry import Entry


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `path` holds at most one `{parameter}`; `keyed` ones need an Idempotency-Key."""

    name: str
    method: str
    path: str
    run: Callable[[Entry, str, Any], object]
    takes: type[msgspec.Struct] | None = None
    keyed: bool = False


def _get(name: str, path: str, run: Callable[[Entry, str, None], object]) -> Operation:
    return Operation(name, "GET", path, run)


def _post(
    name: str, path: str, run: Callable[[Entry, str, Any], object], takes: type[msgspec.Struct]
) -> Operation:
    return Operation(name, "POST", path, run, takes, keyed=True)


_ONE = "/subscribers/{phone}"

OPERATIONS: tuple[Operation, ...] = (
    _get("billing.package", f"{_ONE}/package", package.package),
    _post("billing.refresh_package", f"{_ONE}/package/refresh", package.refresh, package.Fee),
    _get("billing.packages", f"{_ONE}/packages", package.packages),
    _post("billing.charge_priority", f"{_ONE}/charge", charge.charge, package.Fee),
    _get("billing.charged", "/charges/{key}", charge.charged),
    _post("billing.give_back", f"{_ONE}/give-back", charge.give_back, package.Fee),
    _get("billing.account", f"{_ONE}/account", tariff.account),
    _get("billing.tariffs", f"{_ONE}/tariffs", tariff.tariffs),
    _post("billing.change_tariff", f"{_ONE}/tariff", tariff.change_tariff, tariff.Choice),
    _get("billing.options", f"{_ONE}/options", option.options),
    _post("billing.option_on", f"{_ONE}/options/on", option.option_on, option.Order),
    _post("billing.option_off", f"{_ONE}/options/off", option.option_off, option.Choice),
    _get("billing.payments", f"{_ONE}/payments", payment.payments),
    _get("billing.promise_terms", f"{_ONE}/promise", payment.promise_terms),
    _post("billing.promise", f"{_ONE}/promise", payment.promise, payment.Asked),
    _get("billing.auto_payment", f"{_ONE}/auto-payment", payment.auto_payment),
    _post("billing.set_auto_payment", f"{_ONE}/auto-payment", payment.set_auto_payment, payment.Auto),
    _post("billing.top_up", f"{_ONE}/top-up", payment.top_up, payment.Code),
    _post("billing.block_sim", "/sims/block", charge.block_sim, charge.Number),
    _get("crm.customer", "/customers/{phone}", customer.customer),
    _get("crm.account", "/accounts/by-phone/{phone}", customer.home_account),
    Operation("crm.check_identity", "POST", "/identity/check", customer.check_identity, customer.Identity),
    _get("crm.employee", "/employees/{phone}", customer.employee),
    _get("marketing.offer", "/offers/{phone}", marketing.offer),
    Operation("marketing.answer", "POST", "/offers/{phone}/answer", marketing.answer, marketing.Said),
    Operation("knowledge.answer", "POST", "/answer", knowledge.answer, knowledge.Asked),
    _get("network.outage", "/outages/by-phone/{phone}", network.outage),
    Operation("network.report", "POST", "/reports", network.report, network.Told),
    Operation("network.house", "POST", "/houses/find", network.house, network.Address),
    _get("shop.near", "/shops/near/{phone}", shop.near),
    _get("shop.days", "/shops/{shop}/days", shop.days),
    _post("shop.book", "/visits", shop.book, shop.Wanted),
    _get("shop.visit", "/visits/{visit}", shop.visit),
    _post("shop.cancel", "/visits/{visit}/cancel", shop.cancel, shop.Nothing),
)
