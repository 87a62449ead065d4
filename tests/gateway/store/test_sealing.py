"""Secrets at rest: no canary in any file of the data folder, no value opens in another place."""

from __future__ import annotations

import base64
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.values import Secret
from gateway.store.error import SealError, StoreError
from gateway.store.record import JournalRow, MessageState, OrderRow, OrderState, OutboxRow, ScheduleRow
from gateway.store.sealing import Sealer, load_or_make_key, read_key
from gateway.store.sqlite import SqliteStore

CANARY = "кАнАр3йка-8891"


def test_no_secret_is_readable_in_the_data_folder(open_store: Callable[..., SqliteStore]) -> None:
    store = open_store()
    secret = CANARY.encode()
    batch = store.batch()
    group = batch.group()
    group.put_session("u:1", 0, b"\x00" + secret, None, True)
    group.journal(JournalRow(1, "u:1", "turn", secret, "s:1", secret, secret=True))
    group.outbox(
        OutboxRow("m1", "7916", "9290", "Пароль: " + CANARY, 1, 1, 9, secret=True, parts=(secret, secret))
    )
    group.order(
        OrderRow(
            "k1", "i1", "7916", "crm.reset", OrderState.DONE, {"pin": Secret(CANARY)}, 1, 9, 1,
            value={"password": Secret(CANARY)}, settled_at=1,
        )
    )  # fmt: skip
    group.schedule(ScheduleRow("s1", 5, "event", secret, secret=True))
    store.commit_now(batch)

    loaded = store.load(1)
    assert store.get_session("u:1") == (1, b"\x00" + secret)
    assert loaded.outbox[0].text.endswith(CANARY)
    assert loaded.outbox[0].parts == (secret, secret)
    assert loaded.orders[0].value == {"password": Secret(CANARY)}
    assert loaded.orders[0].arguments == {"pin": Secret(CANARY)}
    assert loaded.schedule[0].data == secret
    found = store.find_turn("s:1")
    assert found is not None
    assert (found[1].data, found[1].answer) == (secret, secret)
    _assert_unreadable(store.path.parent)
    store.close()
    _assert_unreadable(store.path.parent)


def _assert_unreadable(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.suffix == ".db" for path in files)
    for path in files:
        octets = path.read_bytes()
        for coding in ("utf-8", "utf-16-be", "utf-16-le"):
            assert CANARY.encode(coding) not in octets, path.name
        assert base64.b64encode(CANARY.encode()) not in octets


def test_a_secret_text_is_gone_once_its_message_is_final(open_store: Callable[..., SqliteStore]) -> None:
    store = open_store()
    for state in (MessageState.WAITING, MessageState.DELIVERED):
        batch = store.batch()
        batch.group().outbox(OutboxRow("m1", "7916", "9290", CANARY, 1, 1, 9, state, secret=True))
        store.commit_now(batch)
    (body,) = store._read.execute("SELECT body FROM outbox").fetchone()
    assert body is None


def test_a_sealed_value_does_not_open_in_another_row(open_store: Callable[..., SqliteStore]) -> None:
    store = open_store()
    batch = store.batch()
    batch.group().put_session("rich", 0, b"one", None, True)
    batch.group().put_session("poor", 0, b"two", None, True)
    store.commit_now(batch)
    store.close()
    connection = sqlite3.connect(store.path)
    connection.execute("UPDATE session SET data = (SELECT data FROM session WHERE key = 'rich')")
    connection.commit()
    connection.close()
    store = open_store()
    assert store.get_session("rich") == (1, b"one")
    with pytest.raises(SealError):
        store.get_session("poor")


@settings(derandomize=True, max_examples=50)
@given(value=st.binary(max_size=200), context=st.binary(max_size=40), at=st.integers(0, 10_000))
def test_what_is_sealed_opens_and_damage_is_seen(value: bytes, context: bytes, at: int) -> None:
    sealer = Sealer(bytes(32))
    sealed = sealer.seal(value, context)
    assert sealer.open(sealed, context) == value
    assert sealer.seal(value, context) != sealed
    damaged = bytearray(sealed)
    damaged[at % len(damaged)] ^= 1
    for broken, place in ((bytes(damaged), context), (sealed, context + b"x"), (sealed[:-1], context)):
        with pytest.raises(SealError):
            sealer.open(broken, place)
    with pytest.raises(SealError):
        Sealer(bytes(31) + b"\x01").open(sealed, context)


def test_derived_keys_are_stable_and_differ_by_purpose() -> None:
    sealer = Sealer(bytes(32))
    assert sealer.derive("orders") == Sealer(bytes(32)).derive("orders")
    assert sealer.derive("orders") != sealer.derive("phones")
    assert len(sealer.derive("orders")) == 32
    assert "0" not in repr(sealer)


def test_the_first_start_makes_a_key_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secret.key"
    key = load_or_make_key(path)
    assert len(key) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_or_make_key(path) == key
    path.chmod(0o640)
    with pytest.raises(StoreError, match="chmod 600"):
        load_or_make_key(path)


@pytest.mark.parametrize("content", ["", "00ff", "x" * 64, "é" * 32])
def test_a_broken_key_file_is_an_error_and_never_replaced(tmp_path: Path, content: str) -> None:
    path = tmp_path / "secret.key"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(StoreError, match="backup"):
        load_or_make_key(path)
    assert path.read_text() == content


def test_a_key_is_not_written_through_a_symbolic_link(tmp_path: Path) -> None:
    (tmp_path / "secret.key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises((StoreError, OSError)):
        load_or_make_key(tmp_path / "secret.key")
    assert not (tmp_path / "elsewhere").exists()


def test_keys_are_read_as_hexadecimal_or_base64() -> None:
    key = os.urandom(32)
    assert read_key(key.hex() + "\n") == key
    assert read_key(base64.b64encode(key).decode()) == key
    for bad in ("", "abc", base64.b64encode(key[:31]).decode(), "zz" * 32):
        with pytest.raises(StoreError):
            read_key(bad)
