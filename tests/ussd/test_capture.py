"""Golden captures: openings as two real centres sent them (smpp-ussd.md 1.3)."""

from __future__ import annotations

import pytest

from smpp.pdu.message import decode_sm
from ussd.arrival import Dialled
from ussd.centre import UssdChannel
from ussd.dialect import Dialect
from ussd.dialog import Dialogs

from .conftest import Shown

P2 = (
    "00000044 00000005 00000000 00000001"
    " 5032 00"  # service_type P2
    " 01 01 3636393737303931323035 00"  # source 66977091205
    " 01 01 3636393233303131313231 00"  # destination 66923011121
    " 00 00 00 00 00"  # esm_class, protocol_id, priority, no times
    " 00 00 0F 00"  # data_coding 0x0F
    " 06 2A3430303623"  # *4006#
    " 0501 0001 01"
)
TAJIK = (
    "0000004A 00000005 00000000 00000007"
    " 55535344 00"
    " 01 01 393932303030303030303030 00"
    " 01 01 393932303030303030303031 00"
    " 00 00 00 00 00"
    " 00 00 00 00"
    " 08 2A333332322A3023"
    " 0501 0001 01"
)


@pytest.mark.parametrize(
    ("capture", "octets", "caller", "text", "sender", "service_type"),
    [
        (P2, 68, "66977091205", "*4006#", "66923011121", b"P2"),
        (TAJIK, 74, "992000000000", "*3322*0#", "992000000001", b"USSD"),
    ],
    ids=["P2", "USSD"],
)
def test_a_captured_opening_is_understood_and_answered(
    capture: str, octets: int, caller: str, text: str, sender: str, service_type: bytes
) -> None:
    pdu = bytes.fromhex(capture)
    assert len(pdu) == octets == int.from_bytes(pdu[:4], "big")
    dialect = Dialect()
    channel, dialogs = UssdChannel(dialect, "main"), Dialogs()
    arrival = channel.receive(
        decode_sm(pdu[16:], 1, 5), connection=(0, 1), sequence=1, now=1_000, dialogs=dialogs
    )
    assert isinstance(arrival, Dialled)
    assert (arrival.dialog.msisdn, arrival.text) == (caller, text)
    body = channel.reply(arrival.dialog, "Hello", False, 1_100, dialogs)
    assert body is not None
    shown = Shown(body, dialect)
    assert (shown.to, shown.sender, shown.op, shown.text) == (caller, sender, 0x11, "Hello")
    assert shown.sm.service_type == service_type
    assert (shown.sm.dest_ton, shown.sm.dest_npi, shown.sm.source_ton, shown.sm.source_npi) == (1, 1, 1, 1)
    assert shown.id is None
