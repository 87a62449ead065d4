from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.store.sealing import Sealer
from gateway.store.sqlite import SqliteStore

KEY = bytes(range(32))


@pytest.fixture
def open_store(tmp_path: Path) -> Iterator[Callable[..., SqliteStore]]:
    opened: list[SqliteStore] = []

    def open_(name: str = "gudok.db", **options: int) -> SqliteStore:
        store = SqliteStore(tmp_path / "data" / name, Sealer(KEY), **{"reserve_size": 65_536, **options})
        opened.append(store)
        return store

    yield open_
    for store in opened:
        store.close()
