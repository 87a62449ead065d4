"""Ordinary PDUs against two other codecs: smpplib (its make_pdu and parse_pdu) and smpp34."""

from typing import Any

import pytest
import smpp34
from hypothesis import given, settings
from hypothesis import strategies as st
from smpplib import smpp as smpplib_smpp

from smpp.pdu import codec
from smpp.pdu.bind import BindReceiver, BindTransceiver, BindTransceiverResp, BindTransmitter
from smpp.pdu.link import EnquireLink, EnquireLinkResp, GenericNack, Unbind, UnbindResp
from smpp.pdu.message import DeliverSm, Sm, SubmitSm, SubmitSmResp, encode_deliver_sm, encode_submit_sm
from smpp.pdu.query_sm import QuerySm
from smpp.pdu.wire import Framer

octet = st.integers(0, 255)
digits = st.text("0123456789", max_size=20).map(str.encode)


class Client:
    """All that smpplib wants of a client."""

    sequence = 0
    smsc_default_alphabet = None

    def next_sequence(self) -> int:
        return 1


def theirs(command: str, sequence: int, **fields: Any) -> bytes:
    pdu = smpplib_smpp.make_pdu(command, client=Client(), **fields)
    pdu.sequence = sequence
    return bytes(pdu.generate())


def sms(cls: type[Sm]) -> st.SearchStrategy[Sm]:
    return st.builds(
        cls,
        service_type=st.sampled_from([b"", b"USSD", b"P2"]),
        source_ton=octet, source_npi=octet, source=digits, dest_ton=octet, dest_npi=octet, dest=digits,
        esm_class=st.integers(0, 0x3F), protocol_id=octet, priority=octet,
        validity=st.sampled_from([b"", b"000000020000000R"]),
        registered_delivery=octet, replace_if_present=octet, data_coding=octet, default_msg_id=octet,
        short_message=st.binary(max_size=254),
        tlvs=st.sampled_from([(), ((0x0204, b"\1\2"),)]),
    )  # fmt: skip


def smpplib_fields(sm: Sm) -> dict[str, Any]:
    fields = {
        "service_type": sm.service_type.decode(),
        "source_addr_ton": sm.source_ton, "source_addr_npi": sm.source_npi, "source_addr": sm.source.decode(),
        "dest_addr_ton": sm.dest_ton, "dest_addr_npi": sm.dest_npi, "destination_addr": sm.dest.decode(),
        "esm_class": sm.esm_class, "protocol_id": sm.protocol_id, "priority_flag": sm.priority,
        "validity_period": sm.validity.decode(), "registered_delivery": sm.registered_delivery,
        "replace_if_present_flag": sm.replace_if_present, "data_coding": sm.data_coding,
        "sm_default_msg_id": sm.default_msg_id, "short_message": sm.short_message,
    }  # fmt: skip
    if sm.tlvs:
        fields["user_message_reference"] = int.from_bytes(sm.tlvs[0][1], "big")
    return fields


@settings(max_examples=60, derandomize=True, deadline=None)
@given(sms(SubmitSm), st.integers(1, 0x7FFFFFFF))
def test_submit_sm_encodes_as_smpplib_does(sm: Sm, sequence: int) -> None:
    octets = theirs("submit_sm", sequence, **smpplib_fields(sm))
    assert encode_submit_sm(sequence, sm) == octets
    assert codec.decode(*Framer().feed(octets)[0]) == sm


@settings(max_examples=60, derandomize=True, deadline=None)
@given(sms(DeliverSm))
def test_smpplib_reads_our_deliver_sm(sm: Sm) -> None:
    pdu = smpplib_smpp.parse_pdu(encode_deliver_sm(9, sm), client=Client(), allow_unknown_opt_params=False)
    assert (pdu.command, pdu.sequence) == ("deliver_sm", 9)
    assert (pdu.source_addr, pdu.destination_addr) == (sm.source, sm.dest)
    assert (pdu.data_coding, pdu.esm_class) == (sm.data_coding, sm.esm_class)
    assert (pdu.short_message or b"") == sm.short_message


BINDS = {"system_id": "gudok", "password": "secret08", "system_type": "VMA", "address_range": "929"}


@pytest.mark.parametrize(
    ("command", "fields", "ours"),
    [
        ("bind_receiver", BINDS, BindReceiver(b"gudok", b"secret08", b"VMA", 0x34, 0, 0, b"929")),
        ("bind_transmitter", BINDS, BindTransmitter(b"gudok", b"secret08", b"VMA", 0x34, 0, 0, b"929")),
        ("bind_transceiver", BINDS, BindTransceiver(b"gudok", b"secret08", b"VMA", 0x34, 0, 0, b"929")),
        ("enquire_link", {}, EnquireLink()),
        ("enquire_link_resp", {}, EnquireLinkResp()),
        ("unbind", {}, Unbind()),
        ("unbind_resp", {}, UnbindResp()),
        ("generic_nack", {}, GenericNack()),
        ("submit_sm_resp", {"message_id": "A7"}, SubmitSmResp(b"A7")),
        (
            "query_sm",
            {"message_id": "A7", "source_addr_ton": 3, "source_addr_npi": 1, "source_addr": "929"},
            QuerySm(b"A7", 3, 1, b"929"),
        ),
    ],
)
def test_the_other_commands_encode_as_smpplib_does(
    command: str, fields: dict[str, Any], ours: object
) -> None:
    assert codec.encode(ours, 77) == theirs(command, 77, **fields)


def test_smpplib_bind_resp_is_read() -> None:
    octets = theirs("bind_transceiver_resp", 5, system_id="SMSC", sc_interface_version=0x34)
    assert codec.decode(*Framer().feed(octets)[0]) == BindTransceiverResp(b"SMSC", ((0x0210, b"\x34"),))


FIELDS_34 = {
    "service_type": "service_type", "source_addr_ton": "source_ton", "source_addr_npi": "source_npi",
    "source_addr": "source", "dest_addr_ton": "dest_ton", "dest_addr_npi": "dest_npi",
    "destination_addr": "dest", "esm_class": "esm_class", "protocol_id": "protocol_id",
    "priority_flag": "priority", "validity_period": "validity", "registered_delivery": "registered_delivery",
    "replace_if_present_flag": "replace_if_present", "data_coding": "data_coding",
    "sm_default_msg_id": "default_msg_id", "short_message": "short_message",
}  # fmt: skip


@settings(max_examples=100, derandomize=True, deadline=None)
@given(
    sms(SubmitSm) | sms(DeliverSm),
    st.lists(st.tuples(st.sampled_from([0x0501, 0x1383, 0x1501, 0x3FFE]), st.binary(max_size=8)), max_size=3),
)
def test_smpp34_reads_and_writes_the_same_octets(sm: Any, extra: list[tuple[int, bytes]]) -> None:
    sm = type(sm)(**{name: getattr(sm, name) for name in sm.__struct_fields__} | {"tlvs": tuple(extra)})
    octets = codec.encode(sm, 11)
    peer: Any = smpp34.decode(octets)
    for their_name, our_name in FIELDS_34.items():
        value = getattr(peer, their_name)
        assert (value.encode() if isinstance(value, str) else value) == getattr(sm, our_name), their_name
    assert [(tlv.tag, bytes(tlv.value)) for tlv in peer.tlvs] == extra
    assert bytes(peer.encode()) == octets
