"""A centre in front of the channel: messages as a real one sends them, answers taken apart again."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from engine.reading.diagnostic import Report
from smpp.pdu.message import DeliverSm, Sm, decode_sm, encode_sm_body
from smpp.text import decode
from ussd.arrival import Arrival
from ussd.centre import UssdChannel
from ussd.dialect import Dialect
from ussd.dialect_file import read_dialect
from ussd.dialog import Dialog, Dialogs

MSISDN = "79161234567"
_DIALECTS = Path(__file__).parents[2] / "config" / "dialects"
SHIPPED = tuple(sorted(path.stem for path in _DIALECTS.glob("*.yaml")))
"""The names of the dialects that come with Gudok."""


@cache
def shipped(name: str) -> Dialect:
    """Return a shipped dialect."""
    report = Report()
    dialect = read_dialect((_DIALECTS / f"{name}.yaml").read_text("utf-8"), f"{name}.yaml", report)
    assert dialect is not None, report.diagnostics
    return dialect


class Shown:
    """A submit_sm body taken apart."""

    def __init__(self, body: bytes, dialect: Dialect) -> None:
        self.sm: Sm = decode_sm(body, 1, 4)
        op = self.sm.tlv(0x0501)
        self.op = None if op is None else op[0]
        self.to = self.sm.dest.decode()
        self.sender = self.sm.source.decode()
        self.id = self.sm.tlv(dialect.session_id.tag) if dialect.session_id.tag else None
        self.text = decode(self.sm.data_coding, self.sm.payload)


class Centre:
    """Feeds one channel. Each message goes over the wire format; `now` is a hand clock in ms."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.channel = UssdChannel(dialect, "main")
        self.dialogs = Dialogs()
        self.now = 1_000_000
        self.sequence = 0
        self.connection = (0, 1)

    def message(
        self,
        text: str | bytes,
        op: int | None,
        *,
        msisdn: str = MSISDN,
        info: bytes | None = None,
        service_type: bytes = b"USSD",
        dest: bytes = b"929",
        **fields: object,
    ) -> Sm:
        tlvs: list[tuple[int, bytes]] = []
        if op is not None:
            tlvs.append((0x0501, bytes((op,))))
        if info is not None:
            tlvs.append((self.dialect.session_id.tag, info))
        payload = text.encode("ascii") if isinstance(text, str) else text
        values = {
            "service_type": service_type, "source_ton": 1, "source_npi": 1, "source": msisdn.encode(),
            "dest_ton": 0, "dest_npi": 1, "dest": dest, "short_message": payload, "tlvs": tuple(tlvs),
        }  # fmt: skip
        sm = DeliverSm(**{**values, **fields})  # type: ignore[arg-type]
        return decode_sm(encode_sm_body(sm), 1, 5)

    def give(
        self, sm: Sm, *, sequence: int | None = None, connection: tuple[int, int] | None = None
    ) -> Arrival:
        if sequence is None:
            self.sequence += 1
            sequence = self.sequence
        return self.channel.receive(
            sm,
            connection=connection or self.connection,
            sequence=sequence,
            now=self.now,
            dialogs=self.dialogs,
        )

    def dial(self, text: str = "*929#", op: int = 1, **fields: object) -> Arrival:
        return self.give(self.message(text, op, **fields))  # type: ignore[arg-type]

    def type(self, text: str, op: int = 0x12, **fields: object) -> Arrival:
        return self.give(self.message(text, op, **fields))  # type: ignore[arg-type]

    def show(self, dialog: Dialog, text: str = "Меню", more: bool = True, status: int | None = 0) -> Shown:
        """Answer, and have the centre accept the page (`status` None: no submit_sm_resp)."""
        body = self.channel.reply(dialog, text, more, self.now, self.dialogs)
        assert body is not None
        if status is not None:
            self.channel.shown(dialog.key, dialog.opened_at, dialog.page, status, self.now, self.dialogs)
        return Shown(body, self.dialect)

    def taken_apart(self, body: bytes | None) -> Shown:
        assert body is not None
        return Shown(body, self.dialect)


@pytest.fixture
def centre() -> Centre:
    """A centre of the standard dialect."""
    return Centre(Dialect())
