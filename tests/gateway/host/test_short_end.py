"""A dialog that ends by a key leaves the same behind, whether its last message was decoded or only known."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from gateway.host.ussd_known import KnownMessages
from gateway.journal.stencil import records
from gateway.store.detail import opened
from tests.gateway.host.rig import FILES, Rig, failing
from tests.gateway.host.test_people import lay_out, running

SHOP = """\
flow:
  title: Полка
  topic: shelf
  ussd: "*8#"

start:
  - set: { price: 90, balance: 150 }
  - menu: Полка
    1 Купить: buy
    2 Уйти: end
    3 Дорогое: dear
    4 Назад: start
buy:
  - if: balance >= price and channel == 'ussd'
    then:
      end: Готово, {{ caller }}
  - end: Мало денег
dear:
  - set: { price: 900 }
  - say: Дорого
  - go: buy
"""
ALL = {**FILES, "flows/shop.yaml": SHOP}
KEYS = ("1", "2", "3", "4")


def taken(rig: Rig) -> dict[str, Any]:
    """Return everything that a gateway has sent, stored, counted and kept."""
    host, lane, store = rig.gateway.host, rig.gateway.ussd, rig.gateway.store
    return {
        "pages": [(page.text, page.sm) for page in rig.link.pages],
        "responses": sorted(rig.link.responses),
        "counters": dict(host.counters),
        "arrivals": dict(lane.ties.ways["main"].channel.counts),
        "journal": store.journal_after(0, 100),
        "records": [one for row in store.details_after(0, 100) for one in records(opened(row))],
        "contacts": store._read.execute("SELECT * FROM contact ORDER BY 1, 2, 3").fetchall(),
        "slots": rig.gateway.contacts._slots,
        "left": (len(host.conversations), len(lane.ties.sessions), len(lane.ties.ways["main"].short.heads)),
        "live": lane.dialogs.live,
        "ended": [(one.ended_by, one.ended_at, one.page, one.turns) for one in lane.dialogs.by_key.values()],
    }


async def played(root: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Play the same dialogs over a fresh gateway; the second of each kind could take the short way."""
    lay_out(root, ALL)
    async with running(root, monkeypatch) as rig:
        session = 0
        for fails in (False, False, True):
            for key in KEYS:
                session += 1
                phone = f"7916000{session:04d}"
                await rig.dial("*8#", phone, session)
                if fails:
                    with failing():
                        await rig.type(key, 1, phone, session, "8")
                    rig.clock.advance(1_000)
                await rig.type(key, 1, phone, session, "8")
                rig.link.accept(rig.link.pages[-1])
                rig.clock.advance(700)
                await rig.idle()
        return taken(rig)


async def test_a_known_last_key_leaves_what_a_decoded_one_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "urandom", lambda length: bytes(range(length)))  # both hash with the same key
    known: list[bool] = []
    message_known = KnownMessages._message

    def counted(self: KnownMessages, *arguments: Any) -> bool:
        known.append(message_known(self, *arguments))
        return known[-1]

    monkeypatch.setattr(KnownMessages, "_message", counted)
    short = await played(tmp_path / "short", monkeypatch)
    assert sum(known) > len(KEYS), "the short way is taken"
    monkeypatch.setattr(KnownMessages, "_message", lambda *_: False)
    assert short == await played(tmp_path / "long", monkeypatch)
    assert short["live"] == 3, "only those who went back are still there"
    assert [text for text, _ in short["pages"]].count("Дорого\nМало денег") == 3
    assert len(short["records"]) == 9
