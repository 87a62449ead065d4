"""Operations for tests, as `backends.yaml` would declare them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.types import MONEY, Privacy, Record, Type


@dataclass(frozen=True)
class Declared:
    name: str
    method: str = "get"
    path: str = "/"
    backend: str = "billing"
    takes: Mapping[str, Type] = field(default_factory=dict)
    returns: Record | None = None
    errors: Mapping[int, str] = field(default_factory=dict)
    charge: bool = False
    once_ms: int | None = None
    keys_ms: int | None = None
    settle: str | None = None
    settle_operation: str | None = None
    settle_within_ms: int = 600_000
    timeout_ms: int = 3_000
    retry: int = 0
    cache_ms: int | None = None

    @property
    def secret_args(self) -> frozenset[str]:
        return frozenset(name for name, type_ in self.takes.items() if type_.privacy is Privacy.SECRET)


def charging(name: str = "billing.refresh_package", **fields: object) -> Declared:
    known: dict[str, object] = {
        "method": "post",
        "path": "/subscribers/{phone}/package/refresh",
        "takes": {"fee": MONEY},
        "errors": {402: "low_balance", 409: "not_allowed"},
        "charge": True,
        "once_ms": 600_000,
        "keys_ms": 86_400_000,
        "settle": "repeat",
    }
    return Declared(name, **{**known, **fields})  # type: ignore[arg-type]
