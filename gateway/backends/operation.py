"""What the caller of a back end must know of an operation; `engine.flow.Operation` is one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from engine.types import Record, Type


class Operation(Protocol):
    """A typed operation of a back end as declared in `backends.yaml` (flow-language 2.5). Times are ms.

    `name` is `billing.package`; `method` an HTTP method in any case; `path` may hold `{phone}` and names of
    arguments; `errors` maps HTTP statuses to names; `settle` is None, `repeat`, `people` or `ask`, then
    `settle_operation` is asked.
    """

    @property
    def name(self) -> str: ...
    @property
    def backend(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def takes(self) -> Mapping[str, Type]: ...
    @property
    def returns(self) -> Record | None: ...
    @property
    def errors(self) -> Mapping[int, str]: ...
    @property
    def charge(self) -> bool: ...
    @property
    def once_ms(self) -> int | None: ...
    @property
    def keys_ms(self) -> int | None: ...
    @property
    def settle(self) -> str | None: ...
    @property
    def settle_operation(self) -> str | None: ...
    @property
    def settle_within_ms(self) -> int: ...
    @property
    def timeout_ms(self) -> int: ...
    @property
    def retry(self) -> int: ...
    @property
    def cache_ms(self) -> int | None: ...
    @property
    def secret_args(self) -> frozenset[str]: ...


def is_irreversible(operation: Operation) -> bool:
    """Tell whether a repeat could do harm: the operation charges, or has `once`."""
    return operation.charge or operation.once_ms is not None


def is_safe(operation: Operation) -> bool:
    """Tell whether the operation only reads and may be repeated freely."""
    return operation.method.upper() in {"GET", "HEAD"} and not is_irreversible(operation)


def honours_keys(operation: Operation) -> bool:
    """Tell whether a request may be repeated with its key. A charge must say so by `keys:`."""
    return is_irreversible(operation) and (operation.keys_ms is not None or not operation.charge)
