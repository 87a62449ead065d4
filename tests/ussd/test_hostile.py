"""Whatever a centre sends, both channels say what it is and never raise; what they keep can be stored."""

from __future__ import annotations

import os
import sys
from random import Random, SystemRandom

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smpp.msisdn import normal_msisdn
from smpp.pdu.message import DeliverSm, decode_sm, encode_sm_body
from smpp.pdu.wire import PduError
from smpp.sms import SmsChannel
from smpp.sms_arrival import PartHeld, SmsArrived
from smpp.testing.dialect import SHIPPED as CENTRES
from smpp.testing.dialect import STANDARD
from ussd.arrival import Answered, Dialled, NotUssd, Stray
from ussd.centre import UssdChannel
from ussd.dialect import Dialect
from ussd.dialog import Dialog, Dialogs

from .conftest import SHIPPED, shipped

OCTETS = st.binary(max_size=20).map(lambda value: value.replace(b"\0", b""))
NUMBER = st.sampled_from([b"79161234567", b"+79161234567", b"89161234567", b"9290", b"", b"Gudok"])
TLVS = st.lists(
    st.tuples(
        st.sampled_from([0x0501, 0x1383, 0x1501, 0x0204, 0x0424, 0x020C, 0x020E, 0x020F, 0x001E, 0x0427]),
        st.binary(max_size=12),
    ),
    max_size=5,
).map(tuple)
MESSAGES = st.builds(
    DeliverSm,
    service_type=st.sampled_from([b"", b"USSD", b"BR", b"CA", b"CN", b"AF", b"EA", b"XX", b"P2"]),
    source_ton=st.integers(0, 255),
    source_npi=st.integers(0, 255),
    source=NUMBER | OCTETS,
    dest_ton=st.integers(0, 255),
    dest=st.sampled_from([b"929", b"*929#"]) | OCTETS,
    esm_class=st.sampled_from([0, 0, 0x40, 0x04, 0x20]) | st.integers(0, 255),
    data_coding=st.sampled_from([0, 8, 15, 16, 17]) | st.integers(0, 255),
    short_message=st.sampled_from([b"*929#", b"1", b""]) | st.binary(max_size=254),
    tlvs=TLVS,
)
DIALECTS = {
    **{name: shipped(name) for name in SHIPPED},
    "odd": Dialect(detect_dialled=True, code_field="destination_addr", packed=True, dcs_ucs2_out=0x11),
}


@pytest.mark.parametrize("name", DIALECTS)
@settings(max_examples=80, derandomize=True, deadline=None)
@given(messages=st.lists(MESSAGES, max_size=8), sequence=st.integers(0, 3), ours=st.booleans())
def test_no_message_breaks_a_channel(name: str, messages: list[DeliverSm], sequence: int, ours: bool) -> None:
    dialect = DIALECTS[name]
    ussd, dialogs = UssdChannel(dialect, "main"), Dialogs()
    sms = SmsChannel(dialect.sms, "main", run=1)
    now = 1_000
    if ours:
        begun = ussd.initiate("79161234567", "Меню", code="929", now=now, dialogs=dialogs)
        assert begun is not None
        assert decode_sm(begun[1], 1, 4).dest == b"79161234567"
    for sm in messages:
        now += 700
        sm = decode_sm(encode_sm_body(sm), 1, 5)
        arrival = ussd.receive(sm, connection=(0, 1), sequence=sequence, now=now, dialogs=dialogs)
        if isinstance(arrival, Dialled | Answered):
            stored = msgspec.msgpack.encode(arrival.dialog)
            assert msgspec.msgpack.decode(stored, type=Dialog) == arrival.dialog
            body = ussd.reply(arrival.dialog, "Меню", True, now, dialogs)
            if arrival.dialog.live:
                assert body is not None
                answer = decode_sm(body, 1, 4)
                to = normal_msisdn(answer.dest, answer.dest_ton, answer.dest_npi, dialect.sms.country)
                assert to == arrival.dialog.msisdn
        elif isinstance(arrival, Stray) and arrival.farewell is not None:
            assert decode_sm(arrival.farewell, 1, 4).dest == sm.source
        elif isinstance(arrival, NotUssd):
            message = sms.receive(sm, connection=(0, 1), sequence=sequence, now=now)
            if isinstance(message, SmsArrived):
                assert message.msisdn.isascii()
                assert message.msisdn.isdigit()
                msgspec.msgpack.encode(message.identity)
                msgspec.msgpack.encode(message.text)
            elif isinstance(message, PartHeld):
                msgspec.msgpack.encode(message.part)
    sms.expired(now + 10**9)
    assert len(sms.parts) == 0


SEED = int(os.environ.get("GUDOK_FUZZ_SEED", "0")) or SystemRandom().randrange(1, 1 << 31)


@pytest.mark.parametrize("name", DIALECTS)
def test_damaged_dialogs_of_every_dialect(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Sound dialogs with bits turned over; GUDOK_FUZZ_SEED repeats a run."""
    with capsys.disabled():
        if name == next(iter(DIALECTS)):
            sys.stdout.write(f"GUDOK_FUZZ_SEED={SEED} ")
    rng = Random(f"{SEED} {name}")
    centre = CENTRES.get(name, STANDARD)
    ussd, dialogs = UssdChannel(DIALECTS[name], "main"), Dialogs()
    for number in range(2_000):
        now = 1_000 + number * 300
        op = rng.choice((0x01, 0x12, 0x12, 0x13, 0x81))
        text = {0x01: "*929#", 0x12: rng.choice(("1", "да"))}.get(op, "")
        phone = f"7916000000{rng.randrange(3)}"
        body = bytearray(encode_sm_body(centre.ussd(op, phone, "929", text, 7, number % 128)))
        for _ in range(rng.choice((0, 0, 0, 1, 2))):
            body[rng.randrange(len(body))] = rng.randrange(256)
        try:
            sm = decode_sm(bytes(body), number, 5)
        except PduError:
            continue
        arrival = ussd.receive(sm, connection=(0, 1), sequence=number, now=now, dialogs=dialogs)
        if isinstance(arrival, Dialled | Answered):
            page = ussd.reply(arrival.dialog, "Меню", rng.random() < 0.8, now, dialogs)
            assert (page is not None) is (not getattr(arrival, "last", False))
            assert page is None or decode_sm(page, 1, 4).dest
    assert ussd.counts["dialled"] > 50
    assert ussd.counts["input"] > 50
    assert dialogs.live == sum(one.live for one in dialogs.by_key.values())
    ussd.open("79169999999", "929", 1_000 + 10**9, dialogs)
    assert len(dialogs) - dialogs.live == 0, "what has ended is forgotten"
