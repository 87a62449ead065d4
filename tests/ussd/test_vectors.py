"""Every shipped dialect, octet by octet: what comes is understood, what goes is exactly what is written.

The vectors are in `vectors/<dialect>.yaml`. A dialog begins at 1000000 ms, which is where the number of a
session that we number comes from; every step is a second later.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from smpp.pdu.message import decode_sm
from ussd.arrival import Answered, Dialled, Notified, Stray
from ussd.centre import UssdChannel
from ussd.dialog import Dialog, Dialogs

from .conftest import SHIPPED, shipped

FOLDER = Path(__file__).parent / "vectors"


def read(name: str) -> dict[str, list[dict[str, Any]]]:
    """Return the dialogs of a file; everything in it is text."""
    loaded = yaml.load((FOLDER / f"{name}.yaml").read_text("utf-8"), yaml.BaseLoader)
    assert isinstance(loaded, dict)
    return loaded


VECTORS = [(name, title) for name in SHIPPED for title in read(name)]


@pytest.mark.parametrize(("name", "title"), VECTORS, ids=[f"{one}: {two}" for one, two in VECTORS])
def test_octets_in_and_out(name: str, title: str) -> None:
    channel, dialogs = UssdChannel(shipped(name), "main"), Dialogs()
    now = 1_000_000
    dialog: Dialog | None = None
    for number, step in enumerate(read(name)[title]):
        now += 1_000 * bool(number)
        body: bytes | None = None
        if "in" in step:
            arrival = channel.receive(
                decode_sm(bytes.fromhex(step["in"]), number, 5),
                connection=(0, 1),
                sequence=number,
                now=now,
                dialogs=dialogs,
            )
            assert type(arrival).__name__ == step["arrival"], arrival
            if isinstance(arrival, Dialled | Answered):
                assert arrival.text == step["text"]
                dialog = arrival.dialog
            elif isinstance(arrival, Stray):
                assert arrival.status == int(step["status"])
                assert arrival.farewell is not None
            elif isinstance(arrival, Notified):
                body = arrival.release
        elif "begin" in step:
            begun = channel.initiate(
                "79161234567",
                step["begin"],
                code="*929#",
                now=now,
                dialogs=dialogs,
                notify=step["notify"] == "true",
            )
            assert begun is not None
            dialog, body = begun
        else:
            assert dialog is not None
            body = channel.reply(dialog, step["reply"], step["more"] == "true", now, dialogs)
        if body is not None and dialog is not None and dialog.live:
            channel.shown(dialog.key, dialog.opened_at, dialog.page, 0, now, dialogs)
        wanted = step.get("out")
        assert (None if body is None else body.hex()) == (
            None if wanted is None else bytes.fromhex(wanted).hex()
        )
    assert dialogs.live == 0


def test_every_shipped_dialect_has_vectors() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.yaml")) == sorted(SHIPPED)
