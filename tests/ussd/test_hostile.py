"""Whatever a centre sends, both channels say what it is and never raise; what they keep can be stored."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from smpp.msisdn import normal_msisdn
from smpp.pdu.message import DeliverSm, decode_sm, encode_sm_body
from smpp.sms import SmsChannel
from smpp.sms_arrival import PartHeld, SmsArrived
from ussd.arrival import Answered, Dialled, NotUssd, Stray
from ussd.centre import UssdChannel
from ussd.dialect import Dialect, OpOut, SessionId
from ussd.dialog import Dialog, Dialogs

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
    service_type=st.sampled_from([b"", b"USSD", b"BR", b"CA", b"P2"]),
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
DIALECTS = (
    Dialect(),
    Dialect(session_id=SessionId(0x1501, 4, 0xFFFFFFFF, 0, 0), op_out=OpOut(release=0x80), ni_end="release"),
    Dialect(detect_dialled=True, code_field="destination_addr", packed=True, dcs_ucs2_out=0x11),
)


@settings(max_examples=250, derandomize=True, deadline=None)
@given(st.sampled_from(DIALECTS), st.lists(MESSAGES, max_size=8), st.integers(0, 3))
def test_no_message_breaks_a_channel(dialect: Dialect, messages: list[DeliverSm], sequence: int) -> None:
    ussd, dialogs = UssdChannel(dialect, "main"), Dialogs()
    sms = SmsChannel(dialect.sms, "main", run=1)
    now = 1_000
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
