"""What a broken body gets: an answer with the right status, or acceptance with a mark."""

from typing import Any

import pytest

from smpp.pdu import codec
from smpp.pdu.bind import BindTransceiver, BindTransceiverResp, decode_bind_resp, encode_bind_resp
from smpp.pdu.command import CommandId
from smpp.pdu.data_sm import DataSm, decode_data_sm
from smpp.pdu.message import (
    DeliverSm,
    Sm,
    SubmitSm,
    SubmitSmResp,
    SubmitTemplate,
    address_field,
    decode_sm,
    decode_submit_resp,
    encode_deliver_resp,
    encode_deliver_sm,
    encode_sm_body,
    encode_submit_sm,
)
from smpp.pdu.status import Status
from smpp.pdu.submit_multi import Destination, SubmitMulti
from smpp.pdu.tlv import MAX_TLVS, Oddity, first_tlv, tlv_int, write_tlvs
from smpp.pdu.wire import PduError

SM = DeliverSm(
    service_type=b"USSD",
    source_ton=1,
    source_npi=1,
    source=b"79161234567",
    dest_ton=3,
    dest_npi=9,
    dest=b"929",
    data_coding=15,
    short_message=b"*929#",
)
BODY = encode_sm_body(SM)


def refused(body: bytes, command_id: int = 5) -> PduError:
    with pytest.raises(PduError) as caught:
        decode_sm(body, 42, command_id)
    assert caught.value.fatal is False
    assert (caught.value.sequence, caught.value.command_id) == (42, command_id)
    return caught.value


def test_every_cut_of_a_deliver_sm_is_refused_with_0x01() -> None:
    for cut in range(len(BODY)):
        assert refused(BODY[:cut]).status == 0x01


@pytest.mark.parametrize("length", [6, 100, 255])
def test_sm_length_beyond_the_body_is_0x01(length: int) -> None:
    at = len(BODY) - len(SM.short_message) - 1
    assert refused(BODY[:at] + bytes((length,)) + BODY[at + 1 :]).status == 0x01


@pytest.mark.parametrize("field", ["service_type", "source_addr", "destination_addr"])
def test_missing_nul_is_0x01_and_the_field_is_named(field: str) -> None:
    bodies = {
        "service_type": b"USSD",
        "source_addr": b"USSD\0\1\1" + b"7" * 20,
        "destination_addr": b"USSD\0\1\x017916\0\1\1929",
    }
    error = refused(bodies[field])
    assert error.status == 0x01
    assert field in error.reason


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"TOOLNG\0" + BODY[5:], Status.RINVSERTYP),
        (b"USSD\0\1\1" + b"7" * 21 + b"\0" + BODY[19:], Status.RINVSRCADR),
        (BODY[:21] + b"9" * 21 + BODY[24:], Status.RINVDSTADR),
        (BODY[:28] + b"2" * 17 + BODY[28:], Status.RINVSCHED),
        (BODY[:29] + b"2" * 17 + BODY[29:], Status.RINVEXPIRY),
    ],
)
def test_a_field_that_is_too_long_has_its_own_status(body: bytes, status: int) -> None:
    assert refused(body).status == status


def test_what_was_decoded_can_always_be_answered() -> None:
    longest = SM.__class__(source=b"7" * 20, dest=b"9" * 20, service_type=b"ABCDE")
    got = decode_sm(encode_sm_body(longest), 1, 5)
    assert decode_sm(SubmitTemplate(SM).reply(got), 1, 4).dest == b"7" * 20


@pytest.mark.parametrize("stray", [b"\0", b"\1\2", b"\xff\xff\xff"])
def test_stray_octets_are_accepted_and_marked(stray: bytes) -> None:
    got = decode_sm(BODY + stray, 1, 5)
    assert got.short_message == b"*929#"
    assert got.oddities == Oddity.STRAY_OCTETS


def test_cut_tlv_keeps_the_complete_ones() -> None:
    got = decode_sm(BODY + bytes.fromhex("0501000101 13830002 07"), 1, 5)
    assert got.tlvs == ((0x0501, b"\1"),)
    assert got.oddities == Oddity.CUT_TLV


@pytest.mark.parametrize("tail", ["00", "13830002 07", "0424ffff 00"])
def test_strict_mode_answers_0xc0(tail: str) -> None:
    for decode in (
        lambda: decode_sm(BODY + bytes.fromhex(tail), 9, 5, strict=True),
        lambda: decode_data_sm(codec.encode_body(DataSm()) + bytes.fromhex(tail), 9, strict=True),
    ):
        with pytest.raises(PduError) as caught:
            decode()
        assert (caught.value.status, caught.value.sequence) == (0xC0, 9)


def test_unknown_tlv_is_kept_to_its_last_octet() -> None:
    assert decode_sm(BODY + bytes.fromhex("3ffe0003 010203"), 1, 5).tlvs == ((0x3FFE, b"\1\2\3"),)


def test_repeated_tlv_first_wins_and_all_are_kept() -> None:
    got = decode_sm(BODY + bytes.fromhex("0501000101 0501000112"), 1, 5)
    assert got.tlv(0x0501) == b"\1"
    assert len(got.tlvs) == 2
    assert first_tlv(got.tlvs, 0x1383) is None


@pytest.mark.parametrize(
    ("value", "number"), [(b"", 0), (b"\2", 2), (b"\0\2", 2), (b"\1\0\0\0\0\0\0\0\0", 2**64)]
)
def test_integer_tlv_of_any_length(value: bytes, number: int) -> None:
    assert tlv_int(value) == number


def test_tlvs_are_bounded() -> None:
    got = decode_sm(BODY + b"\x1f\xff\0\0" * 5000, 1, 5)
    assert len(got.tlvs) == MAX_TLVS
    assert got.oddities == Oddity.MANY_TLVS


def test_payload_is_the_tlv_when_short_message_is_empty() -> None:
    tlvs = ((0x0424, b"long"),)
    assert Sm(short_message=b"short", tlvs=tlvs).payload == b"short"
    assert Sm(tlvs=tlvs).payload == b"long"
    assert Sm().payload == b""


def test_unknown_command_is_0x03() -> None:
    with pytest.raises(PduError) as caught:
        codec.decode(0x00010203, 0, 5, b"anything")
    assert (caught.value.status, caught.value.sequence, caught.value.fatal) == (0x03, 5, False)


@pytest.mark.parametrize("command_id", [c for c in codec.FAMILIES if c & 0x80000000])
@pytest.mark.parametrize("body", [b"", b"\0", b"no NUL here"])
def test_an_error_response_is_accepted_with_any_body(command_id: int, body: bytes) -> None:
    record = codec.decode(command_id, 0x58, 1, body)
    assert type(record) is codec.FAMILIES[command_id].record


@pytest.mark.parametrize("command_id", [c for c in codec.FAMILIES if c & 0x80000000])
def test_a_success_response_with_an_empty_body_is_accepted(command_id: int) -> None:
    assert codec.decode(command_id, 0, 1, b"") == codec.FAMILIES[command_id].record()


@pytest.mark.parametrize(
    ("body", "message_id"),
    [
        (b"", b""),
        (b"\0", b""),
        (b"A7\0", b"A7"),
        (b"A7", b"A7"),
        (b"A7\0\x04\x23\0\3\3\0\1", b"A7"),
        (b"x" * 5000, b""),
        (b"7", b"7"),
    ],
)
def test_submit_resp_id(body: bytes, message_id: bytes) -> None:
    assert decode_submit_resp(body, 0) == message_id


def test_deliver_resp_has_a_single_nul() -> None:
    assert encode_deliver_resp(0xFFFFFFFF).hex() == "000000118000000500000000ffffffff00"
    assert encode_deliver_resp(0, 0x64).hex() == "0000001180000005000000640000000000"


def test_bind_resp_says_the_version_or_is_3_3() -> None:
    assert BindTransceiverResp(b"SMSC", ((0x0210, b"\x50"),)).sc_version == 0x50
    assert BindTransceiverResp(b"SMSC").sc_version == 0x33
    octets = encode_bind_resp(1, CommandId.BIND_TRANSCEIVER_RESP, 0, b"SMSC")
    assert codec.decode(CommandId.BIND_TRANSCEIVER_RESP, 0, 1, octets[16:]).sc_version == 0x34
    assert len(encode_bind_resp(1, CommandId.BIND_TRANSCEIVER_RESP, 0x0E, b"SMSC")) == 16


@pytest.mark.parametrize("body", [b"", b"SMSC", b"SMSC\0", b"S" * 16 + b"\0", b"S" * 300])
def test_a_bind_resp_never_fails(body: bytes) -> None:
    assert decode_bind_resp(body, 1, CommandId.BIND_TRANSCEIVER_RESP).system_id in (b"", b"SMSC")


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"system_id": b"x" * 16}, "system_id"),
        ({"password": b"x" * 9}, "password"),
        ({"system_type": b"x" * 13}, "system_type"),
        ({"address_range": b"x" * 41}, "address_range"),
        ({"system_id": b"a\0b"}, "system_id"),
    ],
)
def test_our_own_bind_values_are_refused_not_cut(fields: dict[str, Any], names: str) -> None:
    with pytest.raises(ValueError, match=names) as caught:
        BindTransceiver(**fields)
    assert "xxxx" not in str(caught.value)


@pytest.mark.parametrize(
    "fields",
    [
        {"service_type": b"TOOLNG"},
        {"source": b"7" * 21},
        {"dest": b"7" * 21},
        {"dest": b"7\x007"},
        {"schedule": b"1" * 17},
        {"validity": b"1" * 17},
        {"short_message": b"x" * 255},
        {"data_coding": 256},
        {"source_ton": -1},
        {"tlvs": ((0x0424, b"x" * 65536),)},
        {"tlvs": ((0x10000, b""),)},
    ],
)
def test_our_own_message_values_are_refused_not_cut(fields: dict[str, Any]) -> None:
    for encode in (encode_submit_sm, encode_deliver_sm):
        with pytest.raises(ValueError, match=r"allowed|must be|NUL"):
            encode(1, SubmitSm(**fields))


def test_template_refuses_at_construction_and_joins_the_same_octets() -> None:
    with pytest.raises(ValueError, match="short_message"):
        SubmitTemplate(Sm(short_message=b"x" * 255))
    page = Sm(service_type=b"USSD", data_coding=8, short_message=b"\x04\x1c", tlvs=((0x1383, b"\7\3"),))
    template = SubmitTemplate(page)
    operation = write_tlvs(((0x0501, b"\x11"),))
    reply = decode_sm(template.reply(SM, operation), 1, 4)
    assert (reply.source_ton, reply.source_npi, reply.source) == (3, 9, b"929")
    assert (reply.dest_ton, reply.dest_npi, reply.dest) == (1, 1, b"79161234567")
    assert reply.tlvs == ((0x1383, b"\7\3"), (0x0501, b"\x11"))
    fields = address_field(3, 9, b"929"), address_field(1, 1, b"79161234567")
    assert template.body(*fields, operation) == template.reply(SM, operation)
    assert template.pdu(7, *fields, operation) == encode_submit_sm(7, reply)
    with pytest.raises(ValueError, match="octets"):
        template.reply(Sm(source=b"7" * 21))


def test_submit_multi_counts_and_flags() -> None:
    good = codec.encode_body(SubmitMulti(destinations=(Destination(1, 1, b"7"),)))
    with pytest.raises(ValueError, match="destinations"):
        codec.encode(SubmitMulti(), 1)
    for at, value, status in (
        (4, 0, Status.RINVNUMDESTS),
        (4, 255, Status.RINVNUMDESTS),
        (5, 3, Status.RINVDESTFLAG),
    ):
        body = good[:at] + bytes((value,)) + good[at + 1 :]
        with pytest.raises(PduError) as caught:
            codec.decode(CommandId.SUBMIT_MULTI, 0, 1, body)
        assert caught.value.status == status


def test_octets_behind_a_pdu_without_body_are_marked() -> None:
    assert codec.decode(CommandId.ENQUIRE_LINK, 0, 1, b"x").oddities == Oddity.STRAY_OCTETS


def test_encode_refuses_what_is_no_pdu() -> None:
    with pytest.raises(TypeError, match="Sm"):
        codec.encode(Sm(), 1)
    with pytest.raises(ValueError, match="70000"):
        codec.encode(SubmitSm(tlvs=((0x0424, b"x" * 65535), (0x0425, b"x" * 5000))), 1)
    with pytest.raises(ValueError, match="sequence"):
        codec.encode(SubmitSmResp(), -1)


def test_memoryview_is_decoded_as_bytes() -> None:
    assert decode_sm(memoryview(BODY), 1, 5) == SM


def test_reason_never_holds_what_was_sent() -> None:
    error = refused(b"USSD\0\1\1" + b"79161234567" * 3 + b"\0")
    assert "7916" not in f"{error} {error.reason}"
    assert "0x0A" in str(error)
